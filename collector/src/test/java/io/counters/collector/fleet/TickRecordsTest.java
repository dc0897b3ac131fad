package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.ledger.Snapshot;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TickRecordsTest {
    private static final long SECOND = 1_700_000_010L;

    @Test
    void a_record_has_the_documented_bytes() {
        List<byte[]> records = TickRecords.write(SECOND, snapshot(new String[] {"a,b=c"}, -2));

        assertThat(records).hasSize(1);
        assertThat(HexFormat.of().formatHex(records.get(0)))
                .isEqualTo("01" + "000000006553f10a" + "00000000" + "00000001" + "00000001" + "00000000" + "0005"
                        + "612c623d63" + "fffffffffffffffe");
    }

    @Test
    void a_record_with_facts_has_the_documented_bytes_and_is_read() throws Exception {
        Snapshot values = new Snapshot(
                new String[] {"a,b=c"},
                new long[] {-2},
                null,
                1,
                new Snapshot.Facts(new int[] {0x80000001}, new byte[] {5}));

        List<byte[]> records = TickRecords.write(SECOND, values);

        assertThat(HexFormat.of().formatHex(records.get(0)))
                .isEqualTo("02" + "000000006553f10a" + "00000000" + "00000001" + "00000001" + "00000000" + "0005"
                        + "612c623d63" + "fffffffffffffffe" + "80000001" + "05");
        Snapshot read = TickRecords.read(records.get(0)).values();
        assertThat(read.createdSecond(0)).isEqualTo(0x80000001L);
        assertThat(read.isMarked(0, 4)).isTrue();
        assertThat(read.isMarked(0, 2)).isFalse();
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
    void a_large_tick_has_several_records() throws Exception {
        Snapshot values = any(new Random(1), 60_000);

        List<byte[]> records = TickRecords.write(SECOND, values);

        assertThat(records.size()).isGreaterThan(10);
        assertThat(records).allSatisfy(record -> assertThat(record.length).isBetween(1, TickRecords.BYTES_MAX));
        assertSame(readAll(records).get(0), SECOND, values);
        for (int part = 0; part < records.size(); part++) {
            TickRecords.Tick head = TickRecords.head(records.get(part));
            assertThat(head.part()).isEqualTo(part);
            assertThat(head.second()).isEqualTo(SECOND);
            assertThat(head.isLast()).isEqualTo(part == records.size() - 1);
        }
    }

    @Test
    void names_that_are_known_by_their_numbers_are_the_same_strings() throws Exception {
        Snapshot known = snapshot(new String[] {"a", "b", "c"}, 1, 2, 3);
        Snapshot without = new Snapshot(new String[] {"b", "c"}, new long[] {2, 4}, new int[] {1, 2}, 2);
        byte[] all = TickRecords.write(1, snapshot(new String[] {"a", "x", "c", "d"}, 1, 2, 3, 4))
                .get(0);
        byte[] some = TickRecords.write(1, without).get(0);

        Snapshot first = TickRecords.read(all, known).values();
        Snapshot second = TickRecords.read(some, known).values();
        Snapshot third = TickRecords.read(all, without).values();

        assertThat(first.names()).containsExactly("a", "x", "c", "d");
        assertThat(first.names()[2]).isSameAs(known.names()[2]);
        assertThat(second.numbers()).containsExactly(1, 2);
        assertThat(second.names()[0]).isSameAs(known.names()[1]);
        assertThat(third.names()).containsExactly("a", "x", "c", "d");
        assertThat(third.names()[2]).isSameAs(without.names()[1]);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void other_bytes_are_refused(int seed) {
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

        assertThatThrownBy(() -> TickRecords.read(broken)).isInstanceOf(TickRecords.Unreadable.class);
    }

    @Test
    void a_record_without_a_value_is_not_a_tick() {
        assertThatThrownBy(() -> TickRecords.read(null))
                .isInstanceOf(TickRecords.Unreadable.class)
                .hasMessage("it has no value");
        assertThatThrownBy(() -> TickRecords.head(null)).isInstanceOf(TickRecords.Unreadable.class);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void any_bytes_end_in_a_tick_or_an_error(int seed) {
        Random random = new Random(seed);
        byte[] record = TickRecords.write(SECOND, any(random, 5)).get(0);
        for (int i = 0; i < 20; i++) {
            record[random.nextInt(record.length)] = (byte) random.nextInt();
            try {
                TickRecords.read(record);
            } catch (TickRecords.Unreadable refused) {
                assertThat(refused).hasMessageMatching("it.*|part.*|counter.*");
            }
        }
    }

    /** The tick whose parts these are; none without records. */
    private static List<TickRecords.Tick> readAll(List<byte[]> records) throws TickRecords.Unreadable {
        List<Snapshot> parts = new ArrayList<>();
        for (byte[] record : records) {
            parts.add(TickRecords.read(record).values());
        }
        return parts.isEmpty()
                ? List.of()
                : List.of(
                        new TickRecords.Tick(TickRecords.head(records.get(0)).second(), 0, 1, Snapshot.joined(parts)));
    }

    private static void assertSame(TickRecords.Tick read, long second, Snapshot values) {
        assertThat(read.second()).isEqualTo(second);
        assertThat(read.values().size()).isEqualTo(values.size());
        assertThat(Arrays.copyOf(read.values().names(), values.size()))
                .containsExactly(Arrays.copyOf(values.names(), values.size()));
        assertThat(Arrays.copyOf(read.values().values(), values.size()))
                .containsExactly(Arrays.copyOf(values.values(), values.size()));
        for (int i = 0; i < values.size(); i++) {
            assertThat(read.values().createdSecond(i)).isEqualTo(values.createdSecond(i));
            assertThat(read.values().isMarked(i, 0xff)).isEqualTo(values.isMarked(i, 0xff));
        }
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
        if (random.nextBoolean()) {
            return new Snapshot(names, values, size);
        }
        byte[] marks = new byte[size];
        random.nextBytes(marks);
        return new Snapshot(
                names, values, null, size, new Snapshot.Facts(random.ints(size).toArray(), marks));
    }
}
