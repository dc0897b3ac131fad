package io.counters.collector.publish;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the answer to a request means for the points of its {@link Piece}. {@link ResponsePolicy} decides it, {@link DeliverySchedule}
 * acts on it.
 *
 * @param done points that are not sent again
 * @param dropped how many of them OpenTSDB refused permanently
 * @param rest the parts that are sent again
 * @param pause what waits before the rest is sent
 */
record Outcome(int done, int dropped, List<Rest> rest, Pause pause) {
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
     * @param gzipped its body; null for the unchanged piece
     */
    @SuppressWarnings("ArrayRecordComponent") // Passed on once, never compared.
    record Rest(byte @Nullable [] gzipped, int points) {
        boolean isEntire() {
            return gzipped == null;
        }

        Piece of(Piece piece) {
            return gzipped == null
                    ? new Piece(piece.tick, piece.place, piece.own, piece.points)
                    : new Piece(piece.tick, null, gzipped, points);
        }
    }

    /** All points are accepted. */
    static Outcome confirmed(Piece piece) {
        return new Outcome(piece.points, 0, List.of(), Pause.NONE);
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
