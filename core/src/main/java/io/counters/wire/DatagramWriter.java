package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/** Writes datagrams by the grammar in this package's description, into one buffer that is used again. */
public final class DatagramWriter {
    /** The payload that passes an Ethernet path whole: its frame, less the usual headers. */
    public static final int BYTES_DEFAULT = 1432;

    /** The least that holds a from line and one command of any size; a peer line needs {@link #BYTES_DEFAULT}. */
    public static final int BYTES_MIN = 512;

    /** The most that UDP carries. */
    public static final int BYTES_MAX = 65_507;

    private static final byte[] FROM = "from ".getBytes(ISO_8859_1);
    private static final byte[] INCREMENT = "increment ".getBytes(ISO_8859_1);
    private static final byte[] DECREMENT = "decrement ".getBytes(ISO_8859_1);
    private static final int NUMBER_BYTES_MAX = 19;

    private byte[] buffer = {};
    private int bytesMax;
    private int length;

    /** A writer of datagrams of at most {@code bytesMax} bytes, {@value #BYTES_MIN} to {@value #BYTES_MAX}. */
    public DatagramWriter(int bytesMax) {
        limit(bytesMax);
    }

    /** Lets the next datagram have at most so many bytes, {@value #BYTES_MIN} to {@value #BYTES_MAX}. */
    public void limit(int bytesMax) {
        if (bytesMax < BYTES_MIN || bytesMax > BYTES_MAX) {
            throw new IllegalArgumentException(
                    "a datagram of " + bytesMax + " bytes: allowed are " + BYTES_MIN + " to " + BYTES_MAX);
        }
        this.bytesMax = bytesMax;
        if (buffer.length < bytesMax) {
            buffer = new byte[bytesMax];
        }
    }

    /** Begins an empty datagram. */
    public void clear() {
        length = 0;
    }

    /** Writes the from line; to be called on an empty datagram, or not at all. */
    public void from(byte[] sender, long ageMillis, long seq) {
        bytes(FROM);
        bytes(sender);
        spaced(ageMillis);
        spaced(seq);
        buffer[length++] = '\n';
    }

    /** Writes the peer line behind the from line; {@code line} is all of it, without a line break. */
    public void peer(byte[] line) {
        bytes(line);
        buffer[length++] = '\n';
    }

    /**
     * Writes one command, if it fits.
     *
     * @param name in canonical form
     * @param total at least {@code amount}, or {@link Commands#NO_TOTAL}
     * @return false, and nothing written, when the datagram is too full for it
     */
    public boolean command(Verb verb, byte[] name, long amount, long total) {
        byte[] word = verb == Verb.INCREMENT ? INCREMENT : DECREMENT;
        if (length + word.length + name.length + 2 * (1 + NUMBER_BYTES_MAX) + 1 > bytesMax) {
            return false;
        }
        bytes(word);
        bytes(name);
        spaced(amount);
        if (total != Commands.NO_TOTAL) {
            spaced(total);
        }
        buffer[length++] = '\n';
        return true;
    }

    /** The bytes of the datagram: the first {@link #length} of this array, which the next datagram overwrites. */
    public byte[] buffer() {
        return buffer;
    }

    /** How many bytes the datagram has. */
    public int length() {
        return length;
    }

    private void bytes(byte[] bytes) {
        System.arraycopy(bytes, 0, buffer, length, bytes.length);
        length += bytes.length;
    }

    private void spaced(long number) {
        buffer[length++] = ' ';
        int digits = 1;
        for (long rest = number; rest >= 10; rest /= 10) {
            digits++;
        }
        long rest = number;
        for (int i = length + digits - 1; i >= length; i--) {
            buffer[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        length += digits;
    }
}
