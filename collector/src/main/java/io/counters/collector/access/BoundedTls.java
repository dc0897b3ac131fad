package io.counters.collector.access;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;

/**
 * TLS that refuses a record as soon as its header says more than a record may have. Netty believes each length that two bytes can
 * say and collects that many, so a stranger could make each connection hold 64 KB. It also knows headers of DTLS and SSL 2, with
 * lengths of their own; the JDK's TLS would refuse these when they are complete.
 */
final class BoundedTls extends SslHandler {
    private static final int HEADER_BYTES = 5;

    /** RFC 5246 6.2.3; TLS 1.3 allows less (RFC 8446 5.2). */
    private static final int FRAGMENT_BYTES_MAX = (1 << 14) + 2048;

    private static final int TYPE_MIN = 20;
    private static final int TYPE_MAX = 24;
    private static final int MAJOR_VERSION = 3;

    /** What comes after a refused record is dropped, until the channel is closed. */
    private boolean isRefused;

    BoundedTls(SSLEngine engine) {
        super(engine);
    }

    /** Called with the beginning of a record, again when more of it has arrived, and once for each record. */
    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) throws SSLException {
        if (isRefused) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (in.readableBytes() >= HEADER_BYTES && !isRecord(in)) {
            NotSslRecordException refused = new NotSslRecordException(
                    "not a TLS record: " + ByteBufUtil.hexDump(in, in.readerIndex(), HEADER_BYTES));
            isRefused = true;
            in.skipBytes(in.readableBytes());
            if (!handshakeFuture().isDone()) {
                context.fireUserEventTriggered(new SslHandshakeCompletionEvent(refused));
            }
            throw refused;
        }
        try {
            super.decode(context, in, out);
        } catch (SSLException broken) {
            // Netty would decode what is left once more when the connection ends, and this would be told twice.
            isRefused = true;
            in.skipBytes(in.readableBytes());
            throw broken;
        }
    }

    private static boolean isRecord(ByteBuf in) {
        int begin = in.readerIndex();
        int type = in.getUnsignedByte(begin);
        return type >= TYPE_MIN
                && type <= TYPE_MAX
                && in.getByte(begin + 1) == MAJOR_VERSION
                && in.getUnsignedShort(begin + 3) <= FRAGMENT_BYTES_MAX;
    }
}
