package io.counters.collector.common;

/**
 * Estimates how many lines are in bytes without line breaks between the lines, which a client sends that joins its lines
 * without a separator: {@code a:1|ca:1|cb:2|g}. For messages and metrics, not for counting, because it is not clear where
 * one name ends and the next begins. Each call continues where the last one ended, so that a line may arrive in pieces.
 * Allocates nothing; for one thread.
 *
 * <pre>
 *   a line            ":" value "|" type   value: anything but "|", because a set's is any text
 *                                          type: one letter of c g m h s d k, unless ":" or "ard:" follows, as in
 *                                          DogStatsD's fields
 *   an event          "_e{" ... ":" title "|"      the text that follows is not a type
 *   a service check   "_sc|"
 *   a line            "crement "           one of our commands
 * </pre>
 */
public final class JoinedLines {
    private static final int BYTE = 0xff;

    /** Words in the form of {@link #last}. */
    private static final long CREMENT = letters("crement ");

    private static final long CARD = letters("|card:");
    private static final long EVENT = letters("_e{");
    private static final long SERVICE_CHECK = letters("_sc|");

    /** The last eight bytes. */
    private long last;

    /** Whether there was a colon since the last bar. */
    private boolean hasColon;

    /** Whether a name and a value precede the last bar, so that a type may follow it. */
    private boolean isValued;

    private boolean isEvent;

    /** The letter after the last bar, if it was read as a type; otherwise 0. */
    private byte type;

    private long lines;
    private long counts;
    private long toldCounts;

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
            boolean isBehindBar = (last & BYTE) == '|';
            last = last << Byte.SIZE | (letter & BYTE);
            switch (letter) {
                case '|' -> bar();
                case ':' -> colon();
                case ' ' -> {
                    if (last == CREMENT) {
                        add(true, 1);
                    }
                }
                case '{' -> {
                    if (!hasColon && endsWith(EVENT, 3)) {
                        isEvent = true;
                        add(false, 1);
                    }
                }
                default -> {
                    if (isBehindBar && isValued && isType(letter)) {
                        type = letter;
                        add(letter == 'c', 1);
                    }
                }
            }
        }
    }

    private void bar() {
        if (!hasColon && endsWith(SERVICE_CHECK, 4)) {
            add(false, 1);
        }
        isValued = hasColon && !isEvent;
        isEvent = false;
        hasColon = false;
        type = 0;
    }

    private void colon() {
        hasColon = true;
        boolean isField = endsWith((long) '|' << 16 | (long) type << Byte.SIZE | ':', 3) || endsWith(CARD, 6);
        if (type != 0 && isField) {
            // The letter that was read as a type begins a field.
            add(type == 'c', -1);
            type = 0;
        }
    }

    private boolean endsWith(long letters, int length) {
        return (last & ((1L << (length * Byte.SIZE)) - 1)) == letters;
    }

    private void add(boolean isCount, int times) {
        lines += times;
        counts += isCount ? times : 0;
    }

    private static boolean isType(byte letter) {
        return switch (letter) {
            case 'c', 'g', 'm', 'h', 's', 'd', 'k' -> true;
            default -> false;
        };
    }

    /** Starts over. */
    public void clear() {
        last = 0;
        hasColon = false;
        isValued = false;
        isEvent = false;
        type = 0;
        lines = 0;
        counts = 0;
        toldCounts = 0;
    }

    /** The estimated number of lines of all types; two or more if lines were joined. */
    public long lines() {
        return lines;
    }

    /** The estimated number of counts among them. */
    public long counts() {
        return counts;
    }

    /**
     * How many counts were found since the last call if lines were joined, otherwise 0. Never negative, so that a metric
     * that adds the results up only grows; all calls together return at most one more than there are.
     */
    public long takeCounts() {
        long more = lines > 1 ? Math.max(0, counts - toldCounts) : 0;
        toldCounts += more;
        return more;
    }
}
