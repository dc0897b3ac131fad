package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Records that no ledger has written: a partition with such records must say so, and not fail at each commit. */
class DamagedRecordsTest {
    private static LedgerState state() {
        return new LedgerState(7, new SeededHash(new Random(1)));
    }

    @Test
    @SuppressWarnings("ByteBufferBackingArray") // The buffers wrap their keys.
    void a_total_of_a_counter_without_a_name_is_damage() {
        Ledger ledger =
                new Ledger(LedgerSettings.in(Path.of("unused")), false, () -> 0, () -> 0, state(), new Metrics());
        new Feed(ledger).datagram("from 8f2c6a1e0b7d4c93a5e1f07b 1 1\ndecrement a 1 5");
        Map<ByteBuffer, byte[]> records = new HashMap<>();
        new LedgerRecords((key, value) -> records.put(ByteBuffer.wrap(key), value)).write(ledger);
        LedgerRecords.Collected collected = new LedgerRecords.Collected();
        records.forEach((key, value) -> {
            String kind = new String(key.array(), 0, 1, ISO_8859_1);
            if (!"nvfm".contains(kind)) {
                collected.put(key.array(), value);
            }
        });

        assertThatIllegalStateException()
                .isThrownBy(() -> collected.load(state()))
                .withMessage("stream 8f2c6a1e0b7d4c93a5e1f07b has a total of counter 0, which has no name");
    }

    /** As if a topic was deleted and created again while its owner went on, which writes what changes only. */
    @ParameterizedTest
    @CsvSource({
        "h, 'it has no head'",
        "n 0 0 0 0, 'block 0 has no names'",
        "s 0 0 0 1, 'there are totals of stream 1, which is not there'",
        "w 0 0 0 1 0 0 0 1, 'totals of stream 1 are not there'",
    })
    void a_record_that_others_point_to_is_missed(String key, String told) {
        Ledger ledger =
                new Ledger(LedgerSettings.in(Path.of("unused")), false, () -> 0, () -> 0, state(), new Metrics());
        StringBuilder lines = new StringBuilder("from 8f2c6a1e0b7d4c93a5e1f07b 1 1");
        for (int counter = 0; counter < 2 * LedgerRecords.WATERMARKS_AT_ONCE + 1; counter++) {
            lines.append("\nincrement a").append(counter).append(" 1 5");
        }
        new Feed(ledger).datagram(lines.toString());
        LedgerRecords.Collected whole = new LedgerRecords.Collected();
        LedgerRecords.Collected collected = new LedgerRecords.Collected();
        List<String> left = new ArrayList<>();
        new LedgerRecords((of, value) -> {
                    whole.put(of, value);
                    if (text(of).equals(key)) {
                        left.add(key);
                    } else {
                        collected.put(of, value);
                    }
                })
                .write(ledger);
        whole.load(state());

        assertThat(left).hasSize(1);
        assertThatIllegalStateException()
                .isThrownBy(() -> collected.load(state()))
                .withMessage(
                        told + ", so records of it were deleted. Restore them, or begin at 0 with another --prefix");
    }

    @ParameterizedTest
    @CsvSource({"p", "n", "v", "r 0 0 0 0", "f 0 0 0 0", "m 0 0 0 0", "s 0 0 0 1", "w 0 0 0 1 0 0 0 0"})
    void a_record_of_any_kind_without_a_head_is_damage(String key) {
        String[] bytes = key.split(" ", -1);
        ByteBuffer alone = ByteBuffer.allocate(bytes.length).put((byte) key.charAt(0));
        for (int i = 1; i < bytes.length; i++) {
            alone.put(Byte.parseByte(bytes[i]));
        }
        LedgerRecords.Collected collected = new LedgerRecords.Collected();
        collected.put(alone.array(), new byte[] {1});

        assertThatIllegalStateException()
                .isThrownBy(() -> collected.load(state()))
                .withMessageContaining("it has no head, so records of it were deleted");
    }

    /** Of a key: its letter and its bytes. */
    private static String text(byte[] key) {
        StringBuilder text = new StringBuilder().append((char) key[0]);
        for (int i = 1; i < key.length; i++) {
            text.append(' ').append(key[i]);
        }
        return text.toString();
    }

    /** Found by the fuzzer. */
    @Test
    void a_negative_size_is_damage() {
        Ledger ledger =
                new Ledger(LedgerSettings.in(Path.of("unused")), false, () -> 0, () -> 0, state(), new Metrics());
        new Feed(ledger).datagram("increment a 5");
        byte[] minusOne = {-1, -1, -1, -1, -1, -1, -1, -1, -1, 1};
        LedgerRecords.Collected collected = new LedgerRecords.Collected();
        new LedgerRecords((key, value) -> collected.put(key, key[0] == 'v' ? minusOne : value)).write(ledger);

        assertThatIllegalStateException()
                .isThrownBy(() -> collected.load(state()))
                .withMessageContaining("a size in a row is negative");
    }
}
