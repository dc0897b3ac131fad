package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.ledger.Snapshot;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TickRecordsTest {
    private static final long SECOND = 1_700_000_010L;

    private final TickRecords.Reader reader = new TickRecords.Reader();

    @Test
    void a_record_has_the_documented_bytes() {
        List<byte[]> records = TickRecords.write(SECOND, snapshot(new String[] {"a,b=c"}, -2));

        assertThat(records).hasSize(1);
        assertThat(HexFormat.of().formatHex(records.get(0)))
                .isEqualTo("01" + "000000006553f10a" + "00000000" + "00000001" + "00000001" + "00000000" + "0005"
                        + "612c623d63" + "fffffffffffffffe");
    }

    @Test
    void a_tick_without_counters_has_no_record() {
        assertThat(TickRecords.write(SECOND, snapshot(new String[0]))).isEmpty();
    }

    static IntStream seeds() {
        return IntStream.range(0, 300);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void what_was_written_is_read(int seed) throws Exception {
        Random random = new Random(seed);
        for (int tick = 0; tick < 3; tick++) {
            Snapshot values = any(random, random.nextInt(50));

            List<TickRecords.Tick> read = readAll(TickRecords.write(SECOND + tick, values));

            assertThat(read).hasSize(values.size() == 0 ? 0 : 1);
            for (TickRecords.Tick one : read) {
                assertSame(one, SECOND + tick, values);
            }
        }
    }

    @Test
    void a_large_tick_has_several_records_and_is_read_when_the_last_one_came() throws Exception {
        Snapshot values = any(new Random(1), 60_000);

        List<byte[]> records = TickRecords.write(SECOND, values);

        assertThat(records.size()).isGreaterThan(2);
        assertThat(records).allSatisfy(record -> assertThat(record.length).isLessThanOrEqualTo(TickRecords.BYTES_MAX));
        assertThat(readAll(records.subList(0, records.size() - 1))).isEmpty();
        assertSame(readAll(records.subList(records.size() - 1, records.size())).get(0), SECOND, values);
        assertThat(reader.takeLostPoints()).isZero();
    }

    @Test
    void a_tick_without_its_first_part_is_left_out_and_counted() throws Exception {
        Snapshot values = any(new Random(1), 60_000);
        List<byte[]> records = TickRecords.write(SECOND, values);
        List<byte[]> later = TickRecords.write(SECOND + 10, values);

        assertThat(readAll(records.subList(1, records.size()))).isEmpty();
        assertThat(readAll(later)).hasSize(1);
        assertThat(reader.takeLostPoints()).isBetween(1L, 59_999L);
        assertThat(reader.takeLostPoints()).isZero();
    }

    @Test
    void a_tick_whose_last_part_never_came_is_left_out_and_counted() throws Exception {
        List<byte[]> records = TickRecords.write(SECOND, any(new Random(1), 60_000));
        Snapshot few = snapshot(new String[] {"a"}, 1);

        assertThat(readAll(records.subList(0, 1))).isEmpty();
        assertSame(readAll(TickRecords.write(SECOND + 10, few)).get(0), SECOND + 10, few);
        assertThat(reader.takeLostPoints()).isPositive();
    }

    @Test
    void names_that_stay_are_the_same_strings() throws Exception {
        String[] names = {"a", "b"};
        TickRecords.Tick first = Objects.requireNonNull(
                read(TickRecords.write(1, snapshot(names, 1, 2)).get(0)));
        TickRecords.Tick second = Objects.requireNonNull(
                read(TickRecords.write(2, snapshot(names, 3, 4)).get(0)));
        TickRecords.Tick third =
                Objects.requireNonNull(read(TickRecords.write(3, snapshot(new String[] {"a", "b", "c"}, 3, 4, 5))
                        .get(0)));

        assertThat(second.values().names()).isSameAs(first.values().names());
        assertThat(third.values().names()[1]).isSameAs(first.values().names()[1]);
        assertThat(second.values().values()).startsWith(3, 4);
        assertThat(first.values().values()).startsWith(1, 2);
    }

    @Test
    void numbers_are_those_of_the_ledger_and_find_the_strings_after_a_removal() throws Exception {
        Snapshot all = snapshot(new String[] {"a", "b", "c"}, 1, 2, 3);
        Snapshot without = new Snapshot(new String[] {"b", "c"}, new long[] {2, 4}, new int[] {1, 2}, 2);

        Snapshot first = readAll(TickRecords.write(1, all)).get(0).values();
        Snapshot second = readAll(TickRecords.write(2, without)).get(0).values();
        Snapshot third = readAll(TickRecords.write(3, without)).get(0).values();

        assertThat(first.numbers()).isNull();
        assertThat(second.numbers()).startsWith(1, 2);
        assertThat(second.names()[0]).isSameAs(first.names()[1]);
        assertThat(third.names()).isSameAs(second.names());
        assertThat(third.number(1)).isEqualTo(2);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void other_bytes_are_refused_and_the_next_tick_is_read(int seed) throws Exception {
        Random random = new Random(seed);
        byte[] record = TickRecords.write(SECOND, any(random, 5)).get(0);
        byte[] broken = switch (seed % 3) {
            case 0 -> Arrays.copyOf(record, random.nextInt(record.length));
            case 1 -> Arrays.copyOf(record, record.length + 1 + random.nextInt(20));
            default -> {
                byte[] other = record.clone();
                other[0] = 7;
                yield other;
            }
        };

        assertThatThrownBy(() -> reader.read(broken)).isInstanceOf(TickRecords.Unreadable.class);

        assertThat(readAll(List.of(record))).hasSize(1);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void any_bytes_end_in_a_tick_or_an_error(int seed) {
        Random random = new Random(seed);
        byte[] record = TickRecords.write(SECOND, any(random, 5)).get(0);
        for (int i = 0; i < 20; i++) {
            record[random.nextInt(record.length)] = (byte) random.nextInt();
            try {
                reader.read(record);
            } catch (TickRecords.Unreadable refused) {
                assertThat(refused).hasMessageMatching("it.*|part.*|counter.*");
            }
        }
    }

    private TickRecords.@Nullable Tick read(byte[] record) throws TickRecords.Unreadable {
        return reader.read(record);
    }

    private List<TickRecords.Tick> readAll(List<byte[]> records) throws TickRecords.Unreadable {
        List<TickRecords.Tick> ticks = new ArrayList<>();
        for (byte[] record : records) {
            TickRecords.Tick tick = reader.read(record);
            if (tick != null) {
                ticks.add(tick);
            }
        }
        return ticks;
    }

    private static void assertSame(TickRecords.Tick read, long second, Snapshot values) {
        assertThat(read.second()).isEqualTo(second);
        assertThat(read.values().size()).isEqualTo(values.size());
        assertThat(Arrays.copyOf(read.values().names(), values.size()))
                .containsExactly(Arrays.copyOf(values.names(), values.size()));
        assertThat(Arrays.copyOf(read.values().values(), values.size()))
                .containsExactly(Arrays.copyOf(values.values(), values.size()));
    }

    private static Snapshot snapshot(String[] names, long... values) {
        return new Snapshot(names, values, names.length);
    }

    /** The arrays are longer than the snapshot, as a ledger's may be. */
    private static Snapshot any(Random random, int size) {
        String[] names = new String[size + random.nextInt(3)];
        long[] values = new long[names.length];
        for (int i = 0; i < size; i++) {
            byte[] name = new byte[1 + random.nextInt(40)];
            for (int at = 0; at < name.length; at++) {
                name[at] = (byte) ('a' + random.nextInt(26));
            }
            names[i] = new String(name, StandardCharsets.ISO_8859_1);
            values[i] = random.nextLong();
        }
        return new Snapshot(names, values, size);
    }
}
