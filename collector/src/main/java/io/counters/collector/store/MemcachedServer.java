package io.counters.collector.store;

import io.counters.collector.common.FaultLog;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.ConnectionFactoryBuilder.Protocol;
import net.spy.memcached.ConnectionObserver;
import net.spy.memcached.FailureMode;
import net.spy.memcached.MemcachedClient;
import net.spy.memcached.MemcachedConnection;
import net.spy.memcached.MemcachedNode;
import org.jspecify.annotations.Nullable;

/**
 * One memcached server: its name, the present address of the name, and a client of spymemcached for it. Called by one
 * thread.
 *
 * <p>The client is created once the name resolves. It is replaced if its thread has ended, if it has had no connection
 * for {@value #GIVEN_UP_SECONDS} s, or if a request has had no answer for that time and the name has another address
 * now. Requests to a client that is replaced are then answered as in doubt.
 */
final class MemcachedServer implements AutoCloseable {
    static final long GIVEN_UP_SECONDS = 30;
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private final String name;
    private final int port;
    private final Supplier<InetAddress[]> addresses;
    private final Optional<StoreLogin> login;
    private final int bufferBytes;
    private final LongSupplier nanoClock;
    private final Deque<Asked> asked = new ArrayDeque<>();
    private final CountDownLatch connectedOnce = new CountDownLatch(1);

    private @Nullable Client client;
    private String absent;

    private record Asked(BinaryOperation operation, long nanos) {}

    /** A client of spymemcached, and the state of its connection. */
    private final class Client implements ConnectionObserver {
        private final InetAddress address;
        private final MemcachedClient spy;
        private volatile boolean up;
        private volatile long since;
        private volatile @Nullable Throwable ended;

        Client(InetAddress address) throws IOException {
            this.address = address;
            since = nanoClock.getAsLong();
            spy = new MemcachedClient(
                    new ConnectionFactoryBuilder()
                            .setProtocol(Protocol.BINARY)
                            .setFailureMode(FailureMode.Cancel)
                            .setOpTimeout(Pipeline.DEADLINE_MILLIS)
                            .setTimeoutExceptionThreshold(Integer.MAX_VALUE - 1)
                            .setMaxReconnectDelay(1)
                            .setUseNagleAlgorithm(false)
                            .setReadBufferSize(bufferBytes)
                            .setDaemon(true)
                            .build(),
                    List.of(new InetSocketAddress(address, port)));
            // The end of its thread ends this client, and nothing else.
            spy.getConnection().setUncaughtExceptionHandler((thread, fault) -> ended = fault);
            spy.addObserver(this);
        }

        @Override
        public void connectionEstablished(SocketAddress server, int reconnects) {
            // This is sent before anything else.
            login.ifPresent(known -> {
                MemcachedConnection connection = spy.getConnection();
                for (MemcachedNode node : connection.getLocator().getAll()) {
                    connection.insertOperation(node, MemcachedRequest.login(name, known));
                }
            });
            up = true;
            since = nanoClock.getAsLong();
            connectedOnce.countDown();
        }

        @Override
        public void connectionLost(SocketAddress server) {
            // In this order: a reader that sees the connection down must not read when it came up.
            since = nanoClock.getAsLong();
            up = false;
        }

        /** Why it must be replaced; null if it need not be. */
        @Nullable
        String mended(long now) {
            if (!spy.getConnection().isAlive()) {
                return "lost its client (" + ended + "); it is replaced";
            }
            if (!up && isLong(now - since)) {
                return "has had no connection for " + GIVEN_UP_SECONDS + " s; its name is resolved again";
            }
            Asked oldest = asked.peek();
            boolean owes = oldest != null && isLong(now - oldest.nanos);
            return owes && !Arrays.asList(addresses.get()).contains(address) ? "has another address now" : null;
        }

        private boolean isLong(long nanos) {
            return nanos >= TimeUnit.SECONDS.toNanos(GIVEN_UP_SECONDS);
        }
    }

    /**
     * Connects at the first {@link #tend}.
     *
     * @param name as in the setting
     * @param addresses the present addresses of the name; empty as long as it does not resolve
     * @param bufferBytes in each direction
     */
    MemcachedServer(
            String name,
            int port,
            Supplier<InetAddress[]> addresses,
            Optional<StoreLogin> login,
            int bufferBytes,
            LongSupplier nanoClock) {
        this.name = name;
        this.port = port;
        this.addresses = addresses;
        this.login = login;
        this.bufferBytes = bufferBytes;
        this.nanoClock = nanoClock;
        absent = name + " does not resolve; check --store";
    }

    /** The name as in the setting. */
    String name() {
        return name;
    }

    /** Creates or replaces the client if necessary. Never waits. */
    void tend() {
        while (!asked.isEmpty() && asked.peek().operation.isOver()) {
            asked.poll();
        }
        Client running = client;
        if (running != null) {
            String why = running.mended(nanoClock.getAsLong());
            if (why == null) {
                return;
            }
            absent = name + " " + why;
            drop(running, why);
        }
        InetAddress[] found = addresses.get();
        if (found.length > 0) {
            try {
                client = new Client(found[0]);
            } catch (IOException | RuntimeException cannot) {
                absent = "the client for " + name + " could not be created: " + FaultLog.shown(cannot.toString());
            }
        }
    }

    private void drop(Client running, String why) {
        client = null;
        running.spy.shutdown();
        // The client itself does not answer these.
        for (Asked one : asked) {
            one.operation.unanswered(why);
            one.operation.cancel();
        }
        asked.clear();
    }

    /** @throws Pipeline.Unavailable if there is no client, so that the request was not sent */
    void ask(BinaryOperation operation) {
        Client running = client;
        if (running == null) {
            throw new Pipeline.Unavailable(absent);
        }
        asked.add(new Asked(operation, nanoClock.getAsLong()));
        running.spy.getConnection().enqueueOperation(name, operation);
    }

    /** Whether it was connected by then. Maintains the client while it waits. */
    boolean awaitConnection(long deadline) throws InterruptedException {
        boolean connected = false;
        for (long left = 1; !connected && left > 0; left = deadline - nanoClock.getAsLong()) {
            tend();
            connected = connectedOnce.await(Math.min(left, LOOK_NANOS), TimeUnit.NANOSECONDS);
        }
        return connected;
    }

    @Override
    public void close() {
        Client running = client;
        if (running != null) {
            drop(running, "is closed");
        }
    }
}
