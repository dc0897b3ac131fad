package io.counters.collector.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.UsedHeap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class HistoryMemoryTest {
    private static final int COUNTERS = 20_000;

    @Tag("slow")
    @Test
    void a_counter_whose_blocks_are_nearly_full_takes_no_more_than_its_share() throws Exception {
        long before = UsedHeap.bytes();
        KeptCounters counters = new KeptCounters(COUNTERS, COUNTERS);
        Level[] levels = new Level[Resolution.values().length];
        for (int i = 0; i < COUNTERS; i++) {
            counters.restore(i + 1, "shop.orders.placed.by.region" + i);
        }
        for (int i = 0; i < levels.length; i++) {
            levels[i] = new Level(Resolution.TICKS, 10, 1000, COUNTERS, 1 << 20);
            int changes = 0;
            for (long second = 0; changes < Level.BLOCK_BYTES / 2 - 4; second += 10, changes++) {
                levels[i].begin(counters, second);
                for (int slot = 0; slot < COUNTERS; slot++) {
                    levels[i].set(slot, counters.series(slot), second * second * 7);
                }
                levels[i].committed();
            }
            assertThat(levels[i].unwritten(0, 1).get(0).block().bytes().length)
                    .isBetween(Level.BLOCK_BYTES / 2, Level.BLOCK_BYTES);
        }

        long bytes = (UsedHeap.bytes() - before) / COUNTERS;

        assertThat(levels[2].isKept(COUNTERS - 1)).isTrue();
        assertThat(bytes).as("bytes per counter").isBetween(300L, (long) HistorySettings.COUNTER_BYTES);
    }
}
