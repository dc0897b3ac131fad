package io.counters.demo;

import java.util.HashMap;
import java.util.Map;

/**
 * The shop's command line.
 *
 * @param port where it listens, 0 to 65,535; 0 chooses a free one
 * @param rate requests a second that it sends to itself, 0 to 1,000
 * @param seed of all random numbers
 * @param orders the number of orders after which it ends; with 0 it never ends, and sends {@code rate} requests a
 *     second
 * @param threads the number of threads that place {@code orders}, 1 to 64
 */
record ShopArguments(int port, int rate, long seed, int orders, int threads) {
    static final String USAGE = "usage: shop [--port 8080] [--rate 20] [--seed 1]    runs until it is stopped\n"
            + "       shop --orders N [--threads 4] [--port 0] [--seed 1]    places N orders and ends";

    /** @throws IllegalArgumentException with the invalid value and what is allowed */
    ShopArguments {
        check("port", port, 0, 65_535);
        check("rate", rate, 0, 1000);
        check("orders", orders, 0, 10_000_000);
        check("threads", threads, 1, 64);
    }

    /** @throws IllegalArgumentException with the invalid value and what is allowed */
    static ShopArguments of(String... arguments) {
        Map<String, Integer> given = new HashMap<>();
        for (int i = 0; i < arguments.length; i += 2) {
            String name = arguments[i];
            if (!name.matches("--(port|rate|seed|orders|threads)")) {
                throw new IllegalArgumentException("there is no argument " + name + "\n" + USAGE);
            }
            String value = i + 1 < arguments.length ? arguments[i + 1] : "";
            if (!value.matches("\\d{1,9}")) {
                throw new IllegalArgumentException(
                        name + " is \"" + value + "\", which is not a whole number\n" + USAGE);
            }
            given.put(name.substring(2), Integer.valueOf(value));
        }
        int orders = given.getOrDefault("orders", 0);
        return new ShopArguments(
                given.getOrDefault("port", orders > 0 ? 0 : 8080),
                given.getOrDefault("rate", 20),
                given.getOrDefault("seed", 1),
                orders,
                given.getOrDefault("threads", 4));
    }

    private static void check(String name, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    "--" + name + " is " + value + ", allowed are " + min + " to " + max + "\n" + USAGE);
        }
    }
}
