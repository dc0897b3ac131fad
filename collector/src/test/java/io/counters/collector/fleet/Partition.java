package io.counters.collector.fleet;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.LongSupplier;

/** A real ledger, of one partition or of everything, and the reader of its lines. */
final class Partition {
    final Metrics metrics = new Metrics();
    final SaidFaults said = new SaidFaults();
    final Ledger ledger;
    final LineRecords records;

    Partition(LongSupplier clockMillis) {
        this(clockMillis, LedgerSettings.in(Path.of("unused")));
    }

    Partition(LongSupplier clockMillis, LedgerSettings bounds) {
        ledger = new Ledger(
                bounds, false, clockMillis, () -> 0, new LedgerState(1, new SeededHash(new Random(1))), metrics);
        records = new LineRecords(ledger, said.log(), metrics);
    }

    long counted(String name) {
        return metrics.values().getOrDefault(name, 0L);
    }
}
