package io.counters.collector.proxy;

import io.counters.collector.common.JoinedLines;
import io.counters.wire.ForeignProtocol;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Assembles messages from the bytes of a TCP stream: keeps an incomplete message until the rest has arrived, wherever the
 * packets are cut. It never keeps more than the longest message, and parses that again only when it is complete, so a message
 * that arrives byte by byte costs no more than one that arrives at once. For one thread.
 */
final class MessageAssembler {
    private static final byte[] NOTHING = {};

    private final MessageParser parser;
    private final MessageParser.Taker taker;

    /** Its first {@link #length} bytes are the incomplete message. */
    private byte[] kept = NOTHING;

    private int length;
    private int halves;

    /** Reads the rest of a line that is too long, up to its line break; null while there is no such line. */
    private @Nullable JoinedLines skipped;

    private long skippedBytes;

    /** Whether the first two bytes were checked. */
    private boolean hasBegun;

    MessageAssembler(MessageParser.Taker taker) {
        this.taker = taker;
        parser = MessageParser.ofStream(taker);
    }

    /**
     * Parses the complete messages, and keeps the rest.
     *
     * @param in what was read, up to {@code end}
     * @return false when the stream must end: after a malformed frame the parser cannot resynchronize, and a stream of HTTP or
     *     TLS has no messages
     */
    boolean take(byte[] in, int end) {
        boolean goesOn = messages(in, end);
        // An empty line may be alone in the first read; what follows it is no beginning.
        hasBegun |= end > 0 && length == 0;
        if (!goesOn) {
            // What was kept has been refused.
            release();
        }
        return goesOn;
    }

    private boolean messages(byte[] in, int end) {
        if (!hasBegun && end > 0 && isTls(in, end)) {
            append(in, 0, Math.min(end, 2));
            taker.refused(MessageRejection.TLS, kept, 0, length);
            return false;
        }
        int at = 0;
        if (skipped != null && end > 0) {
            at = skip(skipped, in, 0, end);
        }
        while (length > 0 && at < end) {
            at = complete(in, at, end);
            if (at < 0) {
                return false;
            }
        }
        if (at == end) {
            return true;
        }
        int rest = parser.take(in, at, end);
        return rest == end || (rest >= 0 && keep(in, rest, end));
    }

    /**
     * Whether the connection begins like TLS. Its client waits for an answer, perhaps without ever sending a line break, so
     * this is not left to the check of each line.
     */
    private boolean isTls(byte[] in, int end) {
        byte[] begin = {length > 0 ? kept[0] : in[0], length > 0 ? in[0] : end > 1 ? in[1] : 0};
        int known = Math.min(2, length + end);
        hasBegun = known == 2;
        return ForeignProtocol.isTls(begin, 0, known);
    }

    /**
     * Adds what belongs to the incomplete message, and parses that if it is now complete.
     *
     * @return where the next message begins, or -1 when the stream must end
     */
    private int complete(byte[] in, int begin, int end) {
        boolean isFrame = MessageParser.isFrame(kept, 0);
        int next = isFrame
                ? begin + Math.min(end - begin, MessageParser.missing(kept, length))
                : afterLine(in, begin, end);
        boolean isComplete = isFrame || in[next - 1] == '\n';
        if (!isFrame && length + next - begin > MessageParser.LINE_BYTES_MAX + (isComplete ? 2 : 1)) {
            // As much of it as decides what it is.
            int decided = begin + MessageParser.LINE_BYTES_MAX + 1 - length;
            append(in, begin, decided);
            boolean goesOn = tooLong(kept, 0, length);
            release();
            return goesOn && skipped != null ? skip(skipped, in, decided, next) : -1;
        }
        append(in, begin, next);
        if (isComplete) {
            int taken = parser.take(kept, 0, length);
            if (taken < 0) {
                return -1;
            }
            if (taken == length) {
                release();
            }
        }
        return next;
    }

    private boolean keep(byte[] in, int begin, int end) {
        if (!MessageParser.isFrame(in, begin) && end - begin > MessageParser.LINE_BYTES_MAX + 1) {
            return tooLong(in, begin, end);
        }
        halves++;
        append(in, begin, end);
        return true;
    }

    /** @param end at least one byte more than a line may have is before it */
    private boolean tooLong(byte[] in, int begin, int end) {
        boolean isForeign = ForeignProtocol.isHttpOfAtMost(MessageParser.LINE_BYTES_MAX, in, begin, end);
        taker.refused(
                isForeign ? MessageParser.foreign(in, begin, end) : MessageRejection.LINE_TOO_LONG, in, begin, end);
        if (!isForeign) {
            skipped = new JoinedLines();
            skipped.read(in, begin, end);
            skipped.takeCounts(); // They were reported with the refused line.
            skippedBytes = (long) end - begin;
            taker.passedOver(skippedBytes, 0);
        }
        return !isForeign;
    }

    /** Skips more of a line that is too long, up to its line break or the end; returns where the skipped part ends. */
    private int skip(JoinedLines held, byte[] in, int begin, int end) {
        int next = afterLine(in, begin, end);
        boolean hasEnded = in[next - 1] == '\n';
        int bytes = next - begin - (hasEnded ? 1 : 0);
        held.read(in, begin, begin + bytes);
        skippedBytes += bytes;
        taker.passedOver(bytes, held.takeCounts());
        if (hasEnded) {
            tellSkipped();
            skipped = null;
        }
        return next;
    }

    /** Reports what was found so far in the line that is being skipped, if there is one. */
    void tellSkipped() {
        if (skipped != null) {
            taker.unended(skipped, skippedBytes);
        }
    }

    private void append(byte[] in, int begin, int end) {
        int needed = length + end - begin;
        if (needed > kept.length) {
            kept = Arrays.copyOf(kept, Math.max(needed, Math.min(2 * kept.length, MessageParser.FRAME_BYTES_MAX)));
        }
        System.arraycopy(in, begin, kept, length, end - begin);
        length = needed;
    }

    private void release() {
        kept = NOTHING;
        length = 0;
    }

    /** The position after the next line break, or the end. */
    private static int afterLine(byte[] in, int begin, int end) {
        int at = begin;
        while (at < end && in[at] != '\n') {
            at++;
        }
        return Math.min(at + 1, end);
    }

    /** Ends the stream: an incomplete message is refused. Idempotent. */
    void end() {
        tellSkipped();
        skipped = null;
        if (length > 0) {
            taker.refused(
                    MessageParser.isFrame(kept, 0) ? MessageRejection.BINARY_CUT : MessageRejection.LINE_CUT,
                    kept,
                    0,
                    length);
            release();
        }
    }

    /** Bytes of memory that the incomplete message occupies; 0 when there is none. */
    int kept() {
        return kept.length;
    }

    /** How many incomplete messages have been kept so far: while the number is the same, the same message waits. */
    int halves() {
        return halves;
    }
}
