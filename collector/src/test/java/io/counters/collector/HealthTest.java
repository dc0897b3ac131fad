package io.counters.collector;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.ledger.Commit;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.MemoryJournal;
import io.counters.collector.self.SaidFaults;
import io.counters.collector.self.SeededHash;
import io.counters.collector.self.Self;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class HealthTest {
    private long nanos = 5;
    private final Ledger ledger = new Ledger(
            LedgerSettings.in(Path.of("unused")),
            false,
            () -> 0,
            () -> 0,
            1,
            new SeededHash(new Random(1)),
            new Self());
    private final MemoryJournal journal = new MemoryJournal();
    private final Commit commit = new Commit(ledger, journal, () -> nanos, new SaidFaults().log(), new Self());
    private final Health health = new Health(commit, ledger, () -> nanos);

    @Test
    void there_is_no_problem_while_the_ledgers_lock_can_be_taken() {
        for (int second = 0; second < 100; second++) {
            nanos += TimeUnit.SECONDS.toNanos(1);
            health.look();
            assertThat(health.get()).isEmpty();
        }
    }

    @Test
    void a_lock_that_is_held_for_long_is_reported_without_waiting_for_it() throws Exception {
        Thread looking = new Thread(health::look);
        looking.setDaemon(true);
        synchronized (ledger) {
            looking.start();
            nanos += TimeUnit.SECONDS.toNanos(7);

            assertThat(health.get()).containsExactly("the ledger's lock could not be taken for 7 s");
        }
        looking.join();
        assertThat(health.get()).isEmpty();
    }

    @Test
    void a_disk_that_accepts_no_commit_is_reported_after_some_seconds_until_it_does() {
        ledger.forgetEarlier();
        journal.full(true);
        commit.run();
        assertThat(health.get()).isEmpty();

        nanos += TimeUnit.SECONDS.toNanos(9);
        health.look();
        commit.run();
        assertThat(health.get()).hasSize(1).first().asString().contains("not been committed for 9 s", "no space left");

        journal.full(false);
        commit.run();
        assertThat(health.get()).isEmpty();
    }
}
