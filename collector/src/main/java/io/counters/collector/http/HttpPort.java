package io.counters.collector.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.SingleThreadIoEventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A port that answers HTTP requests from a list of routes: a page on loopback, or a port for other machines. */
public final class HttpPort implements AutoCloseable {
    static final int REQUEST_LINE_BYTES_MAX = 8 * 1024;
    static final int HEADERS_BYTES_MAX = 6 * 1024;

    /** A body of up to this length is ignored where no body is needed. */
    static final int UNNEEDED_BYTES_MAX = 8 * 1024;

    private static final int BACKLOG = 1024;
    private static final int RECEIVE_BYTES = 2 * 1024;

    /** The same where bodies are large. */
    private static final int RECEIVE_BODIES_BYTES = 16 * 1024;

    private static final int PIECE_CHARS = 16 * 1024;

    /**
     * How much of an answer that its client does not read is in memory, in addition to one piece; the kernel may buffer the
     * same.
     */
    private static final int UNSENT_BYTES_MAX = 64 * 1024;

    private static final long LOOK_MILLIS = 250;
    private static final long CLOSE_MILLIS = 900;

    final Listening listening;
    final Routes routes;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final LongAdder requests;
    private final LongAdder errors;
    private final Metrics metrics;
    private final BodyMemory bodies;
    final OriginCheck origins;
    final ClientFaults clients;
    private final Entrance entrance = new Entrance(this);
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final Set<Connection> listeners = ConcurrentHashMap.newKeySet();
    private final StringBuilder piece = new StringBuilder();
    private byte @Nullable [] binaryPiece;
    private final Lane some;
    private final Lane much;
    private final Lane disk;
    private final ExecutorService workers;
    final SingleThreadIoEventLoop loop;
    private final Channel server;
    private volatile boolean closed;

    /** Opens a page on loopback, for everyone on this machine; see the other constructor. */
    public HttpPort(
            int number,
            String remedy,
            List<Route> routes,
            LongSupplier nanoClock,
            FaultLog faults,
            Metrics metrics,
            ThreadFactory threads)
            throws IOException {
        this(
                Listening.page(InetAddress.getLoopbackAddress(), number, remedy, HttpLimits.PAGE, Guard.NONE),
                routes,
                nanoClock,
                faults,
                metrics,
                threads);
    }

    /**
     * Opens the port; {@link #start} serves it.
     *
     * @param nanoClock monotonic, for all time limits
     * @param threads creates the threads of the event loop and the workers; an uncaught exception in one of them must end
     *     the program
     * @throws IOException if the port cannot be opened
     */
    public HttpPort(
            Listening listening,
            List<Route> routes,
            LongSupplier nanoClock,
            FaultLog faults,
            Metrics metrics,
            ThreadFactory threads)
            throws IOException {
        this.listening = listening;
        some = new Lane(listening.answersAtOnce(), listening.limits().waiting(), Exchange::make);
        much = new Lane(listening.answersAtOnce(), listening.limits().waiting(), Exchange::make);
        disk = new Lane(listening.answersAtOnce(), listening.limits().waiting(), Exchange::make);
        bodies = new BodyMemory(listening.limits().bodiesBytes());
        origins = new OriginCheck(listening);
        this.routes = new Routes(routes);
        this.nanoClock = nanoClock;
        this.faults = faults;
        this.metrics = metrics;
        requests = metrics.count("http_requests_total", "HTTP requests received.");
        errors = metrics.count("http_errors_total", "HTTP answers that failed with an internal error.");
        clients = new ClientFaults(listening, faults, metrics);
        workers = Executors.newFixedThreadPool(listening.workers(), threads);
        loop = new SingleThreadIoEventLoop(null, watched(threads), NioIoHandler.newFactory());
        ChannelFuture opening =
                bootstrap().bind(listening.bind(), listening.number()).awaitUninterruptibly();
        server = opening.channel();
        if (!opening.isSuccess()) {
            close();
            throw new IOException(
                    "cannot open " + listening.what() + " on port " + listening.number() + " ("
                            + opening.cause().getMessage() + "); " + listening.remedy(),
                    opening.cause());
        }
        show();
        var unused = loop.scheduleWithFixedDelay(this::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private ServerBootstrap bootstrap() {
        return new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.AUTO_READ, false)
                .handler(new Accepting())
                .childOption(ChannelOption.ALLOCATOR, new UnpooledByteBufAllocator(false, true))
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, receiveBuffers())
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(UNSENT_BYTES_MAX / 2, UNSENT_BYTES_MAX))
                .childOption(ChannelOption.SO_SNDBUF, UNSENT_BYTES_MAX)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(entrance);
    }

    /** Shows how much of each limit is in use. */
    private void show() {
        HttpLimits limits = listening.limits();
        if (listening.isPage()) {
            metrics.gauge("http_connections", "Open HTTP connections.", connections::size);
            metrics.gauge("http_connections_max", "The maximum of HTTP connections.", limits::connections);
            metrics.gauge("http_handshakes", "TLS handshakes of the page in progress.", entrance::handshakes);
            metrics.gauge("http_listeners", "HTTP answers that stay open for server-sent events.", listeners::size);
            metrics.gauge("http_listeners_max", "The maximum of these.", limits::listeners);
            metrics.gauge(
                    "http_waiting_requests",
                    "HTTP requests that wait, of the kind of work with the most.",
                    this::waiting);
            metrics.gauge("http_waiting_requests_max", "The maximum of these.", limits::waiting);
            metrics.gauge("http_body_bytes", "Memory of HTTP requests to the page that are answered.", bodies::bytes);
            metrics.gauge("http_body_bytes_max", "The maximum of these.", limits::bodiesBytes);
        } else {
            metrics.gauge("otlp_connections", "Open connections of the port for OTLP and HTTP.", connections::size);
            metrics.gauge("otlp_connections_max", "The maximum of these.", limits::connections);
            metrics.gauge(
                    "otlp_handshakes",
                    "TLS handshakes of the port for OTLP and HTTP in progress.",
                    entrance::handshakes);
            metrics.gauge("otlp_waiting_requests", "Requests by HTTP that wait for their turn.", this::waiting);
            metrics.gauge("otlp_waiting_requests_max", "The maximum of these.", limits::waiting);
            metrics.gauge(
                    "otlp_body_bytes",
                    "Memory of requests by HTTP that are read or wait for their answer.",
                    bodies::bytes);
            metrics.gauge("otlp_body_bytes_max", "The maximum of these.", limits::bodiesBytes);
        }
    }

    private long waiting() {
        return Math.max(some.waiting(), Math.max(much.waiting(), disk.waiting()));
    }

    /** One small buffer for each read of a connection, so that it contains few requests. */
    private FixedRecvByteBufAllocator receiveBuffers() {
        FixedRecvByteBufAllocator buffers =
                new FixedRecvByteBufAllocator(listening.isPage() ? RECEIVE_BYTES : RECEIVE_BODIES_BYTES);
        buffers.maxMessagesPerRead(1);
        return buffers;
    }

    /** Netty only logs an error that ends an event loop. If its thread ends while the port is open, the program must end. */
    private ThreadFactory watched(ThreadFactory threads) {
        return work -> threads.newThread(() -> {
            work.run();
            if (!closed) {
                throw new IllegalStateException("the HTTP event loop ended unexpectedly");
            }
        });
    }

    public void start() {
        server.config().setAutoRead(true);
    }

    /** The address, with the actual port. */
    public InetSocketAddress address() {
        return (InetSocketAddress) server.localAddress();
    }

    /** Logs errors of accepting, such as too few descriptors; Netty accepts again a second later. */
    private final class Accepting extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable fault) {
            context.fireExceptionCaught(fault);
            faults.warn(
                    "http accept " + listening.what(),
                    () -> listening.what() + " cannot accept a connection and tries again in 1 s: " + shown(fault));
        }
    }

    // Called by connections, on the event loop only

    long now() {
        return nanoClock.getAsLong();
    }

    /**
     * Adds a new connection. If there are too many, it replaces the one whose client has done nothing for longest, also if it
     * does not read its answer; otherwise clients that read nothing would keep all others out. If all wait for an answer or for
     * events, returns false.
     */
    boolean open(Connection fresh) {
        if (connections.size() >= listening.limits().connections()) {
            Connection idlest = null;
            for (Connection connection : connections) {
                if (connection.mayGiveWay() && (idlest == null || connection.since() - idlest.since() < 0)) {
                    idlest = connection;
                }
            }
            if (idlest == null) {
                clients.refused(fresh.peer.address(), addresses());
                return false;
            }
            clients.replaced(idlest.peer.address(), addresses());
            idlest.end();
        }
        return connections.add(fresh);
    }

    private Stream<Long> addresses() {
        return connections.stream().map(connection -> connection.peer.address());
    }

    void gone(Connection connection) {
        connections.remove(connection);
    }

    /** Lets an answer stay open for events; returns false if too many are open. */
    boolean listens(Connection connection) {
        return listeners.size() < listening.limits().listeners() && listeners.add(connection);
    }

    void listensNoMore(Connection connection) {
        listeners.remove(connection);
    }

    void requested() {
        requests.increment();
    }

    /** Counts a refusal that an operator may want to know of. */
    RequestException refuse(String reason, RequestException refusal) {
        metrics.count("http_refused_total", "HTTP requests that were refused, by reason.", "reason", reason)
                .increment();
        return refusal;
    }

    /** The answer for a request that should be sent again later. */
    RequestException busy(String message) {
        return new RequestException(listening.busyStatus(), message, Map.of("Retry-After", Exchange.RETRY_SECONDS));
    }

    /** Reserves memory for a part of a body; false if there is not enough. */
    boolean reserve(long sender, int bytes) {
        return bodies.reserve(sender, bytes);
    }

    void release(long sender, long bytes) {
        bodies.release(sender, bytes);
    }

    /** The memory of bodies that are being read or answered. For any thread. */
    public long bodyBytes() {
        return bodies.bytes();
    }

    /** Refuses a request that lacks the token and a client certificate, and logs an attempt to guess. */
    RequestException refuseStranger(HttpHeaders headers, Peer peer) {
        if (headers.contains(HttpHeaderNames.AUTHORIZATION)) {
            faults.warn(
                    "http token " + listening.what(),
                    peer.address(),
                    () -> listening.what() + " refused requests with a wrong token; the last came from "
                            + AddressKey.text(peer.address()));
        }
        return refuse("token", listening.guard().stranger());
    }

    /** Closes the output of a connection; with TLS, after its closing message, so that the answer is known to be complete. */
    @SuppressWarnings("FutureReturnValueIgnored") // The connection is closed soon in any case.
    void closeOutput(SocketChannel channel) {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        if (tls == null) {
            channel.shutdownOutput();
        } else {
            tls.closeOutbound().addListener(sent -> channel.shutdownOutput());
        }
    }

    int number() {
        return address().getPort();
    }

    Lane lane(Route.Work work) {
        return switch (work) {
            case NONE -> throw new IllegalArgumentException("it needs no worker");
            case SOME -> some;
            case MUCH -> much;
            case DISK -> disk;
        };
    }

    ExecutorService workers() {
        return workers;
    }

    /** Reads some KB of a text into the buffer for {@link #piece}; returns whether there is more. */
    boolean nextPiece(Text text) {
        piece.setLength(0);
        binaryPiece = text instanceof Text.Binary binary ? binary.bytes() : null;
        boolean more = binaryPiece == null;
        while (more && piece.length() < PIECE_CHARS) {
            more = text.append(piece);
        }
        return more;
    }

    boolean isPieceEmpty() {
        return piece.isEmpty();
    }

    ByteBuf piece(ByteBufAllocator buffers) {
        if (binaryPiece != null) {
            return Unpooled.wrappedBuffer(binaryPiece);
        }
        ByteBuf bytes = buffers.heapBuffer(ByteBufUtil.utf8Bytes(piece));
        bytes.writeCharSequence(piece, StandardCharsets.UTF_8);
        return bytes;
    }

    void failed() {
        errors.increment();
    }

    void tell(String what, Throwable fault) {
        faults.warn("http " + what, () -> what + " failed, and its connection is closed: " + shown(fault));
    }

    static String shown(Throwable fault) {
        byte[] text = fault.toString().getBytes(ISO_8859_1);
        return FaultLog.shown(text, 0, text.length);
    }

    private void look() {
        try {
            long now = now();
            for (Connection connection : connections) {
                connection.look(now);
            }
            entrance.look(now);
        } catch (Throwable fault) {
            // If it were thrown, the executor would not run this again.
            errors.increment();
        }
    }

    /** Frees the port and ends all connections, within a second. Idempotent. */
    @Override
    public void close() {
        closed = true;
        workers.shutdown();
        var unused = loop.shutdownGracefully(0, CLOSE_MILLIS, TimeUnit.MILLISECONDS);
        try {
            if (!loop.awaitTermination(CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
                faults.warn("http close", "the HTTP event loop did not end within " + CLOSE_MILLIS + " ms");
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }
}
