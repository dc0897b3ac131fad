package io.counters.collector.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class BlockTest {
    private static final int STEP = 10;

    static LongStream seeds() {
        return LongStream.range(0, 1000);
    }

    /** {@code 100=1 110=2}: the changes of a block. */
    private static String text(Block block) {
        Block.Cursor cursor = block.cursor();
        List<String> changes = new ArrayList<>();
        while (cursor.hasNext()) {
            cursor.next();
            changes.add(cursor.second() + "=" + cursor.value());
        }
        return (cursor.continues() ? cursor.before() : "unknown") + ": " + String.join(" ", changes);
    }

    private static long second(String change) {
        return Long.parseLong(change.substring(0, change.indexOf('=')));
    }

    @ParameterizedTest
    @CsvSource({
        "5, 100=6, 1: one byte for the head; 1 for the value; 1 for the change",
        "5, 100=6 110=7 120=8, regular ones take a byte each",
        "5, 100=6 110=7 150=8, a distance of steps",
        "5, 100=6 111=7 121=8 131=9, seconds that are no multiple of the step",
        "-9223372036854775808, 100=9223372036854775807 110=-9223372036854775808 120=0, from end to end",
        "0, 1700000000=1 1800000000=2, a long distance",
    })
    void a_block_has_what_was_added(long before, String changes, String what) {
        String[] each = changes.split(" ", -1);
        OpenBlock points = new OpenBlock(STEP, 1, second(each[0]), true, before);
        for (String change : each) {
            points.add(second(change), Long.parseLong(change.substring(change.indexOf('=') + 1)));
        }

        assertThat(text(points.block())).as(what).isEqualTo(before + ": " + changes);
    }

    @Test
    void the_value_before_a_new_series_is_not_known() {
        OpenBlock points = new OpenBlock(STEP, 1, 100, false, 77);
        points.add(100, 5);

        assertThat(text(points.block())).isEqualTo("unknown: 100=5");
    }

    @Test
    void a_counter_that_moves_regularly_takes_a_byte_a_change() {
        OpenBlock points = new OpenBlock(STEP, 1, 100, true, 0);
        points.add(100, 1_000_000);
        int size = points.size();
        for (int i = 1; i <= 100; i++) {
            points.add(100 + i * STEP, 1_000_000L * (i + 1) + i % 16);
        }

        assertThat(points.size() - size).isEqualTo(100);
    }

    @Test
    void a_block_without_changes_has_one_value() {
        Block block = OpenBlock.unchanged(STEP, 500, -3);

        assertThat(text(block)).isEqualTo("-3: ");
        assertThat(block.first()).isEqualTo(500);
        assertThat(block.last()).isEqualTo(500);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void random_changes_are_read_as_they_were_written(long seed) {
        Random random = new Random(seed);
        int step = 1 + random.nextInt(3600);
        long second = random.nextInt();
        long before = value(random);
        OpenBlock points = new OpenBlock(step, 1, second, random.nextBoolean(), before);
        StringBuilder wanted = new StringBuilder((points.continues() ? points.before() : "unknown") + ":");
        for (int i = random.nextInt(200); i >= 0; i--) {
            long value = value(random);
            points.add(second, value);
            wanted.append(" ").append(second).append("=").append(value);
            second += random.nextInt(3) == 0 ? 1 + random.nextInt(100_000) : (long) step * (1 + random.nextInt(3));
        }

        assertThat(text(points.block())).isEqualTo(wanted.toString());
    }

    private static long value(Random random) {
        return random.nextLong() >> random.nextInt(64);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void reading_any_bytes_ends(long seed) {
        Random random = new Random(seed);
        byte[] bytes = new byte[random.nextInt(40)];
        random.nextBytes(bytes);

        assertThatCode(() -> {
                    try {
                        text(new Block(0, 0, bytes));
                    } catch (DamagedHistory damaged) {
                        // Reported, if the bytes are cut off.
                        assertThat(damaged).hasMessageContaining("a row");
                    }
                })
                .doesNotThrowAnyException();
    }
}
