package io.counters.collector.prometheus;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.ledger.Details;
import io.counters.collector.ledger.Snapshot;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SeriesMarksTest {
    private final SeriesMarks marks = new SeriesMarks();

    private static Details details(BitSet decremented, long[] created, String... names) {
        return new Details(names, new long[names.length], created, created, decremented, names.length);
    }

    private static BitSet of(int... places) {
        BitSet bits = new BitSet();
        for (int place : places) {
            bits.set(place);
        }
        return bits;
    }

    private static List<String> shown(Snapshot values) {
        return IntStream.range(0, values.size())
                .mapToObj(i -> values.names()[i] + " " + values.createdSecond(i)
                        + (values.isMarked(i, SeriesMarks.GAUGE) ? " gauge" : "")
                        + (values.isMarked(i, SeriesMarks.NAME_ESCAPED) ? " name" : "")
                        + (values.isMarked(i, SeriesMarks.KEYS_ESCAPED) ? " keys" : ""))
                .toList();
    }

    @Test
    void marks_say_what_the_text_for_prometheus_says() {
        Details counters = details(
                of(3), new long[] {7, 5, 9, 0, 3, 4}, "a.b", "a_b", "carts,x=1", "carts,x=2", "v,x.y=1", "v,x_y=1");

        assertThat(shown(marks.marked(counters)))
                .containsExactly(
                        "a.b 7 name", "a_b 5", "carts,x=1 9 gauge", "carts,x=2 0 gauge", "v,x.y=1 3", "v,x_y=1 4 keys");
    }

    @Test
    void a_change_is_noticed_and_without_one_the_marks_are_the_same() {
        String[] names = {"b", "a.b"};
        byte[] first = requireMarks(marks.marked(details(of(), new long[] {1, 2}, names)));

        assertThat(requireMarks(marks.marked(details(of(), new long[] {1, 2}, names.clone()))))
                .isSameAs(first);
        assertThat(shown(marks.marked(details(of(0), new long[] {1, 2}, names))))
                .containsExactly("b 1 gauge", "a.b 2");
        assertThat(shown(marks.marked(details(of(0), new long[] {1, 3}, names))))
                .containsExactly("b 1 gauge", "a.b 3");
        assertThat(shown(marks.marked(details(of(), new long[] {1, 2, 0}, "b", "a.b", "a_b"))))
                .containsExactly("b 1", "a.b 2 name", "a_b 0");
    }

    private static byte[] requireMarks(Snapshot values) {
        return Objects.requireNonNull(values.facts()).marks();
    }
}
