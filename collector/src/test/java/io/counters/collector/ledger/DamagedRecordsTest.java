package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

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
