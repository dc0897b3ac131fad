package io.counters.collector.fleet;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerRecords;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How far the ledger of a partition is loaded. By one thread after the other: the loader's, then the owner's.
 *
 * <p>The order is what makes it right: first the committed offset of the lines, then the end of the ledger's records, then
 * the records up to there. The offset is known only when no transaction is pending, so every transaction that it contains
 * has written its records before the end is asked for. Uncommitted records count for the end: the marker that commits a
 * transaction may reach the offsets before it reaches the records, so a reader that is content with the end of what is
 * committed would lose that transaction.
 *
 * <p>With a ledger that is known already, only the first is asked: whether anybody has committed since.
 */
final class Load {
    final int partition;
    final long sinceNanos;

    /** The meeting of the members after which it began. */
    final int meeting;

    /** What was committed when its ledger was known; null if the ledger is to be loaded. */
    final @Nullable Committed known;

    /** Set by the owner's thread when the partition is no longer its own. */
    volatile boolean isDropped;

    /** What the group has; null until it is asked. */
    @Nullable
    Committed committed;

    /** Where the lines begin that are not in the ledger, when that is complete. */
    long offset;

    /** Where the records end. */
    long end = LoaderLog.NONE;

    long position;

    /** When it was learnt last how it goes on, or why it does not, by the nano clock of the loader. */
    long movedNanos;

    private LedgerRecords.@Nullable Collected records = new LedgerRecords.Collected();
    private @Nullable LedgerOffset progress;

    /** The embedded ledgers that were imported, by their IDs. */
    final Map<Long, Imported> imported = new HashMap<>();

    /** Complete when not null. */
    @Nullable
    Ledger ledger;

    /** Why it cannot be loaded, whatever is tried. */
    @Nullable
    String damage;

    /**
     * @param nanos when the partition was assigned, by the nano clock
     * @param meeting after which it was
     */
    Load(int partition, long nanos, int meeting) {
        this(partition, nanos, meeting, null);
    }

    private Load(int partition, long nanos, int meeting, @Nullable Committed known) {
        this.partition = partition;
        this.meeting = meeting;
        this.known = known;
        sinceNanos = nanos;
    }

    /** Only asks whether this is what the group still has. */
    static Load check(int partition, long nanos, int meeting, Committed known) {
        return new Load(partition, nanos, meeting, known);
    }

    /** Whether the end of the records is to be asked for. */
    boolean needsEnd() {
        return committed != null && known == null && end == LoaderLog.NONE;
    }

    /** Whether everything was read that is needed. */
    boolean isRead() {
        return damage != null || (end != LoaderLog.NONE && position >= end) || (known != null && committed != null);
    }

    /** Of a check: whether nobody has committed since. */
    boolean isStillKnown() {
        return known != null && committed != null && committed.isStill(known);
    }

    /** Collects one record. */
    void put(byte[] key, byte @Nullable [] value) {
        try {
            if (damage != null || records == null) {
                return;
            }
            if (Arrays.equals(key, LedgerOffset.KEY)) {
                progress = LedgerOffset.of(value);
            } else if (Imported.isKey(key)) {
                Imported one = Imported.of(key, value);
                imported.put(one.ledger(), one);
            } else {
                records.put(key, value);
            }
        } catch (RuntimeException unreadable) {
            damage = Faults.reason(unreadable);
        }
    }

    /** Makes the ledger of the records, and forgets them. */
    void complete(Function<LedgerRecords.Collected, Ledger> newLedger, int partitions) {
        LedgerRecords.Collected all = records;
        records = null;
        Committed inGroup = committed;
        if (damage != null || all == null || known != null || inGroup == null) {
            return;
        }
        LedgerOffset last = progress;
        if (last == null && inGroup.offset() > 0) {
            damage = "lines were merged into it up to offset " + inGroup.offset()
                    + ", but nothing of it is in its topic, so its records were deleted. Restore them, or begin at 0"
                    + " with another --prefix";
            return;
        }
        if (last != null && last.partitions() != partitions) {
            damage = "it was written with " + last.partitions() + " partitions, and the topics have " + partitions
                    + " now. The number cannot change, because names would move; use another --prefix";
            return;
        }
        try {
            Ledger filled = newLedger.apply(all);
            // The offset that belongs to these records; the group's is another if brokers have lost some.
            offset = last == null ? 0 : last.offset();
            ledger = filled;
        } catch (RuntimeException unreadable) {
            // Of whatever kind: the loader's thread, and the partitions that it loads as well, go on.
            damage = Faults.reason(unreadable);
        }
    }
}
