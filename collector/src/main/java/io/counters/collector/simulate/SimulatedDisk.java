package io.counters.collector.simulate;

import io.counters.collector.ledger.Changes;
import io.counters.collector.ledger.Journal;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerRecords;
import io.counters.collector.ledger.LedgerState;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Keeps commits in memory, as records of which the last of each key is kept. It outlives the ledger. */
final class SimulatedDisk implements Journal {
    private final Map<ByteBuffer, byte[]> records = new HashMap<>();
    private final boolean keepsHalf;
    private boolean isFull;

    /** @param keepsHalf whether a commit that fails keeps its values, which no journal may do */
    SimulatedDisk(boolean keepsHalf) {
        this.keepsHalf = keepsHalf;
    }

    /** Sets whether all commits fail from now on. */
    void full(boolean full) {
        isFull = full;
    }

    @Override
    public void write(Map<Ledger, Changes> changes) {
        for (Changes of : changes.values()) {
            if (!isFull) {
                new LedgerRecords(this::put).write(of);
            } else if (keepsHalf) {
                new LedgerRecords(this::putUnlessOfStream).write(of);
            }
        }
        if (isFull) {
            throw new IllegalStateException("no space left on device");
        }
    }

    @Override
    public int watermarksAtOnce() {
        return LedgerRecords.WATERMARKS_AT_ONCE;
    }

    private void put(byte[] key, byte @Nullable [] value) {
        if (value == null) {
            records.remove(ByteBuffer.wrap(key));
        } else {
            records.put(ByteBuffer.wrap(key), value);
        }
    }

    private void putUnlessOfStream(byte[] key, byte @Nullable [] value) {
        if (!LedgerRecords.isOfStream(key)) {
            put(key, value);
        }
    }

    /** Fills the state of a new ledger with everything that was written, and returns it. */
    @SuppressWarnings("ByteBufferBackingArray") // Each key wraps an array of its own.
    LedgerState load(LedgerState state) {
        LedgerRecords.Collected collected = new LedgerRecords.Collected();
        records.forEach((key, value) -> collected.put(key.array(), value));
        return collected.load(state);
    }
}
