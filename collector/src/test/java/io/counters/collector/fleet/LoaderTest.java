package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerRecords;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What keeps one partition from being loaded keeps no other. */
class LoaderTest {
    private static final int PARTITIONS = 4;

    private final SaidFaults said = new SaidFaults();
    private final Log log = new Log();
    private Function<LedgerRecords.Collected, Ledger> newLedger = LoaderTest::ledger;
    private final Loader loader =
            new Loader(log, PARTITIONS, records -> newLedger.apply(records), () -> log.nanos, said.log());

    /** Each partition has one record, and no lines were merged. */
    private static final class Log implements LoaderLog {
        final Set<Integer> withoutOffset = new HashSet<>();
        final Set<Integer> withoutEnd = new HashSet<>();
        final Set<Integer> withoutRecords = new HashSet<>();
        boolean isUnreadable;
        long nanos;

        @Override
        public Map<Integer, Committed> committed(Set<Integer> partitions) {
            Map<Integer, Committed> found = new HashMap<>();
            partitions.forEach(partition -> found.put(partition, Committed.NOTHING));
            found.keySet().removeAll(withoutOffset);
            return found;
        }

        @Override
        public Map<Integer, Long> ends(Set<Integer> partitions) throws IOException {
            Map<Integer, Long> found = new HashMap<>();
            partitions.forEach(partition -> found.put(partition, 1L));
            found.keySet().removeAll(withoutEnd);
            if (found.isEmpty()) {
                throw new IOException("no broker serves " + partitions);
            }
            return found;
        }

        @Override
        public void read(Map<Integer, Long> positions, Records records) throws IOException {
            if (isUnreadable) {
                throw new IOException("a record is corrupt");
            }
            positions.forEach((partition, position) -> {
                if (!withoutRecords.contains(partition)) {
                    records.put(partition, LedgerOffset.KEY, new LedgerOffset(PARTITIONS, 0).value());
                }
            });
            positions.replaceAll((partition, position) -> withoutRecords.contains(partition) ? position : 1L);
        }

        @Override
        public String topic() {
            return "shop.ledger";
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    private static Ledger ledger(LedgerRecords.Collected records) {
        return new Ledger(
                LedgerSettings.in(Path.of("unused")),
                false,
                () -> 0,
                () -> 0,
                records.load(new LedgerState(7, new SeededHash(new Random(1)))),
                new Metrics());
    }

    private void want(int... partitions) {
        for (int partition : partitions) {
            loader.want(new Load(partition, 0, 1));
        }
    }

    /** Steps for this time. */
    private List<Load> load(int seconds) {
        List<Load> done = new ArrayList<>();
        for (int i = 0; i < seconds; i++) {
            log.nanos += 1_000_000_000;
            loader.step();
            for (Load load = loader.take(); load != null; load = loader.take()) {
                done.add(load);
            }
        }
        return done;
    }

    @Test
    void a_partition_without_a_broker_keeps_no_other_from_being_loaded_or_checked() {
        log.withoutEnd.add(0);
        want(0);
        assertThat(load(3)).isEmpty();

        want(1);
        loader.want(Load.check(2, 0, 1, Committed.NOTHING));

        assertThat(load(3)).extracting(load -> load.partition).containsExactlyInAnyOrder(1, 2);
        assertThat(said.lines())
                .singleElement()
                .asString()
                .contains("cannot be loaded now (partitions: 1)", "no broker serves [0]");
        log.withoutEnd.clear();
        assertThat(load(3)).extracting(load -> load.partition).containsExactly(0);
    }

    @Test
    void a_partition_that_cannot_be_read_keeps_no_other_from_being_checked() {
        log.isUnreadable = true;
        want(0);
        loader.want(Load.check(2, 0, 1, Committed.NOTHING));

        assertThat(load(3)).extracting(load -> load.partition).containsExactly(2);
        assertThat(said.lines()).singleElement().asString().contains("a record is corrupt");
    }

    @Test
    void a_partition_that_is_not_loaded_for_half_a_minute_is_told_with_the_remedy() {
        log.withoutRecords.add(3);
        want(1, 3);
        assertThat(load(29)).hasSize(1);
        assertThat(said.lines()).isEmpty();

        load(3);

        assertThat(said.lines())
                .singleElement()
                .asString()
                .contains(
                        "the ledger of partition 3 has not been loaded for 30 s",
                        "read up to offset 0 of 1",
                        "kafka-transactions.sh find-hanging",
                        "abort --topic shop.ledger");
    }

    @Test
    void a_partition_whose_committed_offset_stays_unknown_is_told_too() {
        log.withoutOffset.add(3);
        loader.want(Load.check(3, 0, 1, Committed.NOTHING));

        load(40);

        assertThat(said.lines())
                .singleElement()
                .asString()
                .contains(
                        "partition 3 has not been checked",
                        "how far its lines were read",
                        "--topic __consumer_offsets");
    }

    @Test
    void an_internal_error_while_a_ledger_is_made_is_its_damage_and_other_partitions_are_loaded() {
        newLedger = records -> {
            throw new ArrayIndexOutOfBoundsException("a bug");
        };
        want(1);

        assertThat(load(3)).singleElement().satisfies(load -> {
            assertThat(load.ledger).isNull();
            assertThat(load.damage).isEqualTo("a bug");
        });
    }
}
