package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import io.counters.collector.common.FaultLog;
import io.counters.collector.ledger.Snapshot;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsPartialSuccess;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.helpers.NOPLogger;

/**
 * What OpenTSDB, receivers of OTLP and of remote write, or whatever is at their addresses, answer to a body and then to its parts:
 * after a byte that says which of them, and one that says how often the points were sent before and whether there is room for
 * parts. Each answer begins with a byte for its status; they are separated by the byte 0xFF.
 */
@Tag("once")
@Tag("slow")
class SinkAnswersFuzzTest {
    private static final Series SERIES = new Series("", List.of(new Series.Tag("src", "counters")));
    private static final int[] STATUS = {200, 204, 400, 413, 401, 404, 422, 429, 500, 503};
    private static final int POINTS = 10;
    private static final byte SEPARATOR = (byte) 0xFF;
    private static final int JUDGED_MAX = 16;
    private static final int TEXT_BYTES_MAX = 1 << 16;

    /** Of each status that says nothing of the points: all of them are sent again. */
    private static final Set<Integer> OF_THE_SERVER = Set.of(401, 404, 429, 503);

    /** Of a refusal that every point of the second shares; any other one may be due to single points. */
    private static final Pattern OF_THE_SECOND = Pattern.compile("(?is).*(?:out\\W+of\\W+bounds|too\\W+far).*");

    private static final Pattern OF_A_POINT =
            Pattern.compile("[ -~]{0,100}(?i:out of order|duplicate|too old)[ -~]{0,100}");
    private static final Snapshot VALUES = new Snapshot(
            new String[] {"a", "b", "c,k=v", "d,k=w", "e", "f", "g", "h", "i", "j"},
            new long[] {1, -2, 3, 4, Long.MAX_VALUE, Long.MIN_VALUE, 7, 8, 9, 10},
            POINTS);

    /** A tick whose only body is in the piece. */
    @SuppressWarnings("ArrayRecordComponent") // Never compared.
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
                "t\0\2{\"errors\":[" + error("a", "Invalid x") + "," + error("b", "Unknown metric") + ","
                        + error("e", "Please throttle writes") + "],\"success\":7,\"failed\":3,\"timeouts\":0}",
                "t\0\2{\"errors\":[" + error("a", "Invalid x") + "],\"success\":5,\"failed\":5}\u00ff\1",
                "t\0\0{\"failed\":2,\"timeouts\":2,\"errors\":null,\"other\":{\"a\":[1,{\"b\":null}]}}",
                "t\0\0{\"failed\":0}",
                "t\0\2{\"error\":{\"code\":400,\"message\":\"Unable to parse\",\"details\":\"x\"}}",
                "t\2\2<html>no</html>",
                "t\0\1",
                "t\0\3\u00ff\1\u00ff\11",
                "t\10\2{\"errors\":[" + error("a", "Invalid x") + "],\"success\":9,\"failed\":1}",
                "o\0\0{\"partialSuccess\":{\"rejectedDataPoints\":\"3\",\"errorMessage\":\"no\"}}",
                "o\0\2\10\3\22\4text",
                "o\0\2out of bounds",
                "o\0\7Retry-After\u00ff\3\u00ff\1",
                "o\0\10internal",
                "p\0\2out of order sample",
                "p\0\2out of order sample\u00ff\2out of bounds\u00ff\1",
                "p\0\6duplicate sample for timestamp; too old sample",
                "p\2\10internal\u00ff\10internal\u00ff\1",
                "p\0\10too far in the future",
                "p\0\11",
                "p\0\7")) {
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
        char kind = (char) bytes[0];
        PointFormat format = switch (kind) {
            case 'o' -> new OtlpFormat(SERIES);
            case 'p' -> new RemoteWriteFormat(SERIES);
            default -> new PutBodies(SERIES);
        };
        int attempts = bytes[1] & 7;
        boolean isFull = (bytes[1] & 8) != 0;
        List<byte[]> answers = split(Arrays.copyOfRange(bytes, 2, bytes.length));
        ResponsePolicy policy = new ResponsePolicy(
                "a sink",
                format,
                () -> isFull ? 1 << 20 : 0,
                1 << 20,
                () -> 1,
                new FaultLog(NOPLogger.NOP_LOGGER, () -> 0));
        byte[] body = format.pack(1_700_000_000, VALUES, 0, POINTS);
        OneBody tick = new OneBody(body);
        Deque<Piece> waiting = new ArrayDeque<>();
        waiting.add(new Piece(new PendingTick(tick, 1), tick.places().get(0), null, POINTS));
        assertThat(PlainBodies.points(kind, body)).hasSize(POINTS).doesNotHaveDuplicates();
        int done = 0;
        for (int i = 0; i < JUDGED_MAX && !waiting.isEmpty(); i++) {
            Piece piece = waiting.remove();
            piece.attempts = attempts;
            byte[] answer = answers.get(i % answers.size());
            int status = STATUS[answer.length == 0 ? 1 : (answer[0] & 0xff) % STATUS.length];
            String text = new String(answer, Math.min(1, answer.length), Math.max(0, answer.length - 1), ISO_8859_1);

            Outcome outcome = policy.judge(piece, read(format, status, text, piece.points));

            losesNothing(kind, format, piece, outcome);
            if (isFull && !piece.isKept()) {
                // Instead of a part, all of it is sent again.
                assertThat(outcome.done()).isIn(0, piece.points);
            } else {
                isWhatTheAnswerSays(kind, status, text, piece, outcome);
            }
            done += outcome.done();
            outcome.rest().forEach(rest -> waiting.add(rest.of(piece)));
            assertThat(done + waiting.stream().mapToInt(one -> one.points).sum())
                    .isEqualTo(POINTS);
        }
    }

    private static List<byte[]> split(byte[] bytes) {
        List<byte[]> parts = new ArrayList<>();
        int begin = 0;
        for (int at = 0; at <= bytes.length; at++) {
            if (at == bytes.length || bytes[at] == SEPARATOR) {
                parts.add(Arrays.copyOfRange(bytes, begin, at));
                begin = at + 1;
            }
        }
        return parts;
    }

    private static Answer read(PointFormat format, int status, String text, int points) throws IOException {
        return format.read(
                status,
                wait(text),
                new BoundedText(
                        new InputStreamReader(new ByteArrayInputStream(text.getBytes(ISO_8859_1)), format.charset()),
                        TEXT_BYTES_MAX),
                points);
    }

    private static Duration wait(String text) {
        return RetryAfter.of(text, Instant.ofEpochSecond(1_700_000_000));
    }

    /** Each point is done, or in exactly one of the parts that are sent again. */
    private static void losesNothing(char kind, PointFormat format, Piece piece, Outcome outcome) throws IOException {
        List<String> points = PlainBodies.points(kind, piece.body());
        assertThat(points).hasSize(piece.points);
        List<String> again = again(kind, piece, outcome);
        assertThat(again).doesNotHaveDuplicates();
        assertThat(points).containsAll(again);
        assertThat(outcome.done() + again.size()).isEqualTo(piece.points);
        assertThat(outcome.dropped()).isBetween(0, outcome.done());
        for (Outcome.Rest rest : outcome.rest()) {
            assertThat(format.first(rest.of(piece).body())).isNotBlank();
        }
    }

    private static List<String> again(char kind, Piece piece, Outcome outcome) throws IOException {
        List<String> again = new ArrayList<>();
        for (Outcome.Rest rest : outcome.rest()) {
            List<String> part = PlainBodies.points(kind, rest.of(piece).body());
            assertThat(part).hasSize(rest.points());
            again.addAll(part);
        }
        return again;
    }

    private static void isWhatTheAnswerSays(char kind, int status, String text, Piece piece, Outcome outcome)
            throws IOException {
        int done = outcome.done();
        int dropped = outcome.dropped();
        boolean isSingle = piece.points == 1;
        if (OF_THE_SERVER.contains(status)) {
            assertThat(done).isZero();
            if ((kind == 'o' || kind == 'p') && (status == 429 || status == 503)) {
                assertThat(outcome.delay()).isEqualTo(wait(text));
            }
        } else if (status == 413) {
            boolean isRefused = isSingle && (kind == 'o' || kind == 'p');
            assertThat(done).isEqualTo(isRefused ? 1 : 0);
            assertThat(dropped).isEqualTo(done);
            assertThat(outcome.rest()).hasSize(isRefused ? 0 : isSingle ? 1 : 2);
        } else if (status / 100 == 2 && kind == 'o') {
            assertThat(done).isEqualTo(piece.points);
            assertThat(dropped).isIn(rejected(text, piece.points));
        } else if (status == 204 || (status == 200 && kind == 'p')) {
            assertThat(done).isEqualTo(piece.points);
            assertThat(dropped).isZero();
        } else if (kind == 'o' || kind == 'p') {
            refused(kind, status, text, piece, outcome);
        } else if (status == 200 || status == 400) {
            put(status, text, piece, outcome);
        } else {
            assertThat(done).isZero();
        }
    }

    /** How many points a successful answer by OTLP may reject: one number, unless it is JSON of some other form. */
    private static Set<Integer> rejected(String text, int points) {
        Matcher json = Pattern.compile("\\{\"partialSuccess\":\\{\"rejectedDataPoints\":\"?([0-9]{1,9})\"?[,}][^{]*}")
                .matcher(text);
        if (json.matches() && isJson(text)) {
            return Set.of(Math.min(points, Integer.parseInt(json.group(1))));
        }
        if (text.stripLeading().startsWith("{")) {
            return text.contains("rejectedDataPoints") || text.indexOf('\\') >= 0
                    ? IntStream.rangeClosed(0, points).boxed().collect(Collectors.toSet())
                    : Set.of(0);
        }
        try {
            long rejected = ExportMetricsServiceResponse.parseFrom(text.getBytes(ISO_8859_1))
                    .getPartialSuccess()
                    .getRejectedDataPoints();
            return Set.of((int) Math.max(0, Math.min(points, rejected)));
        } catch (InvalidProtocolBufferException other) {
            return Set.of(0);
        }
    }

    private static boolean isJson(String text) {
        try {
            return JsonParser.parseString(text).toString().equals(text);
        } catch (JsonParseException other) {
            return false;
        }
    }

    /** 400, 422 and 500 by OTLP and remote write: points are dropped, or sent again in halves, but some are not done and others not. */
    private static void refused(char kind, int status, String text, Piece piece, Outcome outcome) {
        int done = outcome.done();
        assertThat(outcome.dropped()).isEqualTo(done);
        assertThat(done).isIn(0, piece.points);
        boolean isOfAll = OF_THE_SECOND.matcher(text).matches();
        boolean isOfPoint = OF_A_POINT.matcher(text).matches();
        if (kind == 'p' && status == 500) {
            assertThat(done == 0 || isOfAll || (piece.points == 1 && isOfAPoint(text)))
                    .isTrue();
        } else if (piece.points == 1) {
            assertThat(done).isOne();
        } else if (status != 500) {
            assertThat(done == 0 || isOfAll).isTrue();
        } else if (!isOfAPoint(text)) {
            assertThat(done).as("OTLP says that it is not tried again").isEqualTo(piece.points);
        }
        if (piece.points > 1 && isOfPoint && kind == 'p') {
            assertThat(done).isZero();
            assertThat(outcome.rest()).hasSize(2);
        }
    }

    private static boolean isOfAPoint(String text) {
        return Pattern.compile("(?is)out\\W+of\\W+order|duplicate|too\\W+old")
                .matcher(text)
                .find();
    }

    private static void put(int status, String text, Piece piece, Outcome outcome) throws IOException {
        List<String> points = PlainBodies.points('t', piece.body());
        Optional<PlainPut> plain = PlainPut.of(text, points);
        if (plain.isPresent()) {
            assertThat(again('t', piece, outcome))
                    .containsExactlyInAnyOrderElementsOf(plain.get().again());
            assertThat(outcome.dropped()).isEqualTo(plain.get().dropped());
        } else if (text.indexOf('\\') < 0 && !text.contains("failed")) {
            // Only a single point that cannot be read is dropped.
            boolean isUnreadable = status == 400 && piece.points == 1 && text.contains("error");
            assertThat(outcome.done()).isLessThanOrEqualTo(isUnreadable ? 1 : 0);
        }
    }
}
