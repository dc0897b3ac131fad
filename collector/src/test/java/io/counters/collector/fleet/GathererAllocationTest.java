package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The garbage of a thread that hands lines to a fleet. */
@Tag("slow")
class GathererAllocationTest {
    private static final int SENDERS = 200;
    private static final int LINES = 25;
    private static final int ROUNDS_UNTIL_STEADY = 60;
    private static final int ROUNDS = 20;

    private long nowMillis;

    @Test
    void nothing_is_allocated_for_a_line_from_a_known_stream() {
        RecordedLog log = new RecordedLog();
        Gatherer gatherer = new Gatherer(
                log,
                64,
                256 << 20,
                () -> nowMillis * 1_000_000,
                () -> nowMillis,
                new SeededHash(new Random(1)),
                new SaidFaults().log(),
                new Metrics());
        TargetFeed feed = new TargetFeed(gatherer);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long id = Thread.currentThread().getId();
        long least = Long.MAX_VALUE;

        for (int round = 1; round <= ROUNDS_UNTIL_STEADY + ROUNDS; round++) {
            List<byte[]> datagrams = datagrams(round);
            long before = threads.getThreadAllocatedBytes(id);
            for (byte[] datagram : datagrams) {
                feed.datagram(datagram);
            }
            if (round > ROUNDS_UNTIL_STEADY) {
                least = Math.min(least, threads.getThreadAllocatedBytes(id) - before);
            }
            nowMillis += 50;
            gatherer.run();
            log.clear();
        }

        assertThat(least).as("bytes of %s lines", SENDERS * LINES).isLessThan(SENDERS);
    }

    private static List<byte[]> datagrams(int round) {
        List<byte[]> datagrams = new ArrayList<>();
        for (int sender = 0; sender < SENDERS; sender++) {
            StringBuilder text = new StringBuilder(String.format("from sender-%016d 1000 %d\n", sender, round));
            for (int line = 0; line < LINES; line++) {
                text.append("increment orders.placed.")
                        .append((sender * LINES + line) % 1000)
                        .append(" 1 ")
                        .append(round)
                        .append('\n');
            }
            text.append("a:1|c\nb:0.5|c\n");
            datagrams.add(text.toString().getBytes(ISO_8859_1));
        }
        return datagrams;
    }
}
