package io.counters.collector.intake;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.JoinedLines;
import io.counters.collector.common.Metrics;
import io.counters.collector.tap.Tap;
import io.counters.wire.Rejection;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * Counts rejected lines by reason, and logs them. {@link #add} may be called under the ledger's lock: it only counts, and
 * keeps the first line of each reason. {@link #log} writes, and must be called after the lock is released, because a log
 * that is not read would otherwise stop intake, commits and the page. Allocates nothing for lines that are not logged.
 *
 * <p>Lines that are joined without line breaks break some rule by chance. They are rejected as {@link
 * Rejection#LINES_JOINED} instead, so only rejected lines are checked for this. For one thread.
 */
final class Rejections {
    /** More than the log shows of a line, so that the log can show that a line was cut. */
    private static final int KEPT_BYTES_MAX = 128;

    private final Tap tap;
    private final FaultLog faults;
    private final Map<Rejection, Kept> all = new EnumMap<>(Rejection.class);

    /** The reasons that must be logged, the first {@link #pendingCount} of the array. */
    private final Kept[] pending = new Kept[Rejection.values().length];

    private int pendingCount;

    private final JoinedLines joined = new JoinedLines();
    private final LongAdder joinedCounts;

    /** The sender of the lines that are being logged. */
    private Source source = Source.none();

    Rejections(Tap tap, FaultLog faults, Metrics metrics) {
        this.tap = tap;
        this.faults = faults;
        joinedCounts = metrics.count(
                "intake_joined_counts_total", "An estimate of the counts in lines without line breaks between them.");
        for (Rejection why : Rejection.values()) {
            all.put(why, new Kept(why, metrics));
        }
    }

    /** The lines that were rejected for one reason and are not logged yet. */
    private final class Kept implements Supplier<String> {
        final Rejection why;
        final String reason;
        final LongAdder total;
        final byte[] first = new byte[KEPT_BYTES_MAX];
        int firstLength;
        long firstHeld;
        long lines;

        Kept(Rejection why, Metrics metrics) {
            this.why = why;
            reason = why.reason();
            total = metrics.count(
                    "intake_rejected_lines_total", "Lines that were rejected, by reason.", "reason", reason);
        }

        @Override
        public String get() {
            return source.protocol() + " line \"" + FaultLog.shown(first, 0, firstLength) + "\" was rejected (" + reason
                    + "): " + why.rule() + (why == Rejection.LINES_JOINED ? held() : "") + "; sent by " + source.text();
        }

        private String held() {
            return String.format(Locale.ROOT, "; estimated counts in it: %,d", firstHeld);
        }
    }

    /** Counts the line {@code bytes[begin, end)} of this sender. */
    void add(Source from, Rejection why, byte[] bytes, int begin, int end) {
        joined.clear();
        if (why != Rejection.HTTP && why != Rejection.TLS) {
            joined.read(bytes, begin, end);
        }
        if (joined.lines() > 1 || why == Rejection.LINES_JOINED) {
            joinedCounts.add(joined.counts());
            add(from, Rejection.LINES_JOINED, joined.counts(), bytes, begin, end);
        } else if (isServiceCheck(bytes, begin, end)) {
            add(from, Rejection.STATSD_TYPE, 0, bytes, begin, end);
        } else if (why == Rejection.STATSD_TYPE && !isKnownType(bytes, begin, end)) {
            add(from, Rejection.UNKNOWN_TYPE, 0, bytes, begin, end);
        } else {
            add(from, why, 0, bytes, begin, end);
        }
    }

    /** Counts lines that were not read, by the first of them: nothing is known of the rules that they may break. */
    void addUnread(Source from, Rejection why, byte[] bytes, int begin, int end) {
        add(from, why, 0, bytes, begin, end);
    }

    private void add(Source from, Rejection why, long held, byte[] bytes, int begin, int end) {
        if (tap.isOpen()) {
            tap.rejected(from, why, bytes, begin, end);
        }
        Kept kept = Objects.requireNonNull(all.get(why));
        kept.total.increment();
        if (kept.lines++ == 0) {
            kept.firstLength = Math.min(end - begin, KEPT_BYTES_MAX);
            System.arraycopy(bytes, begin, kept.first, 0, kept.firstLength);
            kept.firstHeld = held;
            pending[pendingCount++] = kept;
        }
    }

    /** Adds to the estimated counts in joined lines, for more of a line that was counted already. */
    void addJoined(long counts) {
        joinedCounts.add(counts);
    }

    /**
     * Whether a StatsD line that is not a counter has a type of StatsD or DogStatsD, or is an event. Such a line is correct.
     * A line of another type may be a counter with a mistake, and must not be hidden among the correct ones.
     */
    private static boolean isKnownType(byte[] in, int begin, int end) {
        if (end - begin > 2 && in[begin] == '_' && in[begin + 1] == 'e' && in[begin + 2] == '{') {
            return true;
        }
        int bar = begin;
        while (bar < end && in[bar] != '|') {
            bar++;
        }
        int typeEnd = Math.min(bar + 1, end);
        while (typeEnd < end && in[typeEnd] != '|') {
            typeEnd++;
        }
        int first = bar + 1 < end ? in[bar + 1] : 0;
        return switch (typeEnd - bar - 1) {
            case 1 -> first == 'g' || first == 'h' || first == 's' || first == 'd' || first == 'm' || first == 'k';
            case 2 -> (first == 'm' && in[bar + 2] == 's') || (first == 'k' && in[bar + 2] == 'v');
            default -> false;
        };
    }

    /** DogStatsD's {@code _sc|check|0}, which has no colon, is not a counter with a mistake either. */
    private static boolean isServiceCheck(byte[] in, int begin, int end) {
        return end - begin > 3
                && in[begin] == '_'
                && in[begin + 1] == 's'
                && in[begin + 2] == 'c'
                && in[begin + 3] == '|';
    }

    /** Logs the lines that were added since the last call, all of which this source sent. Not under a lock. */
    void log(Source from) {
        source = from;
        while (pendingCount > 0) {
            Kept kept = pending[--pendingCount];
            long lines = kept.lines;
            kept.lines = 0;
            faults.rejected(kept.reason, kept.why.rule(), from, lines, kept.first, 0, kept.firstLength, kept);
        }
    }
}
