package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.wire.Commands;
import io.counters.wire.DatagramWriter;
import java.util.Arrays;

/** Writes the text of a record, in the form that {@link LineRecords} reads, into an array that is used again. */
final class LineText {
    private static final byte[] FROM = "from ".getBytes(ISO_8859_1);
    private static final byte[] INCREMENT = "increment ".getBytes(ISO_8859_1);
    private static final byte[] DECREMENT = "decrement ".getBytes(ISO_8859_1);

    /** A line has a verb, a name of at most 250 bytes or an ID of at most 64, and at most three numbers. */
    private static final int LINE_BYTES_MAX = 512;

    private static final int REST_DIGITS = 18;

    private byte[] text = new byte[1 << 16];
    private int length;

    int length() {
        return length;
    }

    /** Returns what was written since the last call. */
    byte[] take() {
        byte[] taken = Arrays.copyOf(text, length);
        length = 0;
        return taken;
    }

    /** {@code from ID AGE} */
    void from(byte[] id, long ageMillis) {
        beginFrom(id, ageMillis);
        text[length++] = '\n';
    }

    /** {@code from ID AGE FIRST LAST} */
    void among(byte[] id, long ageMillis, long first, long last) {
        beginFrom(id, ageMillis);
        spaced(first);
        spaced(last);
        text[length++] = '\n';
    }

    /** {@code from ID AGE SEQ}, or {@code from ID AGE FIRST-LAST} */
    void from(byte[] id, long ageMillis, long first, long last) {
        beginFrom(id, ageMillis);
        spaced(first);
        if (last > first) {
            text[length++] = '-';
            number(last);
        }
        text[length++] = '\n';
    }

    private void beginFrom(byte[] id, long ageMillis) {
        reserve();
        bytes(FROM, 0, FROM.length);
        bytes(id, 0, id.length);
        spaced(ageMillis);
    }

    /** {@code increment NAME AMOUNT [TOTAL]} */
    void command(boolean decrements, byte[] in, int begin, int end, long amount, long total) {
        reserve();
        bytes(decrements ? DECREMENT : INCREMENT, 0, INCREMENT.length);
        bytes(in, begin, end);
        spaced(amount);
        if (total != Commands.NO_TOTAL) {
            spaced(total);
        }
        text[length++] = '\n';
    }

    /**
     * {@code NAME:-0.25|c}
     *
     * @param integer rounded down; more than -2^53, less than 2^53
     * @param rest above 0 and below {@link Commands#ONE}
     */
    void fraction(byte[] in, int begin, int end, long integer, long rest) {
        reserve();
        bytes(in, begin, end);
        text[length++] = ':';
        if (integer < 0) {
            text[length++] = '-';
        }
        number(integer < 0 ? -integer - 1 : integer);
        text[length++] = '.';
        long digits = integer < 0 ? Commands.ONE - rest : rest;
        for (int at = length + REST_DIGITS - 1; at >= length; at--) {
            text[at] = (byte) ('0' + digits % 10);
            digits /= 10;
        }
        length += REST_DIGITS;
        while (text[length - 1] == '0') {
            length--;
        }
        text[length++] = '|';
        text[length++] = 'c';
        text[length++] = '\n';
    }

    private void reserve() {
        if (length + LINE_BYTES_MAX > text.length) {
            text = Arrays.copyOf(text, 2 * text.length);
        }
    }

    private void bytes(byte[] in, int begin, int end) {
        System.arraycopy(in, begin, text, length, end - begin);
        length += end - begin;
    }

    private void spaced(long number) {
        text[length++] = ' ';
        number(number);
    }

    private void number(long number) {
        length = DatagramWriter.number(number, text, length);
    }
}
