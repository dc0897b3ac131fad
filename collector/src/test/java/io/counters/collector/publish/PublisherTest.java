package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.ledger.Snapshot;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublisherTest {
    private static final Duration WITHIN = Duration.ofSeconds(1);

    @TempDir
    Path folder;

    private final List<String> put = new ArrayList<>();

    /** Keeps what it is given. */
    private final class KeepingSink implements Sink {
        @Override
        public void put(long second, Snapshot values, Duration within) {
            StringBuilder text = new StringBuilder(second + ":");
            for (int i = 0; i < values.size(); i++) {
                text.append(" " + values.names()[i] + "=" + values.values()[i]);
            }
            put.add(text.toString());
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    private Publisher publisher(KeptLedger kept) {
        return new Publisher(kept.ledger, kept.commit, List.of(new KeepingSink()), kept.self);
    }

    @Test
    void what_was_counted_is_committed_and_then_published() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a 5\ndecrement b 2");

            publisher(kept).publish(100, WITHIN);

            assertThat(put).containsExactly("100: a=5 b=-2");
            assertThat(kept.counted("ledger_commits_total")).isEqualTo(1);
        }
    }

    @Test
    void no_second_is_used_twice_also_over_a_restart() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a");
            publisher(kept).publish(100, WITHIN);
            publisher(kept).publish(100, WITHIN);
        }
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a");
            publisher(kept).publish(90, WITHIN);
            publisher(kept).publish(110, WITHIN);
        }

        assertThat(put).containsExactly("100: a=1", "101: a=1", "102: a=2", "110: a=2");
    }

    @Test
    void nothing_is_published_while_it_can_not_be_committed() throws Exception {
        KeptLedger kept = new KeptLedger(folder, false);
        kept.datagram("increment a");
        kept.commit.run();
        kept.close();

        publisher(kept).publish(100, WITHIN);

        assertThat(put).isEmpty();
        assertThat(kept.counted("publish_skipped_ticks_total")).isEqualTo(1);
        assertThat(kept.counted("publish_ticks_total")).isZero();
    }

    @Test
    void without_a_sink_no_second_is_used() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            new Publisher(kept.ledger, kept.commit, List.of(), kept.self).publish(100, WITHIN);

            assertThat(kept.counted("ledger_commits_total")).isZero();
        }
    }

    @Test
    void stdout_prints_points_as_lines_of_put() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Sink sink = new StdoutSink(new PrintStream(bytes, true, UTF_8))) {
            sink.put(
                    1_700_000_010,
                    new Snapshot(
                            new String[] {"orders.placed", "carts,host=a,src=shop", "later"},
                            new long[] {5, Long.MIN_VALUE, 1},
                            2),
                    WITHIN);

            assertThat(sink).hasToString("stdout");
        }

        assertThat(bytes.toString(UTF_8)).isEqualTo("""
                        put orders.placed 1700000010 5 src=counters
                        put carts 1700000010 -9223372036854775808 host=a src=shop
                        """);
    }

    @Test
    void a_series_has_the_names_tags_and_src_unless_the_name_says_another() {
        assertThat(Series.of("a.b").tags().toString()).isEqualTo("{src=counters}");
        assertThat(Series.of("a,x=1,z=2").tags().toString()).isEqualTo("{src=counters, x=1, z=2}");
        assertThat(Series.of("a,src=mine,x=1").tags().toString()).isEqualTo("{src=mine, x=1}");
        assertThat(Series.of("a,x=1").metric()).isEqualTo("a");
    }
}
