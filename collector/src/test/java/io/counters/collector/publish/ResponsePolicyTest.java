package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.counters.collector.common.FaultLog;
import io.counters.collector.publish.Outcome.Pause;
import io.counters.collector.publish.Outcome.Rest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/** Each row: an answer to a piece, and what is done with the piece's points. */
class ResponsePolicyTest {
    private static final long KEPT_MAX = 1_000_000;
    private static final String BAD = "Invalid characters in a name";
    private static final String PASSING = "Please throttle writes";
    private static final String UNKNOWN = "Unknown metric";

    private long now = 1;
    private long kept;
    private final ResponsePolicy policy = new ResponsePolicy(
            "OpenTSDB at test",
            new PutBodies(new Series("", List.of())),
            () -> kept,
            KEPT_MAX,
            () -> now,
            new FaultLog(LoggerFactory.getLogger(ResponsePolicyTest.class), () -> 0));

    private static Answer counted(long timeouts, String... reasons) throws Exception {
        return counted(reasons.length + timeouts, timeouts, reasons);
    }

    /** @param reasons of the first points */
    private static Answer counted(long failed, long timeouts, String... reasons) throws Exception {
        Map<String, String> named = new HashMap<>();
        for (int i = 0; i < reasons.length; i++) {
            named.put(PutResponse.key(point(i)), reasons[i]);
        }
        return new Answer.Counted(named, failed, timeouts);
    }

    private static String point(int i) {
        return "{\"metric\":\"m" + i + "\",\"timestamp\":10,\"value\":1,\"tags\":{\"src\":\"counters\"}}";
    }

    private static Piece piece(int points, int attempts) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < points; i++) {
            all.add(point(i));
        }
        byte[] body = PutBodies.pack(all);
        Piece piece = new Piece(new PendingTick(new MemoryTick(body, points), 1), null, body, points);
        piece.attempts = attempts;
        return piece;
    }

    static Stream<Arguments> answers() throws Exception {
        Answer cut = new Answer.Trouble("closed", true);
        return Stream.of(
                // points, attempts, answer, done, dropped, points of each rest, pause
                arguments(3, 0, new Answer.Taken(), 3, 0, List.of(), Pause.NONE),
                arguments(3, 0, counted(0), 3, 0, List.of(), Pause.NONE),
                arguments(3, 0, counted(0, BAD), 3, 1, List.of(), Pause.PIECE),
                arguments(3, 0, counted(0, BAD, BAD, BAD), 3, 3, List.of(), Pause.PIECE),
                arguments(3, 0, counted(0, PASSING), 2, 0, List.of(1), Pause.PIECE),
                arguments(3, 0, counted(0, PASSING, BAD), 2, 1, List.of(1), Pause.PIECE),
                arguments(3, 0, counted(0, PASSING, PASSING, PASSING), 0, 0, List.of(3), Pause.SERVER),
                arguments(3, 0, counted(0, UNKNOWN), 2, 0, List.of(1), Pause.PIECE),
                arguments(3, 0, counted(0, UNKNOWN, UNKNOWN, UNKNOWN), 0, 0, List.of(3), Pause.PIECE),
                arguments(3, 0, counted(1), 0, 0, List.of(3), Pause.SERVER),
                arguments(3, 0, counted(1, BAD), 1, 1, List.of(2), Pause.PIECE),
                arguments(4, 0, counted(3, 0, BAD), 0, 0, List.of(2, 2), Pause.NONE),
                arguments(1, 0, counted(3, 0, BAD), 0, 0, List.of(1), Pause.PIECE),
                arguments(3, 0, new Answer.Unreadable("no"), 0, 0, List.of(1, 2), Pause.NONE),
                arguments(1, 0, new Answer.Unreadable("no"), 1, 1, List.of(), Pause.NONE),
                arguments(3, 0, new Answer.TooLarge(), 0, 0, List.of(1, 2), Pause.NONE),
                arguments(1, 0, new Answer.TooLarge(), 0, 0, List.of(1), Pause.SERVER),
                arguments(100, 0, cut, 0, 0, List.of(100), Pause.SERVER),
                arguments(100, 1, cut, 0, 0, List.of(100), Pause.SERVER),
                arguments(100, 2, cut, 0, 0, List.of(50, 50), Pause.SERVER),
                arguments(50, 9, cut, 0, 0, List.of(50), Pause.SERVER),
                arguments(100, 9, new Answer.Trouble("down", false), 0, 0, List.of(100), Pause.SERVER));
    }

    @ParameterizedTest
    @MethodSource("answers")
    void an_answer_has_one_outcome(
            int points, int attempts, Answer answer, int done, int dropped, List<Integer> rest, Pause pause)
            throws Exception {
        Outcome outcome = policy.judge(piece(points, attempts), answer);
        assertThat(outcome.done()).isEqualTo(done);
        assertThat(outcome.dropped()).isEqualTo(dropped);
        assertThat(outcome.rest().stream().map(Rest::points)).isEqualTo(rest);
        assertThat(outcome.pause()).isEqualTo(pause);
        int sent = rest.stream().mapToInt(Integer::intValue).sum();
        assertThat(done + sent).as("each point is done or sent again").isEqualTo(points);
    }

    @Test
    void the_rest_has_the_points_that_failed_unchanged() throws Exception {
        Rest rest = policy.judge(piece(3, 0), counted(0, BAD, PASSING)).rest().get(0);
        assertThat(PutBodies.json(Objects.requireNonNull(rest.body()))).isEqualTo("[" + point(1) + "]");
    }

    @Test
    void unknown_metrics_are_dropped_after_ten_minutes() throws Exception {
        Piece piece = piece(2, 0);
        assertThat(policy.judge(piece, counted(0, UNKNOWN)).dropped()).isZero();
        now += Duration.ofMinutes(10).toNanos();
        assertThat(policy.judge(piece, counted(0, UNKNOWN)).dropped()).isZero();
        now++;
        assertThat(policy.judge(piece, counted(0, UNKNOWN))).isEqualTo(new Outcome(2, 1, List.of(), Pause.PIECE));
    }

    @Test
    void without_room_for_parts_the_whole_piece_is_sent_again() throws Exception {
        byte[] body = PutBodies.pack(List.of(point(0), point(1), point(2)));
        TickBodies tick = new MemoryTick(body, 3);
        Piece onDisk = new Piece(new PendingTick(tick, 1), tick.places().get(0), null, 3);
        kept = KEPT_MAX - body.length;
        assertThat(policy.judge(onDisk, counted(0, PASSING)).keepsBodies()).isTrue();
        kept++;
        assertThat(policy.judge(onDisk, counted(0, PASSING))).isEqualTo(Outcome.unchanged(onDisk, Pause.SERVER));
    }

    /** One body. */
    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record MemoryTick(byte[] body, int points) implements TickBodies {
        @Override
        public long second() {
            return 10;
        }

        @Override
        public long bytes() {
            return body.length;
        }

        @Override
        public List<Place> places() {
            return List.of(new Place(0, body.length, points));
        }

        @Override
        public byte[] read(Place place) {
            return body;
        }
    }
}
