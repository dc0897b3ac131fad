package io.counters.collector.fleet;

import io.counters.collector.fleet.OwnerLog.Topic;
import io.counters.collector.ledger.Changes;
import io.counters.collector.ledger.Journal;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerRecords;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.ledger.StoreStamp;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * The ledgers of all partitions that this collector owns, in {@code PREFIX.ledger}. One transaction contains what changed in
 * each of them, how far their lines were read, and the ticks that are due, so that nobody ever sees one without the others.
 * For the owner's thread.
 */
final class LedgerTopic implements Journal {
    private final OwnerLog log;
    private final Supplier<List<OwnedPartition>> owned;
    private final int partitions;
    private boolean isInDoubt;

    /**
     * @param owned the partitions with ledgers
     * @param partitions how many the fleet has
     */
    LedgerTopic(OwnerLog log, Supplier<List<OwnedPartition>> owned, int partitions) {
        this.log = log;
        this.owned = owned;
        this.partitions = partitions;
    }

    @Override
    public int watermarksAtOnce() {
        return LedgerRecords.WATERMARKS_AT_ONCE;
    }

    /** Whether lines were read that changed nothing. */
    @Override
    public boolean isBehind() {
        return owned.get().stream().anyMatch(part -> part.offset != part.committedOffset);
    }

    @Override
    public void write(Map<Ledger, Changes> changes) throws IOException {
        Map<Integer, Committed> offsets = new HashMap<>();
        for (OwnedPartition part : owned.get()) {
            Changes of = changes.get(part.ledger);
            if (of != null) {
                new LedgerRecords((key, value) -> log.append(Topic.LEDGER, part.number, key, value)).write(of);
            }
            if (of != null || part.offset != part.committedOffset) {
                // Also an offset that is committed already: it is what former owners are refused by, and what they
                // find.
                byte[] progress = new LedgerOffset(partitions, part.offset).value();
                log.append(Topic.LEDGER, part.number, LedgerOffset.KEY, progress);
                StoreStamp stamp = of == null ? part.ledger.stamp() : of.stamp();
                offsets.put(part.number, new Committed(part.offset, stamp.toString()));
            }
            if (of != null && part.tick.isPresent()) {
                Snapshot values = part.marks.marked(part.ledger.details(of));
                for (byte[] record : TickRecords.write(part.tick.getAsLong(), values)) {
                    log.append(Topic.TICKS, part.number, null, record);
                }
            }
        }
        try {
            log.commit(offsets);
        } catch (OwnerLog.InDoubt inDoubt) {
            isInDoubt = true;
            throw inDoubt;
        }
        for (OwnedPartition part : owned.get()) {
            part.committedOffset = part.offset;
            part.committed = offsets.getOrDefault(part.number, part.committed);
            if (changes.containsKey(part.ledger)) {
                part.tick = OptionalLong.empty();
            }
        }
    }

    /** Whether it is not known of a write since the last call if it is in the log. */
    boolean takeInDoubt() {
        boolean was = isInDoubt;
        isInDoubt = false;
        return was;
    }
}
