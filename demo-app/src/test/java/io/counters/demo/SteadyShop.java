package io.counters.demo;

import java.net.http.HttpClient;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A process of its own: a shop that sells until it reads something, then prints what was done and {@code told}, and lives
 * on until its stdin ends, so that its agent can go on repeating.
 */
final class SteadyShop {
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(3);

    private SteadyShop() {}

    /**
     * Sells.
     *
     * @param arguments the seed of all chance
     */
    public static void main(String... arguments) throws Exception {
        long seed = Long.parseLong(arguments[0]);
        try (Shop shop = new Shop(0, seed)) {
            Tally tally = new Tally();
            Customer customer = new Customer(HttpClient.newHttpClient(), shop.address(), new Random(seed), tally);
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
