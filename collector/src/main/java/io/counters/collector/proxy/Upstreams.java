package io.counters.collector.proxy;

import io.counters.collector.common.Metrics;
import io.counters.emit.Transport;
import io.counters.wire.DatagramWriter;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections to all servers: those in the list, and those that were removed from it lately, to which totals are still
 * repeated. For the loop's thread, except {@link #up}.
 */
final class Upstreams {
    private static final Logger log = LoggerFactory.getLogger(Upstreams.class);

    /** How long the totals in the stream to a removed server are repeated to it. */
    private static final long LEAVING_NANOS = TimeUnit.MINUTES.toNanos(10);

    private final Selector selector;
    private final QueueRoom queues;
    private final LongSupplier nanoClock;
    private final RandomGenerator random;
    private final Metrics metrics;
    private final byte[] outgoing = new byte[DatagramWriter.BYTES_MAX];
    private final List<Leaving> leaving = new ArrayList<>();

    /** Indexed by the servers' places in the list. */
    private volatile Upstream[] all = {};

    private boolean isBegun;

    private record Leaving(Upstream upstream, long untilNanos) {}

    Upstreams(Selector selector, QueueRoom queues, LongSupplier nanoClock, RandomGenerator random, Metrics metrics) {
        this.selector = selector;
        this.queues = queues;
        this.nanoClock = nanoClock;
        this.random = random;
        this.metrics = metrics;
    }

    /** Those of the list, indexed by their places in it. */
    Upstream[] all() {
        return all;
    }

    /**
     * Uses another list. Upstreams of servers that stay, or come back, are kept.
     *
     * @return those that are no longer in the list, each to be passed to {@link #leave} or {@link #forget}
     */
    List<Upstream> use(List<Server> servers) {
        Upstream[] before = all;
        Upstream[] found = new Upstream[servers.size()];
        for (int i = 0; i < found.length; i++) {
            Server server = servers.get(i);
            Upstream known = find(server);
            found[i] = known == null ? connect(server) : known;
            leaving.removeIf(left -> left.upstream.server().isSame(server));
        }
        all = found;
        isBegun = true;
        return Arrays.stream(before)
                .filter(upstream -> servers.stream().noneMatch(upstream.server()::isSame))
                .toList();
    }

    private Upstream connect(Server server) {
        if (isBegun) {
            log.info("{} was added", server);
        }
        Supplier<MessageQueue> fresh = () -> queues.queue(server.toString());
        Upstream upstream = server.scheme() == Server.Scheme.UDP
                ? new UdpUpstream(server, fresh, outgoing, nanoClock, metrics)
                : new TcpUpstream(server, fresh, selector, nanoClock, random, metrics);
        String name = server.toString();
        metrics.gauge(
                "proxy_up",
                "1 while all connections of the server are up, otherwise 0.",
                "server",
                name,
                () -> upstream.isUp() ? 1 : 0);
        metrics.gauge(
                "proxy_queued_bytes",
                "Size of the messages that wait for the server.",
                "server",
                name,
                () -> upstream.waiting());
        metrics.total(
                "proxy_dropped_total", "Messages for the server that were dropped.", "server", name, upstream::dropped);
        return upstream;
    }

    /** Keeps a removed one for a while. */
    void leave(Upstream removed) {
        leaving.add(new Leaving(removed, nanoClock.getAsLong() + LEAVING_NANOS));
    }

    /** Closes a removed one. */
    void forget(Upstream removed) {
        removed.close();
        metrics.forget("server", removed.server().toString());
    }

    /** The way for datagrams to a server; null if it has none. */
    @Nullable
    Transport streams(Server server) {
        Upstream upstream = find(server);
        return upstream == null ? null : upstream.streams();
    }

    private @Nullable Upstream find(Server server) {
        for (Upstream upstream : all) {
            if (upstream.server().isSame(server)) {
                return upstream;
            }
        }
        for (Leaving left : leaving) {
            if (left.upstream.server().isSame(server)) {
                return left.upstream;
            }
        }
        return null;
    }

    void maintain() {
        for (Upstream upstream : all) {
            upstream.maintain();
        }
    }

    /** Sends what waits for removed ones, and closes those whose time is over. */
    void endLeaving() {
        long now = nanoClock.getAsLong();
        leaving.removeIf(left -> {
            left.upstream.maintain();
            left.upstream.flush();
            boolean isOver = now - left.untilNanos > 0;
            if (isOver) {
                forget(left.upstream);
            }
            return isOver;
        });
    }

    List<Upstream> withLeaving() {
        return Stream.concat(Arrays.stream(all), leaving.stream().map(Leaving::upstream))
                .toList();
    }

    void flush() {
        for (Upstream upstream : all) {
            upstream.flush();
        }
    }

    /** The size of the messages that wait. */
    long waiting() {
        long bytes = 0;
        for (Upstream upstream : all) {
            bytes += upstream.waiting();
        }
        return bytes;
    }

    /** How many are connected, or can be sent to over UDP. From any thread; may be slightly out of date. */
    long up() {
        return Arrays.stream(all).filter(Upstream::isUp).count();
    }

    void close() {
        withLeaving().forEach(Upstream::close);
    }
}
