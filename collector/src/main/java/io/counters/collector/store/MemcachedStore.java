package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Exists;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Missing;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import net.spy.memcached.CachedData;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.ConnectionFactoryBuilder.Locator;
import net.spy.memcached.ConnectionFactoryBuilder.Protocol;
import net.spy.memcached.ConnectionObserver;
import net.spy.memcached.DefaultHashAlgorithm;
import net.spy.memcached.FailureMode;
import net.spy.memcached.MemcachedClient;
import net.spy.memcached.internal.GetFuture;
import net.spy.memcached.internal.OperationFuture;
import net.spy.memcached.ops.OperationStatus;
import net.spy.memcached.ops.StatusCode;
import net.spy.memcached.transcoders.Transcoder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * memcached, over one persistent connection a server, by the binary protocol of spymemcached.
 *
 * <p>memcached's counters are unsigned: {@code decr} stops at 0 and {@code incr} wraps at 2^64. So a counter is one key
 * in two's complement, always moved by {@code incr} with the wrapped difference, read back as unsigned and taken as
 * signed: -1 is stored as 18446744073709551615.
 *
 * <p>spymemcached's write queue has no bound and its listeners hear nothing of a server that hangs, so at most {@value
 * #WINDOW} requests are outstanding, and each has {@value #DEADLINE_MILLIS} ms. A connection that hangs is kept, as a
 * read on a new one could overtake an increment left on the old.
 */
public final class MemcachedStore implements Store {
    private static final Logger log = LoggerFactory.getLogger(MemcachedStore.class);

    static final int WINDOW = 10_000;
    private static final long DEADLINE_MILLIS = 1500;
    private static final String MARK = "counters:ledger";
    private static final long CONNECT_MILLIS = 500;
    private static final int NEVER_EXPIRES = 0;

    private static final Transcoder<String> TEXT = new Transcoder<>() {
        @Override
        public boolean asyncDecode(CachedData data) {
            return false;
        }

        @Override
        public CachedData encode(String text) {
            return new CachedData(0, text.getBytes(ISO_8859_1), getMaxSize());
        }

        @Override
        public String decode(CachedData data) {
            return new String(data.getData(), ISO_8859_1);
        }

        @Override
        public int getMaxSize() {
            return CachedData.MAX_SIZE;
        }
    };

    private final MemcachedClient client;
    private final List<InetSocketAddress> servers;
    private final LongSupplier nanoClock;

    /**
     * Opens the client, which connects and reconnects by itself; waits up to {@value #CONNECT_MILLIS} ms for the first
     * connections, so that a start with servers that are up is silent.
     *
     * @throws IOException when a host does not resolve
     */
    public MemcachedStore(List<InetSocketAddress> servers, LongSupplier nanoClock) throws IOException {
        this.nanoClock = nanoClock;
        this.servers = List.copyOf(servers);
        System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SLF4JLogger");
        List<InetSocketAddress> resolved = new ArrayList<>();
        for (InetSocketAddress server : servers) {
            InetSocketAddress address = new InetSocketAddress(server.getHostString(), server.getPort());
            if (address.isUnresolved()) {
                throw new IOException("memcached's host " + server.getHostString() + " does not resolve; see --store");
            }
            resolved.add(address);
        }
        CountDownLatch connected = new CountDownLatch(resolved.size());
        client = new MemcachedClient(
                new ConnectionFactoryBuilder()
                        .setProtocol(Protocol.BINARY)
                        .setLocatorType(Locator.CONSISTENT)
                        .setHashAlg(DefaultHashAlgorithm.KETAMA_HASH)
                        .setFailureMode(FailureMode.Cancel)
                        .setOpTimeout(DEADLINE_MILLIS)
                        .setTimeoutExceptionThreshold(Integer.MAX_VALUE - 1)
                        .setMaxReconnectDelay(1)
                        .setUseNagleAlgorithm(false)
                        .setDaemon(true)
                        .setInitialObservers(List.of(new FirstConnections(connected)))
                        .build(),
                resolved);
        awaitConnections(connected);
    }

    /** Lets servers that are up take the first round; the others are reconnected in the background. */
    private void awaitConnections(CountDownLatch connected) throws IOException {
        try {
            if (!connected.await(CONNECT_MILLIS, TimeUnit.MILLISECONDS)) {
                log.info("{}: {} of its servers not connected yet", this, connected.getCount());
            }
        } catch (InterruptedException ending) {
            client.shutdown();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while connecting to " + this, ending);
        }
    }

    private record FirstConnections(CountDownLatch left) implements ConnectionObserver {
        @Override
        public void connectionEstablished(SocketAddress server, int reconnects) {
            left.countDown();
        }

        @Override
        public void connectionLost(SocketAddress server) {
            // Its requests are answered by that.
        }
    }

    @Override
    public void send(List<Push> requests, Replies replies) {
        for (int begin = 0; begin < requests.size(); begin += WINDOW) {
            sendWindow(requests.subList(begin, Math.min(begin + WINDOW, requests.size())), replies);
        }
    }

    private void sendWindow(List<Push> requests, Replies replies) {
        List<Push> sent = new ArrayList<>();
        List<Future<?>> answers = new ArrayList<>();
        for (Push request : requests) {
            try {
                answers.add(send(request));
                sent.add(request);
            } catch (RuntimeException notQueued) {
                replies.settle(request, new Unknown(notQueued.toString()));
            }
        }
        long deadline = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MILLIS);
        for (int i = 0; i < sent.size(); i++) {
            replies.settle(sent.get(i), reply(sent.get(i), answers.get(i), deadline));
        }
    }

    private Future<?> send(Push request) {
        return switch (request.kind()) {
            case ADD -> client.add(request.key(), NEVER_EXPIRES, Long.toUnsignedString(request.number()), TEXT);
            case INCREMENT -> client.asyncIncr(request.key(), request.number());
            // One by one, as a bulk of several servers fails as a whole when one of them is down.
            case READ -> client.asyncGet(request.key(), TEXT);
        };
    }

    private Reply reply(Push request, Future<?> answer, long deadline) {
        try {
            Object value = await(answer, deadline);
            OperationStatus status =
                    answer instanceof GetFuture<?> read ? read.getStatus() : ((OperationFuture<?>) answer).getStatus();
            return switch (status.getStatusCode()) {
                case SUCCESS ->
                    switch (request.kind()) {
                        case ADD -> new Holds(request.number());
                        case INCREMENT -> value instanceof Long total ? new Holds(total) : new Unknown("no value");
                        // Reads that spymemcached has packed into one succeed also for the keys that are missing.
                        case READ -> value == null ? new Missing() : value((String) value);
                    };
                case ERR_NOT_FOUND -> new Missing();
                case ERR_EXISTS -> new Exists();
                // Binary add answers "exists" for a key that is there; some versions say "not stored".
                case ERR_NOT_STORED -> request.kind() == Kind.ADD ? new Exists() : new Missing();
                case ERR_DELTA_BADVAL -> new Refused("it holds no number");
                default -> new Unknown(String.valueOf(status.getMessage()));
            };
        } catch (ExecutionException | TimeoutException | RuntimeException noAnswer) {
            return new Unknown(noAnswer.toString());
        }
    }

    private static Reply value(String text) {
        try {
            // A value that got shorter comes back padded with spaces.
            return new Holds(Long.parseUnsignedLong(text.trim()));
        } catch (NumberFormatException noCounter) {
            return new Refused("it holds no number");
        }
    }

    @Override
    public @Nullable String mark() throws IOException {
        try {
            GetFuture<String> answer = client.asyncGet(MARK, TEXT);
            String text = await(answer, nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MILLIS));
            StatusCode status = answer.getStatus().getStatusCode();
            if (status != StatusCode.SUCCESS && status != StatusCode.ERR_NOT_FOUND) {
                throw new IOException(answer.getStatus().getMessage());
            }
            return text;
        } catch (ExecutionException | TimeoutException | RuntimeException noAnswer) {
            throw new IOException(noAnswer.toString(), noAnswer);
        }
    }

    @Override
    public void mark(String text) {
        try {
            OperationFuture<Boolean> unheard = client.set(MARK, NEVER_EXPIRES, text, TEXT);
            log.trace("{} is to bear {}: {}", this, text, unheard);
        } catch (RuntimeException notQueued) {
            // The next round writes it again.
            log.trace("{} was not marked", this, notQueued);
        }
    }

    private <T> @Nullable T await(Future<T> answer, long deadline) throws ExecutionException, TimeoutException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return answer.get(Math.max(0, deadline - nanoClock.getAsLong()), TimeUnit.NANOSECONDS);
                } catch (InterruptedException again) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public String toString() {
        List<String> names = servers.stream()
                .map(server -> server.getHostString() + ":" + server.getPort())
                .toList();
        return "memcached at " + String.join(", ", names);
    }

    @Override
    public void close() {
        client.shutdown();
    }
}
