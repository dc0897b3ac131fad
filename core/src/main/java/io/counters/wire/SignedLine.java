package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/**
 * Finds the parts of the first line of a signed datagram, {@code signed KEY-ID TIME MAC}. Says nothing about whether the
 * MAC is right; {@link DatagramMac} does. Keeps the places of the line that it read last, so each thread needs its own.
 */
public final class SignedLine {
    static final byte[] SIGNED = "signed ".getBytes(ISO_8859_1);

    /** The hex digits of a MAC. */
    static final int MAC_CHARS = 32;

    private int idBegin;
    private int idEnd;
    private int timeEnd;
    private int linesBegin;
    private long timeMillis;

    /** Whether {@code in[begin, end)} begins with such a line, correct or not. */
    public static boolean isAt(byte[] in, int begin, int end) {
        return CommandReader.starts(in, begin, end, SIGNED);
    }

    /**
     * Reads the line with which {@code in[begin, end)} begins; {@link #isAt} must be true.
     *
     * @return whether it has the form of a signed line
     */
    public boolean read(byte[] in, int begin, int end) {
        int lineEnd = CommandReader.find(in, begin, end, (byte) '\n');
        int textEnd = CommandReader.textEnd(in, begin, lineEnd);
        linesBegin = Math.min(lineEnd + 1, end);
        idBegin = begin + SIGNED.length;
        idEnd = CommandReader.find(in, idBegin, textEnd, (byte) ' ');
        int timeBegin = Math.min(idEnd + 1, textEnd);
        timeEnd = CommandReader.find(in, timeBegin, textEnd, (byte) ' ');
        timeMillis = CommandReader.number(in, timeBegin, timeEnd);
        boolean isGood = textEnd - begin <= CommandReader.LINE_BYTES_MAX
                && idEnd > idBegin
                && idEnd - idBegin <= SigningKey.ID_BYTES_MAX
                && NameReader.lettersEnd(in, idBegin, idEnd) == idEnd
                && timeMillis >= 0
                && textEnd - macBegin() == MAC_CHARS;
        for (int i = macBegin(); isGood && i < textEnd; i++) {
            isGood = (in[i] >= '0' && in[i] <= '9') || (in[i] >= 'a' && in[i] <= 'f');
        }
        return isGood;
    }

    /** Where the key's ID begins. */
    public int idBegin() {
        return idBegin;
    }

    /** Where the key's ID ends, exclusive. */
    public int idEnd() {
        return idEnd;
    }

    /** Where the time ends, exclusive. */
    int timeEnd() {
        return timeEnd;
    }

    /** Where the MAC begins. */
    int macBegin() {
        return timeEnd + 1;
    }

    /** When the datagram was signed, in Unix milliseconds by its sender's clock. */
    public long timeMillis() {
        return timeMillis;
    }

    /** Where the lines begin that it signs. */
    public int linesBegin() {
        return linesBegin;
    }
}
