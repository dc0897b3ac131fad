package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.common.Metrics;
import io.counters.wire.Commands;
import io.counters.wire.Verb;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;

/** Records of a fleet's topic of ledgers: of each the length of its key, that of its value, and both. */
@Tag("once")
@Tag("slow")
class LedgerRecordsFuzzTest {
    static Stream<byte[]> seeds() {
        MemoryLedger kept = new MemoryLedger();
        byte[] name = {'a'};
        byte[] id = "8f2c6a1e0b7d4c93a5e1f07b".getBytes(ISO_8859_1);
        kept.ledger.merge(null, Verb.INCREMENT, name, 0, 1, 5, Commands.NO_TOTAL);
        kept.ledger.merge(name, 0, 1, 3, Commands.ONE / 4);
        InboundStream stream = kept.ledger.stream(id, 0, id.length, 1000, 1, 1);
        kept.ledger.merge(stream, Verb.DECREMENT, name, 0, 1, 5, 7);
        kept.ledger.publishAt(1_700_000_000, 60);
        List<byte[]> seeds = new ArrayList<>();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        new LedgerRecords((key, value) -> {
                    byte[] record = record(key, value == null ? new byte[0] : value);
                    seeds.add(record);
                    all.writeBytes(record);
                })
                .write(kept.ledger);
        seeds.add(all.toByteArray());
        return seeds.stream();
    }

    private static byte[] record(byte[] key, byte[] value) {
        byte[] record = new byte[2 + key.length + value.length];
        record[0] = (byte) key.length;
        record[1] = (byte) Math.min(255, value.length);
        System.arraycopy(key, 0, record, 2, key.length);
        System.arraycopy(value, 0, record, 2 + key.length, value.length);
        return record;
    }

    @MethodSource("seeds")
    @FuzzTest(maxDuration = "10s")
    void any_records_are_loaded_or_refused(byte[] bytes) {
        LedgerRecords.Collected collected = new LedgerRecords.Collected();
        Ledger ledger;
        try {
            for (int at = 0; at + 2 <= bytes.length; ) {
                int keyEnd = Math.min(bytes.length, at + 2 + (bytes[at] & 0xff));
                int valueEnd = Math.min(bytes.length, keyEnd + (bytes[at + 1] & 0xff));
                collected.put(Arrays.copyOfRange(bytes, at + 2, keyEnd), Arrays.copyOfRange(bytes, keyEnd, valueEnd));
                at = valueEnd;
            }
            ledger = MemoryLedger.ledger(collected.load(MemoryLedger.state()), new Metrics());
        } catch (IllegalStateException refused) {
            assertThat(refused.getMessage()).isNotBlank();
            return;
        }
        // What the page shows, and a commit.
        ledger.reports().forEach(report -> assertThat(report.toString()).isNotEmpty());
        MemoryLedger.values(ledger).keySet().forEach(ledger::explain);
        ledger.details();
        ledger.noteAll();
        new LedgerRecords((key, value) -> {}).write(ledger);
    }
}
