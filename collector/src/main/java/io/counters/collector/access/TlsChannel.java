package io.counters.collector.access;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLException;

/**
 * What arrives by TLS on a socket that does not block, decrypted. Netty's {@code SslHandler} works inside a channel without a
 * socket, so that the thread that reads all connections reads this one, too, and needs no second one. Nothing is decrypted that
 * {@link #read} does not return at once, so a selector for the socket is enough. For one thread.
 */
public final class TlsChannel implements ReadableByteChannel {
    /** On the heap, whose bound the number of connections knows. */
    static final ByteBufAllocator BUFFERS = new UnpooledByteBufAllocator(false, true);

    /** What a connection needs while it is idle, and a handshake for a moment. */
    public static final int BYTES = 32 << 10;

    /** What {@link BoundedTls} lets a record of TLS have; a part of one may have arrived earlier. */
    private static final int RECORD_BYTES = 18 << 10;

    private static final int READ_BYTES = 16 << 10;

    private final SocketChannel socket;
    private final SslHandler tls;
    private final EmbeddedChannel codec;

    TlsChannel(SocketChannel socket, SslHandler tls) {
        this.socket = socket;
        this.tls = tls;
        codec = new EmbeddedChannel();
        codec.config().setAllocator(BUFFERS);
        codec.pipeline().addLast(tls);
    }

    /** Whether the client has been greeted, and may be one that is let in. */
    public boolean isOpenToLines() {
        return tls.handshakeFuture().isSuccess();
    }

    /**
     * Reads and decrypts what has arrived.
     *
     * @param plain has room for at least {@code RECORD_BYTES + READ_BYTES}
     * @return how many bytes were added; 0 if nothing is complete, -1 at the end
     * @throws SSLException if it is not TLS, or the client is not let in; answered with TLS's alert
     */
    @Override
    public int read(ByteBuffer plain) throws IOException {
        if (plain.remaining() < RECORD_BYTES + READ_BYTES) {
            throw new IllegalArgumentException("there is no room for what a read may decrypt");
        }
        ByteBuffer raw = ByteBuffer.allocate(READ_BYTES);
        int count = socket.read(raw);
        if (count <= 0) {
            return count;
        }
        try {
            codec.writeInbound(Unpooled.wrappedBuffer(raw.flip()));
        } catch (Exception failed) {
            answer();
            throw failed.getCause() instanceof SSLException why ? why : new SSLException(failed);
        }
        answer();
        int begin = plain.position();
        for (ByteBuf part = codec.readInbound(); part != null; part = codec.readInbound()) {
            int bytes = part.readableBytes();
            part.readBytes(plain.duplicate().limit(plain.position() + bytes));
            plain.position(plain.position() + bytes);
            part.release();
        }
        return plain.position() - begin;
    }

    /** Sends the server's part of the handshake, or an alert. Both are smaller than any send buffer that is empty. */
    private void answer() throws IOException {
        for (ByteBuf part = codec.readOutbound(); part != null; part = codec.readOutbound()) {
            ByteBuffer bytes = part.nioBuffer();
            socket.write(bytes);
            part.release();
            if (bytes.hasRemaining()) {
                throw new SSLException("the client does not read the handshake");
            }
        }
    }

    @Override
    public boolean isOpen() {
        return socket.isOpen();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
