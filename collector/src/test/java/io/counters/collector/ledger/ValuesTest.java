package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import org.junit.jupiter.api.Test;

class ValuesTest {
    private final Values values = new Values();

    private static BitSet counters(int... numbers) {
        BitSet counters = new BitSet();
        for (int number : numbers) {
            counters.set(number);
        }
        return counters;
    }

    private void add(int size) {
        for (int counter = 0; counter < size; counter++) {
            values.add(counter);
        }
    }

    @Test
    void a_taken_block_never_changes_and_later_amounts_are_in_the_next_commit() {
        add(1000);
        values.move(700, 5);
        int[] blocks = Values.blocks(counters(700));
        long[][] first = values.take(blocks);

        values.move(700, 2);
        values.move(701, 1);
        values.committed(blocks, first);

        assertThat(first[0][Values.place(700)]).isEqualTo(5);
        assertThat(values.committed(700)).isEqualTo(5);
        assertThat(values.committed(701)).isZero();
        assertThat(values.get(700)).isEqualTo(7);
        assertThat(values.take(blocks)[0][Values.place(700)]).isEqualTo(7);
    }

    @Test
    void the_values_of_a_failed_commit_are_in_the_next_one() {
        add(3);
        values.move(1, 5);
        int[] blocks = Values.blocks(counters(1));
        values.take(blocks);

        long[][] again = values.take(blocks);
        values.move(1, 1);
        values.committed(blocks, again);

        assertThat(values.committed(1)).isEqualTo(5);
        assertThat(values.get(1)).isEqualTo(6);
    }

    @Test
    void a_snapshot_keeps_its_values_through_later_commits() {
        values.restore(0, 5);
        values.restore(1, 6);
        long[][] tick = values.committed();

        values.move(0, 1);
        int[] blocks = Values.blocks(counters(0));
        values.committed(blocks, values.take(blocks));

        assertThat(tick[0]).startsWith(5, 6);
        assertThat(values.committed(0)).isEqualTo(6);
    }

    @Test
    void only_blocks_with_a_changed_counter_are_taken() {
        assertThat(Values.blocks(counters(0, 1, 127, 256, 383, 1000))).containsExactly(0, 2, 7);
        assertThat(Values.blocks(counters())).isEmpty();
    }
}
