package io.counters.demo;

import io.counters.Count;
import io.counters.Counter;
import io.counters.Counters;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A process of its own: two threads count at a million a second together, then as fast as they can, with the API or a
 * woven method; prints what they counted, and ends.
 */
final class Flood {
    private static final int THREADS = 2;
    private static final int PER_MILLI = 1_000_000 / 1_000 / THREADS;

    private static final Counter HANDLE = Counters.counter("flood");

    private Flood() {}

    /**
     * Floods.
     *
     * @param arguments the seconds of each of the two rates, and the collector for the API; without one methods count
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
