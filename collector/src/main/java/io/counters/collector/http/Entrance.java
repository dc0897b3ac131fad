package io.counters.collector.http;

import io.counters.collector.access.Certificate;
import io.counters.collector.common.AddressKey;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.HttpServerExpectContinueHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import java.nio.channels.ClosedChannelException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLPeerUnverifiedException;

/**
 * Prepares new connections: refuses senders that are not allowed, lets TLS greet its client if the port has a certificate, and
 * then hands over to a {@link Connection}. Handshakes are limited like connections: when there are too many, the oldest is
 * ended, so that half-open ones keep nobody out. For the event loop only.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Nothing depends on when a refused connection is closed.
final class Entrance extends ChannelInitializer<SocketChannel> {
    private static final long HANDSHAKE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final HttpPort port;

    /** The oldest first. */
    private final Set<Greeting> greetings = new LinkedHashSet<>();

    private volatile int handshakes;

    Entrance(HttpPort port) {
        this.port = port;
    }

    @Override
    protected void initChannel(SocketChannel channel) {
        long address = AddressKey.of(channel.remoteAddress());
        Guard guard = port.listening.guard();
        if (!guard.admits(address)) {
            channel.close();
        } else if (guard.certificate().isEmpty()) {
            addConnection(channel.pipeline(), new Peer(address, false));
        } else {
            greet(channel, address, guard.certificate().get());
        }
    }

    /** How many handshakes are in progress. For any thread. */
    int handshakes() {
        return handshakes;
    }

    private void greet(SocketChannel channel, long address, Certificate certificate) {
        if (greetings.size() >= port.listening.limits().connections()) {
            Greeting oldest = greetings.iterator().next();
            port.clients.handshakeReplaced(oldest.address, greetings.stream().map(greeting -> greeting.address));
            oldest.end();
        }
        SslHandler tls = certificate.handler(channel.alloc());
        channel.pipeline().addLast(tls, new Greeting(tls, address));
    }

    private void addConnection(ChannelPipeline pipeline, Peer peer) {
        pipeline.addLast(
                new RequestDecoder(),
                new HttpResponseEncoder(),
                // For curl, which waits a second before it sends a large body.
                new HttpServerExpectContinueHandler(),
                new Connection(port, peer));
    }

    /** Tells a connection that a read has ended only if it brought something for it: records of TLS may bring nothing. */
    private static final class RequestDecoder extends HttpRequestDecoder {
        private boolean hasBytes;

        RequestDecoder() {
            super(new HttpDecoderConfig()
                    .setMaxInitialLineLength(HttpPort.REQUEST_LINE_BYTES_MAX)
                    .setMaxHeaderSize(HttpPort.HEADERS_BYTES_MAX));
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
            hasBytes = true;
            super.channelRead(context, message);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) throws Exception {
            if (hasBytes) {
                hasBytes = false;
                super.channelReadComplete(context);
            }
        }
    }

    /** Ends handshakes that take too long. */
    void look(long now) {
        for (Greeting greeting : List.copyOf(greetings)) {
            if (now - greeting.begun >= HANDSHAKE_NANOS) {
                port.clients.handshakeTimedOut(greeting.address);
                greeting.end();
            }
        }
    }

    /** A handshake that is under way. */
    private final class Greeting extends ChannelInboundHandlerAdapter {
        private final SslHandler tls;
        private final long address;
        private final long begun = port.now();

        @SuppressWarnings("NullAway.Init") // Set when the handler is added, before anything else.
        private ChannelHandlerContext context;

        Greeting(SslHandler tls, long address) {
            this.tls = tls;
            this.address = address;
        }

        @Override
        public void handlerAdded(ChannelHandlerContext added) {
            context = added;
            greetings.add(this);
            handshakes = greetings.size();
        }

        @Override
        public void handlerRemoved(ChannelHandlerContext same) {
            leave();
        }

        private void leave() {
            greetings.remove(this);
            handshakes = greetings.size();
        }

        /** The next handlers learn it when the handshake has ended. */
        @Override
        public void channelActive(ChannelHandlerContext same) {}

        @Override
        public void userEventTriggered(ChannelHandlerContext same, Object event) {
            if (event instanceof ChannelInputShutdownEvent) {
                // The client has gone. The port allows half-closed connections, so nothing else would end it.
                end();
            }
            if (!(event instanceof SslHandshakeCompletionEvent ended)) {
                return;
            }
            if (!ended.isSuccess()) {
                failed(ended.cause());
                return;
            }
            addConnection(context.pipeline(), new Peer(address, isCertified()));
            context.fireChannelActive();
            context.pipeline().remove(this);
        }

        private boolean isCertified() {
            try {
                return tls.engine().getSession().getPeerCertificates().length > 0;
            } catch (SSLPeerUnverifiedException hasNone) {
                return false;
            }
        }

        private void failed(Throwable why) {
            if (!(why instanceof ClosedChannelException)) {
                port.clients.handshakeFailed(address, why);
            }
            // TLS closes the connection, after its alert.
        }

        /** Nothing arrives before the handshake has ended. */
        @Override
        public void channelRead(ChannelHandlerContext same, Object message) {
            ReferenceCountUtil.release(message);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext same, Throwable thrown) {
            // A failed handshake is told by its event.
            end();
        }

        private void end() {
            leave();
            context.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext same) {
            leave();
        }
    }
}
