package io.counters.collector.intake;

import io.counters.collector.self.AddressKey;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import io.counters.wire.Rejection;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * Counts the lines that were not taken, by reason, and logs them. {@link #add} may be called under the ledger's lock: it
 * counts, and keeps the first line of each reason. {@link #log} writes, and is called after the lock is released, as a log
 * that nobody reads would otherwise stop intake, commits and the page. Allocates nothing for lines that are not logged.
 * For one thread.
 */
final class Rejections {
    /** More than the log shows of a line, so that it sees that one was cut. */
    private static final int KEPT_BYTES_MAX = 128;

    private final FaultLog faults;
    private final Map<Rejection, Kept> all = new EnumMap<>(Rejection.class);

    /** The reasons that are to be logged, so many of them. */
    private final Kept[] pending = new Kept[Rejection.values().length];

    private int pendingCount;

    /** Who sent what is being logged. */
    private Source source = Source.none();

    Rejections(FaultLog faults, Self self) {
        this.faults = faults;
        for (Rejection why : Rejection.values()) {
            all.put(why, new Kept(why, self));
        }
    }

    /** The lines that were rejected for one reason and are not logged yet. */
    private final class Kept implements Supplier<String> {
        final Rejection why;
        final String kind;
        final LongAdder total;
        final byte[] first = new byte[KEPT_BYTES_MAX];
        int firstLength;
        long lines;

        Kept(Rejection why, Self self) {
            this.why = why;
            kind = "rejected " + why.reason();
            total = self.count("intake_rejected_lines_total", "reason", why.reason());
        }

        @Override
        public String get() {
            return source.protocol + " line \"" + FaultLog.shown(first, 0, firstLength) + "\" was rejected ("
                    + why.reason() + "): " + why.rule() + "; sent by " + AddressKey.text(source.sender.get());
        }
    }

    /** Counts the line {@code bytes[begin, end)}. */
    void add(Rejection why, byte[] bytes, int begin, int end) {
        Kept kept = Objects.requireNonNull(all.get(why));
        kept.total.increment();
        if (kept.lines++ == 0) {
            kept.firstLength = Math.min(end - begin, KEPT_BYTES_MAX);
            System.arraycopy(bytes, begin, kept.first, 0, kept.firstLength);
            pending[pendingCount++] = kept;
        }
    }

    /** Logs what was added since the last time; all of it was sent by this source. Not under a lock. */
    void log(Source from) {
        source = from;
        while (pendingCount > 0) {
            Kept kept = pending[--pendingCount];
            long lines = kept.lines;
            kept.lines = 0;
            faults.warn(kept.kind, from.addressKey, lines, kept);
        }
    }
}
