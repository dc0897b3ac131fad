package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.emit.Resolver;
import io.counters.ring.KetamaHash;
import io.counters.ring.KetamaRing;
import io.counters.wire.NameReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * memcached, by the binary protocol of spymemcached: one client, connection and thread a server. A key belongs to the
 * server that {@link KetamaRing} says, by the servers' {@code HOST:PORT} as the setting names them, all of one weight:
 * what a name resolves to moves no key.
 *
 * <p>memcached's counters are unsigned: {@code decr} stops at 0 and {@code incr} wraps at 2^64. So a counter is one key
 * in two's complement, always moved by {@code incr} with the wrapped difference, read back as unsigned and taken as
 * signed: -1 is stored as 18446744073709551615.
 */
public final class MemcachedStore implements Store {
    private static final Logger log = LoggerFactory.getLogger(MemcachedStore.class);

    private static final long CONNECT_MILLIS = 500;

    /** The most requests under way, and what of the heap their buffers may take. */
    private static final int WINDOW = 8_000;

    private static final int WINDOW_MIN = 200;
    private static final int BUFFERS_HEAP_SHARE = 16;
    private static final int REQUEST_BYTES_MAX = Burst.REQUEST_BYTES_MAX + NameReader.BYTES_MAX;

    private final List<MemcachedServer> servers = new ArrayList<>();
    private final List<Resolver> resolvers = new ArrayList<>();
    private final KetamaRing ring;
    private final KetamaHash hash = new KetamaHash();
    private final Pipeline pipeline;
    private @Nullable CompletableFuture<?> marking;

    /**
     * Opens the clients, which connect and reconnect by themselves, each once its server's name resolves; waits up to {@value
     * #CONNECT_MILLIS} ms for the first connections, so that a start with servers that are up is silent.
     *
     * @param login for SASL PLAIN, if it is asked for
     */
    public MemcachedStore(List<InetSocketAddress> servers, Optional<StoreLogin> login, LongSupplier nanoClock) {
        System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SLF4JLogger");
        int window = window(servers.size(), Runtime.getRuntime().maxMemory());
        for (InetSocketAddress server : servers) {
            this.servers.add(new MemcachedServer(
                    StoreSettings.text(server),
                    server.getPort(),
                    addresses(server),
                    login,
                    bufferBytes(window),
                    nanoClock));
        }
        long[] weights = new long[servers.size()];
        Arrays.fill(weights, 1);
        ring = new KetamaRing(this.servers.stream().map(MemcachedServer::name).toList(), weights);
        pipeline = new Pipeline(
                new Pipeline.Client() {
                    @Override
                    public String server(String key) {
                        return owner(key).name();
                    }

                    @Override
                    public void ask(Pipeline.Batch batch) {
                        owner(batch.request(0).key()).ask(new Burst(batch));
                    }
                },
                window,
                nanoClock);
        awaitConnections(nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(CONNECT_MILLIS));
    }

    /** A name is looked up on a thread of its own, again and again. */
    private Supplier<InetAddress[]> addresses(InetSocketAddress server) {
        InetAddress literal = StoreSettings.literal(server);
        if (literal != null) {
            return () -> new InetAddress[] {literal};
        }
        Resolver resolver = Resolver.started(server.getHostString());
        resolvers.add(resolver);
        return resolver::addresses;
    }

    /** The most requests under way, so that the buffers of all servers have their share of the heap and no more. */
    static int window(int servers, long heapBytes) {
        long fits = heapBytes / BUFFERS_HEAP_SHARE / (2L * servers * REQUEST_BYTES_MAX);
        return (int) Math.max(WINDOW_MIN, Math.min(WINDOW, fits));
    }

    /**
     * spymemcached's buffers for a server have room for all that is under way there, each way: so a {@link Burst} goes into
     * one as a whole. What has only begun to go in is sent again, from its beginning, when the connection breaks.
     */
    static int bufferBytes(int window) {
        return window * REQUEST_BYTES_MAX + 64 * 1024;
    }

    /** Lets servers that are up take the first round; the others are connected in the background. */
    private void awaitConnections(long deadline) {
        try {
            int missing = 0;
            for (MemcachedServer server : servers) {
                missing += server.awaitConnection(deadline) ? 0 : 1;
            }
            if (missing > 0) {
                log.info("{}: {} of its servers not connected yet", this, missing);
            }
        } catch (InterruptedException ending) {
            Thread.currentThread().interrupt();
        }
    }

    private MemcachedServer owner(String key) {
        if (servers.size() == 1) {
            return servers.get(0);
        }
        byte[] bytes = key.getBytes(ISO_8859_1);
        return servers.get(ring.owner(bytes, 0, bytes.length, hash));
    }

    private void tend() {
        servers.forEach(MemcachedServer::tend);
    }

    @Override
    public void send(Requests requests, Replies replies) {
        tend();
        pipeline.send(requests, replies);
    }

    @Override
    public @Nullable String mark(String key) throws IOException {
        tend();
        Question.Answer answer = ask(key, Question.get(owner(key).name(), key)).get(0);
        if (!answer.isFound() && !answer.isMissing()) {
            throw new IOException(owner(key).name() + " answered status " + answer.status() + ", " + answer.text());
        }
        return answer.isFound() ? answer.text() : null;
    }

    private List<Question.Answer> ask(String key, Question question) throws IOException {
        return pipeline.ask(key, () -> {
            owner(key).ask(question);
            return question.done();
        });
    }

    @Override
    public void mark(String key, String text) {
        // One at a time, so that a server that hangs holds one; the next round writes it again.
        if ((marking == null || marking.isDone()) && !pipeline.hangs(key)) {
            Question question = Question.set(owner(key).name(), key, text);
            try {
                owner(key).ask(question);
                marking = question.done();
            } catch (RuntimeException notSent) {
                log.trace("{} was not marked", this, notSent);
            }
        }
    }

    @Override
    public String loss() {
        List<String> full = new ArrayList<>();
        for (MemcachedServer server : servers) {
            long evicted = evicted(server);
            if (evicted > 0) {
                full.add(server.name() + " has evicted " + evicted + " items");
            }
        }
        return full.isEmpty()
                ? "it was restarted or flushed"
                : "memcached is too small: " + String.join(", ", full)
                        + " since its start; give it more memory with -m";
    }

    private long evicted(MemcachedServer server) {
        Question question = Question.statistics(server.name());
        try {
            return pipeline
                    .askServer(server.name(), () -> {
                        server.ask(question);
                        return question.done();
                    })
                    .stream()
                    .filter(statistic -> statistic.name().equals("evictions"))
                    .mapToLong(statistic -> Long.parseLong(statistic.text()))
                    .sum();
        } catch (IOException | NumberFormatException unanswered) {
            log.debug("{} did not say what it has evicted", server.name(), unanswered);
            return 0;
        }
    }

    @Override
    public String toString() {
        return "memcached at " + servers.stream().map(MemcachedServer::name).collect(Collectors.joining(", "));
    }

    @Override
    public void close() {
        resolvers.forEach(Resolver::close);
        servers.forEach(MemcachedServer::close);
    }
}
