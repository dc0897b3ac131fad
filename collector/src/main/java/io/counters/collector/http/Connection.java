package io.counters.collector.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
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

    private enum State {
        /** Between requests. */
        IDLE(30),
        /** Part of a request has arrived. */
        READING(5),
        /** The answer is being created, or the request waits for its turn. */
        MAKING(10),
        /** The answer is being sent; the time starts again with each piece that the client reads. */
        SENDING(10),
        /** Everything is sent, and the client should close: if we closed at once, it might lose the end of the answer. */
        ENDING(2);

        final int seconds;
        final long nanos;

        State(int seconds) {
            this.seconds = seconds;
            nanos = TimeUnit.SECONDS.toNanos(seconds);
        }
    }

    /** A request that has arrived completely, or one that cannot be read, with its refusal. */
    private record Arrived(HttpRequest head, @Nullable Answer refusal) {}

    private final HttpPort port;
    private final ChannelFutureListener sentPiece = this::sentPiece;
    private final ChannelFutureListener sentAll = this::sentAll;
    private final Runnable pumping = guarded(this::pump);
    private final Runnable making = this::makeOnWorker;
    private final Runnable made = guarded(this::made);

    /** Requests that arrived before the previous one was answered. No more are read, so all of them were in one buffer. */
    private final Deque<Arrived> pipelined = new ArrayDeque<>();

    @SuppressWarnings("NullAway.Init") // Set when the handler is added, before anything else.
    private ChannelHandlerContext context;

    private State state = State.IDLE;
    private long since;

    // The request that is arriving
    private @Nullable HttpRequest arriving;
    private int bodyBytes;
    private boolean arrivedInThisRead;
    private boolean deaf;
    private boolean inputEnded;

    // The request that is being answered
    private String asked = "a connection to the page";
    private @Nullable Route route;
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

    Connection(HttpPort port) {
        this.port = port;
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
    public void channelRead(ChannelHandlerContext same, Object part) {
        try {
            if (deaf) {
                return;
            }
            if (part instanceof HttpRequest head) {
                arriving = head;
                bodyBytes = 0;
                if (head.decoderResult().isFailure()) {
                    arrived(head, unreadable(head.decoderResult().cause()));
                    return;
                }
            }
            HttpRequest head = arriving;
            if (part instanceof HttpContent body && head != null) {
                bodyBytes += body.content().readableBytes();
                if (body.decoderResult().isFailure()) {
                    arrived(head, unreadable(body.decoderResult().cause()));
                } else if (bodyBytes > HttpPort.BODY_BYTES_MAX) {
                    arrived(
                            head,
                            port.refuse(
                                    "too_large",
                                    Answer.plain(
                                            413,
                                            "the body is too large; the maximum is " + HttpPort.BODY_BYTES_MAX
                                                    + " bytes, and no request here needs a body\n")));
                } else if (body instanceof LastHttpContent) {
                    arrived(head, null);
                }
            }
        } finally {
            ReferenceCountUtil.release(part);
        }
    }

    private Answer unreadable(Throwable why) {
        Answer refusal;
        if (why instanceof TooLongHttpLineException) {
            refusal = Answer.plain(
                    414,
                    "the request line is too long; the maximum is " + HttpPort.REQUEST_LINE_BYTES_MAX + " bytes\n");
        } else if (why instanceof TooLongHttpHeaderException) {
            refusal = Answer.plain(
                    431, "the headers are too long; the maximum is " + HttpPort.HEADERS_BYTES_MAX + " bytes\n");
        } else {
            refusal = Answer.plain(400, "this is not a valid HTTP request\n");
        }
        return port.refuse("malformed", refusal);
    }

    /** @param refusal if nothing after this request can be read */
    private void arrived(HttpRequest head, @Nullable Answer refusal) {
        arriving = null;
        arrivedInThisRead = true;
        deaf = refusal != null;
        Arrived request = new Arrived(head, refusal);
        if (state == State.IDLE || state == State.READING) {
            answer(request);
        } else {
            pipelined.add(request);
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

    private void answer(Arrived request) {
        HttpRequest head = request.head();
        enter(State.MAKING);
        port.requested();
        isHead = head.method().name().equals("HEAD");
        takesChunks = head.protocolVersion().compareTo(HttpVersion.HTTP_1_1) >= 0;
        keepsAlive = request.refusal() == null && HttpUtil.isKeepAlive(head);
        Answer refusal = request.refusal() != null ? request.refusal() : find(head);
        if (refusal != null) {
            send(refusal);
            return;
        }
        Route found = Objects.requireNonNull(route);
        asked = found.method() + " " + found.path();
        if (found.work() == Route.Work.NONE) {
            send(found.answer().get());
            return;
        }
        lane = port.lane(found.work());
        if (!lane.enter(this)) {
            lane = null;
            send(port.refuse(
                    "busy",
                    Answer.plain(503, "too many requests wait already; try again in " + RETRY_SECONDS + " s\n")
                            .with("Retry-After", RETRY_SECONDS)));
        }
    }

    /** Finds the route; returns the refusal if there is none or the request is not allowed. */
    private @Nullable Answer find(HttpRequest head) {
        route = null;
        Answer refusal = Door.refusedHost(head, port.number());
        if (refusal != null) {
            return port.refuse("host", refusal);
        }
        String uri = head.uri();
        int query = uri.indexOf('?');
        Route found = port.route(query < 0 ? uri : uri.substring(0, query));
        if (found == null) {
            return Answer.plain(404, port.contents());
        }
        if (!found.takes(head.method().name())) {
            return Answer.plain(405, found.path() + " accepts only " + found.allowed() + "\n")
                    .with("Allow", found.allowed());
        }
        if (found.changes()) {
            refusal = Door.refusedSite(head.headers(), port.number());
            if (refusal != null) {
                return port.refuse("site", refusal);
            }
        }
        route = found;
        return null;
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
            answer = Objects.requireNonNull(route).answer().get();
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
        boolean more = port.nextPiece(sent.body());
        ByteBuf first = port.piece(context.alloc());
        HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(sent.status()));
        keepsAlive &= !inputEnded && (!more || takesChunks);
        HttpHeaders headers = head.headers();
        headers.set(HttpHeaderNames.CONTENT_TYPE, sent.type());
        headers.set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE);
        headers.set("X-Content-Type-Options", "nosniff");
        sent.headers().forEach(headers::set);
        if (!more) {
            headers.set(HttpHeaderNames.CONTENT_LENGTH, first.readableBytes());
        } else if (!isHead && takesChunks) {
            headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        if (!keepsAlive) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (!takesChunks) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
        enter(State.SENDING);
        sendingSince = since;
        context.write(head);
        if (isHead) {
            first.release();
            more = false;
            first = context.alloc().heapBuffer(0);
        }
        unsent = more ? sent.body() : null;
        write(first);
        context.flush();
        pump();
    }

    private void write(ByteBuf piece) {
        context.write(unsent == null ? new DefaultLastHttpContent(piece) : new DefaultHttpContent(piece))
                .addListener(unsent == null ? sentAll : sentPiece);
    }

    /** Writes pieces while the client reads them, a few at a time, so that other connections have their turn. */
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
            if (!keepsAlive || inputEnded) {
                linger();
                return;
            }
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

    // Ending

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
            case MAKING -> false;
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
                    giveUp(Answer.plain(408, "the request was not complete after " + state.seconds + " s\n"));
                case MAKING ->
                    giveUp(Answer.plain(
                                    503,
                                    "there was no answer within " + state.seconds
                                            + " s; this program is busy or hangs\n")
                            .with("Retry-After", RETRY_SECONDS));
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

    private void giveUp(Answer refusal) {
        port.timedOut();
        deaf = true;
        keepsAlive = false;
        isHead &= state == State.MAKING;
        send(refusal);
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
                send(Answer.plain(500, asked + " failed; see the log\n"));
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
        leaveLane();
    }
}
