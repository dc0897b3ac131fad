package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.UsedHeap;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.wire.Verb;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class MemoryTest {
    private static final int SENDERS = 1000;
    private static final int COUNTERS = 1000;

    @Test
    void a_thousand_senders_with_a_thousand_counters_fit_in_64_megabytes() throws Exception {
        long before = UsedHeap.bytes();
        Ledger ledger = new Ledger(
                LedgerSettings.in(Path.of("unused")),
                false,
                () -> 0,
                () -> 0,
                new LedgerState(1, new SeededHash(new Random(1))),
                new Metrics());
        for (int sender = 0; sender < SENDERS; sender++) {
            byte[] id = String.format("sender-%017d", sender).getBytes(ISO_8859_1);
            InboundStream stream = ledger.stream(id, 0, id.length, 1000, 1, 0);
            for (int counter = 0; counter < COUNTERS; counter++) {
                byte[] name = ("orders.placed,counter=" + counter).getBytes(ISO_8859_1);
                ledger.merge(stream, Verb.INCREMENT, name, 0, name.length, 1, 1);
            }
        }

        long perWatermark = (UsedHeap.bytes() - before) / (SENDERS * COUNTERS);

        assertThat(ledger.value("orders.placed,counter=7")).isEqualTo(SENDERS);
        assertThat(perWatermark).as("bytes per sender and counter").isBetween(10L, 40L);
    }
}
