package io.counters.collector.ledger;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Keeps the last record of each key, as a compacted log does. */
final class KeptRecords {
    private final Map<ByteBuffer, byte[]> records = new HashMap<>();
    private final LedgerRecords codec = new LedgerRecords((key, value) -> {
        if (value == null) {
            records.remove(ByteBuffer.wrap(key));
        } else {
            records.put(ByteBuffer.wrap(key), value);
        }
    });

    /** Commits what changed in the ledger. */
    void commit(Ledger ledger) {
        Changes changes = ledger.changes(LedgerRecords.WATERMARKS_AT_ONCE);
        if (changes != null) {
            codec.write(changes);
            ledger.committed(changes);
        }
    }

    /** Makes a commit fail. */
    void fail(Ledger ledger) {
        Changes changes = ledger.changes(LedgerRecords.WATERMARKS_AT_ONCE);
        if (changes != null) {
            ledger.putBack(changes);
        }
    }

    /** Fills the state of a new ledger, and returns it; compaction leaves the records in no particular order. */
    LedgerState load(LedgerState state, Random random) {
        List<Map.Entry<ByteBuffer, byte[]>> shuffled = new ArrayList<>(records.entrySet());
        Collections.shuffle(shuffled, random);
        LedgerRecords.Collected collected = new LedgerRecords.Collected();
        shuffled.forEach(record -> collected.put(record.getKey().array(), record.getValue()));
        return collected.load(state);
    }

    /** How many keys that begin with this letter have a record. */
    long size(char kind) {
        return records.keySet().stream().filter(key -> key.get(0) == kind).count();
    }
}
