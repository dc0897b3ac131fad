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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
 * memcached, by the binary protocol of spymemcached: one client, connection and thread per server. A key belongs to a
 * server by {@link KetamaRing}, which uses the servers' {@code HOST:PORT} as written in the setting, all with the same
 * weight: a change of the address of a name moves no key.
 *
 * <p>memcached's counters are unsigned: {@code decr} stops at 0 and {@code incr} wraps at 2^64. So a counter is one key
 * in two's complement, always changed by {@code incr} with the wrapped difference, and read as a signed number: -1 is
 * stored as 18446744073709551615.
 */
public final class MemcachedStore implements Store {
    private static final Logger log = LoggerFactory.getLogger(MemcachedStore.class);

    private static final long CONNECT_MILLIS = 500;

    /** The most requests in progress, and the share of the heap for their buffers. */
    private static final int WINDOW = 8_000;

    private static final int WINDOW_MIN = 200;
    private static final int BUFFERS_HEAP_SHARE = 16;
    private static final int REQUEST_BYTES_MAX = MemcachedBatch.REQUEST_BYTES_MAX + NameReader.BYTES_MAX;

    private final List<MemcachedServer> servers = new ArrayList<>();
    private final List<Resolver> resolvers = new ArrayList<>();
    private final KetamaRing ring;
    private final KetamaHash hash = new KetamaHash();
    private final Pipeline pipeline;
    private @Nullable CompletableFuture<?> stamping;

    /**
     * Opens the clients, which connect and reconnect by themselves, each once its server's name resolves. Waits up to
     * {@value #CONNECT_MILLIS} ms for the first connections, so that a start with available servers logs nothing.
     *
     * @param login for SASL PLAIN, if required
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
                        owner(batch.request(0).key()).ask(new MemcachedBatch(batch));
                    }
                },
                window,
                nanoClock);
        awaitConnections(nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(CONNECT_MILLIS));
    }

    /** A name is resolved again and again, on a separate thread. */
    private Supplier<InetAddress[]> addresses(InetSocketAddress server) {
        InetAddress literal = StoreSettings.literal(server);
        if (literal != null) {
            return () -> new InetAddress[] {literal};
        }
        Resolver resolver = Resolver.started(server.getHostString());
        resolvers.add(resolver);
        return resolver::addresses;
    }

    /** The most requests in progress, so that the buffers of all servers stay within their share of the heap. */
    static int window(int servers, long heapBytes) {
        long fits = heapBytes / BUFFERS_HEAP_SHARE / (2L * servers * REQUEST_BYTES_MAX);
        return (int) Math.max(WINDOW_MIN, Math.min(WINDOW, fits));
    }

    /**
     * The size of spymemcached's buffers for a server: they have room for everything in progress there, in each
     * direction, so that a {@link MemcachedBatch} fits into one completely. If only a part of it was in the buffer when the
     * connection broke, it would be sent again from its beginning.
     */
    static int bufferBytes(int window) {
        return window * REQUEST_BYTES_MAX + 64 * 1024;
    }

    /**
     * Waits until available servers are connected, so that they get the first round; the others are connected in the
     * background.
     */
    private void awaitConnections(long deadline) {
        try {
            int missing = 0;
            for (MemcachedServer server : servers) {
                missing += server.awaitConnection(deadline) ? 0 : 1;
            }
            if (missing > 0) {
                log.info("{}: servers not connected yet: {}", this, missing);
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
    public @Nullable String stamp(String key) throws IOException {
        tend();
        MemcachedRequest.Answer answer =
                ask(key, MemcachedRequest.get(owner(key).name(), key)).get(0);
        if (!answer.isFound() && !answer.isMissing()) {
            throw new IOException(
                    owner(key).name() + " answered with status " + answer.status() + ", " + answer.text());
        }
        return answer.isFound() ? answer.text() : null;
    }

    private List<MemcachedRequest.Answer> ask(String key, MemcachedRequest request) throws IOException {
        return pipeline.ask(key, () -> {
            owner(key).ask(request);
            return request.done();
        });
    }

    @Override
    public void stamp(String key, String text) {
        // One at a time, so that a server that hangs blocks only one; the next round writes it again.
        if ((stamping == null || stamping.isDone()) && !pipeline.hangs(key)) {
            MemcachedRequest request = MemcachedRequest.set(owner(key).name(), key, text);
            try {
                owner(key).ask(request);
                stamping = request.done();
            } catch (RuntimeException notSent) {
                log.trace("the stamp was not written to {}", this, notSent);
            }
        }
    }

    @Override
    public String loss() {
        List<String> full = new ArrayList<>();
        for (MemcachedServer server : servers) {
            long evicted = evicted(server);
            if (evicted > 0) {
                full.add(server.name() + " has evicted " + evicted + (evicted == 1 ? " item" : " items"));
            }
        }
        return full.isEmpty()
                ? "it was restarted or flushed"
                : "memcached is too small: " + String.join(", ", full) + " since its start; raise its -m";
    }

    @Override
    public List<Server> servers() throws IOException {
        List<Server> found = new ArrayList<>();
        for (MemcachedServer server : servers) {
            Map<String, String> facts = new HashMap<>();
            statistics(server).forEach(fact -> facts.put(fact.name(), fact.text()));
            String evictions = facts.getOrDefault("evictions", "0");
            found.add(new Server(
                    server.name() + ": memcached " + facts.getOrDefault("version", "of unknown version") + ", memory "
                            + megabytes(facts.get("bytes")) + " of " + megabytes(facts.get("limit_maxbytes"))
                            + " MB, evictions " + evictions,
                    !evictions.equals("0")));
        }
        return found;
    }

    private static String megabytes(@Nullable String bytes) {
        return bytes != null && bytes.matches("\\d{1,18}") ? Long.toString(Long.parseLong(bytes) >> 20) : "?";
    }

    private List<MemcachedRequest.Answer> statistics(MemcachedServer server) throws IOException {
        MemcachedRequest request = MemcachedRequest.statistics(server.name());
        return pipeline.askServer(server.name(), () -> {
            server.ask(request);
            return request.done();
        });
    }

    private long evicted(MemcachedServer server) {
        try {
            return statistics(server).stream()
                    .filter(statistic -> statistic.name().equals("evictions"))
                    .mapToLong(statistic -> Long.parseLong(statistic.text()))
                    .sum();
        } catch (IOException | NumberFormatException unanswered) {
            log.debug("{} did not report its evictions", server.name(), unanswered);
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
