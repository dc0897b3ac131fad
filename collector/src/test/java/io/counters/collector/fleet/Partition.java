package io.counters.collector.fleet;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.collector.self.SaidFaults;
import io.counters.collector.self.SeededHash;
import io.counters.collector.self.Self;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.LongSupplier;

/** A real ledger, of one partition or of everything, and the reader of its lines. */
final class Partition {
    final Self self = new Self();
    final SaidFaults said = new SaidFaults();
    final Ledger ledger;
    final LineRecords records;

    Partition(LongSupplier clockMillis) {
        ledger = new Ledger(
                LedgerSettings.in(Path.of("unused")),
                false,
                clockMillis,
                () -> 0,
                new LedgerState(1, new SeededHash(new Random(1))),
                self);
        records = new LineRecords(ledger, said.log(), self);
    }

    long counted(String name) {
        return self.values().getOrDefault(name, 0L);
    }
}
