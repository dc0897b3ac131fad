package io.counters.collector.store;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Checks Redis's protocol on a connection before Lettuce reads it. Lettuce trusts every length and depth that a reply
 * announces, keeps what arrives until the reply is complete, and continues after a reply that it cannot read. This guard
 * closes the connection as soon as something is not a reply, is longer than allowed, or nests deeper than any reply of
 * Redis. It keeps nothing of what it reads. For one connection.
 *
 * <p>It must see the same lengths as Lettuce, or what it takes for short replies is the body of a huge one there. Lettuce
 * waits at a line that does not end with CR and LF, reads any byte of a length as a digit, cuts a length to 32 bits, and
 * takes one byte of a boolean's line. So in such lines only what Redis sends is allowed.
 */
final class ReplyGuard extends ChannelInboundHandlerAdapter {
    static final int DEPTH_MAX = 8;
    private static final int ELEMENT_BYTES_MIN = 3;
    private static final int SHOWN_BYTES = 24;
    private static final int LINE_END = 2;

    /** The types whose lines have lengths, of texts and of arrays. */
    private static final String TEXTS = "$=!";

    private static final String LENGTHS = TEXTS + "*~>%";

    private final long bytesMax;
    private final Consumer<@Nullable String> strange;

    /** How many elements are still missing, for each array that is not complete. */
    private final long[] elements = new long[DEPTH_MAX];

    private int depth;
    private long bytes;
    private long skip;
    private byte type;

    /** Of the line that is being read: how many bytes have followed its type, and the last one. */
    private long lineBytes;

    private byte last;
    private boolean negative;
    private long number;
    private boolean closed;

    /**
     * @param bytesMax of a reply
     * @param strange gets what was received, if it is not a reply; null after a reply
     */
    ReplyGuard(long bytesMax, Consumer<@Nullable String> strange) {
        this.bytesMax = bytesMax;
        this.strange = strange;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // The result of closing does not matter.
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            if (!closed) {
                read(in);
            }
        } catch (IOException none) {
            closed = true;
            strange.accept(none.getMessage());
            context.close();
        }
        if (closed) {
            in.release();
        } else {
            context.fireChannelRead(in);
        }
    }

    private void read(ByteBuf in) throws IOException {
        int end = in.writerIndex();
        for (int at = in.readerIndex(); at < end; ) {
            if (skip > 0) {
                int count = (int) Math.min(skip, end - at);
                skip -= count;
                at += count;
                if (skip == 0) {
                    element();
                }
                continue;
            }
            byte next = in.getByte(at++);
            bytes++;
            if (bytes > bytesMax) {
                throw tooLong();
            }
            if (type == 0) {
                begin(next, in, at - 1, end);
            } else if (!isOfLine(next)) {
                throw new IOException("sent a reply with a malformed length or line end; is this the store's port?");
            } else if (next == '\n') {
                line();
            } else {
                lineBytes++;
                last = next;
            }
        }
    }

    /** Whether this byte may be the next one of a line. */
    private boolean isOfLine(byte next) {
        boolean isLength = LENGTHS.indexOf(type) >= 0;
        if (next == '\n') {
            return last == '\r';
        }
        if (last == '\r' && (isLength || type == '#')) {
            return false;
        }
        if (type == '#') {
            return lineBytes == 0 ? next == 't' || next == 'f' : next == '\r';
        }
        return !isLength || isOfLength(next);
    }

    /** A length has digits only, or is -1, which means that there is nothing. */
    private boolean isOfLength(byte next) {
        if (negative) {
            return lineBytes == 1 ? next == '1' : next == '\r';
        }
        if (next == '-' && lineBytes == 0) {
            negative = true;
            return true;
        }
        if (next >= '0' && next <= '9') {
            number = number <= bytesMax ? 10 * number + next - '0' : number;
            return true;
        }
        return next == '\r' && lineBytes > 0;
    }

    private void begin(byte first, ByteBuf in, int at, int end) throws IOException {
        if ("+-:_#,($=!*~>%".indexOf(first) < 0) {
            byte[] some = new byte[Math.min(SHOWN_BYTES, end - at)];
            in.getBytes(at, some);
            throw new IOException(BinaryOperation.strange(some, some.length));
        }
        type = first;
        lineBytes = 0;
        last = first;
        negative = false;
        number = 0;
    }

    private void line() throws IOException {
        byte ended = type;
        type = 0;
        if (LENGTHS.indexOf(ended) < 0 || negative) {
            element();
        } else if (TEXTS.indexOf(ended) >= 0) {
            bytes += number;
            if (bytes > bytesMax) {
                throw tooLong();
            }
            skip = number + LINE_END;
        } else if (number == 0) {
            element();
        } else {
            long count = ended == '%' ? 2 * number : number;
            if (bytes + count * ELEMENT_BYTES_MIN > bytesMax) {
                throw tooLong();
            }
            if (depth == DEPTH_MAX) {
                throw new IOException(
                        "sent a reply that nests deeper than " + DEPTH_MAX + " arrays; is this the store's port?");
            }
            elements[depth++] = count;
        }
    }

    private IOException tooLong() {
        return new IOException("sent a reply of more than " + bytesMax
                + " bytes; is this the store's port, and is the key's value a counter?");
    }

    /** An element is complete, and with it the arrays whose last element it was. */
    private void element() {
        while (depth > 0 && --elements[depth - 1] == 0) {
            depth--;
        }
        if (depth == 0) {
            bytes = 0;
            strange.accept(null);
        }
    }
}
