package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.common.FaultLog;
import io.counters.collector.ledger.Snapshot;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsPartialSuccess;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.helpers.NOPLogger;

/**
 * What OpenTSDB, receivers of OTLP and of remote write, or whatever is at their addresses, answer: after a byte that says which,
 * one for the status, and one for how often the points were sent before.
 */
@Tag("once")
@Tag("slow")
class SinkAnswersFuzzTest {
    private static final Series SERIES = new Series("", List.of(new Series.Tag("src", "counters")));
    private static final int[] STATUS = {200, 204, 400, 413, 401, 404, 422, 429, 500, 503};
    private static final int POINTS = 10;
    private static final Snapshot VALUES = new Snapshot(
            new String[] {"a", "b", "c,k=v", "d,k=w", "e", "f", "g", "h", "i", "j"},
            new long[] {1, -2, 3, 4, Long.MAX_VALUE, Long.MIN_VALUE, 7, 8, 9, 10},
            POINTS);

    /** A tick whose only body is in the piece. */
    private record OneBody(byte[] body) implements TickBodies {
        @Override
        public long second() {
            return 1_700_000_000;
        }

        @Override
        public int points() {
            return POINTS;
        }

        @Override
        public long bytes() {
            return body.length;
        }

        @Override
        public List<Place> places() {
            return List.of(new Place(0, body.length, POINTS));
        }

        @Override
        public byte[] read(Place place) {
            return body;
        }
    }

    private static String error(String metric, String reason) {
        return "{\"datapoint\":{\"metric\":\"" + metric
                + "\",\"tags\":{\"src\":\"counters\"},\"value\":1,\"timestamp\":1700000000},\"error\":\"" + reason
                + "\"}";
    }

    static Stream<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        for (String answer : List.of(
                "t\2\0{\"errors\":[" + error("a", "Invalid x") + "," + error("b", "Unknown metric") + ","
                        + error("e", "Please throttle writes") + "],\"success\":7,\"failed\":3,\"timeouts\":0}",
                "t\0\0{\"failed\":2,\"timeouts\":2,\"errors\":null,\"other\":{\"a\":[1,{\"b\":null}]}}",
                "t\2\0{\"error\":{\"code\":400,\"message\":\"Unable to parse\",\"details\":\"x\"}}",
                "t\2\2<html>no</html>",
                "t\1\0",
                "o\0\0{\"partialSuccess\":{\"rejectedDataPoints\":\"3\",\"errorMessage\":\"no\"}}",
                "o\2\0\10\3\22\4text",
                "p\2\0out of order sample",
                "p\6\0duplicate sample for timestamp; too old sample",
                "p\10\2internal",
                "p\7\0")) {
            seeds.add(answer.getBytes(ISO_8859_1));
        }
        byte[] partial = ExportMetricsServiceResponse.newBuilder()
                .setPartialSuccess(ExportMetricsPartialSuccess.newBuilder()
                        .setRejectedDataPoints(3)
                        .setErrorMessage("no"))
                .build()
                .toByteArray();
        seeds.add((new String(new byte[] {'o', 0, 0}, ISO_8859_1) + new String(partial, ISO_8859_1))
                .getBytes(ISO_8859_1));
        return seeds.stream();
    }

    @MethodSource("seeds")
    @DictionaryEntries({
        "\"failed\":",
        "\"timeouts\":",
        "\"errors\":[",
        "\"datapoint\":{",
        "\"error\":\"Unknown metric",
        "\"metric\":\"a\"",
        "\"tags\":{\"src\":\"counters\"}",
        "partialSuccess",
        "rejectedDataPoints",
        "out of bounds",
        "too far",
        "1e400"
    })
    @FuzzTest(maxDuration = "10s")
    void whatever_the_answer_each_point_is_done_or_sent_again(byte[] bytes) throws IOException {
        if (bytes.length < 3) {
            return;
        }
        PointFormat format = switch (bytes[0]) {
            case 'o' -> new OtlpFormat(SERIES);
            case 'p' -> new RemoteWriteFormat(SERIES);
            default -> new PutBodies(SERIES);
        };
        int status = STATUS[(bytes[1] & 0xff) % STATUS.length];
        byte[] text = Arrays.copyOfRange(bytes, 3, bytes.length);
        byte[] body = format.pack(1_700_000_000, VALUES, 0, POINTS);
        Piece piece = new Piece(new PendingTick(new OneBody(body), 1), null, body, POINTS);
        piece.attempts = bytes[2] & 7;
        Duration wait = RetryAfter.of(new String(text, ISO_8859_1), Instant.ofEpochSecond(1_700_000_000));

        Answer answer = format.read(
                status,
                wait,
                new BoundedText(new InputStreamReader(new ByteArrayInputStream(text), format.charset()), 1 << 16),
                POINTS);
        Outcome outcome = new ResponsePolicy(
                        "a sink", format, () -> 0, 1 << 20, () -> 1, new FaultLog(NOPLogger.NOP_LOGGER, () -> 0))
                .judge(piece, answer);

        int again = outcome.rest().stream().mapToInt(Outcome.Rest::points).sum();
        assertThat(outcome.done() + again).as("%s", answer).isEqualTo(POINTS);
        assertThat(outcome.dropped()).isBetween(0, outcome.done());
        for (Outcome.Rest rest : outcome.rest()) {
            byte[] part = rest.body();
            if (part != null) {
                assertThat(format.first(part)).isNotBlank();
            }
        }
    }
}
