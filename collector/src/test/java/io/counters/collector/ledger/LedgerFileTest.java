package io.counters.collector.ledger;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.common.SeededHash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LedgerFileTest {
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b";

    @TempDir
    Path folder;

    @TempDir
    Path other;

    @Test
    void values_and_watermarks_of_both_verbs_survive_a_restart() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram(S1 + " 10 1\nincrement a 5 5\ndecrement a 7 7\ndecrement b 1 1\nincrement c 9");
            kept.commit.run();
            kept.datagram(S1 + " 20 2\nincrement a 1 6");
            kept.commit.run();
        }

        try (KeptLedger kept = new KeptLedger(folder, false)) {
            assertThat(kept.values()).isEqualTo(Map.of("a", -1L, "b", -1L, "c", 9L));
            kept.datagram(S1 + " 20 2\nincrement a 1 6\ndecrement a 7 7\ndecrement b 1 1");
            assertThat(kept.values()).isEqualTo(Map.of("a", -1L, "b", -1L, "c", 9L));
            kept.datagram(S1 + " 30 3\nincrement a 0 10\ndecrement a 0 10\nincrement b 0 4\ndecrement c 0 2");
            assertThat(kept.values()).isEqualTo(Map.of("a", 0L, "b", 3L, "c", 7L));
        }
    }

    @Test
    void a_stream_with_many_counters_survives_a_restart() throws Exception {
        StringBuilder datagram = new StringBuilder(S1 + " 10 1");
        for (int i = 0; i < 3000; i++) {
            datagram.append("\nincrement counter." + i + " 1 " + (i + 1));
        }
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram(datagram.toString());
            kept.commit.run();
        }

        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram(datagram.toString());
            assertThat(kept.ledger.size()).isEqualTo(3000);
            for (int i = 0; i < 3000; i++) {
                assertThat(kept.ledger.snapshot().values()[i]).isEqualTo(i + 1);
            }
            assertThat(kept.ledger.changes(1)).as("everything was loaded").isNull();
        }
    }

    @Test
    void a_commit_survives_an_abrupt_end() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram(S1 + " 10 1\nincrement a 5 5");
            kept.commit.run();
            kept.datagram(S1 + " 20 2\nincrement a 5 10");
            for (String name : new String[] {"ledger.sqlite", "ledger.sqlite-wal"}) {
                Files.copy(folder.resolve(name), other.resolve(name));
            }
        }

        try (KeptLedger kept = new KeptLedger(other, false)) {
            assertThat(kept.value("a")).isEqualTo(5);
            kept.datagram(S1 + " 20 2\nincrement a 5 10");
            assertThat(kept.value("a")).isEqualTo(10);
        }
    }

    @Test
    void a_key_whose_push_was_in_progress_is_in_doubt_after_a_restart() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, true)) {
            kept.datagram("increment a 5");
            kept.commit.run();
            Push read = kept.ledger.take(10, 0).get(0);
            kept.ledger.answered(read, new Push.Missing());
            kept.commit.run();
            assertThat(kept.ledger.take(10, 0)).containsExactly(new Push(0, "a", Push.Kind.ADD, 5));
        }

        try (KeptLedger kept = new KeptLedger(folder, true)) {
            kept.datagram("increment a 2");
            kept.commit.run();
            Push read = kept.ledger.take(10, 0).get(0);
            assertThat(read.kind()).isEqualTo(Push.Kind.READ);
            kept.ledger.answered(read, new Push.Holds(5));
            kept.commit.run();
            assertThat(kept.ledger.take(10, 0)).containsExactly(new Push(0, "a", Push.Kind.INCREMENT, 2));
            assertThat(kept.value("a")).isEqualTo(7);
        }
    }

    @Test
    void the_time_of_the_last_commit_survives_a_restart() throws Exception {
        try (LedgerFile file = new LedgerFile(folder)) {
            assertThat(committedMillis(file)).isZero();
            file.write(new Changes(
                    new Changes.Head(1, 1, 1234, 0, 5, true),
                    new Changes.Counters(
                            new String[0],
                            0,
                            0,
                            new BitSet(),
                            new int[0],
                            new long[0][],
                            new long[0][],
                            new BitSet(),
                            new long[0][],
                            Changes.Facts.AS_BEFORE),
                    List.of(),
                    List.of(),
                    0,
                    null,
                    Changes.Moves.NONE));
        }

        try (LedgerFile file = new LedgerFile(folder)) {
            assertThat(committedMillis(file)).isEqualTo(1234);
        }
    }

    @Test
    void a_second_collector_on_one_folder_is_refused_with_a_remedy() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            assertThatThrownBy(() -> new LedgerFile(folder))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(folder.toString())
                    .hasMessageContaining("in use by another collector")
                    .hasMessageContaining("--data-dir");
            kept.datagram("increment a");
            assertThat(kept.value("a")).as("the first one is unaffected").isEqualTo(1);
        }

        new LedgerFile(folder).close();
    }

    @Test
    void a_folder_that_cannot_be_created_is_refused_with_a_remedy() throws Exception {
        Path file = Files.writeString(folder.resolve("a-file"), "");

        assertThatThrownBy(() -> new LedgerFile(file.resolve("below")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot be written")
                .hasMessageContaining("--data-dir");
    }

    @Test
    void a_damaged_ledger_is_set_aside_under_another_name_and_a_new_one_begins() throws Exception {
        String text = "these are my notes, dear collector, ".repeat(100);
        for (int number = 1; number <= 2; number++) {
            Files.writeString(folder.resolve("ledger.sqlite"), text);

            try (LedgerFile anew = new LedgerFile(folder)) {
                assertThat(anew.setAside())
                        .isEqualTo(folder.resolve("ledger.damaged-" + number + ".sqlite"))
                        .hasContent(text);
                assertThat(committedMillis(anew)).isZero();
            }
        }
        try (LedgerFile sound = new LedgerFile(folder)) {
            assertThat(sound.setAside()).isNull();
        }
    }

    private static long committedMillis(LedgerFile file) throws IOException {
        return file.load(new LedgerState(1, new SeededHash(new Random(1)))).committedMillis();
    }

    @Test
    void an_empty_file_counts_as_a_new_ledger() throws Exception {
        Files.createFile(folder.resolve("ledger.sqlite"));

        try (LedgerFile anew = new LedgerFile(folder)) {
            assertThat(anew.setAside())
                    .as("a first start on a full disk leaves an empty file")
                    .isNull();
            assertThat(committedMillis(anew)).isZero();
        }
    }

    @Test
    void who_needs_a_ledger_gets_no_new_one() throws Exception {
        assertThatThrownBy(() -> LedgerFile.existing(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("there is no ledger in " + folder);
        assertThat(folder).isEmptyDirectory();
        Path file = folder.resolve("ledger.sqlite");
        Files.writeString(file, "this is not a database ".repeat(1000));

        assertThatThrownBy(() -> LedgerFile.existing(file)).hasMessage(file + " is a file; give its folder");
        assertThatThrownBy(() -> LedgerFile.existing(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cannot use the ledger " + file + ": it is damaged");

        assertThat(file).hasContent("this is not a database ".repeat(1000));
        assertThat(folder.resolve("ledger.damaged-1.sqlite")).doesNotExist();
    }

    @Test
    void an_empty_file_beside_a_filled_log_counts_as_damaged() throws Exception {
        Files.createFile(folder.resolve("ledger.sqlite"));
        Files.writeString(folder.resolve("ledger.sqlite-wal"), "what was committed last");

        try (LedgerFile anew = new LedgerFile(folder)) {
            assertThat(anew.setAside()).isNotNull().isEmptyFile();
            assertThat(folder.resolve("ledger.damaged-1.sqlite-wal")).hasContent("what was committed last");
        }
    }

    @Test
    void a_ledger_with_a_damaged_page_is_set_aside() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            for (int i = 0; i < 1000; i++) {
                kept.datagram("increment counter." + i);
            }
            kept.values();
        }
        Path file = folder.resolve("ledger.sqlite");
        byte[] bytes = Files.readAllBytes(file);
        java.util.Arrays.fill(bytes, bytes.length / 2, bytes.length / 2 + 5000, (byte) 0x5a);
        Files.write(file, bytes);

        try (LedgerFile anew = new LedgerFile(folder)) {
            assertThat(anew.setAside()).isNotNull().hasBinaryContent(bytes);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "DELETE FROM block WHERE id = 1                      | values of counters are missing",
                "DELETE FROM counter WHERE id = 7                    | names of counters are missing",
                "UPDATE block SET numbers = x'00' WHERE id = 0       | values of counters are truncated",
                "DELETE FROM meta WHERE key = 'commit'               | the rows of table meta do not match their check",
                "DELETE FROM meta                                    | the number of the last commit is missing",
                "INSERT INTO watermark VALUES (1, 4711, 1, 1, 0)     | table watermark has counters without a name",
                "UPDATE fact SET created = x'00' WHERE block = 0     | facts about counters are truncated",
                "UPDATE fact SET adopted = x'00' WHERE block = 0     | facts about counters are truncated",
                "INSERT INTO moved VALUES (0, x'00', 0)              | facts about counters are truncated",
                "INSERT INTO moved VALUES (4711, zeroblob(512), 0)   | table fact or moved has counters without a name",
                "UPDATE fact SET block = 4711 WHERE block = 0        | table fact or moved has counters without a name",
                "INSERT INTO uncounted VALUES (1, 4711, 1, 0)        | table uncounted has counters without a name",
            })
    void rows_that_contradict_each_other_count_as_damage(String statement, String what) throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            StringBuilder datagram = new StringBuilder(S1 + " 10 1");
            for (int i = 0; i < 300; i++) {
                datagram.append("\nincrement counter." + i + " 1 1");
            }
            kept.datagram(datagram.toString());
            kept.commit.run();
        }
        new LedgerFile(folder).close();
        assertThat(folder.resolve("ledger.damaged-1.sqlite")).doesNotExist();

        sql(statement);

        try (LedgerFile anew = new LedgerFile(folder)) {
            assertThat(anew.damage()).contains(what);
            assertThat(anew.setAside()).exists();
            assertThat(committedMillis(anew)).isZero();
        }
    }

    @Test
    void the_next_start_completes_an_interrupted_setting_aside() throws Exception {
        Files.writeString(folder.resolve("ledger.damaged-1.sqlite"), "an earlier one");
        Files.writeString(folder.resolve("ledger.damaged-2.sqlite"), "moved before the end");
        Files.writeString(folder.resolve("ledger.sqlite-wal"), "not moved yet");

        try (LedgerFile anew = new LedgerFile(folder)) {
            assertThat(anew.setAside()).isEqualTo(folder.resolve("ledger.damaged-2.sqlite"));
            assertThat(folder.resolve("ledger.damaged-2.sqlite-wal")).hasContent("not moved yet");
        }
    }

    @Test
    void a_commit_of_several_batches_of_rows_is_one_transaction() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            for (int i = 0; i < 5000; i++) {
                kept.datagram("increment counter." + i);
            }
            sql("CREATE TRIGGER late BEFORE INSERT ON block WHEN new.id = 39"
                    + " BEGIN SELECT RAISE(ABORT, 'the last block'); END");
            assertThat(kept.commit.run())
                    .as("the commit fails after thousands of rows were written")
                    .isFalse();
            try (Connection connection = connection();
                    Statement counters = connection.createStatement();
                    ResultSet count = counters.executeQuery("SELECT count(*) FROM counter")) {
                assertThat(count.getInt(1)).isZero();
            }
            sql("DROP TRIGGER late");
            assertThat(kept.values()).hasSize(5000);
        }
    }

    @Test
    void the_health_check_reports_commits_only_after_they_failed_for_5_s() throws Exception {
        AtomicLong nanos = new AtomicLong(5);
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            Committer commit = new Committer(kept.ledger, failing(), nanos::get, kept.said.log(), kept.metrics);
            kept.datagram("increment a 5");
            assertThat(commit.trouble(nanos.get())).isEmpty();

            assertThat(commit.run()).isFalse();

            assertThat(commit.trouble(nanos.get())).isEmpty();
            nanos.addAndGet(TimeUnit.SECONDS.toNanos(12));
            assertThat(commit.trouble(nanos.get())).hasValue("the ledger has not been committed for 12 s: it is ill");
            assertThat(kept.commit.run()).as("on another disk").isTrue();
        }
    }

    @Test
    void a_commit_that_an_error_interrupted_is_part_of_the_next_one() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            Journal interrupted = changes -> {
                throw new OutOfMemoryError("of this test");
            };
            Committer commit = new Committer(kept.ledger, interrupted, () -> 0, kept.said.log(), kept.metrics);
            kept.datagram("increment a 5");

            assertThatThrownBy(commit::run).isInstanceOf(OutOfMemoryError.class);

            assertThat(kept.values()).isEqualTo(Map.of("a", 5L));
        }
    }

    private static Journal failing() {
        return changes -> {
            throw new IOException("it is ill");
        };
    }

    @Test
    void a_ledger_of_a_later_version_is_refused() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a");
            kept.commit.run();
        }
        sql("UPDATE meta SET number = 99 WHERE key = 'format'");
        sql("UPDATE meta SET number = number + 1 WHERE key = 'check'");

        assertThatThrownBy(() -> new LedgerFile(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("format 99");
    }

    @Test
    void a_ledger_of_an_older_format_is_refused_with_a_remedy_and_left_unchanged() throws Exception {
        sql("CREATE TABLE meta (key TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID");
        sql("INSERT INTO meta VALUES ('format', 1)");
        sql("CREATE TABLE counter (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, value INTEGER NOT NULL)");

        assertThatThrownBy(() -> new LedgerFile(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("format 1, but this version reads formats 2 to 4")
                .hasMessageContaining("--data-dir");
        sql("INSERT INTO counter VALUES (1, 'still.there', 7)");
    }

    @Test
    void a_ledger_of_format_2_is_converted_with_its_times() throws Exception {
        sql("CREATE TABLE meta (key TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID");
        sql("INSERT INTO meta VALUES ('format', 2), ('id', 7), ('commit', 3), ('clock', 1700000000000),"
                + " ('listened', 900000), ('watch', 1699999900000), ('published', 1700000000), ('adopts', 1)");
        sql("CREATE TABLE counter (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
        sql("INSERT INTO counter VALUES (0, 'a')");
        sql("CREATE TABLE block (id INTEGER PRIMARY KEY, numbers BLOB NOT NULL, claimed BLOB NOT NULL)");
        sql("INSERT INTO block VALUES (0, x'" + "0".repeat(15) + "5" + "00".repeat(1016) + "', x'')");
        sql("CREATE TABLE stream (id INTEGER PRIMARY KEY, sender TEXT NOT NULL UNIQUE, whole INTEGER NOT NULL,"
                + " quarantined INTEGER NOT NULL, heard INTEGER NOT NULL, heard_listening INTEGER NOT NULL,"
                + " seq_before INTEGER NOT NULL, seq_highest INTEGER NOT NULL, received INTEGER NOT NULL,"
                + " repeated INTEGER NOT NULL, seq_window INTEGER NOT NULL, healed INTEGER NOT NULL)");
        sql(
                "INSERT INTO stream VALUES (1, '8f2c6a1e0b7d4c93a5e1f07b', 1, 0, 1699999999000, 899000, 0, 5, 4, 1, 31, 2)");
        sql("CREATE TABLE watermark (stream INTEGER NOT NULL, counter INTEGER NOT NULL, increments INTEGER NOT NULL,"
                + " decrements INTEGER NOT NULL, PRIMARY KEY (stream, counter)) WITHOUT ROWID");
        sql("INSERT INTO watermark VALUES (1, 0, 5, -1)");

        for (int life = 0; life < 2; life++) {
            try (KeptLedger kept = new KeptLedger(folder, false)) {
                assertThat(kept.file.setAside()).isNull();
                kept.datagram("from 8f2c6a1e0b7d4c93a5e1f07b 1000 6\nincrement a 0 5");
                kept.datagram("from 00000000000000000000002b 99000 9\nincrement young 0 4");
                kept.datagram("from 00000000000000000000003c 101000 9\nincrement old 0 4");
                kept.commit.run();

                assertThat(kept.value("a")).isEqualTo(5);
                assertThat(kept.value("young")).as("younger than the watch").isEqualTo(4);
                assertThat(kept.value("old")).as("older than the watch").isZero();
                assertThat(kept.ledger.reports().get(0).quietMillis()).isZero();
                assertThat(kept.ledger.publishAt(1_700_000_000, 1)).isEmpty();
                assertThat(kept.ledger.publishAt(1_700_000_010 + life, 1)).isPresent();
            }
        }
    }

    @Test
    void a_claim_survives_a_restart_with_its_value_in_every_block() throws Exception {
        int last = 3 * Values.BLOCK;
        try (KeptLedger kept = new KeptLedger(folder, true)) {
            for (int i = 0; i <= last; i++) {
                kept.datagram("increment counter." + i + " " + (i + 1));
            }
            for (Push read : kept.ledger.take(last, 0)) {
                kept.ledger.answered(read, new Push.Holds(1000));
            }
            kept.commit.run();
        }

        try (KeptLedger kept = new KeptLedger(folder, true)) {
            for (Push read : kept.ledger.take(last + 1, 0)) {
                kept.ledger.answered(read, new Push.Holds(5));
            }
            assertThat(kept.value("counter.0")).as("adopted once").isEqualTo(1001);
            assertThat(kept.value("counter." + (last - 1))).isEqualTo(1000 + last);
            assertThat(kept.value("counter." + last)).as("never read before").isEqualTo(last + 1 + 5);
        }
    }

    @Test
    void a_failed_commit_is_logged_and_is_part_of_the_next_one() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram(S1 + " 10 1\nincrement a 5 5");
            kept.commit.run();
            sql("ALTER TABLE watermark RENAME TO hidden");
            kept.datagram(S1 + " 20 2\nincrement a 2 7\nincrement b 1 1");
            kept.commit.run();
            assertThat(kept.ledger.snapshot().size()).as("committed counters").isEqualTo(1);
            assertThat(kept.ledger.snapshot().values()[0]).isEqualTo(5);
            assertThat(kept.said.lines()).singleElement().asString().contains("cannot write the ledger");
            assertThat(kept.counted("ledger_failed_commits_total")).isEqualTo(1);

            kept.datagram(S1 + " 30 3\nincrement c 1 1");
            sql("ALTER TABLE hidden RENAME TO watermark");

            assertThat(kept.values()).isEqualTo(Map.of("a", 7L, "b", 1L, "c", 1L));
        }
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram(S1 + " 30 3\nincrement a 2 7\nincrement b 1 1\nincrement c 1 1");
            assertThat(kept.values()).isEqualTo(Map.of("a", 7L, "b", 1L, "c", 1L));
        }
    }

    /** An earlier version created the table in every ledger, and filled it if there were peers. */
    @ParameterizedTest
    @CsvSource({
        "'', false",
        "'0, 3, ''a:1*1;b:1*2''', true",
        "'0, 3, ''a:1*1;b:1*out''', true",
        "'0, 3, ''a:1*1''', false",
    })
    void a_ledger_that_has_shared_names_is_known_by_its_list_of_peers(String list, boolean isShared) throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a 5");
            kept.commit.run();
        }
        sql("CREATE TABLE list (place INTEGER PRIMARY KEY, number INTEGER NOT NULL, peers TEXT NOT NULL)");
        if (!list.isEmpty()) {
            sql("INSERT INTO list VALUES (1, 1, 'c:1*1;d:1*1'), (" + list + ")");
        }

        try (LedgerFile file = new LedgerFile(folder)) {
            assertThat(file.isShared()).isEqualTo(isShared);
        }
        assertThat(LedgerInspection.of(folder).isShared()).isEqualTo(isShared);
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            assertThat(kept.value("a")).as("it can be read in any case").isEqualTo(5);
        }
    }

    @Test
    void a_ledger_of_this_version_has_not_shared_names() throws Exception {
        try (LedgerFile file = new LedgerFile(folder)) {
            assertThat(file.isShared()).isFalse();
        }
    }

    @Test
    void a_commit_to_a_closed_file_fails_and_the_ledger_keeps_its_changes() throws Exception {
        KeptLedger kept = new KeptLedger(folder, false);
        kept.datagram("increment a 5");
        kept.close();

        kept.commit.run();
        kept.commit.run();

        assertThat(kept.counted("ledger_failed_commits_total")).isEqualTo(2);
        assertThat(kept.counted("ledger_commits_total")).isZero();
        Changes changes = requireNonNull(kept.ledger.changes(1));
        assertThat(changes.counters().names()).startsWith("a");
        assertThat(changes.counters().known()).isZero();
        assertThat(changes.counters().values()[0][0]).isEqualTo(5);
    }

    private Connection connection() throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
    }

    private void sql(String statement) throws SQLException {
        try (Connection connection = connection();
                Statement made = connection.createStatement()) {
            made.execute(statement);
        }
    }
}
