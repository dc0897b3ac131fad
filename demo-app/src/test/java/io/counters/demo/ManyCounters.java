package io.counters.demo;

import io.counters.Counter;
import io.counters.Counters;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs as a separate process: counts under many names until it reads something from stdin. Then it prints each counter's
 * value and {@code told}, and runs until its stdin ends, so that its agent can keep repeating totals.
 */
final class ManyCounters {
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private ManyCounters() {}

    /**
     * Counts.
     *
     * @param arguments the number of names, and the seed for the random numbers
     */
    public static void main(String... arguments) throws Exception {
        Counter[] counters = new Counter[Integer.parseInt(arguments[0])];
        long[] counted = new long[counters.length];
        for (int i = 0; i < counters.length; i++) {
            counters[i] = Counters.counter("many.counters,number=" + i);
        }
        Random random = new Random(Long.parseLong(arguments[1]));
        System.out.println("counts");
        while (System.in.available() == 0) {
            for (int i = 0; i < 20; i++) {
                int which = random.nextInt(counters.length);
                int amount = random.nextInt(100) - 30;
                counters[which].add(amount);
                counted[which] += amount;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
        for (int i = 0; i < counters.length; i++) {
            System.out.println(counters[i].name() + " " + counted[i]);
        }
        System.out.println("told");
        System.in.readAllBytes();
    }
}
