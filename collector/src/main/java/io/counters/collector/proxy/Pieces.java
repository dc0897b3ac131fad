package io.counters.collector.proxy;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Makes messages of what a stream brings: keeps the beginning of one until the rest has come, whatever the cut of the
 * packets. What it keeps is never longer than the longest message. For one thread.
 */
final class Pieces {
    private static final byte[] NOTHING = {};

    private final Frames frames;
    private final Frames.Taker taker;
    private byte[] kept = NOTHING;
    private boolean skipping;

    Pieces(Frames.Taker taker) {
        this.taker = taker;
        frames = new Frames(taker);
    }

    /** Puts what is kept at the beginning of a buffer, for more to be read behind it. */
    void begin(ByteBuffer buffer) {
        buffer.clear().put(kept);
    }

    /**
     * Takes the messages that are whole, and keeps the rest.
     *
     * @param in what {@link #begin} put there and what was read behind it, up to {@code end}
     * @return false where a bad frame has hidden where to go on
     */
    boolean take(byte[] in, int end) {
        int begin = skipping ? afterLine(in, end) : 0;
        int rest = frames.take(in, begin, end);
        if (rest < 0) {
            return false;
        }
        if (end - rest > Frames.LINE_BYTES_MAX + 1 && !Frames.isFrame(in, rest)) {
            taker.refused(Refusal.LINE_TOO_LONG, in, rest, end);
            skipping = true;
            rest = end;
        }
        kept = rest == end ? NOTHING : Arrays.copyOfRange(in, rest, end);
        return true;
    }

    private int afterLine(byte[] in, int end) {
        int at = 0;
        while (at < end && in[at] != '\n') {
            at++;
        }
        skipping = at == end;
        return Math.min(at + 1, end);
    }

    /** The stream has ended: what is kept is no message. */
    void end() {
        if (kept.length > 0) {
            taker.refused(Frames.isFrame(kept, 0) ? Refusal.BINARY_CUT : Refusal.LINE_CUT, kept, 0, kept.length);
            kept = NOTHING;
        }
    }

    /** How many bytes of a message wait for the rest. */
    int kept() {
        return kept.length;
    }
}
