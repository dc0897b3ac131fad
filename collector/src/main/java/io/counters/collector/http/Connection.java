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
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One connection: reads one request after the other, has each answered, and writes the answer as fast as its client reads
 * it; an {@link Exchange} finds the answer. Everything happens on the event loop.
 *
 * <p>It is always in one {@link ConnectionState}, and each state has a time limit. So no client can keep a connection forever, and no
 * client waits forever for a worker that hangs.
 */
@SuppressWarnings("FutureReturnValueIgnored") // If a write fails, the last write of its answer also fails.
final class Connection extends ChannelInboundHandlerAdapter {
    private static final int PIECES_AT_ONCE = 4;

    /** A comment, which clients ignore. The write fails if the client is gone. */
    private static final String HEARTBEAT = ":\n\n";

    private final HttpPort port;
    final Peer peer;
    private final ChannelFutureListener sentPiece = this::sentPiece;
    private final ChannelFutureListener sentAll = this::sentAll;
    private final Runnable pumping = guarded(this::pump);
    private final Runnable waking = guarded(this::woken);
    private final PipelinedRequests pipelined;

    @SuppressWarnings("NullAway.Init") // Set when the handler is added, before anything else.
    private ChannelHandlerContext context;

    private ConnectionState state = ConnectionState.IDLE;

    /** When it entered that state, and when its client last did something in it. */
    private long entered;

    private long since;

    // The request that is arriving
    private final RequestAssembler arriving;
    private boolean arrivedInThisRead;
    private boolean deaf;
    private boolean inputEnded;

    // The request that is being answered, or the last one
    private Exchange exchange;
    private @Nullable Text unsent;
    private boolean isPumping;

    // The answer that stays open for events
    private Listeners.@Nullable Open open;
    private boolean isWoken;

    Connection(HttpPort port, Peer peer) {
        this.port = port;
        this.peer = peer;
        pipelined = new PipelinedRequests(port, peer);
        arriving = new RequestAssembler(port, peer);
        exchange = new Exchange(this, port);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
        enter(ConnectionState.IDLE);
    }

    private void enter(ConnectionState next) {
        state = next;
        since = port.now();
        entered = since;
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
            ArrivedRequest complete = deaf || !(message instanceof HttpObject part) ? null : arriving.take(part);
            if (complete != null) {
                arrived(complete);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void arrived(ArrivedRequest complete) {
        arrivedInThisRead = true;
        deaf = complete.refusal() != null;
        if (state == ConnectionState.IDLE || state == ConnectionState.READING) {
            answer(complete);
        } else {
            context.channel().config().setAutoRead(false);
            deaf |= !pipelined.add(complete);
        }
    }

    /** After a read that brought at least a part of a request. */
    @Override
    public void channelReadComplete(ChannelHandlerContext same) {
        if (state == ConnectionState.IDLE && !arrivedInThisRead) {
            enter(ConnectionState.READING);
        } else if (state == ConnectionState.READING && !port.listening.isPage()) {
            since = port.now();
        }
        arrivedInThisRead = false;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext same, Object event) {
        if (event == ChannelInputShutdownEvent.INSTANCE) {
            inputEnded = true;
            if (state != ConnectionState.MAKING && state != ConnectionState.SENDING) {
                end();
            }
        }
    }

    // Answering

    private void answer(ArrivedRequest complete) {
        enter(ConnectionState.MAKING);
        port.requested();
        exchange = new Exchange(this, port);
        exchange.begin(complete);
    }

    /** Whether this answer is still wanted. */
    boolean awaits(Exchange asked) {
        return asked == exchange && state == ConnectionState.MAKING;
    }

    // Sending

    void send(RequestException refusal) {
        send(refusal.answer(exchange.isApi()));
    }

    void send(Response sent) {
        stopListening();
        if (sent.body() instanceof Listeners.Open events && !exchange.isHead()) {
            RequestException refusal = listen(events);
            if (refusal != null) {
                send(refusal);
                return;
            }
        }
        boolean more = port.nextPiece(sent.body());
        boolean isLast = !more && open == null;
        ByteBuf first = port.piece(context.alloc());
        if (inputEnded) {
            exchange.endConnection();
        }
        context.write(exchange.head(sent, isLast ? first.readableBytes() : Exchange.MORE));
        if (exchange.isHead()) {
            first.release();
            more = false;
            first = context.alloc().heapBuffer(0);
        }
        send(first, more ? sent.body() : null);
    }

    /** @param rest what must be sent after this piece; null if nothing follows, at least for now */
    private void send(ByteBuf piece, @Nullable Text rest) {
        enter(ConnectionState.SENDING);
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
        } else if (state == ConnectionState.SENDING) {
            since = port.now();
        }
    }

    private void sentAll(ChannelFuture written) {
        if (!written.isSuccess()) {
            caught(written.cause());
            return;
        }
        try {
            exchange.leaveLane();
            if (open != null) {
                awaitEvents();
                return;
            }
            exchange.end();
            if (!exchange.keepsAlive() || inputEnded) {
                linger();
                return;
            }
            enter(ConnectionState.IDLE);
            ArrivedRequest next = pipelined.poll();
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
        RequestException foreign = exchange.refusedSite();
        if (foreign != null) {
            return foreign;
        }
        if (!port.listens(this)) {
            return port.refuse(
                    "listeners",
                    port.busy("already " + port.listening.limits().listeners()
                            + " clients listen to events; close some, or try again in " + Exchange.RETRY_SECONDS
                            + " s"));
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
        if (state == ConnectionState.LISTENING) {
            awaitEvents();
        }
    }

    /** Sends new events; called when all earlier ones are sent, so that a slow reader gets the newest state. */
    private void awaitEvents() {
        Listeners.Open events = Objects.requireNonNull(open);
        enter(ConnectionState.LISTENING);
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
        enter(ConnectionState.ENDING);
        deaf = true;
        pipelined.clear();
        port.closeOutput((SocketChannel) context.channel());
        context.channel().config().setAutoRead(true);
    }

    /** Whether it only waits for its client. */
    boolean mayGiveWay() {
        return state != ConnectionState.MAKING && state != ConnectionState.LISTENING;
    }

    long since() {
        return since;
    }

    /** Ends the present state if it has lasted too long. */
    void look(long now) {
        if (now - since < state.nanos && now - entered < state.nanosInAll) {
            return;
        }
        try {
            switch (state) {
                case READING -> giveUp(new RequestException(408, "the request did not come, or came too slowly"));
                case MAKING -> giveUp(exchange.late(state.seconds));
                case LISTENING -> send(ByteBufUtil.writeAscii(context.alloc(), HEARTBEAT), null);
                case SENDING -> {
                    port.clients.timedOut(peer.address(), state);
                    end();
                }
                case IDLE, ENDING -> end();
            }
        } catch (Throwable thrown) {
            failed(thrown);
        }
    }

    private void giveUp(RequestException refusal) {
        port.clients.timedOut(peer.address(), state);
        deaf = true;
        if (state != ConnectionState.MAKING) {
            exchange = new Exchange(this, port);
        }
        exchange.endConnection();
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
        } else if (ClientFaults.isBrokenTls(thrown)) {
            port.clients.tlsBroken(peer.address(), Objects.requireNonNull(thrown.getCause()));
            end();
        } else {
            failed(thrown);
        }
    }

    /** Any error ends this request only. */
    void failed(Throwable thrown) {
        boolean isAnswerable = state == ConnectionState.MAKING;
        enter(ConnectionState.ENDING);
        port.failed();
        exchange.endConnection();
        try {
            if (isAnswerable) {
                send(new RequestException(500, exchange + " failed; see the log"));
            } else {
                end();
            }
            port.tell(exchange.toString(), thrown);
        } catch (Throwable again) {
            end();
        }
    }

    Runnable guarded(Runnable task) {
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
        enter(ConnectionState.ENDING);
        unsent = null;
        pipelined.clear();
        arriving.closed();
        port.gone(this);
        stopListening();
        exchange.leaveLane();
        exchange.end();
    }
}
