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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import net.spy.memcached.CachedData;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.ConnectionFactoryBuilder.Locator;
import net.spy.memcached.ConnectionFactoryBuilder.Protocol;
import net.spy.memcached.DefaultHashAlgorithm;
import net.spy.memcached.FailureMode;
import net.spy.memcached.MemcachedClient;
import net.spy.memcached.internal.BulkFuture;
import net.spy.memcached.internal.GetFuture;
import net.spy.memcached.internal.OperationFuture;
import net.spy.memcached.ops.StatusCode;
import net.spy.memcached.transcoders.Transcoder;
import org.jspecify.annotations.Nullable;

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
    private static final int WINDOW = 10_000;
    private static final long DEADLINE_MILLIS = 1500;
    private static final String MARK = "counters:ledger";
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

    /** Opens the client, which connects and reconnects by itself. */
    public MemcachedStore(List<InetSocketAddress> servers) throws IOException {
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
                        .build(),
                resolved);
    }

    @Override
    public void send(List<Push> requests, Replies replies) {
        for (int begin = 0; begin < requests.size(); begin += WINDOW) {
            sendWindow(requests.subList(begin, Math.min(begin + WINDOW, requests.size())), replies);
        }
    }

    private void sendWindow(List<Push> requests, Replies replies) {
        List<Push> reads = new ArrayList<>();
        List<Push> writes = new ArrayList<>();
        List<OperationFuture<?>> answers = new ArrayList<>();
        for (Push request : requests) {
            if (request.kind() == Kind.READ) {
                reads.add(request);
                continue;
            }
            try {
                answers.add(
                        request.kind() == Kind.ADD
                                ? client.add(
                                        request.key(), NEVER_EXPIRES, Long.toUnsignedString(request.number()), TEXT)
                                : client.asyncIncr(request.key(), request.number()));
                writes.add(request);
            } catch (RuntimeException notQueued) {
                replies.settle(request, new Unknown(notQueued.toString()));
            }
        }
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MILLIS);
        BulkFuture<Map<String, String>> values = null;
        if (!reads.isEmpty()) {
            try {
                values = client.asyncGetBulk(reads.stream().map(Push::key).toList(), TEXT);
            } catch (RuntimeException notQueued) {
                reads.forEach(request -> replies.settle(request, new Unknown(notQueued.toString())));
            }
        }
        for (int i = 0; i < writes.size(); i++) {
            replies.settle(writes.get(i), written(writes.get(i), answers.get(i), deadline));
        }
        if (values != null) {
            read(reads, values, deadline, replies);
        }
    }

    private static Reply written(Push request, OperationFuture<?> answer, long deadline) {
        try {
            Object value = await(answer, deadline);
            StatusCode status = answer.getStatus().getStatusCode();
            return switch (status) {
                case SUCCESS -> new Holds(request.kind() == Kind.ADD ? request.number() : (Long) value);
                case ERR_NOT_FOUND -> new Missing();
                case ERR_EXISTS -> new Exists();
                // Binary add answers "exists" for a key that is there; some versions say "not stored".
                case ERR_NOT_STORED -> request.kind() == Kind.ADD ? new Exists() : new Missing();
                case ERR_DELTA_BADVAL -> new Refused("it holds no number");
                default -> new Unknown(String.valueOf(answer.getStatus().getMessage()));
            };
        } catch (ExecutionException | TimeoutException | RuntimeException noAnswer) {
            return new Unknown(noAnswer.toString());
        }
    }

    private static void read(List<Push> reads, BulkFuture<Map<String, String>> values, long deadline, Replies replies) {
        Map<String, String> found;
        try {
            found = await(values, deadline);
            if (values.isTimeout()
                    || values.isCancelled()
                    || !values.getStatus().isSuccess()) {
                throw new TimeoutException(String.valueOf(values.getStatus().getMessage()));
            }
        } catch (ExecutionException | TimeoutException | RuntimeException noAnswer) {
            reads.forEach(request -> replies.settle(request, new Unknown(noAnswer.toString())));
            return;
        }
        for (Push request : reads) {
            String text = found.get(request.key());
            replies.settle(request, text == null ? new Missing() : value(text));
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
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MILLIS);
        try {
            GetFuture<String> answer = client.asyncGet(MARK, TEXT);
            String text = await(answer, deadline);
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
            unheard.addListener(answered -> {});
        } catch (RuntimeException notQueued) {
            // The next round writes it again.
        }
    }

    private static <T> T await(Future<T> answer, long deadline) throws ExecutionException, TimeoutException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return answer.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
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
