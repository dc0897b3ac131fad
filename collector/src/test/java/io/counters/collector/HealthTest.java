package io.counters.collector;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Changes;
import io.counters.collector.ledger.Committer;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class HealthTest {
    private long nanos = 5;
    private long seconds = 100;
    private final Ledger ledger = new Ledger(
            LedgerSettings.in(Path.of("unused")),
            false,
            () -> 0,
            () -> 0,
            new LedgerState(1, new SeededHash(new Random(1))),
            new Metrics());
    private boolean isDiskFull;
    private final Committer commit =
            new Committer(ledger, this::write, () -> nanos, new SaidFaults().log(), new Metrics());
    private long diskBytes = 1L << 40;
    private Optional<String> store = Optional.empty();
    private List<String> hangs = List.of();
    private final Health health = new Health(
            () -> hangs,
            commit::trouble,
            ledger,
            () -> diskBytes,
            "counts cannot be committed",
            Map.of("store", () -> store, "sink", Optional::empty),
            () -> nanos,
            () -> seconds);

    private void write(Map<Ledger, Changes> changes) throws IOException {
        if (isDiskFull) {
            throw new IOException("no space left on device, so this was not written: " + changes.size());
        }
    }

    @Test
    void there_is_no_problem_while_the_ledgers_lock_can_be_taken() {
        for (int second = 0; second < 100; second++) {
            nanos += TimeUnit.SECONDS.toNanos(1);
            health.lookAtLock();
            health.lookAtParts();
            assertThat(health.faults()).isEmpty();
            assertThat(health.troubles()).isEmpty();
        }
    }

    @Test
    void a_lock_that_is_held_for_long_is_reported_and_no_request_waits_for_it() throws Exception {
        Thread looking = new Thread(health::lookAtLock);
        looking.setDaemon(true);
        ledger.batch(() -> {
            looking.start();
            nanos += TimeUnit.SECONDS.toNanos(7);
            health.lookAtParts();

            assertThat(health.faults()).containsExactly("the ledger's lock could not be taken for 7 s");
            assertThat(health.troubles()).isEqualTo(health.faults());
        });
        looking.join();
        assertThat(health.faults()).isEmpty();
    }

    @Test
    void a_disk_that_accepts_no_commit_is_reported_after_some_seconds_until_it_does() {
        ledger.forgetEarlier();
        isDiskFull = true;
        commit.run();
        assertThat(health.troubles()).isEmpty();

        nanos += TimeUnit.SECONDS.toNanos(9);
        health.lookAtLock();
        health.lookAtParts();
        commit.run();
        assertThat(health.troubles())
                .hasSize(1)
                .first()
                .asString()
                .contains("not been committed for 9 s", "no space left");

        isDiskFull = false;
        commit.run();
        assertThat(health.troubles()).isEmpty();
    }

    private void seconds(int seconds) {
        for (int second = 0; second < seconds; second++) {
            nanos += TimeUnit.SECONDS.toNanos(1);
            health.lookAtLock();
            health.lookAtParts();
        }
    }

    @Test
    void a_part_in_trouble_is_reported_after_5_seconds_with_its_duration_and_only_at_readyz() {
        store = Optional.of("the store does not answer");
        seconds(5);
        assertThat(health.troubles()).isEmpty();

        store = Optional.of("the store still does not answer");
        seconds(4);
        assertThat(health.troubles()).containsExactly("the store still does not answer, for 8 s");
        assertThat(health.faults()).isEmpty();

        store = Optional.empty();
        seconds(1);
        assertThat(health.troubles()).isEmpty();
        store = Optional.of("the store does not answer");
        seconds(3);
        assertThat(health.troubles()).isEmpty();
    }

    @Test
    void a_disk_that_does_not_answer_is_reported_and_earlier_states_are_not_trusted() {
        seconds(1);
        nanos += TimeUnit.SECONDS.toNanos(5);
        health.lookAtLock();
        assertThat(health.troubles()).isEmpty();

        nanos += TimeUnit.SECONDS.toNanos(2);
        health.lookAtLock();
        assertThat(health.troubles())
                .containsExactly(
                        "the store, the sinks and the disk could not be looked at for 7 s; the disk of the data"
                                + " folder does not answer");
        assertThat(health.faults()).isEmpty();

        health.lookAtParts();
        assertThat(health.troubles()).isEmpty();
    }

    @Test
    void a_disk_that_is_nearly_full_is_reported() {
        diskBytes = (64L << 20) - 1;
        seconds(7);

        assertThat(health.troubles())
                .containsExactly(
                        "the disk of the data folder has 63 MB left, less than 64; free some, or counts cannot be"
                                + " committed soon, for 6 s");
    }

    @Test
    void a_thread_that_hangs_is_a_fault_that_a_restart_cures() {
        hangs = List.of("the UDP socket's thread has read nothing for 6 s, although something waits");

        assertThat(health.faults()).isEqualTo(hangs);
        assertThat(health.troubles()).isEqualTo(hangs);
    }
}
