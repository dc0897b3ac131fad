package io.counters.collector.self;

/**
 * Estimates how many lines stand in bytes that have no line breaks between them, as a client sends them that joins its
 * lines and forgets what parts them: {@code a:1|ca:1|cb:2|g}. For messages and metrics, not for counting: where one name
 * ends and the next begins can't be told. Reads on where it has left off, so that a line may come in pieces. Allocates
 * nothing; for one thread.
 *
 * <pre>
 *   a line   digit "|" type      type: one letter of c g m h s d k, unless ":" or "ard:" follows, as in DogStatsD's fields
 *   a line   "crement "          our own
 * </pre>
 */
public final class JoinedLines {
    private static final int BYTE = 0xff;
    private static final int TWO_BYTES = 16;

    /** Eight letters, as they stand in {@link #last}. */
    private static final long CREMENT = letters("crement ");

    private static final long CARD = letters("|card:");
    private static final long SIX_BYTES_MASK = 0xffff_ffff_ffffL;
    private static final int SIX_BYTES = 48;

    /** The last eight bytes. */
    private long last;

    private long lines;
    private long counts;

    private static long letters(String word) {
        long letters = 0;
        for (int i = 0; i < word.length(); i++) {
            letters = letters << Byte.SIZE | word.charAt(i);
        }
        return letters;
    }

    /** Reads {@code in[begin, end)}. */
    public void read(byte[] in, int begin, int end) {
        for (int at = begin; at < end; at++) {
            byte letter = in[at];
            last = last << Byte.SIZE | (letter & BYTE);
            if (letter == ':') {
                leaveOutField();
            } else if (letter == ' ') {
                add(last == CREMENT, true, 1);
            } else if (isType(letter)) {
                add(isBarAfterDigit(last >>> Byte.SIZE), letter == 'c', 1);
            }
        }
    }

    /** What was taken for a type and is the beginning of a field: {@code |c:} or {@code |card:}. */
    private void leaveOutField() {
        int before = (int) (last >>> Byte.SIZE) & BYTE;
        if ((last & SIX_BYTES_MASK) == CARD) {
            add(isDigit((int) (last >>> SIX_BYTES) & BYTE), true, -1);
        } else if (isType((byte) before)) {
            add(isBarAfterDigit(last >>> TWO_BYTES), before == 'c', -1);
        }
    }

    private void add(boolean isLine, boolean isCount, int times) {
        if (isLine) {
            lines += times;
            counts += isCount ? times : 0;
        }
    }

    private static boolean isBarAfterDigit(long bytes) {
        return (bytes & BYTE) == '|' && isDigit((int) (bytes >>> Byte.SIZE) & BYTE);
    }

    private static boolean isDigit(int letter) {
        return letter >= '0' && letter <= '9';
    }

    private static boolean isType(byte letter) {
        return switch (letter) {
            case 'c', 'g', 'm', 'h', 's', 'd', 'k' -> true;
            default -> false;
        };
    }

    /** Forgets what was read. */
    public void clear() {
        last = 0;
        lines = 0;
        counts = 0;
    }

    /** About how many lines there are, counts or not; two or more where some were joined. */
    public long lines() {
        return lines;
    }

    /** About how many of them are counts. */
    public long counts() {
        return counts;
    }
}
