package io.counters.collector.ledger;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a ledger writes to the store to identify itself.
 *
 * @param ledger the ledger's ID
 * @param commit the number of its last commit when this was written
 */
public record Mark(long ledger, long commit) {
    private static final Pattern TEXT = Pattern.compile("ledger ([0-9a-f]{1,16}) commit (\\d{1,18})\\s*");

    /** Reads what {@link #toString} wrote; empty for anything else. */
    public static Optional<Mark> of(String text) {
        Matcher matcher = TEXT.matcher(text);
        return matcher.matches()
                ? Optional.of(new Mark(Long.parseUnsignedLong(matcher.group(1), 16), Long.parseLong(matcher.group(2))))
                : Optional.empty();
    }

    @Override
    public String toString() {
        return "ledger " + Long.toHexString(ledger) + " commit " + commit;
    }
}
