package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.prometheus.SeriesMarks;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RemoteWriteFormatTest {
    private static final long SECOND = 1_700_000_010;

    /** The series of a body as {@code name="value",... number@millis}, in their order. */
    static List<String> series(byte[] body) throws IOException {
        List<String> all = new ArrayList<>();
        CodedInputStream in = CodedInputStream.newInstance(RemoteWriteFormat.unpacked(body));
        while (!in.isAtEnd()) {
            assertThat(in.readTag()).isEqualTo(WireFormat.FieldType.MESSAGE.getWireType() | 1 << 3);
            int series = in.pushLimit(in.readUInt32());
            StringBuilder text = new StringBuilder();
            for (int tag = in.readTag(); tag >> 3 == 1; tag = in.readTag()) {
                int label = in.pushLimit(in.readUInt32());
                in.readTag();
                text.append(text.length() == 0 ? "" : ",").append(in.readString());
                in.readTag();
                text.append("=\"").append(in.readString()).append('"');
                in.popLimit(label);
            }
            int sample = in.pushLimit(in.readUInt32());
            in.readTag();
            text.append(' ').append((long) in.readDouble());
            in.readTag();
            text.append('@').append(in.readInt64());
            in.popLimit(sample);
            in.popLimit(series);
            all.add(text.toString());
        }
        return all;
    }

    static Snapshot snapshot(int @Nullable [] marks, String... names) {
        long[] values = new long[names.length];
        byte[] bytes = new byte[names.length];
        for (int i = 0; i < names.length; i++) {
            values[i] = i + 1L;
            bytes[i] = (byte) (marks == null ? 0 : marks[i]);
        }
        return new Snapshot(names, values, null, names.length, new Snapshot.Facts(new int[names.length], bytes));
    }

    private static RemoteWriteFormat format(String prefix, Series.Tag... tags) {
        return new RemoteWriteFormat(new Series(prefix, List.of(tags)));
    }

    @Test
    void a_body_has_the_bytes_of_the_specification() throws Exception {
        byte[] body = format("").pack(1, snapshot(null, "a"), 0, 1);

        // A TimeSeries, with the Label __name__ and the Sample.
        assertThat(HexFormat.of().formatHex(RemoteWriteFormat.unpacked(body)))
                .isEqualTo("0a23" + "0a13" + "0a08" + "5f5f6e616d655f5f" + "1207" + "615f746f74616c" + "120c" + "09"
                        + "000000000000f03f" + "10e807");
        // Snappy: the length, a literal of 27 bytes, 5 bytes that begin one byte before, a literal of 5 bytes.
        assertThat(HexFormat.of().formatHex(body))
                .isEqualTo("25" + "68" + "0a230a130a085f5f6e616d655f5f1207615f746f74616c120c0900" + "0501" + "10"
                        + "f03f10e807");
    }

    @Test
    void labels_are_sorted_and_counters_have_the_names_of_the_text() throws Exception {
        int[] marks = {
            0, SeriesMarks.GAUGE, SeriesMarks.NAME_ESCAPED, SeriesMarks.KEYS_ESCAPED, 0,
        };
        Snapshot values = snapshot(
                marks, "orders.placed,method=card,A=1", "carts.open", "a.b", "visits,x.y=1", "orders.total,src=mine");

        byte[] body = format("", new Series.Tag("src", "counters")).pack(SECOND, values, 0, 5);

        assertThat(series(body))
                .containsExactly(
                        "A=\"1\",__name__=\"orders_placed_total\",method=\"card\",src=\"counters\" 1@1700000010000",
                        "__name__=\"carts_open\",src=\"counters\" 2@1700000010000",
                        "__name__=\"U__a_2e_b_total\",src=\"counters\" 3@1700000010000",
                        "U__x_2e_y=\"1\",__name__=\"visits_total\",src=\"counters\" 4@1700000010000",
                        "__name__=\"orders_total\",src=\"mine\" 5@1700000010000");
    }

    /** Otherwise both would be one series, whose value jumps between two totals. */
    @Test
    void a_counter_with_the_tag_that_all_get_is_another_series() throws Exception {
        Snapshot values = snapshot(null, "orders", "orders,env=prod", "orders,env=test");

        assertThat(series(format("", new Series.Tag("env", "prod")).pack(SECOND, values, 0, 3)))
                .containsExactly(
                        "__name__=\"orders_total\",env=\"prod\" 1@1700000010000",
                        "__name__=\"orders_total\",env=\"prod\",exported_env=\"prod\" 2@1700000010000",
                        "__name__=\"orders_total\",env=\"test\" 3@1700000010000");
    }

    @Test
    void a_prefix_stands_before_the_name() throws Exception {
        assertThat(series(format("shop.").pack(SECOND, snapshot(null, "2xx"), 0, 1)))
                .containsExactly("__name__=\"shop_2xx_total\" 1@1700000010000");
    }

    @Test
    void a_large_body_is_divided_without_a_loss() throws Exception {
        String[] names = new String[2_001];
        for (int i = 0; i < names.length; i++) {
            names[i] = "shop" + i % 7 + ".counted,shelf=" + i;
        }
        RemoteWriteFormat format = format("");
        byte[] body = format.pack(SECOND, snapshot(null, names), 0, names.length);
        List<String> all = series(body);

        List<Outcome.Rest> halves = format.halves(body);

        assertThat(RemoteWriteFormat.unpacked(body).length).isGreaterThan(2 * Short.MAX_VALUE);
        assertThat(body.length).isLessThan(RemoteWriteFormat.unpacked(body).length / 2);
        assertThat(all).hasSize(names.length).doesNotHaveDuplicates();
        assertThat(halves).extracting(Outcome.Rest::points).containsExactly(1_000, 1_001);
        List<String> joined = new ArrayList<>();
        for (Outcome.Rest half : halves) {
            List<String> part = series(Objects.requireNonNull(half.body()));
            assertThat(part).hasSize(half.points());
            joined.addAll(part);
        }
        assertThat(joined).isEqualTo(all);
        assertThat(format.first(Objects.requireNonNull(halves.get(1).body())))
                .isEqualTo("{__name__=\"shop6_counted_total\",shelf=\"1000\"}");
    }

    @ParameterizedTest
    @CsvSource({
        "200, '',                        Taken",
        "204, '',                        Taken",
        "429, slow down,                 Trouble",
        "500, broken,                    Failed",
        "500, too old sample,            out_of_bounds true",
        "503, later,                     Trouble",
        "301, elsewhere,                 Trouble",
        "413, too large,                 TooLarge",
        "400, out of order sample,       out_of_order true",
        "409, Duplicate sample,          duplicate true",
        "400, 'out of bounds, err',      out_of_bounds false",
        "400, label value too long,      status_400 true",
        "401, no,                        Trouble",
        "400, sample is out-of-order,    out_of_order true",
        "404, not found,                 Trouble",
    })
    void answers_mean(int status, String text, String meaning) throws Exception {
        Answer answer = format("").read(status, Duration.ofSeconds(3), BoundedText.of(text), 2);

        assertThat(
                        answer instanceof Answer.Refused refused
                                ? refused.reason() + " " + refused.isOfPoints()
                                : answer.getClass().getSimpleName())
                .isEqualTo(meaning);
        if (answer instanceof Answer.Trouble trouble) {
            assertThat(trouble.delay()).isEqualTo(Duration.ofSeconds(3));
        }
    }
}
