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
}
