package io.counters.collector.ledger;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.slf4j.helpers.NOPLogger;

/** A real ledger whose journal keeps the records in memory, and whose clocks stand still. */
public final class MemoryLedger implements Journal {
    /** For how long after it was heard a stream is kept, where signatures are required. */
    private static final long SIGNED_MILLIS = 1_200_000;

    public final Metrics metrics = new Metrics();
    public final FaultLog faults = new FaultLog(NOPLogger.NOP_LOGGER, () -> 0);
    public final Ledger ledger;
    private final LedgerSettings bounds;
    private final Map<ByteBuffer, byte[]> records = new HashMap<>();
    private final LedgerRecords codec = new LedgerRecords((key, value) -> {
        if (value == null) {
            records.remove(ByteBuffer.wrap(key));
        } else {
            records.put(ByteBuffer.wrap(key), value);
        }
    });
    private final Committer committer;

    public MemoryLedger() {
        this(LedgerSettings.in(Path.of("unused")));
    }

    public MemoryLedger(LedgerSettings bounds) {
        this.bounds = bounds;
        ledger = ledger(bounds, state(), metrics);
        committer = new Committer(ledger, this, () -> 0, faults, metrics);
    }

    /** That of a collector that requires signatures. */
    public static MemoryLedger ofSigned() {
        LedgerSettings roomy = LedgerSettings.in(Path.of("unused"));
        return new MemoryLedger(new LedgerSettings(
                roomy.folder(),
                roomy.namesBytes(),
                roomy.newNamesBytes(),
                roomy.streamsMax(),
                roomy.newStreamsMax(),
                roomy.watermarksMax(),
                roomy.expiryMillis(),
                SIGNED_MILLIS));
    }

    static LedgerState state() {
        return new LedgerState(1, new SeededHash(new Random(1)));
    }

    static Ledger ledger(LedgerState state, Metrics metrics) {
        return ledger(LedgerSettings.in(Path.of("unused")), state, metrics);
    }

    private static Ledger ledger(LedgerSettings bounds, LedgerState state, Metrics metrics) {
        return new Ledger(bounds, false, () -> 0, () -> 1, state, metrics);
    }

    @Override
    public void write(Map<Ledger, Changes> changes) {
        changes.values().forEach(codec::write);
    }

    @Override
    public int watermarksAtOnce() {
        return LedgerRecords.WATERMARKS_AT_ONCE;
    }

    /** Commits, and returns every counter's value. */
    public SortedMap<String, Long> values() {
        if (!committer.run()) {
            throw new AssertionError("a commit to memory failed");
        }
        return values(ledger);
    }

    static SortedMap<String, Long> values(Ledger of) {
        SortedMap<String, Long> values = new TreeMap<>();
        Snapshot snapshot = of.snapshot();
        for (int i = 0; i < snapshot.size(); i++) {
            values.put(snapshot.names()[i], snapshot.values()[i]);
        }
        return values;
    }

    /** The committed values, as a ledger has them that is loaded from the journal. */
    public SortedMap<String, Long> reloaded() {
        LedgerRecords.Collected collected = new LedgerRecords.Collected();
        records.forEach((key, value) -> collected.put(bytes(key), value));
        return values(ledger(bounds, collected.load(state()), new Metrics()));
    }

    private static byte[] bytes(ByteBuffer key) {
        byte[] bytes = new byte[key.remaining()];
        key.duplicate().get(bytes);
        return bytes;
    }
}
