package io.counters.collector.ledger;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a ledger writes to the store to identify itself.
 *
 * @param ledger the ledger's ID
 * @param commit the number of its last commit when this was written
 */
public record StoreStamp(long ledger, long commit) {
    private static final Pattern TEXT = Pattern.compile("ledger ([0-9a-f]{1,16}) commit (\\d{1,18})\\s*");

    /** Reads what {@link #toString} wrote; empty for anything else. */
    public static Optional<StoreStamp> of(String text) {
        Matcher matcher = TEXT.matcher(text);
        return matcher.matches()
                ? Optional.of(
                        new StoreStamp(Long.parseUnsignedLong(matcher.group(1), 16), Long.parseLong(matcher.group(2))))
                : Optional.empty();
    }

    /** What a stamp in the store says about the ledger that finds it there. */
    enum Finding {
        /** It is this ledger's, or there is none. */
        OWN(null),
        /** This ledger wrote it after its last commit. */
        LATER("this ledger is older than the stamp that it wrote there, so it was restored from a backup; the totals"
                + " of senders that still run restore what they have counted since"),
        /** Another ledger wrote it before this one began. */
        BEFORE("another ledger has written there; this new ledger adopts its values, and of streams that began"
                + " before now only amounts count"),
        /** Another ledger writes there, too. */
        OTHER("another ledger has written there; two collectors must not write the same keys: stop one, or give"
                + " each its own --prefix");

        private final @Nullable String warning;

        Finding(@Nullable String warning) {
            this.warning = warning;
        }

        /** For the log; null if there is none. */
        @Nullable
        String warning() {
            return warning;
        }
    }

    /** What this stamp's ledger finds in the store. */
    Finding finding(@Nullable StoreStamp found) {
        if (found == null || (found.ledger == ledger && found.commit <= commit)) {
            return Finding.OWN;
        }
        return found.ledger == ledger ? Finding.LATER : commit == 0 ? Finding.BEFORE : Finding.OTHER;
    }

    @Override
    public String toString() {
        return "ledger " + Long.toHexString(ledger) + " commit " + commit;
    }
}
