package io.counters.collector.self;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SelfTest {
    @Test
    void counts_and_gauges_are_shown_in_the_order_of_their_names() {
        Self self = new Self();

        self.count("lines_total").add(3);
        self.count("lines_total").increment();
        self.count("rejected_total", "reason", "name_letter").increment();
        self.gauge("counters", () -> 7);

        assertThat(self.values().toString())
                .isEqualTo("{counters=7, lines_total=4, rejected_total{reason=\"name_letter\"}=1}");
    }
}
