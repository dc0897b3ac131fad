package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerRecords;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.collector.ledger.Snapshot;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;

/** Tests of owners over a log in memory. Time passes only where a test lets it. */
abstract class OwnersInMemory {
    static final long SECOND = 1_000_000_000;

    long nanos;
    OptionalLong due = OptionalLong.empty();

    /** The second of the tick that was due last, by whatever process. */
    long lastDue;

    final SaidFaults said = new SaidFaults();
    final MemoryLog log;
    final Map<String, Long> expected = new TreeMap<>();
    private final int partitions;

    OwnersInMemory(int partitions) {
        this.partitions = partitions;
        log = new MemoryLog(partitions, new Random(1));
    }

    /** A collector as far as it owns partitions. */
    final class Collector {
        final Metrics metrics = new Metrics();
        final OwnedLedgers owned = new OwnedLedgers(partitions);
        final MemoryLog.Of lines;
        final Loader loader;
        final Owner owner;

        Collector(String name) {
            lines = log.new Of(name);
            loader = new Loader(log.new Loading(), partitions, this::ledger, () -> nanos, said.log());
            owner = new Owner(
                    lines,
                    loader,
                    owned,
                    partitions,
                    ledger -> true,
                    () -> due,
                    () -> lastDue,
                    OwnersInMemory.this::wallMillis,
                    () -> nanos,
                    said.log(),
                    metrics);
        }

        Ledger ledger(LedgerRecords.Collected records) {
            return new Ledger(
                    LedgerSettings.in(Path.of("unused")),
                    false,
                    () -> nanos / 1_000_000,
                    () -> wallMillis() / 1000,
                    records.load(new LedgerState(7, new SeededHash(new Random(1)))),
                    metrics);
        }

        void run() throws Exception {
            loader.step();
            owner.run();
        }

        /** Runs until everything is merged and committed. */
        void rest() throws Exception {
            for (int i = 0; i < 1000; i++) {
                log.answered(true);
                nanos += SECOND;
                run();
            }
        }

        /** Runs until it merges lines of the first partition; no time passes. */
        void begin() throws Exception {
            for (int i = 0; i < 1000 && !hasBegun(); i++) {
                log.answered(true);
                run();
            }
            assertThat(hasBegun()).isTrue();
        }

        private boolean hasBegun() {
            OwnedPartition first = owned.partition(0);
            return first != null && first.hasBegun;
        }

        /** Runs until a missed tick of the first partition waits for its commit; no time passes. */
        void holdTick() throws Exception {
            begin();
            OwnedPartition first = Objects.requireNonNull(owned.partition(0));
            for (int i = 0; i < 1000 && !first.isHeld; i++) {
                lines.next = MemoryLog.Outcome.ABORTED;
                run();
            }
            assertThat(first.isHeld).isTrue();
            assertThat(first.tick).isPresent();
        }

        Map<String, Long> values() {
            Map<String, Long> values = new TreeMap<>();
            Snapshot snapshot = owned.snapshot();
            for (int i = 0; i < snapshot.size(); i++) {
                values.put(snapshot.names()[i], snapshot.values()[i]);
            }
            return values;
        }

        long metric(String metric) {
            return metrics.values().getOrDefault(metric, 0L);
        }
    }

    final long wallMillis() {
        return 1_700_000_000_000L + nanos / 1_000_000;
    }

    final void assign(String name) {
        for (int i = 0; i < partitions; i++) {
            log.assign(i, name);
        }
    }

    final Map<String, Long> loadedAnew() throws Exception {
        assign("last");
        Collector last = new Collector("last");
        last.rest();
        return last.values();
    }
}
