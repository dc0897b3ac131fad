package io.counters.collector.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
@Tag("slow")
class HistoryTest {
    private static final long BEGIN = 1_700_006_400 / 86_400 * 86_400;
    private static final long HOUR = 3600;
    private static final long DAY = 24 * HOUR;

    @TempDir
    Path folder;

    private KeptHistory open(long ticks, long minutes, long hours, long bytes, int counters) {
        return new KeptHistory(KeptHistory.in(folder, ticks, minutes, hours, bytes, counters));
    }

    @Test
    void an_unchanged_value_has_a_sample_at_every_tick() throws Exception {
        try (KeptHistory kept = new KeptHistory(KeptHistory.in(folder))) {
            kept.counters.put("a", 1L);
            kept.ticks(BEGIN, BEGIN + 20);
            kept.counters.put("a", 2L);
            kept.tick(BEGIN + 30);

            assertThat(kept.samples("a", BEGIN, BEGIN + 30))
                    .isEqualTo(String.format("%d=1 %d=1 %d=1 %d=2", BEGIN, BEGIN + 10, BEGIN + 20, BEGIN + 30));
            assertThat(kept.samples("a", BEGIN + 11, BEGIN + 29)).isEqualTo((BEGIN + 20) + "=1");
            assertThat(kept.samples("a", BEGIN + 30, BEGIN)).isEmpty();
            assertThat(kept.samples("b", BEGIN, BEGIN + 30)).isEmpty();
        }
    }

    @Test
    void a_time_without_ticks_is_a_gap() throws Exception {
        try (KeptHistory kept = new KeptHistory(KeptHistory.in(folder))) {
            kept.counters.put("a", 1L);
            kept.tick(BEGIN);
            kept.restart();
            kept.tick(BEGIN + 1000);

            assertThat(kept.samples("a", BEGIN, BEGIN + 1000))
                    .isEqualTo(String.format("%d=1 %d=1", BEGIN, BEGIN + 1000));
        }
    }

    @Test
    void a_counter_has_no_samples_before_its_first_count_and_after_its_removal() throws Exception {
        try (KeptHistory kept = new KeptHistory(KeptHistory.in(folder))) {
            kept.counters.put("a", 1L);
            kept.ticks(BEGIN, BEGIN + 20);
            kept.counters.put("b", 5L);
            kept.ticks(BEGIN + 30, BEGIN + 40);
            kept.counters.remove("a");
            kept.ticks(BEGIN + 50, BEGIN + 60);

            assertThat(kept.samples("b", 0, BEGIN + DAY))
                    .startsWith((BEGIN + 30) + "=5")
                    .endsWith((BEGIN + 60) + "=5");
            assertThat(kept.samples("a", BEGIN + 40, BEGIN + DAY)).isEqualTo((BEGIN + 40) + "=1");
            assertThat(kept.history.names("", 10)).containsExactly("a", "b");
            assertThat(kept.history.names("b", 10)).containsExactly("b");
            assertThat(kept.history.names("", 1)).containsExactly("a");
            assertThat(kept.history.extent("a")).contains(new History.Extent(BEGIN, BEGIN + 40));
            assertThat(kept.history.extent("b")).contains(new History.Extent(BEGIN + 30, BEGIN + 60));
            assertThat(kept.history.extent("c")).isEqualTo(Optional.empty());
        }
    }

    @Test
    void a_long_range_is_read_from_a_coarse_resolution_and_ends_with_the_last_tick() throws Exception {
        try (KeptHistory kept = new KeptHistory(KeptHistory.in(folder))) {
            for (long second = BEGIN; second <= BEGIN + 2 * HOUR + 320; second += 10) {
                kept.counters.merge("a", 1L, Long::sum);
                kept.tick(second);
            }
            long end = BEGIN + 2 * HOUR + 320;

            List<Long> hours = seconds(kept.history.samples("a", BEGIN, end, 3600));
            List<Long> minutes = seconds(kept.history.samples("a", BEGIN, end, 300));

            assertThat(hours)
                    .containsExactly(
                            BEGIN, BEGIN + HOUR, BEGIN + 2 * HOUR, BEGIN + 2 * HOUR + 300, BEGIN + 2 * HOUR + 310, end);
            assertThat(minutes).hasSize(26 + 2).startsWith(BEGIN, BEGIN + 300).endsWith(end - 20, end - 10, end);
            assertThat(seconds(kept.history.samples("a", BEGIN, end))).hasSize(753);
            assertThat(kept.samples("a", BEGIN, BEGIN + HOUR, 3600))
                    .isEqualTo(String.format("%d=1 %d=361", BEGIN, BEGIN + HOUR));
            assertThat(kept.history.samples("a", BEGIN, end, 3599).stepSeconds())
                    .isEqualTo(300);
        }
    }

    private static List<Long> seconds(Samples samples) {
        List<Long> seconds = new ArrayList<>();
        for (long second : samples.seconds()) {
            seconds.add(second);
        }
        return seconds;
    }

    @Test
    void samples_that_a_resolution_no_longer_has_come_from_the_next_coarser_one() throws Exception {
        try (KeptHistory kept = open(HOUR, 3 * HOUR, 30 * DAY, 1L << 30, 100)) {
            for (long second = BEGIN; second <= BEGIN + 8 * HOUR; second += 20) {
                kept.counters.merge("a", 1L, Long::sum);
                kept.tick(second);
            }

            List<Long> seconds = seconds(kept.history.samples("a", 0, BEGIN + DAY));

            assertThat(seconds)
                    .startsWith(BEGIN, BEGIN + HOUR, BEGIN + 2 * HOUR)
                    .isSorted();
            // A little more is kept, because the time of the newest ticks is not trusted yet.
            assertThat(first(seconds, HOUR)).isBetween(BEGIN + 3 * HOUR, BEGIN + 5 * HOUR);
            assertThat(first(seconds, 300)).isBetween(BEGIN + 5 * HOUR, BEGIN + 7 * HOUR);
            assertThat(kept.counted("history_dropped_points_total")).isZero();
        }
    }

    /** The first second that is not a multiple of this step. */
    private static long first(List<Long> seconds, long step) {
        return seconds.stream().filter(second -> second % step != 0).findFirst().orElseThrow();
    }

    @Tag("slow")
    @Test
    void old_blocks_are_deleted_and_their_pages_are_used_again() throws Exception {
        try (KeptHistory kept = open(HOUR, 0, 0, 1L << 30, 500)) {
            Random random = new Random(1);
            long size = 0;
            long second = BEGIN;
            for (int tick = 0; tick < 1500; tick++, second += 100) {
                for (int i = 0; i < 500; i++) {
                    kept.counters.merge("counter" + i, (long) random.nextInt(100_000), Long::sum);
                }
                kept.tick(second);
                if (tick == 500) {
                    size = Files.size(kept.settings.file());
                }
            }

            assertThat(Files.size(kept.settings.file())).isBetween(size / 2, size * 5 / 4);
        }
    }

    @Test
    void if_the_file_is_full_the_oldest_values_of_the_largest_resolution_are_deleted_and_counted() throws Exception {
        long bytes = 1 << 20;
        try (KeptHistory kept = open(48 * HOUR, 30 * DAY, 700 * DAY, bytes, 500)) {
            long second = BEGIN;
            Random random = new Random(1);
            for (int tick = 0; tick < 900; tick++, second += 10) {
                for (int i = 0; i < 500; i++) {
                    kept.counters.merge("counter" + i, (long) random.nextInt(100_000), Long::sum);
                }
                kept.tick(second);
            }
            long last = second - 10;

            assertThat(Files.size(kept.settings.file())).isLessThan(bytes + (512 << 10));
            assertThat(kept.counted("history_dropped_points_total")).isGreaterThan(100_000);
            assertThat(kept.said.lines().get(0))
                    .contains("its oldest values were deleted", "to keep more, raise --history-bytes");
            assertThat(kept.samples("counter7", last, last)).isEqualTo(last + "=" + kept.counters.get("counter7"));
            List<Long> fine = seconds(kept.history.samples("counter7", BEGIN, last));
            assertThat(fine).as("hours and minutes are still there").startsWith(BEGIN, BEGIN + 300);
            kept.restart();
            List<Long> again = seconds(kept.history.samples("counter7", BEGIN, last));
            assertThat(again).isEqualTo(fine);
        }
    }

    @Test
    void a_smaller_bound_makes_the_file_smaller() throws Exception {
        HistorySettings large = KeptHistory.in(folder, 48 * HOUR, 0, 0, 1L << 30, 500);
        long second = BEGIN;
        try (KeptHistory kept = new KeptHistory(large)) {
            Random random = new Random(1);
            for (int tick = 0; tick < 700; tick++, second += 10) {
                for (int i = 0; i < 500; i++) {
                    kept.counters.merge("counter" + i, (long) random.nextInt(100_000), Long::sum);
                }
                kept.tick(second);
            }
        }
        assertThat(Files.size(large.file())).isGreaterThan(1_500_000);

        try (KeptHistory kept = open(48 * HOUR, 0, 0, 1 << 19, 500)) {
            kept.counters.put("counter1", 1L);
            kept.ticks(second, second + 300);
            assertThat(kept.counted("history_lost_ticks_total")).isZero();
        }

        assertThat(Files.size(large.file())).isLessThan(1 << 20);
    }

    @Test
    void a_clock_that_is_set_back_loses_no_samples() throws Exception {
        try (KeptHistory kept = new KeptHistory(KeptHistory.in(folder))) {
            kept.counters.put("a", 1L);
            kept.ticks(BEGIN + 100, BEGIN + 130);
            kept.counters.put("a", 2L);
            kept.ticks(BEGIN + 111, BEGIN + 131);
            kept.restart();
            kept.counters.put("a", 3L);
            kept.tick(BEGIN + 141);

            assertThat(kept.samples("a", BEGIN, BEGIN + DAY).replace("" + BEGIN / 1000, ""))
                    .isEqualTo(String.format(
                                    "%d=1 %d=1 %d=2 %d=1 %d=2 %d=1 %d=2 %d=3",
                                    BEGIN + 100,
                                    BEGIN + 110,
                                    BEGIN + 111,
                                    BEGIN + 120,
                                    BEGIN + 121,
                                    BEGIN + 130,
                                    BEGIN + 131,
                                    BEGIN + 141)
                            .replace("" + BEGIN / 1000, ""));
            assertThat(kept.history.lastSecond()).isEqualTo(BEGIN + 141);
        }
    }

    @Test
    void a_clock_that_is_a_year_ahead_for_a_moment_deletes_nothing() throws Exception {
        try (KeptHistory kept = new KeptHistory(KeptHistory.in(folder))) {
            kept.counters.put("a", 1L);
            kept.ticks(BEGIN, BEGIN + HOUR);
            kept.counters.put("a", 2L);
            kept.ticks(BEGIN + 365 * DAY, BEGIN + 365 * DAY + 600);
            kept.counters.put("a", 3L);
            kept.ticks(BEGIN + HOUR + 10, BEGIN + 4 * HOUR);

            assertThat(seconds(kept.history.samples("a", BEGIN, BEGIN + DAY))).hasSize(4 * 360 + 1);
            assertThat(kept.samples("a", BEGIN + HOUR, BEGIN + HOUR + 10))
                    .isEqualTo(String.format("%d=1 %d=3", BEGIN + HOUR, BEGIN + HOUR + 10));
        }
    }

    @Test
    void a_second_that_a_new_ledger_publishes_again_has_the_newer_value() throws Exception {
        try (KeptHistory kept = new KeptHistory(KeptHistory.in(folder))) {
            kept.counters.put("a", 100L);
            kept.ticks(BEGIN, BEGIN + 20);
            kept.restart();
            kept.counters.put("a", 0L);
            kept.ticks(BEGIN + 20, BEGIN + 30);

            assertThat(kept.samples("a", BEGIN + 10, BEGIN + 30))
                    .isEqualTo(String.format("%d=100 %d=0 %d=0", BEGIN + 10, BEGIN + 20, BEGIN + 30));
        }
    }

    @Test
    void a_counter_that_moves_replaces_one_that_has_not_moved_for_an_hour() throws Exception {
        try (KeptHistory kept = open(48 * HOUR, 30 * DAY, 700 * DAY, 1L << 30, 2)) {
            kept.counters.put("a", 1L);
            kept.tick(BEGIN);
            kept.counters.put("b", 1L);
            kept.tick(BEGIN + 10);
            kept.counters.put("c", 1L);
            kept.tick(BEGIN + 20);
            assertThat(kept.history.names("", 9))
                    .as("who never moved gives way at once")
                    .containsExactly("a", "b", "c");
            kept.counters.put("d", 1L);
            kept.tick(BEGIN + 30);
            assertThat(kept.samples("d", 0, BEGIN + DAY)).isEmpty();
            assertThat(kept.counted("history_left_out_counters")).isEqualTo(1);
            kept.counters.put("c", 2L);
            kept.ticks(BEGIN + 40, BEGIN + HOUR + 10);

            kept.counters.put("d", 2L);
            kept.tick(BEGIN + HOUR + 20);

            assertThat(kept.samples("d", 0, BEGIN + DAY)).isEqualTo((BEGIN + HOUR + 20) + "=2");
            assertThat(kept.samples("b", BEGIN + HOUR, BEGIN + DAY))
                    .isEqualTo(String.format("%d=1 %d=1", BEGIN + HOUR, BEGIN + HOUR + 10));
            assertThat(kept.samples("c", BEGIN + HOUR + 20, BEGIN + DAY)).isEqualTo((BEGIN + HOUR + 20) + "=2");
            assertThat(kept.counted("history_counters")).isEqualTo(2);
            assertThat(kept.counted("history_left_out_counters")).isZero();
        }
    }

    @Test
    void if_there_are_too_many_counters_those_that_move_are_kept() throws Exception {
        try (KeptHistory kept = open(48 * HOUR, 0, 0, 1L << 30, 100)) {
            for (int i = 0; i < 5000; i++) {
                kept.counters.put("counter" + i, 1L);
            }
            kept.tick(BEGIN);
            for (int i = 3000; i < 3090; i++) {
                kept.counters.put("counter" + i, 2L);
            }
            kept.tick(BEGIN + 10);

            assertThat(kept.history.samples("counter3000", BEGIN, BEGIN + 10).size())
                    .isEqualTo(1);
            assertThat(kept.history.samples("counter3089", BEGIN, BEGIN + 10).size())
                    .isEqualTo(1);
            assertThat(kept.counted("history_counters")).isEqualTo(100);
            assertThat(kept.counted("history_left_out_counters")).isZero();
        }
    }

    @Test
    void a_smaller_limit_keeps_the_counters_that_moved_last() throws Exception {
        try (KeptHistory kept = open(48 * HOUR, 0, 0, 1L << 30, 10)) {
            for (int i = 0; i < 10; i++) {
                kept.counters.put("counter" + i, 1L);
                kept.tick(BEGIN + 10L * i);
            }
        }
        try (KeptHistory kept = open(48 * HOUR, 0, 0, 1L << 30, 3)) {
            for (int i = 0; i < 10; i++) {
                kept.counters.put("counter" + i, 1L);
            }
            kept.tick(BEGIN + 100);

            assertThat(kept.counted("history_counters")).isEqualTo(3);
            assertThat(kept.history
                            .samples("counter9", BEGIN + 100, BEGIN + 100)
                            .size())
                    .isEqualTo(1);
            assertThat(kept.history
                            .samples("counter0", BEGIN + 100, BEGIN + 100)
                            .size())
                    .isZero();
        }
    }

    @Test
    void after_a_restart_those_are_still_known_that_moved_last() throws Exception {
        try (KeptHistory kept = open(48 * HOUR, 0, 0, 1L << 30, 10)) {
            for (int i = 0; i < 10; i++) {
                kept.counters.put("counter" + i, 1L);
            }
            kept.tick(BEGIN);
            for (int i = 9; i >= 0; i--) {
                kept.counters.put("counter" + i, 2L);
                kept.tick(BEGIN + 100 - 10L * i);
            }
        }
        try (KeptHistory kept = open(48 * HOUR, 0, 0, 1L << 30, 3)) {
            for (int i = 0; i < 10; i++) {
                kept.counters.put("counter" + i, 2L);
            }
            kept.tick(BEGIN + 110);

            for (int i = 0; i < 10; i++) {
                assertThat(kept.samples("counter" + i, BEGIN + 110, BEGIN + 110))
                        .as("counter" + i)
                        .isEqualTo(i < 3 ? (BEGIN + 110) + "=2" : "");
            }
        }
    }

    @Test
    void after_a_restart_a_counter_that_rests_still_gives_way() throws Exception {
        try (KeptHistory kept = open(48 * HOUR, 0, 0, 1L << 30, 2)) {
            kept.counters.put("rests", 1L);
            kept.tick(BEGIN);
            kept.counters.put("rests", 2L);
            for (long second = BEGIN + 10; second <= BEGIN + 2 * HOUR; second += 10) {
                kept.counters.merge("moves", 1L, Long::sum);
                kept.tick(second);
            }
            kept.restart();
            kept.tick(BEGIN + 2 * HOUR + 10);
            kept.counters.put("new", 1L);
            kept.counters.merge("moves", 1L, Long::sum);
            kept.tick(BEGIN + 2 * HOUR + 20);

            assertThat(kept.samples("new", 0, BEGIN + DAY)).isEqualTo((BEGIN + 2 * HOUR + 20) + "=1");
            assertThat(kept.samples("rests", BEGIN + 2 * HOUR + 20, BEGIN + DAY))
                    .isEmpty();
        }
    }

    @Test
    void a_counter_that_appears_when_another_is_removed_is_kept_from_then_on() throws Exception {
        try (KeptHistory kept = open(48 * HOUR, 0, 0, 1L << 30, 10)) {
            kept.counters.put("a", 1L);
            kept.counters.put("b", 1L);
            kept.tick(BEGIN);
            kept.counters.remove("a");
            kept.counters.put("new", 5L);
            kept.ticks(BEGIN + 10, BEGIN + 20);
            kept.counters.put("a", 3L);
            kept.counters.put("newer", 7L);
            kept.tick(BEGIN + 30);

            assertThat(kept.samples("new", 0, BEGIN + DAY))
                    .isEqualTo(String.format("%d=5 %d=5 %d=5", BEGIN + 10, BEGIN + 20, BEGIN + 30));
            assertThat(kept.samples("a", 0, BEGIN + DAY)).isEqualTo(String.format("%d=1 %d=3", BEGIN, BEGIN + 30));
            assertThat(kept.samples("newer", 0, BEGIN + DAY)).isEqualTo((BEGIN + 30) + "=7");
            assertThat(kept.history.samples("b", 0, BEGIN + DAY).size()).isEqualTo(4);
        }
    }

    @Test
    void a_tick_that_fails_for_any_reason_is_lost_alone_and_told() throws Exception {
        try (KeptHistory kept = new KeptHistory(KeptHistory.in(folder))) {
            kept.counters.put("a", 1L);
            kept.counters.put("b", 1L);
            kept.tick(BEGIN);
            assertThat(kept.history.trouble()).isEmpty();

            kept.history.put(BEGIN + 10, new Snapshot(new String[] {"a", "b"}, new long[] {2}, 2));
            assertThat(kept.history.trouble().orElseThrow())
                    .startsWith("cannot write the history " + kept.settings.file() + ": ")
                    .contains("ArrayIndexOutOfBounds");
            assertThat(kept.counted("history_lost_ticks_total")).isEqualTo(1);

            kept.history.missed();
            assertThat(kept.counted("history_lost_ticks_total")).isEqualTo(2);

            kept.counters.put("a", 3L);
            kept.tick(BEGIN + 20);
            assertThat(kept.history.trouble()).isEmpty();
            String samples = String.format("%d=1 %d=3", BEGIN, BEGIN + 20);
            assertThat(kept.samples("a", 0, BEGIN + DAY)).isEqualTo(samples);
            kept.restart();
            assertThat(kept.samples("a", 0, BEGIN + DAY)).isEqualTo(samples);
        }
    }

    @Test
    void names_of_which_nothing_is_left_are_forgotten() throws Exception {
        try (KeptHistory kept = open(HOUR, 0, 0, 1L << 30, 100)) {
            kept.counters.put("a", 1L);
            kept.counters.put("old", 1L);
            kept.tick(BEGIN);
            kept.counters.remove("old");
            for (long second = BEGIN + 10; second < BEGIN + 5 * HOUR; second += 30) {
                kept.counters.merge("a", 1L, Long::sum);
                kept.tick(second);
            }

            assertThat(kept.history.names("", 10)).containsExactly("a");
            assertThat(kept.history.extent("old")).isEmpty();
        }
    }

    @Test
    void a_damaged_file_is_set_aside_and_a_new_one_begins() throws Exception {
        HistorySettings settings = KeptHistory.in(folder);
        try (KeptHistory kept = new KeptHistory(settings)) {
            kept.counters.put("a", 1L);
            kept.ticks(BEGIN, BEGIN + 100);
        }
        overwrite(settings.file(), 0, 512);

        try (KeptHistory kept = new KeptHistory(settings)) {
            kept.counters.put("a", 2L);
            kept.tick(BEGIN + 200);

            assertThat(kept.samples("a", 0, BEGIN + DAY)).isEqualTo((BEGIN + 200) + "=2");
            assertThat(folder.resolve("history.damaged-1.db")).exists();
        }
    }

    /** Each change is one that a disk can make, and that SQLite does not notice when it reads the whole file. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "ALTER TABLE ticks_tick RENAME COLUMN second TO second2",
                "DROP TABLE hours_state",
                "CREATE TRIGGER other BEFORE INSERT ON ticks_tick BEGIN SELECT RAISE(ABORT, 'no'); END",
                "UPDATE ticks_run SET last = last + 10000003",
                "UPDATE ticks_run SET last = first - 10",
                "UPDATE ticks_run SET step = 0",
                "INSERT INTO ticks_run SELECT id + 1, era, first, last, step FROM ticks_run",
                "CREATE TABLE other AS SELECT id, NULL AS name, since, kept FROM series; DROP TABLE series;"
                        + " ALTER TABLE other RENAME TO series",
                "CREATE TABLE other AS SELECT id, second, NULL AS data FROM ticks_tick; DROP TABLE ticks_tick;"
                        + " ALTER TABLE other RENAME TO ticks_tick"
            })
    void a_file_that_cannot_be_used_is_set_aside_after_two_ticks_at_most(String damage) throws Exception {
        HistorySettings settings = KeptHistory.in(folder);
        try (KeptHistory kept = new KeptHistory(settings)) {
            kept.counters.put("a", 1L);
            kept.ticks(BEGIN, BEGIN + 100);
        }
        for (String sql : damage.split("; (?=[A-Z]+ )(?!END)", -1)) {
            execute(settings.file(), sql);
        }

        try (KeptHistory kept = new KeptHistory(settings)) {
            for (long tick = 0; tick < 3; tick++) {
                kept.counters.put("a", 2 + tick);
                kept.tick(BEGIN + 200 + 10 * tick);
            }

            assertThat(kept.history.trouble()).isEmpty();
            assertThat(kept.samples("a", 0, BEGIN + DAY))
                    .endsWith((BEGIN + 220) + "=4")
                    .doesNotContain((BEGIN + 100) + "=");
            assertThat(folder.resolve("history.damaged-1.db")).exists();
            assertThat(folder.resolve("history.damaged-2.db")).doesNotExist();
            assertThat(kept.counted("history_lost_ticks_total")).isLessThanOrEqualTo(2);
            assertThat(kept.said.lines()).noneMatch(line -> line.contains("NullPointerException"));
        }
    }

    @Test
    void more_samples_than_memory_allows_are_not_read() throws Exception {
        HistorySettings settings = KeptHistory.in(folder);
        try (KeptHistory kept = new KeptHistory(settings)) {
            kept.counters.put("a", 1L);
            kept.ticks(BEGIN, BEGIN + 100);
        }
        execute(settings.file(), "UPDATE ticks_run SET first = last - 1600000000");

        try (KeptHistory kept = new KeptHistory(settings)) {
            assertThatThrownBy(() -> kept.samples("a", 0, BEGIN + DAY))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("ask for a shorter time or a longer step");
            assertThat(kept.samples("a", BEGIN + 90, BEGIN + DAY))
                    .isEqualTo(String.format("%d=1 %d=1", BEGIN + 90, BEGIN + 100));
        }
    }

    @Test
    void damage_that_a_reader_finds_is_checked_at_the_next_tick() throws Exception {
        HistorySettings settings = KeptHistory.in(folder);
        try (KeptHistory kept = new KeptHistory(settings)) {
            for (int tick = 0; tick < 300; tick++) {
                for (int i = 0; i < 100; i++) {
                    kept.counters.merge("counter" + i, 1L + tick * i % 1009, Long::sum);
                }
                kept.tick(BEGIN + 10L * tick);
            }
        }
        for (long page : numbers(settings.file(), "SELECT pageno FROM dbstat WHERE name = 'ticks_block'")) {
            overwrite(settings.file(), (page - 1) * 4096, 4096);
        }

        try (KeptHistory kept = new KeptHistory(settings)) {
            assertThat(folder.resolve("history.damaged-1.db")).doesNotExist();
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 20; i++) {
                            kept.history.samples("counter" + i, 0, BEGIN + DAY);
                        }
                    })
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cannot read the history");
            kept.counters.put("counter0", 5L);
            kept.tick(BEGIN + DAY);

            assertThat(kept.samples("counter0", 0, BEGIN + DAY)).isEqualTo((BEGIN + DAY) + "=5");
            assertThat(folder.resolve("history.damaged-1.db")).exists();
        }
    }

    private static List<Long> numbers(Path file, String query) throws SQLException {
        List<Long> numbers = new ArrayList<>();
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            while (row.next()) {
                numbers.add(row.getLong(1));
            }
        }
        return numbers;
    }

    private static void execute(Path file, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static void overwrite(Path file, long at, int bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ByteBuffer nonsense = ByteBuffer.allocate(bytes);
            while (nonsense.hasRemaining()) {
                nonsense.put((byte) 0x5a);
            }
            channel.write(nonsense.flip(), at);
        }
    }

    @Test
    void a_block_that_cannot_be_read_leaves_a_gap_of_its_own_range_only() throws Exception {
        HistorySettings settings = KeptHistory.in(folder);
        try (KeptHistory kept = new KeptHistory(settings)) {
            for (int tick = 0; tick < 400; tick++) {
                kept.counters.merge("a", tick * 7919L % 1009, Long::sum);
                kept.counters.merge("b", tick * 7919L % 1009, Long::sum);
                kept.tick(BEGIN + 10L * tick);
            }
        }
        execute(
                settings.file(),
                "UPDATE ticks_block SET data = x'ff' WHERE id = (SELECT min(id) FROM ticks_block WHERE series = 1)");

        try (KeptHistory kept = new KeptHistory(settings)) {
            assertThatThrownBy(() -> kept.samples("a", BEGIN, BEGIN + DAY))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("a row is cut off");
            assertThat(kept.history.samples("b", BEGIN, BEGIN + DAY).size()).isEqualTo(400);
            assertThat(kept.history.samples("a", BEGIN + 3900, BEGIN + DAY).size())
                    .isEqualTo(10);
            kept.tick(BEGIN + 4000);
            assertThat(kept.said.lines()).isEmpty();
        }
    }

    @Test
    void a_file_of_another_version_is_not_changed() throws Exception {
        HistorySettings settings = KeptHistory.in(folder);
        new KeptHistory(settings).close();
        execute(settings.file(), "PRAGMA user_version = 99");

        try (KeptHistory kept = new KeptHistory(settings)) {
            kept.counters.put("a", 1L);
            kept.tick(BEGIN);

            assertThat(kept.said.lines().get(0))
                    .contains("it has format 99, which a newer version of the collector has written");
            assertThat(kept.history.trouble().orElseThrow()).contains("it has format 99");
            assertThat(kept.counted("history_lost_ticks_total")).isEqualTo(1);
            assertThatThrownBy(() -> kept.samples("a", 0, 1)).isInstanceOf(IOException.class);
        }
        assertThat(folder.toFile().list()).noneMatch(name -> name.contains("damaged"));
    }

    @Test
    void a_resolution_that_is_off_keeps_nothing() throws Exception {
        try (KeptHistory kept = new KeptHistory(KeptHistory.in(folder))) {
            kept.counters.put("a", 1L);
            kept.tick(BEGIN);
            kept.counters.put("left", 1L);
            kept.tick(BEGIN + 10);
            kept.counters.remove("left");
            kept.ticks(BEGIN + 20, BEGIN + 700);
            assertThat(kept.history.names("", 10)).containsExactly("a", "left");
        }
        try (KeptHistory kept = open(0, 30 * DAY, 0, 1L << 30, 10)) {
            assertThat(kept.history.names("", 10))
                    .as("names of which nothing is left")
                    .containsExactly("a");
            assertThat(kept.samples("a", 0, BEGIN + DAY))
                    .isEqualTo(String.format("%d=1 %d=1 %d=1", BEGIN, BEGIN + 300, BEGIN + 600));
        }
        try (KeptHistory kept = open(DAY, 30 * DAY, 0, 1L << 30, 10)) {
            kept.counters.put("a", 2L);
            kept.tick(BEGIN + 900);
            assertThat(kept.samples("a", 0, BEGIN + DAY))
                    .isEqualTo(String.format("%d=1 %d=1 %d=1 %d=2", BEGIN, BEGIN + 300, BEGIN + 600, BEGIN + 900));
        }
    }

    @Test
    void with_the_history_off_there_is_no_file_and_every_answer_is_empty() throws Exception {
        try (KeptHistory kept = open(DAY, DAY, DAY, 1L << 30, 0)) {
            kept.counters.put("a", 1L);
            kept.tick(BEGIN);

            assertThat(kept.samples("a", 0, BEGIN + DAY)).isEmpty();
            assertThat(kept.history.names("", 10)).isEmpty();
            assertThat(kept.history.extent("a")).isEmpty();
            assertThat(kept.history.countersMax()).isZero();
            assertThat(kept.settings.file()).doesNotExist();
        }
    }

    @Test
    void readers_see_complete_ticks_while_others_are_written() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try (KeptHistory kept = new KeptHistory(KeptHistory.in(folder))) {
            kept.counters.put("a", 0L);
            kept.tick(BEGIN);
            List<Future<Integer>> readers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                readers.add(threads.submit(() -> {
                    int reads = 0;
                    int size = 0;
                    while (size < 300) {
                        Samples samples = kept.history.samples("a", BEGIN, BEGIN + DAY);
                        assertThat(samples.size()).isGreaterThanOrEqualTo(size);
                        size = samples.size();
                        for (int sample = 0; sample < size; sample++) {
                            assertThat(samples.seconds()[sample]).isEqualTo(BEGIN + 10L * sample);
                            assertThat(samples.values()[sample]).isEqualTo(1000L * sample);
                        }
                        reads++;
                    }
                    return reads;
                }));
            }
            for (int tick = 1; tick < 300; tick++) {
                kept.counters.put("a", 1000L * tick);
                kept.tick(BEGIN + 10L * tick);
            }
            for (Future<Integer> reader : readers) {
                assertThat(reader.get()).isPositive();
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
