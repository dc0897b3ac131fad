package io.counters.collector.fleet;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.prometheus.SeriesMarks;
import java.util.OptionalLong;

/** A partition that this collector owns, with its ledger. The ledger is for any thread; everything else is the owner's. */
final class OwnedPartition {
    final int number;
    final Ledger ledger;
    final LineRecords lines;

    /** How its counters are called in Prometheus. */
    final SeriesMarks marks = new SeriesMarks();

    /** How far lines were merged, and how far that is committed. */
    long offset;

    long committedOffset;

    /** What the group of owners had when the ledger was loaded, or has since the last commit. */
    Committed committed;

    /** Whether nobody else can have committed anything of it since. Otherwise nothing of it may be committed. */
    boolean isSure;

    /** The second of a tick that is not committed yet. */
    OptionalLong tick = OptionalLong.empty();

    /** The second of a tick that is used once the lines up to it are merged; see {@link DueTicks}. */
    OptionalLong missed = OptionalLong.empty();

    /** When it began to catch up with that second, in Unix milliseconds. */
    long catchesUpMillis;

    /** Whether its next line came after the missed second. */
    boolean hasLaterLine;

    /** Whether a missed tick waits for its commit, and lines for that. */
    boolean isHeld;

    /** Whether its lines are being merged. */
    boolean hasBegun;

    /** Whether a change of its ledger was interrupted, so that it must be loaded again. */
    boolean isBroken;

    /** When it was assigned, and when its ledger was loaded, by the nano clock. */
    long sinceNanos;

    long loadedNanos;

    /** The time of the last record that was merged, in Unix milliseconds. */
    long mergedMillis;

    OwnedPartition(int number, Ledger ledger, LineRecords lines, long offset, Committed committed) {
        this.number = number;
        this.ledger = ledger;
        this.lines = lines;
        this.offset = offset;
        this.committed = committed;
        committedOffset = offset;
    }
}
