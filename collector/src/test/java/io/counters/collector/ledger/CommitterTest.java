package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommitterTest {
    @TempDir
    Path folder;

    private boolean isBroken;

    private Ledger ledger(long id, LongSupplier wallSeconds) {
        return new Ledger(
                LedgerSettings.in(folder),
                false,
                () -> 0,
                wallSeconds,
                new LedgerState(id, new SeededHash(new Random(id))),
                new Metrics());
    }

    @Test
    void changes_that_were_taken_before_another_ledger_failed_are_in_the_next_commit() {
        Ledger first = ledger(1, () -> 0);
        Ledger second = ledger(2, () -> {
            if (isBroken) {
                throw new IllegalStateException("told to");
            }
            return 0;
        });
        List<Ledger> written = new ArrayList<>();
        Committer commit = new Committer(
                () -> List.of(first, second),
                changes -> written.addAll(changes.keySet()),
                () -> 0,
                new SaidFaults().log(),
                new Metrics());
        new Feed(first).datagram("increment a 3");
        new Feed(second).datagram("increment b 5");

        isBroken = true;
        assertThatThrownBy(commit::run).hasMessage("told to");
        assertThat(written).isEmpty();
        isBroken = false;

        assertThat(commit.run()).isTrue();
        assertThat(written).containsExactly(first, second);
        assertThat(first.committed("a")).hasValue(3);
        assertThat(second.committed("b")).hasValue(5);
    }
}
