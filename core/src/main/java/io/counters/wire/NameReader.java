package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import org.jspecify.annotations.Nullable;

/**
 * Checks names, for every input and every output, and converts them to canonical form, in which the tags are sorted by
 * key, byte by byte.
 *
 * <p>Stores the result in its own fields, so each thread needs its own reader. After {@link #read} has returned null,
 * the canonical name is {@code bytes[from, to)}; it is a part of the input if that is canonical already, which is
 * usual.
 */
public final class NameReader {
    /** The most bytes of a name. */
    public static final int BYTES_MAX = 250;

    /** The most tags of a name. */
    public static final int TAGS_MAX = 7;

    private static final boolean[] LETTERS = new boolean[256];

    static {
        String letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";
        for (int i = 0; i < letters.length(); i++) {
            LETTERS[letters.charAt(i)] = true;
        }
    }

    /** The array that contains the name. */
    public byte[] bytes = new byte[0];

    /** Where the name begins. */
    public int from;

    /** Where the name ends, exclusive. */
    public int to;

    private final byte[] sorted = new byte[BYTES_MAX];
    private final int[] tagFrom = new int[TAGS_MAX + 1];
    private final int[] tagEquals = new int[TAGS_MAX];

    /** Whether this byte is allowed in a metric, a key or a value. */
    public static boolean isLetter(byte b) {
        return LETTERS[b & 0xff];
    }

    /** Reads the name that is {@code in[begin, end)}; returns the rule it breaks, or null. */
    public @Nullable Rejection read(byte[] in, int begin, int end) {
        bytes = in;
        from = begin;
        to = end;
        if (end - begin > BYTES_MAX) {
            return Rejection.NAME_TOO_LONG;
        }
        int at = lettersEnd(in, begin, end);
        if (at == begin) {
            return begin == end || in[begin] == ',' ? Rejection.EMPTY_NAME : Rejection.NAME_LETTER;
        }
        return at == end ? null : tags(in, at, end);
    }

    /** Reads a String like {@link #read(byte[], int, int)}. */
    public @Nullable Rejection read(String name) {
        if (name.length() > BYTES_MAX) {
            return Rejection.NAME_TOO_LONG;
        }
        // Characters outside Latin-1 become '?', which is not allowed in a name either.
        byte[] in = name.getBytes(ISO_8859_1);
        return read(in, 0, in.length);
    }

    /** The canonical name that was read, as a String. */
    public String name() {
        return new String(bytes, from, to - from, ISO_8859_1);
    }

    /** Where the run of allowed characters that starts at {@code begin} ends; at most {@code end}. */
    static int lettersEnd(byte[] in, int begin, int end) {
        int at = begin;
        while (at < end && LETTERS[in[at] & 0xff]) {
            at++;
        }
        return at;
    }

    private @Nullable Rejection tags(byte[] in, int metricEnd, int end) {
        int tags = 0;
        boolean inOrder = true;
        for (int at = metricEnd; at < end; tags++) {
            if (in[at] != ',') {
                return Rejection.NAME_LETTER;
            }
            if (tags == TAGS_MAX) {
                return Rejection.TOO_MANY_TAGS;
            }
            int key = at + 1;
            int equals = lettersEnd(in, key, end);
            int value = equals + 1;
            if (equals == key || equals == end || in[equals] != '=') {
                return equals < end && in[equals] != '=' && in[equals] != ','
                        ? Rejection.NAME_LETTER
                        : Rejection.TAG_FORM;
            }
            at = lettersEnd(in, value, end);
            if (at == value) {
                return at == end || in[at] == ',' ? Rejection.TAG_FORM : Rejection.NAME_LETTER;
            }
            tagFrom[tags] = key;
            tagEquals[tags] = equals;
            tagFrom[tags + 1] = at + 1;
            inOrder &= tags == 0 || compareKeys(in, tags - 1, tags) < 0;
        }
        return inOrder ? null : sort(in, metricEnd, tags);
    }

    private @Nullable Rejection sort(byte[] in, int metricEnd, int tags) {
        int[] order = new int[tags];
        for (int i = 0; i < tags; i++) {
            int place = i;
            for (; place > 0; place--) {
                int compared = compareKeys(in, order[place - 1], i);
                if (compared == 0) {
                    return Rejection.REPEATED_TAG;
                }
                if (compared < 0) {
                    break;
                }
                order[place] = order[place - 1];
            }
            order[place] = i;
        }
        int length = metricEnd - from;
        System.arraycopy(in, from, sorted, 0, length);
        for (int tag : order) {
            sorted[length++] = ',';
            int tagLength = tagFrom[tag + 1] - 1 - tagFrom[tag];
            System.arraycopy(in, tagFrom[tag], sorted, length, tagLength);
            length += tagLength;
        }
        bytes = sorted;
        from = 0;
        to = length;
        return null;
    }

    private int compareKeys(byte[] in, int a, int b) {
        int lengthA = tagEquals[a] - tagFrom[a];
        int lengthB = tagEquals[b] - tagFrom[b];
        for (int i = 0; i < Math.min(lengthA, lengthB); i++) {
            int difference = in[tagFrom[a] + i] - in[tagFrom[b] + i];
            if (difference != 0) {
                return difference;
            }
        }
        return lengthA - lengthB;
    }
}
