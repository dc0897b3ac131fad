package io.counters.collector.fleet;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerRecords;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How far the ledger of a partition is loaded. By one thread after the other: the loader's, then the owner's.
 *
 * <p>The order is what makes it right: first the committed offset of the lines, then the end of the ledger's records, then
 * the records up to there. The offset is known only when no transaction is pending, so every transaction that it contains
 * has written its records before the end is asked for. Uncommitted records count for the end: the mark that commits a
 * transaction may reach the offsets before it reaches the records, so a reader that is content with the end of what is
 * committed would lose that transaction.
 */
final class Load {
    final int partition;
    final long sinceNanos;

    /** Set by the owner's thread when the partition is no longer its own. */
    volatile boolean isDropped;

    long offset = LoaderLog.NONE;
    boolean hasOffset;

    /** Where the records end. */
    long end = LoaderLog.NONE;

    long position;
    private LedgerRecords.@Nullable Collected records = new LedgerRecords.Collected();
    private @Nullable Progress progress;

    /** The embedded ledgers that were imported, by their IDs. */
    final Map<Long, Imported> imported = new HashMap<>();

    /** How many lines are gone because nobody read them for longer than their topic keeps them; 0 if none. */
    long lostRecords;

    /** Complete when not null. */
    @Nullable
    Ledger ledger;

    /** Why it cannot be loaded, whatever is tried. */
    @Nullable
    String damage;

    /** @param nanos when the partition was assigned, by the nano clock */
    Load(int partition, long nanos) {
        this.partition = partition;
        sinceNanos = nanos;
    }

    boolean isRead() {
        return end != LoaderLog.NONE && position >= end;
    }

    /**
     * Collects one record.
     *
     * @throws IllegalStateException if it is none of a ledger
     */
    void put(byte[] key, byte @Nullable [] value) {
        if (Arrays.equals(key, Progress.KEY)) {
            progress = Progress.of(value);
        } else if (Imported.isKey(key)) {
            Imported one = Imported.of(key, value);
            imported.put(one.ledger(), one);
        } else if (records != null) {
            records.put(key, value);
        }
    }

    /** How far the ledger's records say that lines were merged. Null for a new ledger. */
    @Nullable
    Progress progress() {
        return progress;
    }

    /** Fills an empty ledger, and forgets the records. */
    void fill(Ledger empty) {
        if (records != null) {
            records.load(empty);
            records = null;
        }
        ledger = empty;
    }
}
