package io.counters.wire;

import org.jspecify.annotations.Nullable;

/**
 * Reads a StatsD line, and DogStatsD's additions to it:
 *
 * <pre>
 *   name:VALUE[:VALUE...]|c[|@RATE][|#TAGS][|FIELD...]
 *
 *   VALUE    a decimal, such as 3, -1, 2.5 or 1e3, of at most 2^53 once divided by the rate; several are added up
 *   RATE     a decimal greater than 0 and at most 1; appears at most once
 *   FIELD    any other field, or an empty one; it does not change the count and is ignored
 * </pre>
 *
 * <p>{@link StatsdName} makes a canonical name of {@code name} and {@code TAGS}, and {@link StatsdAmount} adds up the
 * values. Blanks and NULs at the end of the line are ignored.
 */
final class StatsdLine {
    private static final Cleaning[] CLEANINGS = Cleaning.values();

    private final Commands commands;
    private final StatsdName name;
    private final StatsdAmount amount = new StatsdAmount();

    StatsdLine(Commands commands, StatsdName name) {
        this.commands = commands;
        this.name = name;
    }

    /**
     * Hands over the line {@code in[begin, end)}, or returns the rule that it breaks.
     *
     * @param colon the first one, before {@code end}
     */
    @Nullable
    Rejection read(byte[] in, int begin, int colon, int end) {
        int bar = CommandReader.find(in, colon, end, (byte) '|');
        if (bar == end) {
            return Rejection.STATSD_FORM;
        }
        int typeEnd = CommandReader.find(in, bar + 1, end, (byte) '|');
        if (typeEnd - bar != 2 || in[bar + 1] != 'c') {
            return typeEnd == bar + 1
                    ? Rejection.STATSD_FORM
                    // Some servers read name:1|c:2|c as two counts.
                    : in[bar + 1] == 'c' && in[bar + 2] == ':' ? Rejection.LINES_JOINED : Rejection.STATSD_TYPE;
        }
        int nameEnd = name.nameEnd(in, begin, colon, bar);
        if (nameEnd < 0) {
            return Rejection.STATSD_COLON;
        }
        Rejection why = name.begin(in, begin, nameEnd);
        if (why == null) {
            amount.clear();
            why = fields(in, typeEnd, end);
        }
        if (why == null) {
            why = amount.values(in, nameEnd + 1, bar);
        }
        if (why == null) {
            why = name.finish();
        }
        if (why == null && name.isCleaned()) {
            why = cleaned(in, begin, end);
        }
        if (why == null) {
            handOver();
        }
        return why;
    }

    private static boolean isType(byte[] in, int begin, int end) {
        if (end - begin != 2) {
            return end - begin == 1 && "cghsdmk".indexOf(in[begin]) >= 0;
        }
        return (in[begin] == 'm' && in[begin + 1] == 's') || (in[begin] == 'k' && in[begin + 1] == 'v');
    }

    private @Nullable Rejection fields(byte[] in, int begin, int end) {
        boolean isRated = false;
        for (int at = begin; at < end; ) {
            int field = at + 1;
            at = CommandReader.find(in, field, end, (byte) '|');
            Rejection why = null;
            if (field == at) {
                why = name.emptyField();
            } else if (in[field] == '@') {
                why = isRated ? Rejection.STATSD_RATE : amount.rate(in, field + 1, at);
                isRated = true;
            } else if (in[field] == '#') {
                why = name.tags(in, field + 1, at);
            } else if (isType(in, field, at)) {
                // This type belongs to another line without a line break before it, whose name would be read as the end
                // of a tag.
                why = Rejection.LINES_JOINED;
            }
            if (why != null) {
                return why;
            }
        }
        return null;
    }

    /** Rejects HTTP, which could become a counter once its blanks are cleaned: see {@link ForeignProtocol}. */
    private @Nullable Rejection cleaned(byte[] in, int begin, int end) {
        if (ForeignProtocol.isHttp(in, begin, end)) {
            return Rejection.NAME_LETTER;
        }
        for (Cleaning why : CLEANINGS) {
            if (name.was(why)) {
                commands.cleaned(why);
            }
        }
        return null;
    }

    private void handOver() {
        if (amount.rest != 0) {
            commands.fraction(name.bytes, name.from, name.to, amount.integer, amount.rest);
        } else {
            Verb verb = amount.integer < 0 ? Verb.DECREMENT : Verb.INCREMENT;
            commands.command(verb, name.bytes, name.from, name.to, Math.abs(amount.integer), Commands.NO_TOTAL);
        }
    }

    /** Where a line ends without the NULs, the blanks and the line break that some clients append. */
    static int textEnd(byte[] in, int begin, int end) {
        int at = end;
        while (at > begin && isBlank(in[at - 1])) {
            at--;
        }
        return at;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t' || b == '\r' || b == '\n' || b == 0;
    }
}
