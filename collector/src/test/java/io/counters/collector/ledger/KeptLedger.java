package io.counters.collector.ledger;

import io.counters.collector.common.MetricSum;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

/** A real ledger with its file in a test's folder, for the tests of other packages. */
public final class KeptLedger implements AutoCloseable {
    public final Metrics metrics = new Metrics();
    public final SaidFaults said = new SaidFaults();
    public final Ledger ledger;
    public final Committer commit;
    final LedgerFile file;

    /** Unix time. */
    public long wallSeconds;

    /** Opens the ledger of this folder, with what an earlier one left there. */
    public KeptLedger(Path folder, boolean projecting) throws IOException {
        this(folder, projecting, 1);
    }

    /** @param id of the ledger if it is new */
    public KeptLedger(Path folder, boolean projecting, long id) throws IOException {
        file = new LedgerFile(folder);
        ledger = new Ledger(
                LedgerSettings.in(folder),
                projecting,
                () -> 0,
                () -> wallSeconds,
                file.load(new LedgerState(id, new SeededHash(new Random(1)))),
                metrics);
        LedgerGauges.register(ledger, () -> List.of(ledger), metrics);
        commit = new Committer(ledger, file, () -> 0, said.log(), metrics);
    }

    /** Merges a datagram. */
    public void datagram(String text) {
        new Feed(ledger).datagram(text);
    }

    /** Commits, and returns every counter's value. */
    public SortedMap<String, Long> values() {
        commit.run();
        SortedMap<String, Long> values = new TreeMap<>();
        Snapshot snapshot = ledger.snapshot();
        for (int i = 0; i < snapshot.size(); i++) {
            values.put(snapshot.names()[i], snapshot.values()[i]);
        }
        return values;
    }

    /** Commits, and returns the value of one counter. */
    public long value(String name) {
        return values().getOrDefault(name, 0L);
    }

    /** The program's own metric with this name. */
    public long counted(String name) {
        return MetricSum.of(metrics.values(), name);
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
