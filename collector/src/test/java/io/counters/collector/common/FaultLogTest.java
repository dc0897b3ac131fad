package io.counters.collector.common;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class FaultLogTest {
    private final SaidFaults said = new SaidFaults();
    private final FaultLog faults = said.log();

    @Test
    void a_fault_is_logged_at_once_and_then_once_a_minute_with_its_repetitions() {
        faults.warn("disk", "the disk is full");
        faults.warn("disk", "the disk is full");
        said.advance(Duration.ofSeconds(59));
        faults.warn("disk", "the disk is full");
        assertThat(said.lines()).containsExactly("WARN the disk is full");

        said.advance(Duration.ofSeconds(1));
        faults.warn("disk", "the disk is still full");

        assertThat(said.lines())
                .containsExactly(
                        "WARN the disk is full", "WARN the disk is still full (2 more since this was last logged)");
    }

    @Test
    void an_internal_error_is_always_logged_with_its_stack_trace() {
        IllegalStateException first = new IllegalStateException("a bug");
        IllegalStateException third = new IllegalStateException("a bug");
        faults.warn("datagram", "a datagram caused an internal error", first);
        faults.warn("datagram", "a datagram caused an internal error", new IllegalStateException("a bug"));
        said.advance(Duration.ofMinutes(1));
        faults.warn("datagram", "a datagram caused an internal error", third);

        assertThat(said.lines())
                .containsExactly(
                        "WARN a datagram caused an internal error",
                        "WARN a datagram caused an internal error (1 more since this was last logged)");
        assertThat(said.thrown()).containsExactly(first, third);
    }

    @Test
    void one_fault_does_not_silence_another() {
        faults.warn("disk", "the disk is full");
        faults.warn("store", "the store is away");

        assertThat(said.lines()).containsExactly("WARN the disk is full", "WARN the store is away");
    }

    @Test
    void kinds_are_bounded_and_all_further_kinds_share_a_line() {
        for (int i = 0; i < 1000; i++) {
            faults.warn("kind " + i, "fault " + i);
        }

        assertThat(said.lines()).hasSize(201);
        assertThat(said.lines().get(200))
                .isEqualTo("WARN fault 200 (200 kinds of faults were logged before; all others share this line)");
        said.advance(Duration.ofMinutes(1));
        faults.warn("kind 1000", "fault 1000");
        assertThat(said.lines().get(201)).contains("fault 1000", "(799 more since this was last logged)");
    }

    @Test
    void a_fault_is_logged_again_after_the_nano_clock_has_overflowed() {
        said.advance(Duration.ofNanos(Long.MAX_VALUE - 5));
        faults.warn("disk", "the disk is full");
        said.advance(Duration.ofMinutes(1));
        faults.warn("disk", "the disk is full");

        assertThat(said.lines()).hasSize(2);
    }

    @Test
    void the_addresses_that_caused_most_faults_are_logged() {
        faults.warn("line", ipv4(1), () -> "a bad line");
        faults.warn("line", ipv4(9), 9, () -> "a bad line");
        for (int i = 0; i < 4702; i++) {
            faults.warn("line", ipv4(7), () -> "a bad line");
        }
        said.advance(Duration.ofMinutes(1));
        faults.warn("line", ipv4(1), () -> "a bad line");
        said.advance(Duration.ofMinutes(1));
        faults.warn("line", ipv4(1), () -> "a bad line");

        assertThat(said.lines())
                .containsExactly(
                        "WARN a bad line",
                        "WARN a bad line (4,711 more since this was last logged; most from 10.0.0.7: 4,702,"
                                + " 10.0.0.9: 9)",
                        "WARN a bad line");
    }

    @Test
    void of_several_faults_at_once_one_is_logged_and_the_others_are_counted() {
        faults.warn("line", ipv4(7), 5, () -> "a bad line");
        said.advance(Duration.ofMinutes(1));
        faults.warn("line", ipv4(7), 1, () -> "a bad line");

        assertThat(said.lines().get(1))
                .isEqualTo("WARN a bad line (4 more since this was last logged; most from 10.0.0.7: 4)");
    }

    @Test
    void the_address_that_causes_most_is_found_among_many_others() {
        faults.warn("line", ipv4(1), () -> "a bad line");
        for (int i = 0; i < 100_000; i++) {
            faults.warn("line", i % 4 == 0 ? ipv4(7) : AddressKey.ipv4(0x0b00_0000 + i), () -> "a bad line");
        }
        said.advance(Duration.ofMinutes(1));
        faults.warn("line", ipv4(1), () -> "a bad line");

        assertThat(said.lines().get(1))
                .contains("(100,000 more since")
                .containsPattern("most from 10\\.0\\.0\\.7: (at least )?2[45],");
    }

    @Test
    void a_suppressed_fault_allocates_nothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Supplier<String> message = () -> "a bad line";
        for (int i = 0; i < 20_000; i++) {
            faults.warn("line", AddressKey.ipv4(i), 1, message);
        }

        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 20_000; i++) {
            faults.warn("line", AddressKey.ipv4(i), 1, message);
        }

        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(20_000);
    }

    @Test
    void a_received_text_cannot_forge_a_second_line_or_hide_text() {
        faults.warn(
                "answer",
                "it said: ok\r\n2026-01-01 ERROR \u001b[31mall is lost\u0085\u2028\u2029\u202etxt\u2066 \u0000\u007f");
        faults.warn("letters", "Größe, 数, \ud83d\ude00, but \ud83d alone");

        assertThat(said.lines())
                .containsExactly(
                        "WARN it said: ok??2026-01-01 ERROR ?[31mall is lost????txt? ??",
                        "WARN Größe, 数, \ud83d\ude00, but ? alone");
    }

    @Test
    void a_very_long_text_is_cut() {
        faults.warn("answer", "x".repeat(15_000_000));

        assertThat(said.lines().get(0)).hasSizeLessThan(2100).endsWith("xxx...");
    }

    /** 10.0.0.{@code last} */
    private static long ipv4(int last) {
        return AddressKey.ipv4(0x0a00_0000 + last);
    }

    @Test
    void a_received_text_is_shown_cut_on_one_line_and_without_control_characters() {
        assertThat(FaultLog.shown("a\r\nERROR b\33[31m\t\u009b\u2028\u2029\u202e\u200f\0"))
                .isEqualTo("a??ERROR b?[31m???????");
        assertThat(FaultLog.shown("Größe 漢字 №1")).isEqualTo("Größe 漢字 №1");
        assertThat(FaultLog.shown("x".repeat(301))).isEqualTo("x".repeat(300) + "...");
    }
}
