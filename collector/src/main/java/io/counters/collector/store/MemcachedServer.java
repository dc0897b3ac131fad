package io.counters.collector.store;

import io.counters.collector.self.FaultLog;
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
 * One memcached: its name, the address that the name has now, and a client of spymemcached for it. Called by one thread.
 *
 * <p>The client is made once the name resolves, and made anew when its thread has ended, when it has had no connection for
 * {@value #GIVEN_UP_SECONDS} s, or when the server has owed an answer for as long and its name has another address now. What
 * a client that is thrown away was asked is answered by that: it is in doubt.
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

    /** A client of spymemcached, and what is known of its connection. */
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
            // Its thread's end is this client's end, and no more.
            spy.getConnection().setUncaughtExceptionHandler((thread, fault) -> ended = fault);
            spy.addObserver(this);
        }

        @Override
        public void connectionEstablished(SocketAddress server, int reconnects) {
            // Goes out before anything else.
            login.ifPresent(known -> {
                MemcachedConnection connection = spy.getConnection();
                for (MemcachedNode node : connection.getLocator().getAll()) {
                    connection.insertOperation(node, Question.login(name, known));
                }
            });
            up = true;
            since = nanoClock.getAsLong();
            connectedOnce.countDown();
        }

        @Override
        public void connectionLost(SocketAddress server) {
            // In this order: who reads that it is down must not read since when it was up.
            since = nanoClock.getAsLong();
            up = false;
        }

        /** Why it must be made anew; null where it need not. */
        @Nullable
        String mended(long now) {
            if (!spy.getConnection().isAlive()) {
                return "has a client that ended (" + ended + "), and gets another";
            }
            if (!up && isLong(now - since)) {
                return "has had no connection for " + GIVEN_UP_SECONDS + " s, and is looked up again";
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
     * Connects with the first {@link #tend}.
     *
     * @param name as the setting has it
     * @param addresses what the name stands for now; none as long as it does not resolve
     * @param bufferBytes each way
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
        absent = name + " does not resolve; see --store";
    }

    /** As the setting names it. */
    String name() {
        return name;
    }

    /** Makes the client, or makes it anew, where it is time. Never waits. */
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
                absent = name + " has no client: " + FaultLog.shown(cannot.toString());
            }
        }
    }

    private void drop(Client running, String why) {
        client = null;
        running.spy.shutdown();
        // It does not answer these by itself.
        for (Asked one : asked) {
            one.operation.unanswered(why);
            one.operation.cancel();
        }
        asked.clear();
    }

    /** @throws Pipeline.Unavailable when there is no client, so that it was not asked */
    void ask(BinaryOperation operation) {
        Client running = client;
        if (running == null) {
            throw new Pipeline.Unavailable(absent);
        }
        asked.add(new Asked(operation, nanoClock.getAsLong()));
        running.spy.getConnection().enqueueOperation(name, operation);
    }

    /** Whether it was connected by then; tends it until it is. */
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
