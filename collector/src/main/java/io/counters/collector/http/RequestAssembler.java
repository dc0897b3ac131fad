package io.counters.collector.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import java.io.ByteArrayOutputStream;
import org.jspecify.annotations.Nullable;

/** Collects the parts of the request that arrives on a connection, within the bounds of its route. For the event loop. */
final class RequestAssembler {
    private final HttpPort port;
    private final Peer peer;
    private @Nullable HttpRequest head;
    private int bodyBytes;
    private int bodyBytesMax;
    private boolean isStranger;
    private @Nullable ByteArrayOutputStream body;

    /** The memory that is reserved for the body of this request. */
    private long heldBytes;

    RequestAssembler(HttpPort port, Peer peer) {
        this.port = port;
        this.peer = peer;
    }

    /**
     * Takes the next part. It is released by the caller.
     *
     * @return the request, if this part ends it or cannot be read
     */
    @Nullable
    ArrivedRequest take(HttpObject part) {
        if (part instanceof HttpRequest first) {
            begin(first);
        }
        HttpRequest of = head;
        if (of == null) {
            return null;
        }
        if (part.decoderResult().isFailure()) {
            return end(of, unreadable(part.decoderResult().cause()));
        }
        if (isStranger) {
            // No memory is reserved for strangers.
            return end(of, port.refuseStranger(of.headers(), peer));
        }
        if (part instanceof HttpContent content) {
            RequestException refusal = add(content.content());
            if (refusal != null) {
                return end(of, refusal);
            }
        }
        return part instanceof LastHttpContent ? end(of, null) : null;
    }

    private void begin(HttpRequest first) {
        head = first;
        bodyBytes = 0;
        Route wanted = port.routes.look(first.method().name(), Routes.path(first.uri()));
        int bytes = wanted == null ? 0 : wanted.bodyBytesMax();
        body = bytes == 0 ? null : new ByteArrayOutputStream();
        // Once, and not for each part, of which there may be one for each byte.
        isStranger = body != null && !port.listening.guard().trusts(first.headers(), peer);
        bodyBytesMax = bytes == 0 ? HttpPort.UNNEEDED_BYTES_MAX : bytes;
    }

    /** Adds a part of the body; returns the reason if there is no room for it. */
    private @Nullable RequestException add(ByteBuf some) {
        int bytes = some.readableBytes();
        bodyBytes += bytes;
        if (bodyBytes > bodyBytesMax) {
            return port.refuse(
                    "too_large",
                    new RequestException(
                            413, "the body is too large; at most " + bodyBytesMax + " bytes are allowed here"));
        }
        if (body != null) {
            if (!port.reserve(peer.address(), bytes)) {
                return port.refuse(
                        "bodies",
                        port.busy("the memory for requests is in use; try again in " + Exchange.RETRY_SECONDS + " s"));
            }
            heldBytes += bytes;
            body.writeBytes(ByteBufUtil.getBytes(some));
        }
        return null;
    }

    /** Called when the connection is closed. */
    void closed() {
        port.release(peer.address(), heldBytes);
        heldBytes = 0;
    }

    private ArrivedRequest end(HttpRequest of, @Nullable RequestException refusal) {
        ArrivedRequest complete =
                new ArrivedRequest(of, body == null ? new byte[0] : body.toByteArray(), heldBytes, refusal);
        heldBytes = 0;
        head = null;
        body = null;
        return complete;
    }

    private RequestException unreadable(Throwable why) {
        RequestException refusal;
        if (why instanceof TooLongHttpLineException) {
            refusal = new RequestException(
                    414,
                    "the request line is too long; at most " + HttpPort.REQUEST_LINE_BYTES_MAX + " bytes are allowed");
        } else if (why instanceof TooLongHttpHeaderException) {
            refusal = new RequestException(
                    431, "the headers are too long; at most " + HttpPort.HEADERS_BYTES_MAX + " bytes are allowed");
        } else {
            refusal = RequestException.bad("this is not a valid HTTP request");
        }
        return port.refuse("malformed", refusal);
    }
}
