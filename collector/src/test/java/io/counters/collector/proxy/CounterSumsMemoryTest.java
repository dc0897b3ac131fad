package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.UsedHeap;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.emit.EmitterSettings;
import io.counters.emit.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.JMException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Compares the memory that {@link CounterSums} calculates with what its names really use, there, in the table and in the streams. */
@Tag("slow")
class CounterSumsMemoryTest {
    /** Just above a power of two: then arrays that double have the most unused space. */
    private static final int NAMES = 67_000;

    private static byte[] line(int number, String suffix) {
        return String.format("increment n%06d%s%n", number, suffix).getBytes(ISO_8859_1);
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "1, 200", "50, 20"})
    void names_use_about_the_memory_that_is_calculated_for_them(int servers, int more) throws JMException {
        List<Server> list = new ArrayList<>();
        for (int i = 1; i <= servers; i++) {
            list.add(Server.of("127.0.0.1:" + i, 1));
        }
        Transport nowhere = (bytes, length) -> true;
        AtomicInteger ids = new AtomicInteger();
        AtomicLong nanos = new AtomicLong();
        Metrics metrics = new Metrics();
        long before = UsedHeap.bytes();
        CounterSums sums = new CounterSums(Long.MAX_VALUE, new SeededHash(new Random(1)));
        SumSender sender = new SumSender(
                new Ring(list),
                sums,
                EmitterSettings.to("nowhere"),
                nanos::get,
                () -> 0,
                () -> String.format("0123456789abcdef%08x", ids.incrementAndGet()),
                new MessageRejections(
                        new SaidFaults().log(),
                        () -> {
                            throw new AssertionError("nothing is refused");
                        },
                        metrics),
                metrics);
        long empty = UsedHeap.bytes();
        String suffix = "x".repeat(more);
        for (int i = 0; i < NAMES; i++) {
            byte[] line = line(i, suffix);
            sender.line(line, 0, line.length);
        }
        sender.sweep(server -> nowhere);
        byte[] again = line(1, suffix);
        sender.line(again, 0, again.length);
        sender.sweep(server -> nowhere);

        long used = UsedHeap.bytes() - empty;

        assertThat(empty - before).as("bytes without names").isLessThan(20 << 20);
        assertThat(used).as("%d bytes a name", used / NAMES).isBetween(sums.bytes() / 2, sums.bytes() * 11 / 10);
        assertThat(sender.isEmpty()).isFalse();
    }
}
