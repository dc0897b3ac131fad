package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import org.jspecify.annotations.Nullable;

/**
 * Reads datagrams, and lines of a TCP stream, by the grammar in this package's description. Never throws, for any
 * bytes. Hands over each line once, as a command, a {@code from} or a rejection. Empty lines, and lines that contain
 * only blanks and NULs, are ignored. StatsD lines are read by {@link StatsdLine}.
 *
 * <p>Contains scratch space, so each thread needs its own reader. Allocates nothing, except for StatsD numbers of more
 * than 18 digits.
 */
public final class CommandReader {
    /** The maximum bytes of a line, without its line break. */
    public static final int LINE_BYTES_MAX = 1024;

    /** The largest amount of one line: 2^53. */
    public static final long AMOUNT_MAX = 1L << 53;

    private static final byte[] INCREMENT = "increment ".getBytes(ISO_8859_1);
    private static final byte[] DECREMENT = "decrement ".getBytes(ISO_8859_1);
    private static final byte[] FROM = "from ".getBytes(ISO_8859_1);
    private static final int SENDER_BYTES_MIN = 16;
    private static final int SENDER_BYTES_MAX = 64;
    private static final int PLAIN_DIGITS_MAX = 15;
    private static final long NOT_A_NUMBER = -1;
    private static final long TOO_LARGE = -2;

    private final Commands commands;
    private final NameReader name = new NameReader();
    private final StatsdLine statsd;
    private final SignedLine signed = new SignedLine();
    private int plainEnd;

    /** A reader that rejects StatsD lines whose names contain characters that cannot be stored. */
    public CommandReader(Commands commands) {
        this(commands, StatsdName.strict());
    }

    /** @param statsdName reads the names of StatsD lines; not shared with another reader */
    public CommandReader(Commands commands, StatsdName statsdName) {
        this.commands = commands;
        statsd = new StatsdLine(commands, statsdName);
    }

    /** Reads a whole datagram. */
    public void datagram(byte[] in, int begin, int end) {
        commands.fromNobody();
        boolean first = true;
        boolean second = false;
        for (int at = begin; at < end; ) {
            int next = plain(in, at, end);
            if (next > 0) {
                at = next;
                first = false;
                second = false;
                continue;
            }
            int lineEnd = lineEnd(in, at, end);
            int textEnd = textEnd(in, at, lineEnd);
            if (SignedLine.isAt(in, at, textEnd)) {
                // A collector with keys has verified and removed it. Without keys only its form is checked.
                Rejection why = first ? signed(in, at, textEnd) : Rejection.SIGNED_PLACE;
                if (why != null) {
                    commands.rejected(why, in, at, textEnd);
                }
                second = first;
            } else if (starts(in, at, textEnd, FROM) && !first && !second) {
                // What follows does not belong to the stream before, and a total merged into the wrong stream cannot be
                // undone.
                commands.fromNobody();
                commands.rejected(Rejection.FROM_PLACE, in, at, textEnd);
                second = false;
            } else {
                command(in, at, textEnd);
                second = false;
            }
            first = false;
            at = lineEnd + 1;
        }
    }

    /** Reads lines of a TCP stream, each ended by its line break. */
    public void lines(byte[] in, int begin, int end) {
        for (int at = begin; at < end; ) {
            int next = plain(in, at, end);
            if (next < 0) {
                next = lineEnd(in, at, end) + 1;
                line(in, at, next);
            }
            at = next;
        }
    }

    /** Reads one line of a TCP stream, with or without its line break. */
    public void line(byte[] in, int begin, int end) {
        int textEnd = textEnd(in, begin, lineEnd(in, begin, end));
        if (SignedLine.isAt(in, begin, textEnd)) {
            commands.rejected(Rejection.SIGNED_PLACE, in, begin, textEnd);
        } else if (textEnd - begin == 6 && starts(in, begin, textEnd, FROM) && in[begin + 5] == '-') {
            commands.fromNobody();
        } else {
            command(in, begin, textEnd);
        }
    }

    /**
     * Reads the line that begins here in one pass if it is plain, which most lines are: exactly {@code NAME:1|c} or
     * {@code increment NAME 1 7}. Also reads a line that can only be a StatsD line. The rest of this class would give
     * the same result for each of these lines.
     *
     * @return where the next line begins, or -1 if this line was not read
     */
    private int plain(byte[] in, int begin, int end) {
        int wordEnd = NameReader.lettersEnd(in, begin, end);
        if (wordEnd == begin || wordEnd == end) {
            return -1;
        }
        if (in[wordEnd] == ':') {
            long amount = plainNumber(in, wordEnd + 1, end);
            int type = plainEnd;
            int lineEnd = type + 2;
            if (amount < 0
                    || lineEnd > end
                    || in[type] != '|'
                    || in[type + 1] != 'c'
                    || (lineEnd < end && in[lineEnd] != '\n')
                    || wordEnd - begin > NameReader.BYTES_MAX) {
                return statsd(in, begin, wordEnd, end);
            }
            commands.command(Verb.INCREMENT, in, begin, wordEnd, amount, Commands.NO_TOTAL);
            return lineEnd + 1;
        }
        if (!starts(in, begin, end, INCREMENT)) {
            return -1;
        }
        int nameBegin = begin + INCREMENT.length;
        int lineEnd = NameReader.lettersEnd(in, nameBegin, end);
        if (lineEnd < end && in[lineEnd] == ',') {
            lineEnd = find(in, lineEnd, end, (byte) ' ');
        }
        int nameEnd = lineEnd;
        long amount = 1;
        long total = Commands.NO_TOTAL;
        if (nameEnd < end && in[nameEnd] == ' ') {
            amount = plainNumber(in, nameEnd + 1, end);
            lineEnd = plainEnd;
            if (lineEnd < end && in[lineEnd] == ' ') {
                total = plainNumber(in, lineEnd + 1, end);
                lineEnd = plainEnd;
                if (total < amount) {
                    return -1;
                }
            }
        }
        if (amount < 0 || (lineEnd < end && in[lineEnd] != '\n') || name.read(in, nameBegin, nameEnd) != null) {
            return -1;
        }
        commands.command(Verb.INCREMENT, name.bytes, name.from, name.to, amount, total);
        return lineEnd + 1;
    }

    /** Reads a line with a colon after its first word: it can only be a StatsD line. */
    private int statsd(byte[] in, int begin, int colon, int end) {
        int lineEnd = lineEnd(in, colon, end);
        if (lineEnd - begin > LINE_BYTES_MAX) {
            return -1;
        }
        Rejection why = statsd.read(in, begin, colon, StatsdLine.textEnd(in, colon + 1, lineEnd));
        if (why != null) {
            commands.rejected(why, in, begin, textEnd(in, begin, lineEnd));
        }
        return lineEnd + 1;
    }

    /** Reads at most 15 digits, and sets {@link #plainEnd} to where they end. Negative if there are more, or none. */
    private long plainNumber(byte[] in, int begin, int end) {
        long number = 0;
        int at = begin;
        for (; at < end && in[at] >= '0' && in[at] <= '9'; at++) {
            number = number * 10 + (in[at] - '0');
        }
        plainEnd = at;
        return at == begin || at - begin > PLAIN_DIGITS_MAX ? NOT_A_NUMBER : number;
    }

    private void command(byte[] in, int begin, int end) {
        if (begin == end) {
            return;
        }
        Rejection why;
        if (end - begin > LINE_BYTES_MAX) {
            if (starts(in, begin, end, FROM)) {
                commands.fromNobody();
            }
            why = Rejection.LINE_TOO_LONG;
        } else if (starts(in, begin, end, INCREMENT)) {
            why = command(Verb.INCREMENT, in, begin + INCREMENT.length, end);
        } else if (starts(in, begin, end, DECREMENT)) {
            why = command(Verb.DECREMENT, in, begin + DECREMENT.length, end);
        } else if (starts(in, begin, end, FROM)) {
            why = from(in, begin + FROM.length, end);
        } else {
            int lineEnd = StatsdLine.textEnd(in, begin, end);
            if (lineEnd == begin) {
                return;
            }
            int colon = find(in, begin, lineEnd, (byte) ':');
            why = colon < lineEnd
                    ? statsd.read(in, begin, colon, lineEnd)
                    : isVerbOnly(in, begin, end) ? Rejection.COMMAND_FORM : Rejection.UNKNOWN_VERB;
        }
        if (why != null) {
            commands.rejected(why, in, begin, end);
        }
    }

    /** {@code NAME [AMOUNT [TOTAL]]} */
    private @Nullable Rejection command(Verb verb, byte[] in, int begin, int end) {
        int nameEnd = find(in, begin, end, (byte) ' ');
        Rejection why = name.read(in, begin, nameEnd);
        if (why != null) {
            return why;
        }
        long amount = 1;
        long total = Commands.NO_TOTAL;
        if (nameEnd < end) {
            int amountEnd = find(in, nameEnd + 1, end, (byte) ' ');
            amount = number(in, nameEnd + 1, amountEnd);
            if (amount == NOT_A_NUMBER) {
                return nameEnd + 1 == amountEnd ? Rejection.COMMAND_FORM : Rejection.AMOUNT_FORM;
            }
            if (amount == TOO_LARGE || amount > AMOUNT_MAX) {
                return Rejection.AMOUNT_TOO_LARGE;
            }
            if (amountEnd < end) {
                total = number(in, amountEnd + 1, end);
                if (total < 0) {
                    boolean more = find(in, amountEnd + 1, end, (byte) ' ') < end || amountEnd + 1 == end;
                    return more ? Rejection.COMMAND_FORM : Rejection.TOTAL_FORM;
                }
                if (total < amount) {
                    return Rejection.TOTAL_BELOW_AMOUNT;
                }
            }
        }
        commands.command(verb, name.bytes, name.from, name.to, amount, total);
        return null;
    }

    /**
     * {@code SENDER AGE SEQ}; in records of a fleet also {@code SENDER AGE}, {@code SENDER AGE FIRST-LAST} and
     * {@code SENDER AGE FIRST LAST}.
     */
    private @Nullable Rejection from(byte[] in, int begin, int end) {
        int senderEnd = find(in, begin, end, (byte) ' ');
        int ageEnd = find(in, Math.min(senderEnd + 1, end), end, (byte) ' ');
        long age = number(in, Math.min(senderEnd + 1, end), ageEnd);
        long seq = number(in, Math.min(ageEnd + 1, end), end);
        boolean sender = senderEnd - begin >= SENDER_BYTES_MIN && senderEnd - begin <= SENDER_BYTES_MAX;
        for (int i = begin; sender && i < senderEnd; i++) {
            sender = NameReader.isLetter(in[i]) || in[i] == ':';
        }
        boolean isGood = sender && age >= 0;
        if (isGood && seq >= 1) {
            commands.from(in, begin, senderEnd, age, seq);
        } else if (!isGood || seq != NOT_A_NUMBER || !announced(in, begin, senderEnd, age, ageEnd, end)) {
            // What follows must not be counted for the stream before.
            commands.fromNobody();
            return Rejection.FROM_FORM;
        }
        return null;
    }

    /**
     * What follows the age: nothing, {@code FIRST-LAST} or {@code FIRST LAST}. Returns whether the commands accept such a
     * line.
     */
    private boolean announced(byte[] in, int begin, int senderEnd, long age, int ageEnd, int end) {
        if (ageEnd == end) {
            return commands.announced(in, begin, senderEnd, age, 0, 0);
        }
        int dash = find(in, ageEnd + 1, end, (byte) '-');
        int firstEnd = dash < end ? dash : find(in, ageEnd + 1, end, (byte) ' ');
        long first = number(in, ageEnd + 1, firstEnd);
        long last = number(in, Math.min(firstEnd + 1, end), end);
        if (first < 1 || last < first) {
            return false;
        }
        return dash < end
                ? commands.announced(in, begin, senderEnd, age, first, last)
                : commands.among(in, begin, senderEnd, age, first, last);
    }

    private @Nullable Rejection signed(byte[] in, int begin, int end) {
        if (end - begin > LINE_BYTES_MAX) {
            return Rejection.LINE_TOO_LONG;
        }
        return signed.read(in, begin, end) ? null : Rejection.SIGNED_FORM;
    }

    static long number(byte[] in, int begin, int end) {
        if (begin >= end) {
            return NOT_A_NUMBER;
        }
        long number = 0;
        boolean large = false;
        for (int i = begin; i < end; i++) {
            int digit = in[i] - '0';
            if (digit < 0 || digit > 9) {
                return NOT_A_NUMBER;
            }
            large |= number > (Long.MAX_VALUE - digit) / 10;
            number = number * 10 + digit;
        }
        return large ? TOO_LARGE : number;
    }

    static boolean starts(byte[] in, int begin, int end, byte[] with) {
        if (end - begin < with.length) {
            return false;
        }
        for (int i = 0; i < with.length; i++) {
            if (in[begin + i] != with[i]) {
                return false;
            }
        }
        return true;
    }

    private static boolean isVerbOnly(byte[] in, int begin, int end) {
        if (end - begin != INCREMENT.length - 1) {
            return false;
        }
        String word = new String(in, begin, end - begin, ISO_8859_1);
        return word.equals("increment") || word.equals("decrement");
    }

    private static int lineEnd(byte[] in, int begin, int end) {
        return find(in, begin, end, (byte) '\n');
    }

    static int textEnd(byte[] in, int begin, int lineEnd) {
        return lineEnd > begin && in[lineEnd - 1] == '\r' ? lineEnd - 1 : lineEnd;
    }

    static int find(byte[] in, int begin, int end, byte wanted) {
        int at = begin;
        while (at < end && in[at] != wanted) {
            at++;
        }
        return at;
    }
}
