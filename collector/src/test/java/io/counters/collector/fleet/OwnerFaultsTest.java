package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerRecords;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an owner says, and does, when partitions or their lines are not as they should be. */
class OwnerFaultsTest {
    private static final int PARTITIONS = 4;
    private static final long SECOND = 1_000_000_000;

    private long nanos;
    private final SaidFaults said = new SaidFaults();
    private final Metrics metrics = new Metrics();
    private final MemoryLog log = new MemoryLog(PARTITIONS, new Random(1));
    private final OwnedLedgers owned = new OwnedLedgers(PARTITIONS);
    private final MemoryLog.Of lines = log.new Of("one");
    private Loader loader = new Loader(log.new Loading(), PARTITIONS, this::ledger, () -> nanos, said.log());
    private Owner owner = owner();
    private long faultyOffset = -1;

    private Owner owner() {
        return new Owner(
                lines,
                loader,
                owned,
                PARTITIONS,
                ledger -> true,
                OptionalLong::empty,
                () -> 0,
                this::wallMillis,
                () -> nanos,
                said.log(),
                metrics);
    }

    private Ledger ledger(LedgerRecords.Collected records) {
        return new Ledger(
                LedgerSettings.in(Path.of("unused")),
                false,
                this::ledgerMillis,
                () -> wallMillis() / 1000,
                records.load(new LedgerState(7, new SeededHash(new Random(1)))),
                metrics);
    }

    private long wallMillis() {
        return 1_700_000_000_000L + nanos / 1_000_000;
    }

    /** The ledger's time; the ledger has a bug that one record of partition 0 meets. */
    private long ledgerMillis() {
        OwnedPartition part = owned.partition(0);
        if (part != null
                && part.offset == faultyOffset
                && StackWalker.getInstance()
                        .walk(frames ->
                                frames.anyMatch(frame -> frame.getClassName().equals(LineRecords.class.getName())))) {
            throw new IllegalStateException("a bug");
        }
        return nanos / 1_000_000;
    }

    private void rest() throws Exception {
        rest(200);
    }

    private void rest(int seconds) throws Exception {
        for (int i = 0; i < seconds; i++) {
            nanos += SECOND;
            loader.step();
            owner.run();
            log.answered(true);
        }
    }

    private void own() throws Exception {
        for (int i = 0; i < PARTITIONS; i++) {
            log.assign(i, "one");
        }
        rest();
    }

    private long metric(String name) {
        return metrics.values().getOrDefault(name, -1L);
    }

    @Test
    void a_partition_that_was_added_is_told_and_not_used() throws Exception {
        own();

        owner.assigned(List.of(PARTITIONS, PARTITIONS + 1));
        rest();

        assertThat(owned.partitions()).hasSize(PARTITIONS);
        assertThat(metric("fleet_refused_partitions")).isEqualTo(2);
        assertThat(metric("fleet_loading_partitions")).isZero();
        assertThat(owner.trouble().orElseThrow())
                .contains("partition 4 is none of the 4 of this fleet", "(partitions like this: 2)");
        assertThat(said.lines()).singleElement().asString().contains("partitions were added to the topic of lines");

        owner.revoked(List.of(PARTITIONS, PARTITIONS + 1));
        rest();
        assertThat(owner.trouble()).isEmpty();
    }

    @Test
    void what_is_not_among_the_partitions_after_a_meeting_is_not_loaded_though_nobody_has_said_that_it_was_lost()
            throws Exception {
        owner.assigned(List.of(0));
        owner.run();
        owner.assigned(List.of(1, 2));

        owner.met(Set.of(2));
        rest();

        assertThat(owned.partitions())
                .singleElement()
                .satisfies(part -> assertThat(part.number).isEqualTo(2));
        assertThat(metric("fleet_loading_partitions")).isZero();
    }

    /** Lines were merged into partition 2, and nothing of its ledger is there. */
    private static final class Damaged implements LoaderLog {
        private final LoaderLog log;

        Damaged(LoaderLog log) {
            this.log = log;
        }

        @Override
        public Map<Integer, Committed> committed(Set<Integer> partitions) throws java.io.IOException {
            Map<Integer, Committed> found = new HashMap<>(log.committed(partitions));
            found.replaceAll((partition, one) -> partition == 2 ? new Committed(5, "") : one);
            return found;
        }

        @Override
        public Map<Integer, Long> ends(Set<Integer> partitions) throws java.io.IOException {
            return log.ends(partitions);
        }

        @Override
        public void read(Map<Integer, Long> positions, Records records) throws java.io.IOException {
            log.read(positions, records);
        }

        @Override
        public String topic() {
            return log.topic();
        }

        @Override
        public void close() {
            log.close();
        }
    }

    @Test
    void a_damaged_partition_is_told_as_such_while_the_others_go_on() throws Exception {
        loader = new Loader(new Damaged(log.new Loading()), PARTITIONS, this::ledger, () -> nanos, said.log());
        owner = owner();

        own();

        assertThat(owned.partitions()).hasSize(PARTITIONS - 1);
        assertThat(metric("fleet_refused_partitions")).isEqualTo(1);
        assertThat(metric("fleet_loading_partitions")).isZero();
        assertThat(owner.trouble().orElseThrow())
                .contains("the ledger of partition 2 cannot be used", "up to offset 5", "records were deleted");
    }

    /** Another one may have owned it meanwhile, and its records may have been replaced while this one read them. */
    @Test
    void a_ledger_that_was_damaged_when_the_members_met_meanwhile_is_loaded_again() throws Exception {
        boolean[] isDamaged = {true};
        AtomicInteger damaged = new AtomicInteger();
        loader = new Loader(
                log.new Loading(),
                PARTITIONS,
                records -> {
                    if (isDamaged[0]) {
                        damaged.incrementAndGet();
                        throw new IllegalStateException("block 0 has no names");
                    }
                    return ledger(records);
                },
                () -> nanos,
                said.log());
        owner = owner();
        for (int i = 0; i < PARTITIONS; i++) {
            log.assign(i, "one");
        }
        for (int i = 0; i < 1000 && metric("fleet_loading_partitions") < PARTITIONS; i++) {
            owner.run();
        }
        // It asks for what it was assigned in the round before.
        owner.run();
        for (int i = 0; i < 1000; i++) {
            loader.step();
        }
        assertThat(damaged).hasValue(PARTITIONS);
        isDamaged[0] = false;

        owner.met(Set.of(0, 1, 2, 3));
        rest();

        assertThat(metric("fleet_refused_partitions")).isZero();
        assertThat(owned.partitions()).hasSize(PARTITIONS);
    }

    private void add(String record) {
        log.add(0, wallMillis(), record.getBytes(ISO_8859_1));
    }

    @Test
    void a_record_that_breaks_the_ledger_is_left_out_as_a_whole_when_the_ledger_is_loaded_again() throws Exception {
        own();
        add("increment a 5\n");
        rest();
        faultyOffset = 2;

        add("increment a 7\n");
        add("increment a 100\nfrom 8f2c6a1e0b7d4c93a5e1f07b 1000\nincrement a 1 1\n");
        add("increment a 3\n");
        rest();

        assertThat(owned.partitions()).hasSize(PARTITIONS);
        assertThat(owned.ledgers().get(0).committed("a")).hasValue(15);
        assertThat(log.committed(0)).isEqualTo(4);
        assertThat(metric("fleet_faulty_records_total")).isEqualTo(1);
        assertThat(metric("fleet_discarded_ledgers_total")).isEqualTo(1);
        assertThat(said.lines())
                .singleElement()
                .asString()
                .contains("partition 0, offset 2, caused an internal error in the ledger, which is loaded again");
    }

    @Test
    void each_of_several_records_that_break_the_ledger_is_left_out() throws Exception {
        own();
        for (int i = 0; i < 5; i++) {
            add("increment a 100\nfrom 8f2c6a1e0b7d4c93a5e1f07b 1000\nincrement a 1 1\n");
        }
        add("increment a 3\n");

        for (faultyOffset = 0; faultyOffset < 5; faultyOffset++) {
            while (metric("fleet_faulty_records_total") <= faultyOffset) {
                rest(1);
            }
        }
        faultyOffset = -1;
        rest();

        assertThat(owned.ledgers().get(0).committed("a")).hasValue(3);
        assertThat(log.committed(0)).isEqualTo(6);
        assertThat(metric("fleet_faulty_records_total")).isEqualTo(5);
    }

    @Test
    void lines_that_were_deleted_are_counted_and_told() throws Exception {
        own();

        owner.moved(1, 100, 130);
        nanos += SECOND;
        owner.run();
        log.answered(true);

        assertThat(metric("fleet_gone_records_total")).isEqualTo(30);
        assertThat(metric("fleet_cut_partitions_total")).isZero();
        assertThat(log.committed(1)).isEqualTo(130);
        assertThat(said.lines()).singleElement().asString().contains("partition 1", "(records: 30)", "retention.ms");
    }

    @Test
    void lines_that_end_before_what_was_merged_are_told_and_the_new_offset_is_committed_at_once() throws Exception {
        own();

        owner.moved(1, 130, 100);
        nanos += SECOND;
        owner.run();
        log.answered(true);

        assertThat(metric("fleet_cut_partitions_total")).isEqualTo(1);
        assertThat(metric("fleet_gone_records_total")).isZero();
        assertThat(log.committed(1)).isEqualTo(100);
        assertThat(said.lines()).singleElement().asString().contains("end at offset 100, and were merged up to 130");
    }

    @Test
    void lines_that_waited_while_kafka_was_away_are_no_sign_of_a_wrong_clock() throws Exception {
        own();
        log.add(0, wallMillis(), "increment a\n".getBytes(ISO_8859_1));
        lines.next = MemoryLog.Outcome.ABORTED;
        rest(10);

        log.add(0, wallMillis() - 40_000, "increment a\n".getBytes(ISO_8859_1));
        rest(10);
        assertThat(metric("fleet_clock_off_records_total")).isZero();

        rest(60);
        log.add(0, wallMillis() - 40_000, "increment a\n".getBytes(ISO_8859_1));
        rest(10);
        assertThat(metric("fleet_clock_off_records_total")).isEqualTo(1);
        assertThat(String.join("\n", said.lines())).contains("behind this collector's clock");
    }

    @Test
    @Timeout(60)
    void who_waits_for_a_commit_is_told_when_a_partition_goes_without_one() throws Exception {
        own();
        CompletableFuture<Boolean> waiting = new CompletableFuture<>();
        Thread waits = new Thread(() -> waiting.complete(owner.awaitCommit()));
        waits.start();
        while (waits.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }

        owner.revoked(List.of(0));

        assertThat(waiting.get(60, TimeUnit.SECONDS)).isFalse();
    }

    @Test
    @Timeout(60)
    void who_waits_for_a_commit_is_answered_by_the_next_one_and_after_the_end_at_once() throws Exception {
        own();
        log.add(0, wallMillis(), "increment a\n".getBytes(ISO_8859_1));
        CompletableFuture<Boolean> waiting = CompletableFuture.supplyAsync(owner::awaitCommit);
        while (!waiting.isDone()) {
            nanos += SECOND;
            owner.run();
        }
        assertThat(waiting.get(60, TimeUnit.SECONDS)).isTrue();

        owner.close();

        // Each would otherwise wait for 5 s.
        for (int i = 0; i < 30; i++) {
            assertThat(owner.awaitCommit()).isFalse();
        }
    }
}
