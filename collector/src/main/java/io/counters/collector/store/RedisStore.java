package io.counters.collector.store;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Reply;
import io.lettuce.core.AbstractRedisClient;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.protocol.CommandHandler;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import io.netty.channel.ChannelPipeline;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Redis, one server or a cluster, by Lettuce: commands are sent one after the other on one connection per server, which
 * is kept when an answer is late.
 *
 * <p>A counter is a string key with the signed number as text; {@link RedisRequests} has the commands.
 *
 * <p>After a reconnect Lettuce would repeat commands that had no answer. That would count twice, and is switched off.
 */
final class RedisStore implements Store {
    private static final Logger log = LoggerFactory.getLogger(RedisStore.class);

    private static final Duration CONNECT = Duration.ofMillis(500);
    private static final Duration RECONNECT = Duration.ofSeconds(1);
    private static final Duration CLOSE = Duration.ofSeconds(1);

    /** The longest reply: a share of the heap, but at least enough for a large cluster's description of itself. */
    private static final long REPLY_BYTES_MIN = 1 << 20;

    private static final int REPLY_HEAP_SHARE = 32;

    /** An open connection to the servers. */
    private record Link(
            StatefulConnection<String, String> connection, RedisClusterAsyncCommands<String, String> commands) {}

    private final String text;
    private final AbstractRedisClient client;
    private final ClientResources resources;
    private final Supplier<CompletionStage<Link>> connect;
    private final Pipeline pipeline;
    private final RedisRequests asking;
    private CompletableFuture<Link> link;

    /** The beginning of what was last received, if it was not a reply of Redis. */
    private volatile @Nullable String strange;

    private @Nullable CompletionStage<String> stamping;

    /**
     * Opens the client, which connects and reconnects by itself; waits up to half a second for the first connection.
     *
     * @param servers one, or several nodes of one cluster; the client learns the others from them
     * @param database of a single server, 0 for a cluster
     */
    RedisStore(
            List<InetSocketAddress> servers,
            int database,
            boolean tls,
            Optional<StoreLogin> login,
            LongSupplier nanoClock) {
        List<RedisURI> uris = servers.stream()
                .map(server -> uri(server, database, tls, login))
                .toList();
        text = "Redis at " + servers.stream().map(StoreSettings::text).collect(Collectors.joining(", "))
                + (database == 0 ? "" : ", database " + database);
        // Netty's native epoll is on the class path for the Unix socket, and Lettuce would use it; only the JDK's
        // selector is tested.
        System.setProperty("io.lettuce.core.epoll", "false");
        resources = ClientResources.builder()
                .ioThreadPoolSize(2)
                .computationThreadPoolSize(2)
                .reconnectDelay(() -> Delay.constant(RECONNECT))
                .nettyCustomizer(new NettyCustomizer() {
                    @Override
                    public void afterChannelInitialized(Channel channel) {
                        guard(channel.pipeline());
                    }
                })
                .build();
        if (servers.size() == 1) {
            RedisClient single = RedisClient.create(resources, uris.get(0));
            single.setOptions(options(ClientOptions.builder()));
            client = single;
            connect = () -> single.connectAsync(StringCodec.ASCII, uris.get(0))
                    .thenApply(opened -> new Link(opened, opened.async()));
        } else {
            RedisClusterClient cluster = RedisClusterClient.create(resources, uris);
            cluster.setOptions((ClusterClientOptions) options(ClusterClientOptions.builder()
                    .topologyRefreshOptions(ClusterTopologyRefreshOptions.builder()
                            .enablePeriodicRefresh(Duration.ofSeconds(30))
                            .build())));
            client = cluster;
            connect = () -> cluster.refreshPartitionsAsync()
                    .thenCompose(known -> cluster.connectAsync(StringCodec.ASCII))
                    .thenApply(opened -> new Link(opened, opened.async()));
        }
        asking = new RedisRequests(text, () -> strange);
        link = connecting();
        pipeline = pipeline(nanoClock);
        try {
            link.get(CONNECT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException notYet) {
            log.info("{} is not connected yet", this);
        } catch (InterruptedException ending) {
            Thread.currentThread().interrupt();
        }
    }

    private static RedisURI uri(InetSocketAddress server, int database, boolean tls, Optional<StoreLogin> login) {
        RedisURI.Builder uri = RedisURI.builder()
                .withHost(server.getHostString())
                .withPort(server.getPort())
                .withDatabase(database)
                .withSsl(tls)
                .withTimeout(CONNECT);
        login.ifPresent(known -> {
            if (known.user().isEmpty()) {
                uri.withPassword(known.password().toCharArray());
            } else {
                uri.withAuthentication(known.user(), known.password().toCharArray());
            }
        });
        return uri.build();
    }

    private Pipeline pipeline(LongSupplier nanoClock) {
        return new Pipeline(
                new Pipeline.Client() {
                    @Override
                    public String server(String key) {
                        return RedisStore.this.server(key);
                    }

                    @Override
                    public void ask(Pipeline.Batch batch) {
                        batch.askEach(RedisStore.this::ask);
                    }
                },
                Pipeline.WINDOW,
                nanoClock);
    }

    private void guard(ChannelPipeline pipeline) {
        long bytesMax = Math.max(REPLY_BYTES_MIN, Runtime.getRuntime().maxMemory() / REPLY_HEAP_SHARE);
        pipeline.addBefore(
                pipeline.context(CommandHandler.class).name(), "counters-guard", new ReplyGuard(bytesMax, looks -> {
                    if (!Objects.equals(strange, looks)) {
                        strange = looks;
                    }
                }));
    }

    static ClientOptions options(ClientOptions.Builder building) {
        return building.disconnectedBehavior(DisconnectedBehavior.REJECT_COMMANDS)
                .replayFilter(command -> {
                    // Lettuce would drop it silently, but its answer is waited for.
                    if (command != null) {
                        command.cancel();
                    }
                    return true;
                })
                .requestQueueSize(2 * Pipeline.WINDOW)
                .socketOptions(SocketOptions.builder().connectTimeout(CONNECT).build())
                .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
                .build();
    }

    private CompletableFuture<Link> connecting() {
        try {
            return connect.get().toCompletableFuture();
        } catch (RuntimeException cannot) {
            return CompletableFuture.failedFuture(cannot);
        }
    }

    private String server(String key) {
        if (isConnected() && link.join().connection instanceof StatefulRedisClusterConnection<?, ?> cluster) {
            RedisClusterNode node = cluster.getPartitions().getPartitionBySlot(SlotHash.getSlot(key));
            if (node != null) {
                return node.getUri().getHost() + ":" + node.getUri().getPort();
            }
        }
        return text;
    }

    private boolean isConnected() {
        return link.isDone() && !link.isCompletedExceptionally();
    }

    private RedisClusterAsyncCommands<String, String> commands() {
        if (!isConnected()) {
            if (!link.isDone()) {
                throw new Pipeline.Unavailable(text + " is not connected yet");
            }
            CompletableFuture<Link> failed = link;
            link = connecting();
            throw new Pipeline.Unavailable(text + ": " + cause(failed));
        }
        return link.join().commands;
    }

    private String cause(CompletableFuture<?> failed) {
        Throwable cause = failed.handle((value, failure) -> failure).join();
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof UnknownHostException
                || String.valueOf(cause.getMessage()).contains("NXDOMAIN")) {
            return "its host does not resolve; check --store";
        }
        return asking.why(cause);
    }

    @Override
    public void send(Requests requests, Replies replies) {
        pipeline.send(requests, replies);
    }

    private CompletableFuture<Reply> ask(Push request) {
        return asking.ask(commands(), request);
    }

    @Override
    public @Nullable String stamp(String key) throws IOException {
        return pipeline.ask(
                        key,
                        () -> commands()
                                .get(key)
                                .thenApply(Optional::ofNullable)
                                .toCompletableFuture())
                .orElse(null);
    }

    @Override
    public void stamp(String key, String text) {
        // One at a time, so that a server that hangs blocks only one; the next round writes it again.
        if ((stamping == null || stamping.toCompletableFuture().isDone()) && !pipeline.hangs(key)) {
            try {
                stamping = commands().set(key, text);
            } catch (RuntimeException notSent) {
                log.trace("the stamp was not written to {}", this, notSent);
            }
        }
    }

    @Override
    public String loss() {
        long evicted = 0;
        try {
            for (String stats : info("stats")) {
                for (String line : stats.split("\r\n", -1)) {
                    if (line.startsWith("evicted_keys:")) {
                        evicted += Long.parseLong(line.substring("evicted_keys:".length()));
                    }
                }
            }
        } catch (IOException | RuntimeException unanswered) {
            log.debug("{} did not report its evictions", this, unanswered);
        }
        return evicted == 0
                ? "it was restarted or flushed"
                : "Redis is too small: it has evicted " + evicted + (evicted == 1 ? " key" : " keys")
                        + " since its start; raise its maxmemory";
    }

    @Override
    public List<Server> servers() throws IOException {
        List<Server> servers = new ArrayList<>();
        for (String facts : info("all")) {
            Map<String, String> found = new HashMap<>();
            for (String line : facts.split("\r\n", -1)) {
                int colon = line.indexOf(':');
                if (colon > 0) {
                    found.put(line.substring(0, colon), line.substring(colon + 1));
                }
            }
            String policy = found.getOrDefault("maxmemory_policy", "unknown");
            boolean isBounded = !found.getOrDefault("maxmemory", "0").equals("0");
            servers.add(new Server(
                    "Redis " + found.getOrDefault("redis_version", "of unknown version") + ", maxmemory "
                            + (isBounded ? found.get("maxmemory_human") : "unlimited") + ", maxmemory-policy " + policy,
                    isBounded && !policy.equals("noeviction")));
        }
        return servers;
    }

    private List<String> info(String section) throws IOException {
        return pipeline.ask(
                Pusher.STAMP,
                () -> isConnected() && link.join().connection instanceof StatefulRedisClusterConnection<?, ?> cluster
                        ? cluster.async().upstream().commands().info(section).toCompletableFuture()
                        : commands().info(section).thenApply(List::of).toCompletableFuture());
    }

    @Override
    public String toString() {
        return text;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // Its threads are daemons.
    @Override
    public void close() {
        client.shutdown(Duration.ZERO, CLOSE);
        resources.shutdown(0, CLOSE.toMillis(), TimeUnit.MILLISECONDS);
    }
}
