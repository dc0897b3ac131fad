package io.counters.collector.self;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class FaultLogTest {
    private final SaidFaults said = new SaidFaults();
    private final FaultLog faults = said.log();

    @Test
    void a_fault_is_said_at_once_and_then_once_a_minute_with_how_often_it_came() {
        faults.warn("disk", "the disk is full");
        faults.warn("disk", "the disk is full");
        said.advanceTo(Instant.EPOCH.plusSeconds(59));
        faults.warn("disk", "the disk is full");
        assertThat(said.lines()).containsExactly("WARN the disk is full");

        said.advanceTo(Instant.EPOCH.plusSeconds(60));
        faults.warn("disk", "the disk is still full");

        assertThat(said.lines())
                .containsExactly(
                        "WARN the disk is full", "WARN the disk is still full (and 2 times since this was last said)");
    }

    @Test
    void one_fault_does_not_silence_another() {
        faults.warn("disk", "the disk is full");
        faults.warn("store", "the store is away");

        assertThat(said.lines()).containsExactly("WARN the disk is full", "WARN the store is away");
    }

    @Test
    void kinds_are_bounded() {
        for (int i = 0; i < 1000; i++) {
            faults.warn("kind " + i, "fault " + i);
        }

        assertThat(said.lines()).hasSize(200);
    }

    @Test
    void text_from_outside_is_shown_on_one_line_cut_and_without_what_a_terminal_obeys() {
        assertThat(FaultLog.shown("a\r\nERROR b\33[31m\t\u009b\u2028\u2029\u202e\u200f\0"))
                .isEqualTo("a??ERROR b?[31m???????");
        assertThat(FaultLog.shown("Größe 漢字 №1")).isEqualTo("Größe 漢字 №1");
        assertThat(FaultLog.shown("x".repeat(301))).isEqualTo("x".repeat(300) + "...");
    }
}
