package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.ledger.MemoryLedger;
import io.counters.collector.ledger.Snapshot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;

/** Records of a fleet's topics of lines and of ticks, after a byte that says which. The topic of ledgers has a target of its own. */
@Tag("once")
@Tag("slow")
class RecordsFuzzTest {
    static Stream<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        for (String lines : List.of(
                "increment a 5\nfrom 8f2c6a1e0b7d4c93a5e1f07b 1000\nincrement a 2 7\na:0.75|c\nfrom -\nincrement a 1\n",
                "from 8f2c6a1e0b7d4c93a5e1f07b 1000 1-3\nfrom 8f2c6a1e0b7d4c93a5e1f07b 1000 5\ndecrement b 1 1\n",
                "from 8f2c6a1e0b7d4c93a5e1f07b 0 9223372036854775807\nincrement a 1 1\n",
                "from 8f2c6a1e0b7d4c93a5e1f07b 9223372036854775807 1-65536\nincrement a 1 9223372036854775807\n")) {
            seeds.add(("l" + lines).getBytes(ISO_8859_1));
        }
        Snapshot values = new Snapshot(new String[] {"a", "b,k=v"}, new long[] {1, -2}, new int[] {0, 7}, 2);
        for (byte[] record : TickRecords.write(1_700_000_000, values)) {
            byte[] seed = new byte[record.length + 1];
            seed[0] = 't';
            System.arraycopy(record, 0, seed, 1, record.length);
            seeds.add(seed);
        }
        return seeds.stream();
    }

    @MethodSource("seeds")
    @DictionaryEntries({"increment ", "from 8f2c6a1e0b7d4c93a5e1f07b ", "from -", "1-65536", "9223372036854775807"})
    @FuzzTest(maxDuration = "10s")
    void any_record_is_read_or_refused(byte[] bytes) {
        if (bytes.length == 0) {
            return;
        }
        byte[] record = Arrays.copyOfRange(bytes, 1, bytes.length);
        if (bytes[0] == 'l') {
            lines(record);
        } else if (bytes[0] == 't') {
            tick(record);
        }
    }

    private static void lines(byte[] record) {
        MemoryLedger kept = new MemoryLedger();
        LineRecords records = new LineRecords(kept.ledger, kept.faults, kept.metrics);
        records.merge(record, 1_000, 2_000);
        SortedMap<String, Long> values = kept.values();
        assertThat(kept.reloaded()).isEqualTo(values);
        kept.ledger.reports().forEach(report -> assertThat(report.lost()).isNotNegative());
    }

    private static void tick(byte[] record) {
        try {
            TickRecords.Tick tick = TickRecords.read(record);
            TickRecords.Tick head = TickRecords.head(record);
            assertThat(head.second()).isEqualTo(tick.second());
            assertThat(tick.values().size()).isLessThanOrEqualTo(record.length);
            // What was read is what would be written, unless it is a part of several.
            List<byte[]> written = TickRecords.write(tick.second(), tick.values());
            if (tick.parts() == 1 && written.size() == 1) {
                assertThat(written.get(0)).isEqualTo(record);
            }
        } catch (TickRecords.Unreadable refused) {
            assertThat(refused.getMessage()).isNotBlank();
        }
    }
}
