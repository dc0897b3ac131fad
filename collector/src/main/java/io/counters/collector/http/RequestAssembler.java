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
    private @Nullable HttpRequest head;
    private int bodyBytes;
    private int bodyBytesMax;
    private @Nullable ByteArrayOutputStream body;

    RequestAssembler(HttpPort port) {
        this.port = port;
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
        if (part instanceof HttpContent content && !add(content.content())) {
            return end(
                    of,
                    port.refuse(
                            "too_large",
                            new RequestException(
                                    413,
                                    "the body is too large; at most " + bodyBytesMax + " bytes are allowed here")));
        }
        return part instanceof LastHttpContent ? end(of, null) : null;
    }

    private void begin(HttpRequest first) {
        head = first;
        bodyBytes = 0;
        Route wanted = port.routes.look(first.method().name(), Routes.path(first.uri()));
        int bytes = wanted == null ? 0 : wanted.bodyBytesMax();
        body = bytes == 0 ? null : new ByteArrayOutputStream();
        bodyBytesMax = bytes == 0 ? HttpPort.UNNEEDED_BYTES_MAX : bytes;
    }

    /** Whether there is room for these bytes. */
    private boolean add(ByteBuf some) {
        bodyBytes += some.readableBytes();
        if (bodyBytes <= bodyBytesMax && body != null) {
            body.writeBytes(ByteBufUtil.getBytes(some));
        }
        return bodyBytes <= bodyBytesMax;
    }

    private ArrivedRequest end(HttpRequest of, @Nullable RequestException refusal) {
        ArrivedRequest complete = new ArrivedRequest(of, body == null ? new byte[0] : body.toByteArray(), refusal);
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
