package io.counters.demo;

import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The program: assembles the shop and simulates customers until it is stopped or has placed a number of orders. The
 * only class here that creates threads.
 */
public final class Shop implements AutoCloseable {
    private static final int WEB_THREADS = 8;

    private final ExecutorService webThreads = Executors.newFixedThreadPool(WEB_THREADS, daemons("shop-web"));
    private final ScheduledExecutorService traffic =
            Executors.newSingleThreadScheduledExecutor(daemons("shop-customer"));
    private final long seed;
    private final ShopFront front;

    /**
     * Opens the shop on a port of the loopback address; 0 chooses a free one.
     *
     * @throws IOException if the port is in use
     */
    Shop(int port, long seed) throws IOException {
        this.seed = seed;
        Carts carts = new Carts();
        Orders orders = new Orders(carts, new Payments(new Random(seed)), new Warehouse());
        front = new ShopFront(port, webThreads, carts, orders);
    }

    /** Runs the shop with {@link ShopArguments}. Ends with status 1 if it fails, 2 if the arguments are invalid. */
    public static void main(String... arguments) throws InterruptedException {
        try {
            run(ShopArguments.of(arguments));
        } catch (IllegalArgumentException wrong) {
            System.err.println("shop: " + wrong.getMessage());
            System.exit(2);
        } catch (IOException | ExecutionException failed) {
            System.err.println("shop: " + failed.getMessage());
            System.exit(1);
        }
    }

    private static void run(ShopArguments how) throws IOException, ExecutionException, InterruptedException {
        if (how.orders() > 0) {
            try (Shop shop = new Shop(how.port(), how.seed())) {
                System.out.print(shop.sell(how.orders(), how.threads()));
            }
        } else {
            Shop shop = new Shop(how.port(), how.seed());
            shop.sell(how.rate());
            System.out.println(
                    "shop: listening on " + shop.address() + "; sends itself " + how.rate() + " requests a second");
        }
    }

    URI address() {
        return front.address();
    }

    /** Places {@code orders} orders with one customer per thread, and returns the tally of what was done. */
    Tally sell(int orders, int threads) throws ExecutionException, InterruptedException {
        Tally tally = new Tally();
        ExecutorService customers = Executors.newFixedThreadPool(threads, daemons("shop-customer"));
        try {
            List<Future<?>> shopping = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int share = orders / threads + (i < orders % threads ? 1 : 0);
                Customer customer = new Customer(address(), new Random(seed + i), tally);
                shopping.add(customers.submit(() -> {
                    while (customer.placed() < share) {
                        customer.step();
                    }
                    return tally;
                }));
            }
            for (Future<?> one : shopping) {
                one.get();
            }
        } finally {
            customers.shutdownNow();
        }
        return tally;
    }

    /**
     * Simulates one customer who makes {@code rate} requests a second until the shop closes; none if it is 0. The page {@code
     * /tally} shows what the counters should be.
     */
    private void sell(int rate) {
        if (rate > 0) {
            Tally tally = new Tally();
            front.show(tally);
            Customer customer = new Customer(address(), new Random(seed), tally);
            long periodNanos = TimeUnit.SECONDS.toNanos(1) / rate;
            Future<?> unused = traffic.scheduleAtFixedRate(() -> step(customer), 0, periodNanos, TimeUnit.NANOSECONDS);
        }
    }

    private static void step(Customer customer) {
        try {
            customer.step();
        } catch (IOException failed) {
            System.err.println("shop: a request failed: " + failed);
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        traffic.shutdownNow();
        front.close();
        webThreads.shutdownNow();
    }

    private static ThreadFactory daemons(String name) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, name + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}
