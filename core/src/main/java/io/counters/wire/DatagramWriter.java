package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import org.jspecify.annotations.Nullable;

/** Writes datagrams by the grammar in this package's description, into one buffer that each datagram reuses. */
public final class DatagramWriter {
    /** The largest payload that an Ethernet path carries without fragmentation: its frame, less the usual headers. */
    public static final int BYTES_DEFAULT = 1432;

    /** Enough for a signed line, a from line and one command of any size. */
    public static final int BYTES_MIN = 512;

    /** The largest payload of UDP. */
    public static final int BYTES_MAX = 65_507;

    private static final byte[] FROM = "from ".getBytes(ISO_8859_1);
    private static final byte[] INCREMENT = "increment ".getBytes(ISO_8859_1);
    private static final byte[] DECREMENT = "decrement ".getBytes(ISO_8859_1);
    private static final int NUMBER_BYTES_MAX = 19;

    /** Instead of a time. */
    private static final long UNSIGNED = -1;

    private final @Nullable SigningKey key;
    private final @Nullable DatagramMac mac;
    private byte[] buffer = {};
    private int bytesMax;
    private int length;

    /** What the signed line has as its time. */
    private long signedMillis = UNSIGNED;

    /** Where the time of the signed line ends, and where the lines begin that it signs; 0 without a signed line. */
    private int timeEnd;

    private int linesBegin;

    /** A writer of datagrams of at most {@code bytesMax} bytes, {@value #BYTES_MIN} to {@value #BYTES_MAX}. */
    public DatagramWriter(int bytesMax) {
        this(bytesMax, null);
    }

    /** @param key signs datagrams; null if none is signed */
    public DatagramWriter(int bytesMax, @Nullable SigningKey key) {
        this.key = key;
        mac = key == null ? null : new DatagramMac();
        limit(bytesMax);
    }

    /** Limits the next datagrams to {@code bytesMax} bytes, {@value #BYTES_MIN} to {@value #BYTES_MAX}. */
    public void limit(int bytesMax) {
        if (bytesMax < BYTES_MIN || bytesMax > BYTES_MAX) {
            throw new IllegalArgumentException("the maximum size of a datagram is " + bytesMax + " bytes, allowed are "
                    + BYTES_MIN + " to " + BYTES_MAX);
        }
        this.bytesMax = bytesMax;
        if (buffer.length < bytesMax) {
            buffer = new byte[bytesMax];
        }
    }

    /** Begins an empty datagram. */
    public void clear() {
        clearToSign(UNSIGNED);
    }

    /**
     * Begins an empty datagram that is signed if it has a from line, and if this writer has a key. All of its commands must
     * have totals; call {@link #sign} after the last one.
     *
     * @param wallMillis Unix time
     */
    public void clearToSign(long wallMillis) {
        length = 0;
        linesBegin = 0;
        signedMillis = wallMillis;
    }

    /** Writes the from line. Call it only on an empty datagram. */
    public void from(byte[] sender, long ageMillis, long seq) {
        if (key != null && signedMillis != UNSIGNED) {
            signed(key);
        }
        bytes(FROM);
        bytes(sender);
        spaced(ageMillis);
        spaced(seq);
        buffer[length++] = '\n';
    }

    /** Writes the signed line, with room for the MAC. */
    private void signed(SigningKey by) {
        bytes(SignedLine.SIGNED);
        bytes(by.id);
        spaced(signedMillis);
        timeEnd = length;
        buffer[length] = ' ';
        length += 1 + SignedLine.MAC_CHARS;
        buffer[length++] = '\n';
        linesBegin = length;
    }

    /** Signs the datagram, if it has a signed line. */
    public void sign() {
        if (linesBegin > 0 && key != null && mac != null) {
            mac.write(key, buffer, SignedLine.SIGNED.length, timeEnd, linesBegin, length);
        }
    }

    /**
     * Writes one command, if it fits.
     *
     * @param name in canonical form
     * @param total at least {@code amount}, or {@link Commands#NO_TOTAL}
     * @return false if the datagram has no room for it; nothing is written then
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
        length = number(number, buffer, length);
    }

    /** Writes the digits of a number of 0 or more, which are at most {@value #NUMBER_BYTES_MAX}; returns where they end. */
    public static int number(long number, byte[] into, int begin) {
        int end = begin + 1;
        for (long rest = number; rest >= 10; rest /= 10) {
            end++;
        }
        long rest = number;
        for (int at = end - 1; at >= begin; at--) {
            into[at] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        return end;
    }
}
