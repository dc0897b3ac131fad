package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.common.Threads;
import io.counters.wire.Verb;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A ledger that was changed only in part, for example because there was no memory. */
class BrokenLedgerTest {
    private static final String FIRST = "from 8f2c6a1e0b7d4c93a5e1f07b 1000 1\nincrement a 5 5";
    private static final String SECOND =
            "from 00000000000000000000002b 1000 1\nincrement a 3 3\nincrement new 4 4\nraw:1|c";
    private static final long NEVER = Long.MAX_VALUE;

    @TempDir
    Path folder;

    private long callsLeft = NEVER;

    /** The ledger's time; the call that was chosen finds no memory. */
    private long millis() {
        if (callsLeft != NEVER && callsLeft-- == 0) {
            throw new OutOfMemoryError("told to");
        }
        return 1_000_000;
    }

    private Ledger ledger(LedgerFile file) throws IOException {
        return new Ledger(
                LedgerSettings.in(folder),
                false,
                this::millis,
                () -> 1_700_000_000,
                file.load(new LedgerState(1, new SeededHash(new Random(1)))),
                new Metrics());
    }

    private static Committer committer(Ledger ledger, LedgerFile file) {
        return new Committer(ledger, file, () -> 0, new SaidFaults().log(), new Metrics());
    }

    /** Commits the first datagram. */
    private void begin(Ledger ledger, Committer commit) {
        new Feed(ledger).datagram(FIRST);
        assertThat(commit.run()).isTrue();
    }

    /** Requires that a start finds a ledger that is whole, and that the totals, sent again, make it exact. */
    private void requireExact(Path here) throws IOException {
        try (KeptLedger kept = new KeptLedger(here, false)) {
            assertThat(kept.file.setAside()).as(kept.file.damage()).isNull();
            kept.datagram(FIRST);
            kept.datagram(SECOND.substring(0, SECOND.lastIndexOf('\n')));
            assertThat(kept.values()).containsEntry("a", 8L).containsEntry("new", 4L);
        }
    }

    @Test
    void whichever_call_finds_no_memory_the_next_start_has_a_commit_that_is_whole() throws Exception {
        int broken = 0;
        boolean isInterrupted = true;
        for (int call = 0; isInterrupted; call++) {
            Path here = Files.createDirectory(folder.resolve("call-" + call));
            try (LedgerFile file = new LedgerFile(here)) {
                Ledger ledger = ledger(file);
                Committer commit = committer(ledger, file);
                begin(ledger, commit);
                callsLeft = call;

                Throwable counting = catchThrowable(() -> ledger.batch(() -> new Feed(ledger).datagram(SECOND)));
                Throwable committing = catchThrowable(commit::run);
                isInterrupted = callsLeft < 0;
                callsLeft = NEVER;

                if (counting != null) {
                    assertThat(counting).isInstanceOf(OutOfMemoryError.class);
                    assertThat(committing).isInstanceOf(BrokenLedger.class);
                    broken++;
                } else if (committing == null) {
                    assertThat(ledger.committed("new")).hasValue(4);
                }
                assertThat(catchThrowable(commit::run))
                        .satisfiesAnyOf(
                                ended -> assertThat(ended).isInstanceOf(BrokenLedger.class),
                                none -> assertThat(none).isNull());
            }
            requireExact(here);
        }
        assertThat(broken).isGreaterThan(3);
    }

    @Test
    @SuppressWarnings(
            "NullAway") // A bug, which interrupts the merge when the watermark is raised and the value is not.
    void a_watermark_without_its_value_is_never_committed() throws Exception {
        try (LedgerFile file = new LedgerFile(folder)) {
            Ledger ledger = ledger(file);
            Committer commit = committer(ledger, file);
            begin(ledger, commit);
            byte[] stream = "00000000000000000000002b".getBytes(ISO_8859_1);
            byte[] name = "new".getBytes(ISO_8859_1);
            Verb none = null;

            assertThatThrownBy(() -> ledger.batch(() -> ledger.merge(
                            ledger.stream(stream, 0, stream.length, 1000, 1, 0), none, name, 0, name.length, 4, 4)))
                    .isInstanceOf(NullPointerException.class);

            assertThat(ledger.streams()).as("streams that it remembers").isEqualTo(2);
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(commit::run)
                        .isInstanceOf(Threads.MustEnd.class)
                        .hasMessageStartingWith(
                                "a change of the ledger was interrupted (java.lang.NullPointerException")
                        .hasMessageEndingWith(
                                "), so nothing more of it is written; start it again, and the ledger is that"
                                        + " of the last commit; report this bug");
            }
        }
        requireExact(folder);
    }

    /** Anybody could end the collector with a line that a parser cannot stand. */
    @Test
    void an_error_of_what_hands_over_the_lines_breaks_nothing() throws Exception {
        try (LedgerFile file = new LedgerFile(folder)) {
            Ledger ledger = ledger(file);
            Committer commit = committer(ledger, file);
            begin(ledger, commit);

            assertThatThrownBy(() -> ledger.batch(() -> {
                        new Feed(ledger).datagram(SECOND);
                        throw new ArrayIndexOutOfBoundsException("a parser's");
                    }))
                    .isInstanceOf(ArrayIndexOutOfBoundsException.class);

            assertThat(ledger.isBroken()).isFalse();
            assertThat(commit.run()).isTrue();
            assertThat(ledger.committed("new")).hasValue(4);
        }
        requireExact(folder);
    }

    /** As the store's answers, of which each must be processed. */
    @Test
    void an_error_in_a_change_breaks_the_ledger_even_if_its_batch_goes_on() throws Exception {
        try (LedgerFile file = new LedgerFile(folder)) {
            Ledger ledger = ledger(file);
            Committer commit = committer(ledger, file);
            begin(ledger, commit);
            Push request = new Push(Integer.MAX_VALUE, "a", Push.Kind.READ, 0);

            ledger.batch(() -> assertThatThrownBy(() -> ledger.answered(request, new Push.Missing()))
                    .isInstanceOf(IndexOutOfBoundsException.class));

            assertThat(ledger.isBroken()).isTrue();
            assertThatThrownBy(commit::run).isInstanceOf(BrokenLedger.class).hasMessageEndingWith("; report this bug");
        }
        requireExact(folder);
    }

    @Test
    void a_change_in_no_batch_that_finds_no_memory_breaks_the_ledger() throws Exception {
        try (LedgerFile file = new LedgerFile(folder)) {
            Ledger ledger = ledger(file);
            Committer commit = committer(ledger, file);
            begin(ledger, commit);
            callsLeft = 0;

            assertThatThrownBy(ledger::forgetEarlier).isInstanceOf(OutOfMemoryError.class);
            callsLeft = NEVER;

            assertThatThrownBy(commit::run)
                    .isInstanceOf(BrokenLedger.class)
                    .hasMessageEndingWith("; give it more memory (java -Xmx)");
        }
        requireExact(folder);
    }
}
