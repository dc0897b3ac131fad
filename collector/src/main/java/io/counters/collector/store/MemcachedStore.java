package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.ring.KetamaHash;
import io.counters.ring.KetamaRing;
import io.counters.wire.NameReader;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import net.spy.memcached.CachedData;
import net.spy.memcached.ConnectionFactoryBuilder;
import net.spy.memcached.ConnectionFactoryBuilder.Protocol;
import net.spy.memcached.ConnectionObserver;
import net.spy.memcached.FailureMode;
import net.spy.memcached.MemcachedClient;
import net.spy.memcached.auth.AuthDescriptor;
import net.spy.memcached.auth.PlainCallbackHandler;
import net.spy.memcached.internal.GetCompletionListener;
import net.spy.memcached.internal.OperationFuture;
import net.spy.memcached.ops.StatusCode;
import net.spy.memcached.transcoders.Transcoder;
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
    private static final int NEVER_EXPIRES = 0;

    /** The most requests under way. */
    private static final int WINDOW = 8_000;

    /**
     * spymemcached's buffers for a server have room for all that is under way there, each way: so a {@link Burst} goes into
     * one as a whole. What has only begun to go in is sent again, from its beginning, when the connection breaks.
     */
    private static final int BUFFER_BYTES = WINDOW * (Burst.REQUEST_BYTES_MAX + NameReader.BYTES_MAX) + 64 * 1024;

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

    private record Server(String name, MemcachedClient client) {}

    private final List<Server> servers = new ArrayList<>();
    private final KetamaRing ring;
    private final KetamaHash hash = new KetamaHash();
    private final Pipeline pipeline;
    private @Nullable OperationFuture<Boolean> marking;

    /**
     * Opens the clients, which connect and reconnect by themselves; waits up to {@value #CONNECT_MILLIS} ms for the first
     * connections, so that a start with servers that are up is silent.
     *
     * @param login for SASL PLAIN, if it is asked for
     * @throws IOException when a host does not resolve
     */
    public MemcachedStore(List<InetSocketAddress> servers, Optional<StoreLogin> login, LongSupplier nanoClock)
            throws IOException {
        System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SLF4JLogger");
        List<String> names = servers.stream().map(StoreSettings::text).toList();
        List<InetSocketAddress> resolved = new ArrayList<>();
        for (InetSocketAddress server : servers) {
            InetSocketAddress address = new InetSocketAddress(server.getHostString(), server.getPort());
            if (address.isUnresolved()) {
                throw new IOException("memcached's host " + server.getHostString() + " does not resolve; see --store");
            }
            resolved.add(address);
        }
        long[] weights = new long[names.size()];
        Arrays.fill(weights, 1);
        ring = new KetamaRing(names, weights);
        CountDownLatch connected = new CountDownLatch(names.size());
        for (int i = 0; i < names.size(); i++) {
            this.servers.add(new Server(names.get(i), client(resolved.get(i), login, connected)));
        }
        pipeline = new Pipeline(
                new Pipeline.Client() {
                    @Override
                    public String server(String key) {
                        return owner(key).name;
                    }

                    @Override
                    public void ask(Pipeline.Batch batch) {
                        String key = batch.request(0).key();
                        owner(key).client.getConnection().enqueueOperation(key, new Burst(batch));
                    }
                },
                WINDOW,
                nanoClock);
        awaitConnections(connected);
    }

    private static MemcachedClient client(
            InetSocketAddress address, Optional<StoreLogin> login, CountDownLatch connected) throws IOException {
        ConnectionFactoryBuilder building = new ConnectionFactoryBuilder()
                .setProtocol(Protocol.BINARY)
                .setFailureMode(FailureMode.Cancel)
                .setOpTimeout(Pipeline.DEADLINE_MILLIS)
                .setTimeoutExceptionThreshold(Integer.MAX_VALUE - 1)
                .setMaxReconnectDelay(1)
                .setUseNagleAlgorithm(false)
                .setReadBufferSize(BUFFER_BYTES)
                .setDaemon(true)
                .setListenerExecutorService(new OnTheSpot())
                .setInitialObservers(List.of(new FirstConnections(connected)));
        login.ifPresent(known -> building.setAuthDescriptor(
                new AuthDescriptor(new String[] {"PLAIN"}, new PlainCallbackHandler(known.user(), known.password()))));
        return new MemcachedClient(building.build(), List.of(address));
    }

    /** Lets servers that are up take the first round; the others are reconnected in the background. */
    private void awaitConnections(CountDownLatch connected) throws IOException {
        try {
            if (!connected.await(CONNECT_MILLIS, TimeUnit.MILLISECONDS)) {
                log.info("{}: {} of its servers not connected yet", this, connected.getCount());
            }
        } catch (InterruptedException ending) {
            close();
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

    /** Listeners run where the answer was read; they only note it. */
    private static final class OnTheSpot extends AbstractExecutorService {
        @Override
        public void execute(Runnable work) {
            work.run();
        }

        @Override
        public void shutdown() {
            // There is nothing to shut down.
        }

        @Override
        public List<Runnable> shutdownNow() {
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return false;
        }

        @Override
        public boolean isTerminated() {
            return false;
        }

        @Override
        public boolean awaitTermination(long time, TimeUnit unit) {
            return true;
        }
    }

    private Server owner(String key) {
        if (servers.size() == 1) {
            return servers.get(0);
        }
        byte[] bytes = key.getBytes(ISO_8859_1);
        return servers.get(ring.owner(bytes, 0, bytes.length, hash));
    }

    @Override
    public void send(Requests requests, Replies replies) {
        pipeline.send(requests, replies);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // The listener hears of it.
    @Override
    public @Nullable String mark(String key) throws IOException {
        return pipeline.ask(key, () -> {
                    CompletableFuture<Optional<String>> text = new CompletableFuture<>();
                    owner(key).client.asyncGet(key, TEXT).addListener((GetCompletionListener) done -> {
                        StatusCode status = done.getStatus().getStatusCode();
                        if (status == StatusCode.SUCCESS || status == StatusCode.ERR_NOT_FOUND) {
                            text.complete(Optional.ofNullable((String) done.get()));
                        } else {
                            text.completeExceptionally(
                                    new IOException(done.getStatus().getMessage()));
                        }
                    });
                    return text;
                })
                .orElse(null);
    }

    @Override
    public void mark(String key, String text) {
        // One at a time, so that a server that hangs holds one; the next round writes it again.
        if ((marking == null || marking.isDone()) && !pipeline.hangs(key)) {
            try {
                marking = owner(key).client.set(key, NEVER_EXPIRES, text, TEXT);
            } catch (RuntimeException notQueued) {
                log.trace("{} was not marked", this, notQueued);
            }
        }
    }

    @Override
    public String loss() {
        List<String> full = new ArrayList<>();
        for (Server server : servers) {
            long evicted = 0;
            for (Map<String, String> numbers : server.client.getStats().values()) {
                evicted += Long.parseLong(numbers.getOrDefault("evictions", "0"));
            }
            if (evicted > 0) {
                full.add(server.name + " has evicted " + evicted + " items");
            }
        }
        return full.isEmpty()
                ? "it was restarted or flushed"
                : "memcached is too small: " + String.join(", ", full)
                        + " since its start; give it more memory with -m";
    }

    @Override
    public String toString() {
        return "memcached at " + servers.stream().map(Server::name).collect(Collectors.joining(", "));
    }

    @Override
    public void close() {
        servers.forEach(server -> server.client.shutdown());
    }
}
