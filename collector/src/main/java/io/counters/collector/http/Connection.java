package io.counters.collector.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One connection: reads one request after the other, has each answered, and writes the answer as fast as its client reads
 * it. Everything happens on the event loop, except that a worker creates an answer that may take time.
 *
 * <p>It is always in one {@link State}, and each state has a time limit. So no client can keep a connection forever, and no
 * client waits forever for a worker that hangs.
 */
@SuppressWarnings("FutureReturnValueIgnored") // If a write fails, the last write of its answer also fails.
final class Connection extends ChannelInboundHandlerAdapter {
    private static final long ANSWER_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final int PIECES_AT_ONCE = 4;
    private static final String RETRY_SECONDS = "5";

    /** A comment, which clients ignore. The write fails if the client is gone. */
    private static final String HEARTBEAT = ":\n\n";

    private enum State {
        /** Between requests. */
        IDLE(30),
        /** Part of a request has arrived. */
        READING(5),
        /** The answer is being created, or the request waits for its turn. */
        MAKING(10),
        /** The answer is being sent; the time starts again with each piece that the client reads. */
        SENDING(10),
        /** All events so far are sent; a heartbeat is due after this time. */
        LISTENING(15),
        /** Everything is sent, and the client should close first: if we closed now, it might lose the end of the answer. */
        ENDING(2);

        final int seconds;
        final long nanos;

        State(int seconds) {
            this.seconds = seconds;
            nanos = TimeUnit.SECONDS.toNanos(seconds);
        }
    }

    private final HttpPort port;
    private final ChannelFutureListener sentPiece = this::sentPiece;
    private final ChannelFutureListener sentAll = this::sentAll;
    private final Runnable pumping = guarded(this::pump);
    private final Runnable making = this::makeOnWorker;
    private final Runnable made = guarded(this::made);
    private final Runnable waking = guarded(this::woken);

    /** Requests that arrived before the previous one was answered. No more are read, so all of them were in one buffer. */
    private final Deque<Arrived> pipelined = new ArrayDeque<>();

    @SuppressWarnings("NullAway.Init") // Set when the handler is added, before anything else.
    private ChannelHandlerContext context;

    private State state = State.IDLE;
    private long since;

    // The request that is arriving
    private final Arriving arriving;
    private boolean arrivedInThisRead;
    private boolean deaf;
    private boolean inputEnded;

    // The request that is being answered
    private String asked = "a connection to the page";
    private @Nullable Route route;
    private @Nullable Request request;
    private boolean isApi;
    private boolean isHead;
    private boolean takesChunks;
    private boolean keepsAlive;
    private @Nullable Lane lane;
    private boolean isAtWorker;
    private @Nullable Answer answer;
    private @Nullable Throwable fault;
    private @Nullable Text unsent;
    private boolean isPumping;
    private long sendingSince;

    // The answer that stays open for events
    private Listeners.@Nullable Open open;
    private boolean isWoken;

    Connection(HttpPort port) {
        this.port = port;
        arriving = new Arriving(port);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
        enter(State.IDLE);
    }

    private void enter(State next) {
        state = next;
        since = port.now();
    }

    // Receiving

    @Override
    public void channelActive(ChannelHandlerContext same) {
        if (!port.open(this)) {
            end();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext same, Object message) {
        try {
            Arrived complete = deaf || !(message instanceof HttpObject part) ? null : arriving.take(part);
            if (complete != null) {
                arrived(complete);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void arrived(Arrived complete) {
        arrivedInThisRead = true;
        deaf = complete.refusal() != null;
        if (state == State.IDLE || state == State.READING) {
            answer(complete);
        } else {
            pipelined.add(complete);
            context.channel().config().setAutoRead(false);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext same) {
        if (state == State.IDLE && !arrivedInThisRead) {
            enter(State.READING);
        }
        arrivedInThisRead = false;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext same, Object event) {
        if (event == ChannelInputShutdownEvent.INSTANCE) {
            inputEnded = true;
            if (state != State.MAKING && state != State.SENDING) {
                end();
            }
        }
    }

    // Answering

    private void answer(Arrived complete) {
        HttpRequest head = complete.head();
        enter(State.MAKING);
        port.requested();
        isApi = head.uri().startsWith("/api/");
        isHead = head.method().name().equals("HEAD");
        takesChunks = head.protocolVersion().compareTo(HttpVersion.HTTP_1_1) >= 0;
        keepsAlive = complete.refusal() == null && HttpUtil.isKeepAlive(head);
        try {
            if (complete.refusal() != null) {
                throw complete.refusal();
            }
            find(complete);
            Route found = Objects.requireNonNull(route);
            if (found.work() == Route.Work.NONE) {
                send(found.answer().apply(Objects.requireNonNull(request)));
                return;
            }
            lane = port.lane(found.work());
            if (!lane.enter(this)) {
                lane = null;
                throw port.refuse("busy", busy("too many requests wait already; try again in " + RETRY_SECONDS + " s"));
            }
        } catch (RequestException refusal) {
            send(refusal.answer(isApi));
        }
    }

    private static RequestException busy(String message) {
        return new RequestException(503, message, Map.of("Retry-After", RETRY_SECONDS));
    }

    /** @throws RequestException when there is no route, or it may not be used */
    private void find(Arrived complete) {
        HttpRequest head = complete.head();
        RequestException foreign = Door.refusedHost(head, port.number());
        if (foreign != null) {
            throw port.refuse("host", foreign);
        }
        String method = head.method().name();
        String path = Routes.path(head.uri());
        Route found = port.routes.find(method, path);
        if (found.changes()) {
            foreign = Door.refusedSite(head.headers(), port.number());
            if (foreign != null) {
                throw port.refuse("site", foreign);
            }
        }
        asked = found.method() + " " + found.path();
        route = found;
        request = new Request(method, head.uri(), found.rest(path), head.headers(), complete.body());
    }

    /** Lets a worker create the answer; called by the lane. */
    void make() {
        try {
            port.workers().execute(making);
            isAtWorker = true;
        } catch (Throwable cannot) {
            failed(cannot);
        }
    }

    /** An error of the route ends this request only; an error that keeps the result from the event loop ends the program. */
    private void makeOnWorker() {
        try {
            answer = Objects.requireNonNull(route).answer().apply(Objects.requireNonNull(request));
        } catch (RequestException refusal) {
            answer = refusal.answer(isApi);
        } catch (Throwable thrown) {
            fault = thrown;
        }
        try {
            port.loop.execute(made);
        } catch (RejectedExecutionException closed) {
            // The port is closed, so the answer is not needed.
        }
    }

    private void made() {
        isAtWorker = false;
        Answer result = answer;
        Throwable thrown = fault;
        answer = null;
        fault = null;
        if (state != State.MAKING) {
            leaveLane();
        } else if (thrown != null) {
            failed(thrown);
        } else if (result != null) {
            send(result);
        }
    }

    /** Makes room for the next request, unless a worker is still busy with this one. */
    private void leaveLane() {
        Lane left = lane;
        if (left != null && !isAtWorker) {
            lane = null;
            left.leave(this);
        }
    }

    // Sending

    private void send(Answer sent) {
        stopListening();
        if (sent.body() instanceof Listeners.Open events && !isHead) {
            RequestException refusal = listen(events);
            if (refusal != null) {
                send(refusal.answer(isApi));
                return;
            }
        }
        boolean more = port.nextPiece(sent.body());
        boolean isLast = !more && open == null;
        ByteBuf first = port.piece(context.alloc());
        HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(sent.status()));
        keepsAlive &= !inputEnded && (isLast || takesChunks);
        HttpHeaders headers = head.headers();
        headers.set(HttpHeaderNames.CONTENT_TYPE, sent.type());
        headers.set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE);
        headers.set("X-Content-Type-Options", "nosniff");
        sent.headers().forEach(headers::set);
        if (isLast && sent.status() != HttpResponseStatus.NOT_MODIFIED.code()) {
            headers.set(HttpHeaderNames.CONTENT_LENGTH, first.readableBytes());
        } else if (!isLast && !isHead && takesChunks) {
            headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        if (!keepsAlive) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (!takesChunks) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
        context.write(head);
        if (isHead) {
            first.release();
            more = false;
            first = context.alloc().heapBuffer(0);
        }
        send(first, more ? sent.body() : null);
    }

    /** @param rest what must be sent after this piece; null if nothing follows, at least for now */
    private void send(ByteBuf piece, @Nullable Text rest) {
        enter(State.SENDING);
        sendingSince = since;
        unsent = rest;
        write(piece);
        context.flush();
        pump();
    }

    private void write(ByteBuf piece) {
        boolean isLast = unsent == null && open == null;
        context.write(isLast ? new DefaultLastHttpContent(piece) : new DefaultHttpContent(piece))
                .addListener(unsent == null ? sentAll : sentPiece);
    }

    /** Writes pieces while the client reads them, a few at a time, so that other connections are served too. */
    private void pump() {
        if (isPumping) {
            return;
        }
        isPumping = true;
        try {
            Text text = unsent;
            for (int i = 0;
                    i < PIECES_AT_ONCE && text != null && context.channel().isWritable();
                    i++) {
                if (!port.nextPiece(text)) {
                    text = null;
                    unsent = null;
                }
                write(port.piece(context.alloc()));
            }
            context.flush();
        } finally {
            isPumping = false;
        }
        if (unsent != null && context.channel().isWritable()) {
            port.loop.execute(pumping);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext same) {
        if (unsent != null && context.channel().isWritable()) {
            pump();
        }
    }

    private void sentPiece(ChannelFuture written) {
        if (!written.isSuccess()) {
            caught(written.cause());
        } else if (state == State.SENDING) {
            since = port.now();
        }
    }

    private void sentAll(ChannelFuture written) {
        if (!written.isSuccess()) {
            caught(written.cause());
            return;
        }
        try {
            leaveLane();
            if (open != null) {
                awaitEvents();
                return;
            }
            if (!keepsAlive || inputEnded) {
                linger();
                return;
            }
            request = null;
            enter(State.IDLE);
            Arrived next = pipelined.poll();
            if (next == null) {
                context.channel().config().setAutoRead(true);
            } else {
                answer(next);
            }
        } catch (Throwable thrown) {
            failed(thrown);
        }
    }

    // An answer that stays open

    /** Keeps this answer open for events; if that is not possible, returns the reason. */
    private @Nullable RequestException listen(Listeners.Open events) {
        RequestException foreign =
                Door.refusedSite(Objects.requireNonNull(request).headers(), port.number());
        if (foreign != null) {
            return port.refuse("site", foreign);
        }
        if (!port.listens(this)) {
            return port.refuse(
                    "listeners",
                    busy("already " + HttpPort.LISTENERS_MAX + " clients listen to events; close some, or try again in "
                            + RETRY_SECONDS + " s"));
        }
        open = events;
        isWoken = false;
        events.listeners().add(this);
        return null;
    }

    private void stopListening() {
        if (open != null) {
            port.listensNoMore(this);
            open.listeners().remove(this);
            open = null;
        }
    }

    /** There may be new events. From any thread. */
    void wake() {
        try {
            port.loop.execute(waking);
        } catch (RejectedExecutionException closed) {
            // It is being closed, too.
        }
    }

    private void woken() {
        isWoken = true;
        if (state == State.LISTENING) {
            awaitEvents();
        }
    }

    /** Sends new events; called when all earlier ones are sent, so that a slow reader gets the newest state. */
    private void awaitEvents() {
        Listeners.Open events = Objects.requireNonNull(open);
        enter(State.LISTENING);
        if (inputEnded) {
            end();
        } else if (isWoken) {
            isWoken = false;
            boolean more = port.nextPiece(events);
            if (more || !port.isPieceEmpty()) {
                send(port.piece(context.alloc()), more ? events : null);
            }
        }
    }

    // Closing

    /**
     * Closes the output, and reads until the client closes: with unread input, a close would reset the connection and lose
     * the answer.
     */
    private void linger() {
        if (inputEnded) {
            end();
            return;
        }
        enter(State.ENDING);
        deaf = true;
        pipelined.clear();
        ((SocketChannel) context.channel()).shutdownOutput();
        context.channel().config().setAutoRead(true);
    }

    /** Whether it only waits for its client; in the middle of an answer, for at least {@code stalledNanos}. */
    boolean mayGiveWay(long stalledNanos) {
        return switch (state) {
            case IDLE, READING, ENDING -> true;
            case SENDING -> port.now() - since >= stalledNanos;
            case MAKING, LISTENING -> false;
        };
    }

    long since() {
        return since;
    }

    /** Ends the present state if it has lasted too long. */
    void look(long now) {
        boolean isLate = now - since >= state.nanos || (state == State.SENDING && now - sendingSince >= ANSWER_NANOS);
        if (!isLate) {
            return;
        }
        try {
            switch (state) {
                case READING ->
                    giveUp(new RequestException(408, "the request was not complete after " + state.seconds + " s"));
                case MAKING -> giveUp(busy("there is no answer after " + state.seconds + " s; " + reason()));
                case LISTENING -> send(ByteBufUtil.writeAscii(context.alloc(), HEARTBEAT), null);
                case SENDING -> {
                    port.timedOut();
                    end();
                }
                case IDLE, ENDING -> end();
            }
        } catch (Throwable thrown) {
            failed(thrown);
        }
    }

    private String reason() {
        Route slow = Objects.requireNonNull(route);
        return (slow.work() == Route.Work.DISK
                        ? "the disk hangs, or this program is busy"
                        : "this program is busy or hangs")
                + (slow.changes() ? "; what was asked for may still take effect, so look before you try again" : "");
    }

    private void giveUp(RequestException refusal) {
        port.timedOut();
        deaf = true;
        keepsAlive = false;
        isHead &= state == State.MAKING;
        isApi &= state == State.MAKING;
        send(refusal.answer(isApi));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext same, Throwable thrown) {
        caught(thrown);
    }

    private void caught(Throwable thrown) {
        if (thrown instanceof IOException) {
            // The client has disconnected.
            end();
        } else {
            failed(thrown);
        }
    }

    /** Any error ends this request only. */
    private void failed(Throwable thrown) {
        boolean isAnswerable = state == State.MAKING;
        enter(State.ENDING);
        port.failed();
        keepsAlive = false;
        try {
            if (isAnswerable) {
                send(new RequestException(500, asked + " failed; see the log").answer(isApi));
            } else {
                end();
            }
            port.tell(asked, thrown);
        } catch (Throwable again) {
            end();
        }
    }

    private Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (Throwable thrown) {
                failed(thrown);
            }
        };
    }

    /** Closes the connection at once. */
    void end() {
        port.gone(this);
        context.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext same) {
        enter(State.ENDING);
        unsent = null;
        pipelined.clear();
        port.gone(this);
        stopListening();
        leaveLane();
    }
}
