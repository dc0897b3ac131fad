package io.counters.demo;

import io.counters.Count;
import io.counters.Counter;
import io.counters.Counters;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs as a separate process: two threads together make a million counts a second, and then count as fast as they can, with
 * the API or in an instrumented method. Then it prints the number of counts, and ends.
 */
final class Flood {
    private static final int THREADS = 2;
    private static final int PER_MILLI = 1_000_000 / 1_000 / THREADS;

    private static final Counter HANDLE = Counters.counter("flood");

    private Flood() {}

    /**
     * Counts at both rates.
     *
     * @param arguments the seconds for each of the two rates, and the collector; without a collector the agent counts
     */
    public static void main(String... arguments) throws Exception {
        long nanos = TimeUnit.SECONDS.toNanos(Long.parseLong(arguments[0]));
        boolean api = arguments.length > 1;
        if (api) {
            Counters.start(arguments[1]);
        }
        long[] counted = new long[THREADS];
        Thread[] threads = new Thread[THREADS];
        for (int i = 0; i < THREADS; i++) {
            int number = i;
            threads[i] = new Thread(() -> counted[number] = paced(nanos, api) + flatOut(nanos, api));
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.println("counted " + (counted[0] + counted[1]));
    }

    private static long paced(long nanos, boolean api) {
        long begun = System.nanoTime();
        long counted = 0;
        for (long at = 0; at < nanos; at = System.nanoTime() - begun) {
            for (long due = PER_MILLI * (at / 1_000_000); counted < due; counted++) {
                count(api);
            }
            LockSupport.parkNanos(500_000);
        }
        return counted;
    }

    private static long flatOut(long nanos, boolean api) {
        long begun = System.nanoTime();
        long counted = 0;
        while (System.nanoTime() - begun < nanos) {
            for (int i = 0; i < 10_000; i++) {
                count(api);
            }
            counted += 10_000;
        }
        return counted;
    }

    private static void count(boolean api) {
        if (api) {
            HANDLE.increment();
        } else {
            woven();
        }
    }

    @Count("flood")
    private static void woven() {}
}
