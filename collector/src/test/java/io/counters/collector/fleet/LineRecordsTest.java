package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.StreamReport;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records of the topic of lines, in a ledger. */
class LineRecordsTest {
    private static final String ID = "8f2c6a1e0b7d4c93a5e1f07b";

    private long nowMillis = 1_000_000;
    private final Partition partition = new Partition(() -> nowMillis);

    private void read(String... lines) {
        read(nowMillis, lines);
    }

    private void read(long recordMillis, String... lines) {
        String text = String.join("\n", lines) + "\n";
        partition.records.merge(text.getBytes(ISO_8859_1), recordMillis, nowMillis);
    }

    private StreamReport report() {
        assertThat(partition.ledger.reports()).hasSize(1);
        return partition.ledger.reports().get(0);
    }

    @Test
    void lines_belong_to_the_stream_above_them_and_at_the_beginning_to_none() {
        read("increment a 5", "from " + ID + " 1000", "increment a 2 7", "a:0.75|c", "from -", "increment a 1");
        read("increment a 1", "from " + ID + " 1000", "increment a 0 8");

        // 5 + 7 of the stream, a rest of 0.75, 1, 1, and 1 that its next total brings.
        assertThat(partition.ledger.value("a")).isEqualTo(16);
    }

    @Test
    void a_stream_is_remembered_by_its_from_line_alone_and_stays_whole_when_the_ledger_forgets_others() {
        read("from " + ID + " 1000");
        assertThat(report().whole()).isTrue();
        partition.ledger.forgetEarlier();
        nowMillis += 60_000;

        read("from " + ID + " 61000", "increment late 1 5");

        assertThat(partition.ledger.value("late")).isEqualTo(5);
    }

    /** Anybody can send this number. */
    @Test
    @Timeout(60)
    void the_largest_number_of_a_datagram_does_not_stop_the_reader() {
        read("from " + ID + " 0 9223372036854775807", "increment a 1 1");

        assertThat(partition.ledger.value("a")).isEqualTo(1);
    }

    @Test
    void a_stream_is_older_by_the_time_since_its_record_was_written() {
        partition.ledger.forgetEarlier();
        nowMillis += 10_000;

        read(nowMillis - 9_500, "from " + ID + " 1000", "increment a 1 5");
        assertThat(report().whole()).as("10.5 s old").isFalse();
        assertThat(partition.ledger.value("a")).isEqualTo(1);

        read(nowMillis, "from other-" + ID + " 9500", "increment b 1 5");
        assertThat(partition.ledger.value("b"))
                .as("of a stream that is 9.5 s old")
                .isEqualTo(5);
    }

    @Test
    void a_record_from_the_future_makes_no_stream_younger() {
        partition.ledger.forgetEarlier();
        nowMillis += 20_000;

        read(nowMillis + 30_000, "from " + ID + " 40000", "increment a 1 5");

        assertThat(partition.ledger.value("a")).isEqualTo(1);
    }

    @Test
    void only_numbered_from_lines_count_datagrams() {
        read("from " + ID + " 1000 1-3", "from " + ID + " 1000 5", "from " + ID + " 1000", "from " + ID + " 1000 5-6");

        assertThat(report().sent()).isEqualTo(6);
        assertThat(report().received()).isEqualTo(5);
        assertThat(report().repeated()).isEqualTo(1);
        assertThat(report().lost()).isEqualTo(1);
    }

    @Test
    void a_from_line_with_the_numbers_of_its_lines_counts_no_datagrams_and_tells_their_order() {
        read("from " + ID + " 1000 1 3", "increment a 2 9", "from " + ID + " 1000 4 4", "increment a 2 9");
        assertThat(report().received()).isZero();
        assertThat(report().cloned()).isFalse();

        read("from " + ID + " 1000 5 6", "increment a 2 8");

        assertThat(report().cloned()).isTrue();
        assertThat(partition.ledger.value("a")).isEqualTo(9);
    }

    @Test
    void numbers_of_a_stream_that_is_not_whole_begin_with_the_first_that_arrives() {
        partition.ledger.forgetEarlier();
        nowMillis += 10_000;

        read("from " + ID + " 99000", "from " + ID + " 99000 5000-5001");

        assertThat(report().sent()).isEqualTo(2);
        assertThat(report().lost()).isZero();
    }

    /** A request was answered once Kafka had its lines, so nobody repeats them. */
    @ParameterizedTest
    @ValueSource(strings = {"otlp:", "post:"})
    void with_keys_lines_of_requests_count_although_there_is_no_room_and_those_of_datagrams_do_not(String kind) {
        Partition full = new Partition(
                () -> nowMillis,
                new LedgerSettings(Path.of("unused"), 1 << 20, 1 << 20, 1, 1_000, 1, Long.MAX_VALUE / 2, 20 * 60_000));
        String lines = "from first-" + ID + " 1000\nincrement a 1 1\nfrom " + kind + ID
                + " 1000\nincrement b 2 2\nfrom other-" + ID + " 1000\nincrement c 4 4\n";

        full.records.merge(lines.getBytes(ISO_8859_1), nowMillis, nowMillis);

        assertThat(full.ledger.value("a")).isEqualTo(1);
        assertThat(full.ledger.value("b")).isEqualTo(2);
        assertThat(full.ledger.value("c")).isZero();
    }

    @Test
    void a_record_that_ends_in_the_middle_of_a_line_counts_the_lines_before() {
        byte[] cut = "increment a 1\nincrement a 10".getBytes(ISO_8859_1);

        partition.records.merge(cut, nowMillis, nowMillis);

        assertThat(partition.ledger.value("a")).isEqualTo(1);
        assertThat(partition.counted("fleet_rejected_lines_total")).isEqualTo(1);
    }

    @Test
    void a_line_that_can_not_be_read_is_counted_and_logged_and_the_others_count() {
        read(
                "increment a",
                "increment a b c",
                "from " + ID + " 1000 7-6",
                "from " + ID + " 1000 1-65537",
                "increment a 1 9");

        assertThat(partition.ledger.value("a")).isEqualTo(2);
        assertThat(partition.counted("fleet_rejected_lines_total")).isEqualTo(3);
        assertThat(partition.said.lines())
                .containsExactly(
                        "WARN the topic of lines contains the line \"increment a b c\", which is not counted: an"
                                + " amount consists of digits only; only collectors of this fleet, of the same version,"
                                + " may write to this topic");
    }
}
