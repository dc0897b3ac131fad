package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.JoinedLines;
import io.counters.wire.ForeignProtocol;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Splits bytes into messages by the first byte of each: {@code 0xAA} begins a binary frame, any other byte a line. Never
 * throws, whatever the bytes; allocates nothing; keeps nothing.
 *
 * <pre>
 *   line    key ":" value "|" type [ "|" ... ] LF       type: c g ms s h d m k kv; what follows it is not checked
 *   line    "increment " | "decrement " | "from " | "signed " ... LF       our own commands; io.counters.wire parses them
 *
 *   frame   +----+----+---------+-----------------+-----------------+
 *           | AA |type| key len | value, 8 bytes  | key ... 00      |   1 kv  2 counter  3 timer  5 gauge  6 gauge delta
 *           +----+----+---------+---------+-------+--------+--------+-+
 *           | AA | 04 | key len | set len | key ... 00     | set ... 00 |   4 set
 *           +----+----+---------+---------+----------------+------------+
 *           lengths: 2 bytes, little-endian; each includes the NUL at the end
 *
 *   batch   "from " ... LF, commands, "from -" LF       never received as such: made by the proxy, one message in a queue
 * </pre>
 */
final class MessageParser {
    /** Maximum bytes of a line, without its line break. */
    static final int LINE_BYTES_MAX = 65_536;

    /** Maximum bytes of a frame: a set's header, key and value. */
    static final int FRAME_BYTES_MAX = 6 + 2 * 65_535;

    /** Ends a batch: the lines after it belong to no stream. */
    static final byte[] BATCH_END = "from -\n".getBytes(ISO_8859_1);

    private static final byte MAGIC = (byte) 0xAA;
    private static final int SET = 4;
    private static final int TYPE_MAX = 6;
    private static final int HEADER_BYTES = 12;
    private static final int SET_HEADER_BYTES = 6;
    private static final int LENGTHS_BYTES = 6;

    /** Instead of a length: more bytes are needed to know it. */
    private static final int MORE = 0;

    private static final byte[][] OWN = {
        "increment ".getBytes(ISO_8859_1),
        "decrement ".getBytes(ISO_8859_1),
        "from ".getBytes(ISO_8859_1),
        "signed ".getBytes(ISO_8859_1),
    };
    private static final byte[] FROM = OWN[2];

    /** Instead of the end of a line: the line has not ended. */
    private static final int UNENDED = -1;

    /** Instead of the end of a line: the line is of another protocol, and what follows must not be parsed. */
    private static final int FOREIGN = -2;

    private final Taker taker;
    private final boolean isStream;

    /** Receives the messages; the bytes are valid only during the call. */
    interface Taker {
        /** A complete message, {@code in[begin, end)}, and the place of its key in it. */
        void message(byte[] in, int begin, int end, int keyBegin, int keyEnd);

        /** A line of our own protocol, with its line break. */
        void command(byte[] in, int begin, int end);

        /** A line, or the beginning of a frame, that is not forwarded. */
        void refused(MessageRejection why, byte[] in, int begin, int end);

        /**
         * Skipped bytes of a line on TCP that was refused as too long and has not ended.
         *
         * @param counts an estimate of the counts in these bytes; 0 for the bytes that were passed to {@link #refused}
         */
        void passedOver(long bytes, long counts);

        /**
         * All of a line that was refused as too long; called when the line ends, and once a minute while it continues.
         *
         * @param held has read the line up to now
         */
        void unended(JoinedLines held, long bytes);
    }

    MessageParser(Taker taker) {
        this(taker, false);
    }

    private MessageParser(Taker taker, boolean isStream) {
        this.taker = taker;
        this.isStream = isStream;
    }

    /** For the bytes of a TCP connection. A web page can make a browser open one, so a line of HTTP ends it. */
    static MessageParser ofStream(Taker taker) {
        return new MessageParser(taker, true);
    }

    /**
     * Parses the complete messages in {@code in[begin, end)}.
     *
     * @return where an incomplete message begins, {@code end} if there is none; -1 after a malformed frame, because the
     *     parser cannot resynchronize after it, and after HTTP on a stream
     */
    int take(byte[] in, int begin, int end) {
        int at = begin;
        while (at < end) {
            if (in[at] == MAGIC) {
                int length = frame(in, at, end);
                if (length <= MORE) {
                    return length == MORE ? at : -1;
                }
                at += length;
            } else {
                int next = line(in, at, end);
                if (next < 0) {
                    return next == UNENDED ? at : -1;
                }
                at = next;
            }
        }
        return end;
    }

    /** Whether a message, complete or not, is a binary frame. */
    static boolean isFrame(byte[] in, int begin) {
        return in[begin] == MAGIC;
    }

    /** How many more bytes an incomplete frame needs at least; {@code in} begins with the frame. */
    static int missing(byte[] in, int length) {
        return length < LENGTHS_BYTES ? LENGTHS_BYTES - length : length(in, 0) - length;
    }

    /** The end of the complete message in a queue that begins here; a batch is one message. */
    static int next(byte[] in, int begin, int end) {
        if (in[begin] == MAGIC) {
            return begin + length(in, begin);
        }
        int at = begin;
        if (starts(in, begin, end, FROM)) {
            do {
                at = afterLine(in, at);
            } while (!starts(in, at, end, BATCH_END));
        }
        return afterLine(in, at);
    }

    /** Whether a message in a queue is a batch, which the proxy itself made. */
    static boolean isBatch(byte[] in, int begin, int end) {
        return starts(in, begin, end, FROM);
    }

    private static int afterLine(byte[] in, int begin) {
        int at = begin;
        while (in[at++] != '\n') {
            // Find the line break.
        }
        return at;
    }

    /** Parses a line; returns where the next message begins, {@link #UNENDED} or {@link #FOREIGN}. */
    private int line(byte[] in, int begin, int end) {
        int colon = begin;
        while (colon < end && in[colon] != ':' && in[colon] != '\n') {
            colon++;
        }
        int bar = colon;
        while (bar < end && in[bar] != '|' && in[bar] != '\n') {
            bar++;
        }
        int lineEnd = bar;
        while (lineEnd < end && in[lineEnd] != '\n') {
            lineEnd++;
        }
        if (lineEnd == end) {
            return UNENDED;
        }
        int next = lineEnd + 1;
        int textEnd = lineEnd > begin && in[lineEnd - 1] == '\r' ? lineEnd - 1 : lineEnd;
        if (isStream && ForeignProtocol.isHttpOfAtMost(LINE_BYTES_MAX, in, begin, textEnd)) {
            taker.refused(foreign(in, begin, textEnd), in, begin, textEnd);
            return FOREIGN;
        } else if (textEnd - begin > LINE_BYTES_MAX) {
            taker.refused(MessageRejection.LINE_TOO_LONG, in, begin, textEnd);
        } else if (isOwn(in, begin, textEnd)) {
            taker.command(in, begin, next);
        } else if (textEnd > begin) {
            MessageRejection why = why(in, begin, colon, bar, textEnd);
            if (why == null) {
                taker.message(in, begin, next, begin, colon);
            } else {
                taker.refused(why, in, begin, textEnd);
            }
        }
        return next;
    }

    /** The reason for a line of another protocol. */
    static MessageRejection foreign(byte[] in, int begin, int end) {
        return ForeignProtocol.isTls(in, begin, end) ? MessageRejection.TLS : MessageRejection.HTTP;
    }

    private static @Nullable MessageRejection why(byte[] in, int begin, int colon, int bar, int end) {
        if (colon >= end) {
            return MessageRejection.NO_COLON;
        }
        if (colon == begin) {
            return MessageRejection.EMPTY_KEY;
        }
        if (bar >= end) {
            return MessageRejection.NO_TYPE;
        }
        if (bar == colon + 1) {
            return MessageRejection.EMPTY_VALUE;
        }
        int typeEnd = bar + 1;
        while (typeEnd < end && in[typeEnd] != '|' && in[typeEnd] != ':') {
            typeEnd++;
        }
        if (!isType(in, bar + 1, typeEnd) && typeEnd == end) {
            // Some clients leave blanks or NULs at the end; the collector ignores them.
            while (typeEnd > bar + 1 && isBlank(in[typeEnd - 1])) {
                typeEnd--;
            }
        }
        return isType(in, bar + 1, typeEnd) ? null : MessageRejection.UNKNOWN_TYPE;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t' || b == 0;
    }

    private static boolean isType(byte[] in, int begin, int end) {
        if (end - begin == 1) {
            return switch (in[begin]) {
                case 'c', 'g', 's', 'h', 'd', 'm', 'k' -> true;
                default -> false;
            };
        }
        return end - begin == 2
                && ((in[begin] == 'm' && in[begin + 1] == 's') || (in[begin] == 'k' && in[begin + 1] == 'v'));
    }

    private static boolean isOwn(byte[] in, int begin, int end) {
        for (byte[] word : OWN) {
            if (begin < end && in[begin] == word[0] && starts(in, begin, end, word)) {
                return true;
            }
        }
        return false;
    }

    private static boolean starts(byte[] in, int begin, int end, byte[] with) {
        return end - begin >= with.length && Arrays.equals(in, begin, begin + with.length, with, 0, with.length);
    }

    /** Parses a frame; returns its length, {@link #MORE}, or -1 for a malformed one. */
    private int frame(byte[] in, int begin, int end) {
        int type = end - begin < 2 ? 1 : in[begin + 1];
        if (type < 1 || type > TYPE_MAX) {
            return bad(MessageRejection.BINARY_TYPE, in, begin, end);
        }
        if (end - begin < LENGTHS_BYTES) {
            return MORE;
        }
        int key = begin + (type == SET ? SET_HEADER_BYTES : HEADER_BYTES);
        int keyLength = number(in, begin + 2);
        int setLength = type == SET ? number(in, begin + 4) : 0;
        if (keyLength < 2) {
            return bad(MessageRejection.BINARY_KEY, in, begin, end);
        }
        if (type == SET && setLength < 1) {
            return bad(MessageRejection.BINARY_SET, in, begin, end);
        }
        int keyEnd = key + keyLength - 1;
        int last = keyEnd + setLength;
        if (last >= end) {
            return MORE;
        }
        if (!isText(in, key, keyEnd)) {
            return bad(MessageRejection.BINARY_KEY, in, begin, end);
        }
        if (type == SET && !isText(in, keyEnd + 1, last)) {
            return bad(MessageRejection.BINARY_SET, in, begin, end);
        }
        taker.message(in, begin, last + 1, key, keyEnd);
        return last + 1 - begin;
    }

    private int bad(MessageRejection why, byte[] in, int begin, int end) {
        taker.refused(why, in, begin, end);
        return -1;
    }

    /** The length of a complete, valid frame. */
    private static int length(byte[] in, int begin) {
        int keyLength = number(in, begin + 2);
        return in[begin + 1] == SET ? SET_HEADER_BYTES + keyLength + number(in, begin + 4) : HEADER_BYTES + keyLength;
    }

    private static int number(byte[] in, int at) {
        return (in[at] & 0xFF) | (in[at + 1] & 0xFF) << 8;
    }

    /** Whether {@code in[end]} is NUL and no byte before it is. */
    private static boolean isText(byte[] in, int begin, int end) {
        int at = begin;
        while (at < end && in[at] != 0) {
            at++;
        }
        return at == end && in[end] == 0;
    }
}
