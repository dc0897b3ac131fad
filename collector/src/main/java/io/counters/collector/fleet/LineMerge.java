package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * Merges records of lines into the ledgers of the partitions that this collector owns, and knows how far behind it is. For the
 * thread of the {@link Owner}.
 */
final class LineMerge {
    /** A clock that is further off than this can make a stream look younger than it is. */
    private static final long CLOCK_MILLIS_MAX = 30_000;

    /** Lines that are this old when nothing else waits were not delayed by their partition's owner. */
    private static final long CAUGHT_UP_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** Lines may have waited for Kafka with any collector if this one had trouble within this time. */
    private static final long TROUBLED_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** Lines that are merged so late are trouble. */
    private static final long LAG_MILLIS_MAX = 30_000;

    /** If more records than this break ledgers, the process ends. */
    private static final int SKIPPED_MAX = 1_000;

    private final OwnedLedgers owned;
    private final LongSupplier wallMillis;
    private final LongSupplier nanoClock;
    private final FaultLog faults;

    /** When lines last waited, and when something last kept this collector from committing. */
    private long behindNanos;

    private long troubledNanos;

    /** Records that have broken the ledgers of their partitions: they are left out when they are read again. */
    private final Set<Position> skipped = new HashSet<>();

    private record Position(int partition, long offset) {}

    // What other threads may know.
    private volatile long lagRecords;
    private volatile long lagMillis;
    private volatile long takeOverMillis;
    private volatile long takeOverSecond;

    private final LongAdder records;
    private final LongAdder faulty;
    private final LongAdder clockOff;
    private final LongAdder gone;
    private final LongAdder cut;

    LineMerge(OwnedLedgers owned, LongSupplier wallMillis, LongSupplier nanoClock, FaultLog faults, Metrics metrics) {
        this.owned = owned;
        this.wallMillis = wallMillis;
        this.nanoClock = nanoClock;
        this.faults = faults;
        behindNanos = nanoClock.getAsLong();
        troubledNanos = behindNanos;
        records = metrics.count("fleet_merged_records_total", "Records of the topic of lines that were merged here.");
        faulty = metrics.count("fleet_faulty_records_total", "Records of lines that caused an internal error.");
        clockOff = metrics.count(
                "fleet_clock_off_records_total", "Records of lines whose time is off by more than 30 seconds.");
        gone = metrics.count(
                "fleet_gone_records_total",
                "Records of lines that were deleted before any collector merged them, because they were too old.");
        cut = metrics.count(
                "fleet_cut_partitions_total",
                "How often the lines of a partition ended before those that were merged: Kafka has lost lines.");
        metrics.gauge("fleet_lag_records", "Records of lines that wait to be merged here.", () -> lagRecords);
        metrics.gauge(
                "fleet_lag_seconds",
                "How old the lines are that are merged now, of the partition that is furthest behind.",
                () -> lagMillis / 1000);
        metrics.gauge(
                "fleet_take_over_millis",
                "How long the last take-over of a partition took, from its assignment until its lines were merged.",
                () -> takeOverMillis);
        metrics.gauge(
                "fleet_take_over_second", "Unix time of the last take-over of a partition.", () -> takeOverSecond);
    }

    /** Called when a partition begins: its lines may have waited. */
    void begun(OwnedPartition part) {
        behindNanos = nanoClock.getAsLong();
        takeOverMillis = TimeUnit.NANOSECONDS.toMillis(behindNanos - part.sinceNanos);
        takeOverSecond = wallMillis.getAsLong() / 1000;
        skipped.removeIf(one -> one.partition == part.number && one.offset < part.offset);
    }

    /** Called when lines may have to wait. */
    void troubled() {
        troubledNanos = nanoClock.getAsLong();
    }

    /** Merges a record of lines of a partition that has begun; see {@link OwnerLog.Member#lines}. */
    void lines(OwnedPartition part, long offset, long timeMillis, byte[] text) {
        long now = wallMillis.getAsLong();
        long late = now - timeMillis;
        if (late < -CLOCK_MILLIS_MAX || (late > CLOCK_MILLIS_MAX && isCaughtUp())) {
            clockOff.increment();
            faults.warn(
                    "clock of a collector",
                    () -> "a record of lines of partition " + part.number + " is " + Math.abs(late) / 1000 + " s "
                            + (late < 0 ? "ahead of" : "behind")
                            + " this collector's clock, and nothing else waited; if its"
                            + " collector could reach Kafka all the time, synchronize the clocks of the fleet: they may"
                            + " differ by seconds only, or streams look older or younger than they are");
        }
        boolean isSkipped = !skipped.isEmpty() && skipped.contains(new Position(part.number, offset));
        if (!isSkipped && !merge(part, offset, timeMillis, now, text)) {
            return;
        }
        part.offset = offset + 1;
        part.mergedMillis = timeMillis;
        records.increment();
    }

    /** Returns false if the ledger must be loaded again before anything else is merged into it. */
    private boolean merge(OwnedPartition part, long offset, long timeMillis, long now, byte[] text) {
        try {
            part.lines.merge(text, timeMillis, now);
        } catch (RuntimeException fault) {
            faulty.increment();
            String record = "a record of lines of partition " + part.number + ", offset " + offset;
            if (part.ledger.isBroken()) {
                part.isBroken = skipped.size() < SKIPPED_MAX && skipped.add(new Position(part.number, offset));
                part.isSure &= !part.isBroken;
                faults.warn(
                        "broken ledger",
                        record
                                + ", caused an internal error in the ledger, which is loaded again; nothing of this record is"
                                + " counted",
                        fault);
            } else {
                faults.warn(
                        "faulty record",
                        record + ", caused an internal error; the lines before the error were counted",
                        fault);
            }
        }
        return !part.isBroken;
    }

    /** Goes on where a partition's lines are; see {@link OwnerLog.Member#moved}. */
    void moved(int partition, long from, long to) {
        OwnedPartition part = owned.partition(partition);
        if (part != null && part.hasBegun) {
            part.offset = to;
        }
        if (to >= from) {
            gone.add(to - from);
            faults.warn(
                    "lines gone",
                    "records of lines of partition " + partition
                            + " were deleted before any collector merged them (records: " + (to - from)
                            + "); senders with totals repeat theirs, other lines are lost. Keep lines for longer than a"
                            + " fleet may be down (retention.ms and retention.bytes of the topic)");
        } else {
            cut.increment();
            skipped.removeIf(one -> one.partition == partition);
            faults.warn(
                    "lines cut",
                    "the lines of partition " + partition + " end at offset " + to + ", and were merged up to " + from
                            + ": Kafka has lost some, or the topic was deleted; the partition goes on at its end. Senders"
                            + " with totals repeat theirs, other lines that were not merged are lost. Use three brokers");
        }
    }

    private boolean isCaughtUp() {
        long now = nanoClock.getAsLong();
        return now - behindNanos > CAUGHT_UP_NANOS && now - troubledNanos > TROUBLED_NANOS;
    }

    /** Notes how many lines wait, and for how long. */
    void look(OwnerLog lines) {
        long lag = 0;
        long millis = 0;
        for (OwnedPartition part : owned.partitions()) {
            long of = part.hasBegun ? lines.lag(part.number).orElse(0) : 0;
            lag += of;
            if (of > 0 && part.mergedMillis > 0) {
                millis = Math.max(millis, wallMillis.getAsLong() - part.mergedMillis);
            }
        }
        if (lag > 0) {
            behindNanos = nanoClock.getAsLong();
        }
        lagRecords = lag;
        lagMillis = millis;
    }

    /** Tells if lines are merged late. From any thread, which does not wait. */
    Optional<String> trouble() {
        return lagMillis > LAG_MILLIS_MAX
                ? Optional.of("lines are merged " + lagMillis / 1000 + " s after they were received")
                : Optional.empty();
    }
}
