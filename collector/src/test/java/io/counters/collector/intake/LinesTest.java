package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.counters.collector.common.AddressKey;
import io.counters.collector.common.FaultLog;
import io.counters.collector.ledger.KeptLedger;
import io.counters.wire.StatsdName;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.helpers.NOPLogger;

class LinesTest {
    @TempDir
    Path folder;

    private KeptLedger kept;
    private final Source source = new Source("UDP", false, () -> "127.0.0.1:4711");

    @BeforeEach
    void open() throws Exception {
        kept = new KeptLedger(folder, false);
        source.addressKey = AddressKey.ipv4(0x7f00_0001);
    }

    @AfterEach
    void close() throws Exception {
        kept.close();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }

    /** A log reads its clock at every call; this one checks whether the thread holds the lock. */
    @Test
    void nothing_is_logged_while_the_ledger_is_locked() {
        AtomicInteger calls = new AtomicInteger();
        AtomicInteger callsUnderLock = new AtomicInteger();
        AtomicLong nanos = new AtomicLong();
        FaultLog watched = new FaultLog(NOPLogger.NOP_LOGGER, () -> {
            calls.incrementAndGet();
            callsUnderLock.addAndGet(Thread.holdsLock(kept.ledger) ? 1 : 0);
            return nanos.addAndGet(60_000_000_000L);
        });
        Lines lines = new Lines(
                LineTarget.of(kept.ledger),
                250,
                StatsdName.strict(),
                Optional.empty(),
                KeptIntake.closedTap(),
                watched,
                kept.metrics);
        byte[] bad = bytes("b@d\nincrement " + "x".repeat(251) + "\nhello\nincrement good\n");

        lines.datagram(source, bad, 0, bad.length);
        lines.lines(source, bad, 0, bad.length);
        lines.cut(source, bad, 0, 3);
        lines.tooLong(source, bad, 0, 3);
        byte[] from = bytes("from 8f2c6a1e0b7d4c93a5e1f07b 1 1\n");
        lines.lines(source, from, 0, from.length);
        lines.cut(source, bad, 0, 3);

        assertThat(calls.get()).as("reasons of each call").isEqualTo(2 + 2 + 1 + 1 + 1);
        assertThat(callsUnderLock.get()).isZero();
    }

    @Test
    void every_rejected_line_is_counted_and_the_first_of_a_reason_is_logged_with_its_sender() {
        Lines lines = KeptIntake.lines(kept);
        byte[] bad = bytes("b@d\nw@rse\n".repeat(100) + "timer:1|ms\nincrement a");

        lines.datagram(source, bad, 0, bad.length);

        assertThat(kept.counted("intake_rejected_lines_total{reason=\"unknown_verb\"}"))
                .isEqualTo(200);
        assertThat(kept.counted("intake_rejected_lines_total{reason=\"statsd_type\"}"))
                .isEqualTo(1);
        assertThat(kept.said.lines())
                .containsExactlyInAnyOrder(
                        "WARN UDP line \"b@d\" was rejected (unknown_verb): a line begins with increment, decrement"
                                + " or from, or is a StatsD line name:1|c; sent by 127.0.0.1:4711",
                        "WARN UDP line \"timer:1|ms\" was rejected (statsd_type): of StatsD's types only c, a"
                                + " counter, is counted; sent by 127.0.0.1:4711");
        assertThat(kept.value("a")).isEqualTo(1);
    }

    @Test
    void lines_of_a_flood_or_a_forged_total_are_logged_with_their_sender() {
        Lines lines = KeptIntake.lines(kept);
        byte[] jump = bytes("from 8f2c6a1e0b7d4c93a5e1f07b 1000 1\nincrement a 1 9007199254740993");
        byte[] again = bytes("from another-stream-of-24-bytes 1000 1\nincrement a 1 9007199254740993\n");
        lines.datagram(source, jump, 0, jump.length);
        lines.datagram(source, jump, 0, jump.length);

        source.addressKey = AddressKey.ipv4(0x0a00_0007);
        for (int i = 0; i < 3; i++) {
            again[5] = (byte) ('a' + i);
            lines.lines(source, again, 0, again.length);
        }
        kept.said.advance(Duration.ofMinutes(1));
        again[5] = 'd';
        lines.datagram(source, again, 0, again.length);

        String message =
                "WARN UDP lines from 127.0.0.1:4711 were not counted under their names, or not yet: too many names"
                        + " or streams are new, or a total jumped by more than 2^53; to allow more, raise --new-names,"
                        + " --names-memory or --streams-memory";
        assertThat(kept.said.lines())
                .containsExactly(message, message + " (3 more since this was last logged; most from 10.0.0.7: 3)");
    }

    @Test
    void a_connection_that_repeats_lines_with_a_new_number_or_in_two_parts_is_no_clone() {
        Lines lines = KeptIntake.lines(kept);
        String from = "from 8f2c6a1e0b7d4c93a5e1f07b 1000 ";
        for (String part : new String[] {
            from + "1\nincrement a 5 5\nincrement a 5 10\n",
            from + "2\nincrement a 5 5\n",
            from + "2\nincrement a 5 5\n",
            "increment a 5 10\n"
        }) {
            byte[] read = bytes(part);
            lines.lines(source, read, 0, read.length);
        }

        assertThat(kept.ledger.reports().get(0).cloned()).isFalse();
        assertThat(kept.value("a")).isEqualTo(10);

        byte[] datagram = bytes(from + "3\nincrement a 5 5\n");
        lines.datagram(source, datagram, 0, datagram.length);
        assertThat(kept.ledger.reports().get(0).cloned())
                .as("only on connections")
                .isTrue();
    }

    @Test
    void events_and_service_checks_do_not_hide_counters_with_errors() {
        Lines lines = KeptIntake.lines(kept);
        byte[] bad = bytes("_e{5,4}:title|text\n_sc|Redis|0\n_sc|Redis|2|#env:dev|m:down\nlost:1|C\nlost");

        lines.datagram(source, bad, 0, bad.length);

        assertThat(kept.counted("intake_rejected_lines_total{reason=\"statsd_type\"}"))
                .isEqualTo(3);
        assertThat(kept.counted("intake_rejected_lines_total{reason=\"unknown_type\"}"))
                .isEqualTo(1);
        assertThat(kept.counted("intake_rejected_lines_total{reason=\"unknown_verb\"}"))
                .isEqualTo(1);
    }

    @Test
    void the_address_that_sends_most_rejected_lines_is_logged_a_minute_later() {
        Lines lines = KeptIntake.lines(kept);
        byte[] bad = bytes("b@d\nb@d");
        for (int i = 0; i < 1000; i++) {
            source.addressKey = AddressKey.ipv4(0x0a00_0007 + (i % 10 == 0 ? 1 : 0));
            lines.datagram(source, bad, 0, bad.length);
        }

        kept.said.advance(Duration.ofMinutes(1));
        lines.datagram(source, bad, 0, bad.length);

        assertThat(kept.said.lines().get(1))
                .endsWith("(1,999 more since this was last logged; most from 10.0.0.7: 1,800, 10.0.0.8: 199)");
    }

    @Test
    void only_the_line_of_http_or_tls_in_a_datagram_is_rejected() {
        Lines lines = KeptIntake.lines(kept);
        byte[] http = bytes("increment a\nPOST / HTTP/1.1\r\nHost: here\r\n\26\3\1\nincrement a 100\nb:7|c");

        lines.datagram(source, http, 0, http.length);

        assertThat(kept.values()).isEqualTo(Map.of("a", 101L, "b", 7L));
        assertThat(kept.counted("intake_rejected_lines_total{reason=\"http\"}")).isZero();
        assertThat(kept.counted("intake_rejected_lines_total{reason=\"tls\"}")).isZero();
        assertThat(rejectedLines()).isEqualTo(3);
    }

    private long rejectedLines() {
        return kept.metrics.values().entrySet().stream()
                .filter(value -> value.getKey().startsWith("intake_rejected_lines_total"))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    @Test
    void a_flood_of_rejected_lines_from_many_addresses_allocates_nothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Lines lines = KeptIntake.lines(kept);
        byte[] bad = bytes("b@d\nincrement b@d\ntimer:1|ms");
        long allocated = 0;
        for (int turn = 0; turn < 4; turn++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 20_000; i++) {
                source.addressKey = AddressKey.ipv4(0x0a00_0000 + i);
                lines.datagram(source, bad, 0, bad.length);
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
        }

        assertThat(allocated).isLessThan(20_000);
    }
}
