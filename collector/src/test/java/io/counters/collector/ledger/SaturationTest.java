package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sums that would exceed 64 bits stop at the end of the range; this is counted and logged. */
class SaturationTest {
    private static final long MOST = 1L << 53;
    private static final int LINES = 1030;

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"9007199254740992, 9223372036854775807", "-9007199254740992, -9223372036854775808"})
    void a_value_stops_at_the_end_of_the_range(long amount, long value) throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            for (int i = 0; i < LINES; i++) {
                kept.datagram("a:" + amount + "|c\nb:1|c");
            }

            assertThat(kept.values()).isEqualTo(Map.of("a", value, "b", (long) LINES));
            assertThat(kept.counted("ledger_saturated_lines_total")).isBetween(6L, 7L);
            assertThat(kept.said.lines())
                    .singleElement()
                    .asString()
                    .contains("counter a stays at " + value, "-2^63 to 2^63-1", "far too large amounts");
        }
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("a:" + -Long.signum(amount) + "|c\nb:1|c");
            assertThat(kept.value("a")).as("it moves back from there").isEqualTo(value - Long.signum(amount));
            assertThat(kept.counted("ledger_saturated_lines_total")).isZero();
        }
    }

    @Test
    void a_fraction_stops_at_the_end_of_the_range() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            for (int i = 0; i < 4; i++) {
                kept.datagram("a" + ":9007199254740992".repeat(59) + ":0.5|c");
            }
            for (int i = 0; i < 1000; i++) {
                kept.datagram("a:9007199254740991.5|c");
            }

            assertThat(kept.value("a")).isEqualTo(Long.MAX_VALUE);
            assertThat(kept.said.lines()).hasSize(1);
        }
    }

    @Test
    void an_adopted_value_stops_at_the_end_of_the_range() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, true)) {
            kept.datagram("a:5|c\nb:-5|c");
            kept.commit.run();
            for (Push read : kept.ledger.take(10, 0)) {
                long held = read.key().equals("a") ? Long.MAX_VALUE - 2 : Long.MIN_VALUE + 2;
                kept.ledger.answered(read, new Push.Holds(held));
            }

            assertThat(kept.values()).isEqualTo(Map.of("a", Long.MAX_VALUE, "b", Long.MIN_VALUE));
            assertThat(kept.counted("ledger_saturated_lines_total")).isEqualTo(2);
            assertThat(kept.ledger.take(10, 0)).extracting(Push::number).containsExactly(2L, -2L);
        }
    }

    /** The difference is modulo 2^64, and the store adds modulo 2^64 too, because it may not fit into 64 bits. */
    @Test
    void a_key_at_the_other_end_of_the_range_reaches_the_value() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, true)) {
            kept.datagram("a:1|c");
            kept.commit.run();
            kept.ledger.answered(kept.ledger.take(1, 0).get(0), new Push.Missing());
            for (int i = 0; i < LINES; i++) {
                kept.datagram("a:9007199254740992|c");
            }
            kept.commit.run();
            Push add = kept.ledger.take(1, 0).get(0);
            assertThat(add.number()).isEqualTo(Long.MAX_VALUE);
            kept.ledger.answered(add, new Push.Holds(Long.MIN_VALUE + 7));

            Push next = kept.ledger.take(1, 0).get(0);

            assertThat(Long.MIN_VALUE + 7 + next.number()).isEqualTo(Long.MAX_VALUE);
        }
    }

    @Test
    void metrics_of_the_ledger_stop_at_the_end_of_the_range() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.ledger.forgetEarlier();
            for (int i = 0; i < LINES; i++) {
                kept.datagram("from 8f2c6a1e0b7d4c93a5e1f07b 9999999 " + (i + 1) + "\nincrement a " + MOST + " "
                        + Long.MAX_VALUE);
            }

            assertThat(kept.counted("ledger_in_doubt_total")).isEqualTo(Long.MAX_VALUE);
        }
    }
}
