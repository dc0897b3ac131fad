package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Lines whose amounts are not whole numbers: the counter's value is always their exact sum, rounded half up. */
class FractionsTest {
    @TempDir
    Path folder;

    @TempDir
    Path other;

    private final Disk disk = new Disk();
    private Ledger ledger = ledger(LedgerSettings.in(Path.of("unused")));
    private Feed feed = new Feed(ledger);

    private static Ledger ledger(LedgerSettings bounds) {
        return ledger(bounds, new Disk());
    }

    private static Ledger ledger(LedgerSettings bounds, Disk disk) {
        LedgerState state = disk.load(new LedgerState(1, new SeededHash(new Random(1))));
        return new Ledger(bounds, false, () -> 0, () -> 0, state, new Metrics());
    }

    private void lines(String line, int count) {
        for (int i = 0; i < count; i++) {
            feed.datagram(line);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "a:0.25|c, 4, 1",
        "a:0.25|c, 1, 0",
        "a:0.25|c, 2, 1",
        "a:-0.25|c, 4, -1",
        "a:-0.25|c, 2, 0",
        "a:-0.25|c, 3, -1",
        "a:0.1|c, 4, 0",
        "a:0.1|c, 5, 1",
        "a:0.1|c, 10, 1",
        "a:1.5|c, 3, 5",
        "a:1|c|@0.75, 15000, 20000",
        "a:-1|c|@0.75, 15000, -20000",
        "a:1|c|@0.3, 3000, 10000",
        "a:1|c|@0.7, 7000, 10000",
        "a:1|c|@0.9, 9, 10",
        // The quotient is periodic and the sum is exactly one half.
        "a:1|c|@0.56, 7, 13",
        "a:1|c|@0.24, 3, 13",
        "a:1|c|@0.48, 6, 13",
        "a:1|c|@0.96, 12, 13",
        "a:-1|c|@0.56, 7, -12",
        "a:-1|c|@0.24, 3, -12",
        "a:0.000000000000000001|c, 1000, 0",
    })
    void the_value_is_the_exact_sum_rounded_half_up(String line, int count, long value) {
        lines(line, count);

        assertThat(ledger.value("a")).isEqualTo(value);
    }

    @Tag("slow")
    @Test
    void a_million_lines_do_not_drift() {
        lines("a:1|c|@0.7", 1_000_000);

        // 10,000,000 / 7 is 1,428,571.43, and the rest of each line is too high by less than 10^-18.
        assertThat(ledger.value("a")).isEqualTo(1_428_571);
        feed.datagram("a:0.0714285714|c");
        assertThat(ledger.value("a")).as("just below one half").isEqualTo(1_428_571);
        feed.datagram("a:0.0000000001|c");
        assertThat(ledger.value("a")).as("just above").isEqualTo(1_428_572);
    }

    @Test
    void fractions_whole_amounts_and_totals_add_up() {
        feed.datagram("a:0.5|c\na:2|c\nincrement a 3\ndecrement a 1\na:-0.75|c\na:0.25|c");
        feed.datagram("from 8f2c6a1e0b7d4c93a5e1f07b 10 1\nincrement a 5 5\na:0.5|c");

        assertThat(ledger.value("a")).as("2 + 3 - 1 + 5 + 0.5").isEqualTo(10);
    }

    @Test
    void each_counter_has_its_own_rest() {
        feed.datagram("a:0.25|c\nb:0.25|c\na,k=v:0.25|c\na:1|c|#k:v\na:0.25|c|#k:v");

        assertThat(ledger.value("a")).isZero();
        assertThat(ledger.value("b")).isZero();
        assertThat(ledger.value("a,k=v")).isEqualTo(2);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void random_lines_add_up_exactly_through_failed_commits_and_crashes(int seed) {
        Random random = new Random(seed);
        BigDecimal exact = BigDecimal.ZERO;
        BigDecimal committed = BigDecimal.ZERO;
        for (int i = 0; i < 300; i++) {
            BigDecimal value = BigDecimal.valueOf(random.nextInt(4001) - 2000, random.nextInt(5));
            feed.datagram("a:" + value + "|c");
            exact = exact.add(value);
            assertThat(ledger.value("a"))
                    .isEqualTo(exact.add(new BigDecimal("0.5"))
                            .setScale(0, RoundingMode.FLOOR)
                            .longValueExact());
            switch (random.nextInt(20)) {
                case 0 -> disk.fail(ledger);
                case 1 -> {
                    disk.commit(ledger);
                    committed = exact;
                }
                case 2 -> {
                    ledger = ledger(LedgerSettings.in(Path.of("unused")), disk);
                    feed = new Feed(ledger);
                    exact = committed;
                }
                default -> {}
            }
        }
    }

    static IntStream seeds() {
        return IntStream.range(0, 100);
    }

    @Test
    void a_rest_survives_an_orderly_restart() throws Exception {
        for (int life = 0; life < 4; life++) {
            try (KeptLedger kept = new KeptLedger(folder, false)) {
                kept.datagram("a:0.25|c\nb:-0.25|c\nc:1|c");
                kept.commit.run();
            }
        }

        try (KeptLedger kept = new KeptLedger(folder, false)) {
            assertThat(kept.values()).isEqualTo(Map.of("a", 1L, "b", -1L, "c", 4L));
            kept.datagram("a:0.5|c");
            assertThat(kept.value("a")).as("no rest of an earlier run is left").isEqualTo(2);
        }
    }

    @Test
    void a_rest_survives_a_kill_with_its_value() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("a:2.25|c");
            kept.commit.run();
            kept.datagram("a:0.5|c");
            for (String name : new String[] {"ledger.sqlite", "ledger.sqlite-wal"}) {
                Files.copy(folder.resolve(name), other.resolve(name));
            }
        }

        try (KeptLedger kept = new KeptLedger(other, false)) {
            kept.datagram("a:0.24|c");
            assertThat(kept.value("a")).as("2.49").isEqualTo(2);
            kept.datagram("a:0.01|c");
            assertThat(kept.value("a")).as("2.5").isEqualTo(3);
        }
    }

    @Test
    void the_rests_of_a_failed_commit_are_in_the_next_one() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("a:1|c");
            kept.commit.run();
            sql("ALTER TABLE rest RENAME TO hidden");
            kept.datagram("a:0.25|c");
            assertThat(kept.commit.run()).isFalse();
            sql("ALTER TABLE hidden RENAME TO rest");
            assertThat(kept.commit.run()).isTrue();
        }
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("a:0.25|c");
            assertThat(kept.value("a")).as("1.5").isEqualTo(2);
        }
    }

    @Test
    void only_blocks_with_changed_rests_are_written() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            for (int i = 0; i < 3 * Values.BLOCK; i++) {
                kept.datagram("counter." + i + ":1|c");
            }
            kept.datagram("counter." + 2 * Values.BLOCK + ":0.25|c");
            kept.commit.run();
            assertThat(sql("SELECT count(*) * 1000 + min(block) FROM rest")).isEqualTo(1002);
            sql("DELETE FROM rest");

            kept.datagram("counter." + 2 * Values.BLOCK + ":1|c");
            kept.commit.run();

            assertThat(sql("SELECT count(*) FROM rest")).isZero();
        }
    }

    @Test
    void a_ledger_of_a_version_without_rests_is_read_and_gets_them() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("a:7|c");
            kept.commit.run();
        }
        OlderLedger.toFormat3(folder);
        sql("DROP TABLE rest");

        for (int life = 0; life < 2; life++) {
            try (KeptLedger kept = new KeptLedger(folder, false)) {
                kept.datagram("a:0.25|c");
                assertThat(kept.value("a")).isEqualTo(7 + life);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "UPDATE rest SET numbers = x'00', rests of counters are truncated",
        "UPDATE rest SET block = 7, table rest has counters without a name"
    })
    void rests_that_contradict_the_counters_count_as_damage(String damage, String said) throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("a:7.25|c");
            kept.commit.run();
        }
        sql(damage);

        try (KeptLedger kept = new KeptLedger(folder, false)) {
            assertThat(kept.file.damage()).isEqualTo(said);
            assertThat(kept.values()).isEmpty();
        }
    }

    @Test
    void fractions_of_names_without_room_add_up_in_the_overflow_counter() {
        long names = 2 * NameTable.memory(1);
        ledger = ledger(new LedgerSettings(Path.of("unused"), names, names, 10, 10, 10, 1000));
        feed = new Feed(ledger);

        feed.datagram("a:0.25|c\nb:0.25|c\nc:0.25|c\nd:0.25|c\ne:0.25|c|@0.5\na:0.25|c");

        assertThat(ledger.value(Ledger.OVERFLOW)).isEqualTo(1);
        assertThat(ledger.value("a")).isEqualTo(1);
        assertThat(ledger.size()).isEqualTo(3);
    }

    private long sql(String text) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            if (!statement.execute(text)) {
                return 0;
            }
            try (ResultSet row = statement.getResultSet()) {
                return row.next() ? row.getLong(1) : 0;
            }
        }
    }
}
