package io.counters.demo;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Runs as a separate process: a shop that sells until it reads something from stdin. Then it prints its tally and {@code
 * told}, and runs until its stdin ends, so that its agent can keep repeating totals.
 */
final class SteadyShop {
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private SteadyShop() {}

    /**
     * Sells.
     *
     * @param arguments the seed for the random numbers
     */
    public static void main(String... arguments) throws Exception {
        long seed = Long.parseLong(arguments[0]);
        try (Shop shop = new Shop(0, seed)) {
            Tally tally = new Tally();
            Customer customer = new Customer(shop.address(), new Random(seed), tally);
            System.out.println("sells");
            while (System.in.available() == 0) {
                customer.step();
                LockSupport.parkNanos(PAUSE_NANOS);
            }
            System.out.print(tally);
            System.out.println("told");
            System.in.readAllBytes();
        }
    }
}
