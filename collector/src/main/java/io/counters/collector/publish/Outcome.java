package io.counters.collector.publish;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the answer to a request means for the points of its {@link Piece}. {@link ResponsePolicy} decides it, {@link DeliverySchedule}
 * acts on it.
 *
 * @param done points that are not sent again
 * @param dropped how many of them the server refused permanently
 * @param reason why, in a word or two, for the metric; empty if none was refused
 * @param rest the parts that are sent again
 * @param pause what waits before the rest is sent
 * @param delay how long it waits at least
 */
record Outcome(int done, int dropped, String reason, List<Rest> rest, Pause pause, Duration delay) {
    /** Why OpenTSDB refuses single points. */
    private static final String INVALID = "invalid";

    Outcome(int done, int dropped, List<Rest> rest, Pause pause) {
        this(done, dropped, dropped == 0 ? "" : INVALID, rest, pause, Duration.ZERO);
    }

    /** What waits after a request. */
    enum Pause {
        /** Nothing: the rest is sent at once. */
        NONE,
        /** The rest; other pieces are sent meanwhile. */
        PIECE,
        /** All requests, because the whole request failed. */
        SERVER
    }

    /**
     * A part of a piece that is sent again, as a new piece.
     *
     * @param body its bytes; null for the unchanged piece
     */
    @SuppressWarnings("ArrayRecordComponent") // Passed on once, never compared.
    record Rest(byte @Nullable [] body, int points) {
        boolean isEntire() {
            return body == null;
        }

        Piece of(Piece piece) {
            if (body != null) {
                return new Piece(piece.tick, null, body, points, piece.halving);
            }
            Piece same = new Piece(piece.tick, piece.place, piece.own, piece.points, piece.halving);
            same.failedSince = piece.failedSince;
            return same;
        }
    }

    /** All points are accepted. */
    static Outcome confirmed(Piece piece) {
        return new Outcome(piece.points, 0, List.of(), Pause.NONE);
    }

    /** The points of a piece are not sent again, and so many of them were refused permanently. */
    static Outcome refused(Piece piece, int dropped, String reason) {
        return new Outcome(piece.points, dropped, dropped == 0 ? "" : reason, List.of(), Pause.NONE, Duration.ZERO);
    }

    /** The same, but it waits at least this long. */
    Outcome after(Duration atLeast) {
        return new Outcome(done, dropped, reason, rest, pause, atLeast);
    }

    /** The whole piece is sent again, unchanged. */
    static Outcome unchanged(Piece piece, Pause pause) {
        return new Outcome(0, 0, List.of(new Rest(null, piece.points)), pause);
    }

    /** Whether it has parts whose bodies must be kept in memory. */
    boolean keepsBodies() {
        return !rest.stream().allMatch(Rest::isEntire);
    }
}
