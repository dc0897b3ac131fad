package io.counters;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.cells.Cells;
import org.junit.jupiter.api.Test;

class WovenTest {
    @Test
    void what_woven_code_could_not_count_is_counted_as_suppressed_by_the_next_count() {
        int suppressed = Cells.id("counters.suppressed");
        int next = Cells.id("woven.test");
        long before = Cells.sum(suppressed);

        Woven.suppressed += 3;
        Woven.addThrown(new IllegalStateException(), "woven.test", 1, "java.lang.IllegalStateException;");
        Woven.suppressed += 2;
        Woven.increment("woven.test");
        Woven.increment("woven.test");

        assertThat(Cells.sum(suppressed) - before).isEqualTo(5);
        assertThat(Cells.sum(next)).isEqualTo(3);
        assertThat(Woven.suppressed).isZero();
    }
}
