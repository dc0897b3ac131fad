package io.counters.collector.ledger;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The facts about counters in the ledger's file: after restarts and crashes, and from earlier versions. */
class CounterFactsFileTest {
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b";
    private static final String[] NEW_TABLES = {"fact", "moved", "uncounted"};

    @TempDir
    Path folder;

    @TempDir
    Path other;

    private static KeptLedger open(Path folder, long wallSeconds) throws Exception {
        KeptLedger kept = new KeptLedger(folder, true);
        kept.wallSeconds = wallSeconds;
        return kept;
    }

    private static Explanation explain(KeptLedger kept, String name) {
        return requireNonNull(kept.ledger.explain(name));
    }

    private void sql(String statement) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement made = connection.createStatement()) {
            made.execute(statement);
        }
    }

    /** Changes the file to what a version without facts wrote. */
    private void dropNewTables() throws SQLException {
        for (String table : NEW_TABLES) {
            sql("DROP TABLE " + table);
        }
    }

    /** A copy of the files while the ledger is open, as a crash leaves them. */
    private void crashed() throws Exception {
        for (String name : new String[] {"ledger.sqlite", "ledger.sqlite-wal"}) {
            Files.copy(folder.resolve(name), other.resolve(name));
        }
    }

    /** In several blocks, so that a wrong order shows. */
    private static void fill(KeptLedger kept) {
        StringBuilder datagram = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            datagram.append("increment counter.").append(i).append(" 5\n");
        }
        kept.datagram(datagram.toString());
        kept.commit.run();
    }

    @Test
    void everything_survives_a_restart() throws Exception {
        try (KeptLedger kept = open(folder, 1000)) {
            fill(kept);
            for (Push read : kept.ledger.take(1000, 0)) {
                boolean isFound = read.key().equals("counter.200");
                kept.ledger.answered(read, isFound ? new Push.Holds(70) : new Push.Missing());
            }
            kept.ledger.forgetEarlier();
            kept.datagram(S1 + " 60000 9\nincrement counter.100 1 50");
            kept.wallSeconds = 2000;
            kept.datagram("decrement counter.299\nincrement late");
            kept.ledger.remove("counter.7");
            kept.ledger.noteAll();
            kept.commit.run();
        }

        try (KeptLedger kept = open(folder, 3000)) {
            assertThat(kept.ledger.changes(1)).as("everything was loaded").isNull();
            assertThat(kept.ledger.size()).isEqualTo(300);
            assertThat(kept.values()).doesNotContainKey("counter.7").containsEntry("counter.8", 5L);
            assertThat(explain(kept, "counter.8"))
                    .isEqualTo(new Explanation("counter.8", 5, 5, 1000, 1000, false, 0, List.of(), 0, 0, 5));
            assertThat(explain(kept, "counter.299").movedSecond()).isEqualTo(2000);
            assertThat(explain(kept, "counter.299").isDecremented()).isTrue();
            assertThat(explain(kept, "counter.298").isDecremented()).isFalse();
            assertThat(explain(kept, "late").createdSecond()).isEqualTo(2000);
            assertThat(explain(kept, "counter.200").adopted()).isEqualTo(70);
            assertThat(explain(kept, "counter.200").rest()).isEqualTo(5);
            assertThat(explain(kept, "counter.100").rest()).isEqualTo(5);
            assertThat(explain(kept, "counter.100").parts())
                    .singleElement()
                    .satisfies(part -> assertThat(part.applied()).isEqualTo(1));
        }
    }

    @Test
    void a_crash_loses_only_the_last_minutes_of_when_counters_moved() throws Exception {
        try (KeptLedger kept = open(folder, 1000)) {
            fill(kept);
            kept.wallSeconds = 2000;
            kept.datagram("decrement counter.299");
            kept.ledger.remove("counter.7");
            kept.commit.run();
            assertThat(explain(kept, "counter.299").movedSecond()).isEqualTo(2000);
            crashed();
        }

        try (KeptLedger kept = open(other, 3000)) {
            assertThat(kept.values())
                    .hasSize(299)
                    .doesNotContainKey("counter.7")
                    .containsEntry("counter.299", 4L);
            assertThat(explain(kept, "counter.299").createdSecond()).isEqualTo(1000);
            assertThat(explain(kept, "counter.299").movedSecond()).isEqualTo(1000);
            assertThat(explain(kept, "counter.299").isDecremented()).isTrue();
        }
    }

    @Test
    void a_failed_commit_is_complete_in_the_next_one() throws Exception {
        try (KeptLedger kept = open(folder, 1000)) {
            fill(kept);
            kept.datagram("decrement counter.299");
            kept.ledger.remove("counter.7");
            kept.ledger.noteAll();
            sql("ALTER TABLE moved RENAME TO hidden");
            assertThat(kept.commit.run()).isFalse();
            sql("ALTER TABLE hidden RENAME TO moved");
            assertThat(kept.commit.run()).isTrue();
            assertThat(kept.commit.run()).isTrue();
        }

        try (KeptLedger kept = open(folder, 3000)) {
            assertThat(kept.values()).hasSize(299).doesNotContainKey("counter.7");
            assertThat(explain(kept, "counter.299").isDecremented()).isTrue();
            assertThat(explain(kept, "counter.299").movedSecond()).isEqualTo(1000);
        }
    }

    @Test
    void a_ledger_of_an_earlier_version_is_opened_and_shows_the_facts_that_it_has() throws Exception {
        try (KeptLedger kept = open(folder, 1000)) {
            fill(kept);
            kept.datagram("decrement negative 3");
            kept.datagram(S1 + " 10 1\nincrement total 5 5\ndecrement total 1 1");
            kept.commit.run();
        }
        OlderLedger.toFormat3(folder);
        dropNewTables();

        for (long wallSeconds : new long[] {2000, 3000}) {
            try (KeptLedger kept = open(folder, wallSeconds)) {
                assertThat(kept.file.setAside()).isNull();
                assertThat(kept.values()).hasSize(302).containsEntry("counter.7", 5L);
                Explanation counter = explain(kept, "counter.7");
                assertThat(counter.createdSecond()).as("not known").isZero();
                assertThat(counter.movedSecond()).as("not known").isZero();
                assertThat(counter.rest()).isEqualTo(5);
                assertThat(counter.isDecremented()).isFalse();
                assertThat(explain(kept, "negative").isDecremented()).isTrue();
                assertThat(explain(kept, "total").isDecremented()).isTrue();
                kept.datagram("increment negative 3");
            }
        }
    }

    @Test
    void what_an_earlier_version_leaves_unchanged_stays_true() throws Exception {
        try (KeptLedger kept = open(folder, 1000)) {
            fill(kept);
            kept.ledger.remove("counter.7");
            kept.ledger.remove("counter.8");
            kept.ledger.noteAll();
            kept.commit.run();
        }
        OlderLedger.toFormat3(folder);
        for (String table : NEW_TABLES) {
            sql("ALTER TABLE " + table + " RENAME TO " + table + "_kept");
        }
        // Of an earlier version, only the tables matter.
        try (KeptLedger earlier = open(folder, 2000)) {
            earlier.datagram("increment counter.8 2\nincrement counter.9 2");
            earlier.commit.run();
        }
        OlderLedger.toFormat3(folder);
        dropNewTables();
        for (String table : NEW_TABLES) {
            sql("ALTER TABLE " + table + "_kept RENAME TO " + table);
        }

        try (KeptLedger kept = open(folder, 3000)) {
            assertThat(kept.values())
                    .doesNotContainKey("counter.7")
                    .containsEntry("counter.8", 2L)
                    .containsEntry("counter.9", 7L);
            assertThat(explain(kept, "counter.9").createdSecond()).isEqualTo(1000);
        }
    }

    @Test
    void when_counters_moved_is_due_every_5_minutes_and_at_once_after_a_failure() {
        LastMoves moves = new LastMoves();
        long[][] before = {new long[Values.BLOCK]};
        long[][] after = {new long[Values.BLOCK]};
        after[0][3] = 1;

        moves.note(
                new Changes.Counters(
                        new String[0],
                        0,
                        4,
                        new BitSet(),
                        new int[] {20},
                        after,
                        new long[1][],
                        new BitSet(),
                        before,
                        Changes.Facts.AS_BEFORE),
                77);

        assertThat(moves.second(20 * Values.BLOCK + 3)).isEqualTo(77);
        assertThat(moves.second(20 * Values.BLOCK + 2)).isZero();
        assertThat(moves.second(1_000_000)).isZero();
        assertThat(moves.isDue(LastMoves.WRITTEN_EVERY_MILLIS - 1, false)).isFalse();
        assertThat(moves.isDue(0, true)).isTrue();
        assertThat(moves.isDue(LastMoves.WRITTEN_EVERY_MILLIS, false)).isTrue();
        Changes.Moves taken = moves.take(LastMoves.WRITTEN_EVERY_MILLIS);
        assertThat(taken.blocks()).containsExactly(20);
        assertThat(moves.isDue(10 * LastMoves.WRITTEN_EVERY_MILLIS, true)).isFalse();
        moves.putBack(taken);
        assertThat(moves.isDue(LastMoves.WRITTEN_EVERY_MILLIS, false))
                .as("at once after a failure")
                .isTrue();
    }

    @Test
    void what_format_3_kept_of_a_stream_that_is_gone_is_dropped() throws Exception {
        try (KeptLedger kept = open(folder, 1000)) {
            kept.ledger.forgetEarlier();
            kept.datagram(S1 + " 60000 9\nincrement a 1 50");
            kept.commit.run();
        }
        OlderLedger.toFormat3(folder);
        sql("DELETE FROM stream");

        try (KeptLedger kept = open(folder, 2000)) {
            assertThat(kept.values()).isEqualTo(Map.of("a", 1L));
            kept.datagram(S1 + " 10 1\nincrement a 1 5");
            assertThat(kept.value("a")).isEqualTo(2);
            assertThat(explain(kept, "a").rest()).isEqualTo(1);
        }
    }
}
