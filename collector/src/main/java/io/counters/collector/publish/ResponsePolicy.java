package io.counters.collector.publish;

import io.counters.collector.common.FaultLog;
import io.counters.collector.publish.Outcome.Pause;
import io.counters.collector.publish.Outcome.Rest;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

/**
 * Decides how an {@link PutResponse} affects the points of a request:
 *
 * <pre>
 *   204, or none failed                  confirmed
 *   some named as bad                    those are dropped, counted and logged, the others confirmed
 *   some named with a temporary reason   those are sent again: "Write timedout", "Please throttle", "Storage exception"
 *   some of unknown metric               those are sent again for ten minutes, and then dropped
 *   timeouts counted                     all but the bad ones are sent again: if there are bad ones, a TSD names the
 *                                        wrong points as timed out
 *   more failed than were named          each half is sent again
 *   one cannot be read: 400, JSON         each half is sent again; a single point is dropped
 *   413                                  each half is sent again
 *   400 without JSON, closed, half       all are sent again; from the third time on each half, because a request that
 *   an answer                            is too large can also cause this
 *   anything else, no answer, one that   all are sent again
 *   is too long for this many points
 * </pre>
 */
final class ResponsePolicy {
    private static final int ATTEMPTS_UNTIL_HALVED = 3;
    private static final int HALVED_POINTS_MIN = 50;
    private static final Duration UNKNOWN_KEPT = Duration.ofMinutes(10);

    private final String sink;
    private final LongSupplier keptBytes;
    private final long keptMax;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final Object unpacking = new Object();
    private final AtomicBoolean unknownSaid = new AtomicBoolean();

    /**
     * Creates the policy of a sink.
     *
     * @param sink as messages name it
     * @param keptBytes the bytes of parts of bodies that wait in memory
     * @param keptMax their bound; beyond it, whole bodies are sent again
     */
    ResponsePolicy(String sink, LongSupplier keptBytes, long keptMax, LongSupplier nanoClock, FaultLog faults) {
        this.sink = sink;
        this.keptBytes = keptBytes;
        this.keptMax = keptMax;
        this.nanoClock = nanoClock;
        this.faults = faults;
    }

    /**
     * Judges an answer. From any thread.
     *
     * @throws IOException if the piece's body cannot be read again
     */
    Outcome judge(Piece piece, PutResponse answer) throws IOException {
        return bounded(piece, judged(piece, answer));
    }

    private Outcome judged(Piece piece, PutResponse answer) throws IOException {
        if (answer instanceof PutResponse.Taken) {
            return Outcome.confirmed(piece);
        }
        // An unpacked body is much larger than a sent one, so one at a time is unpacked.
        synchronized (unpacking) {
            if (answer instanceof PutResponse.Counted counted) {
                return counted(piece, counted);
            }
            if (answer instanceof PutResponse.Unreadable unreadable) {
                if (piece.points > 1) {
                    return halved(piece, Pause.NONE);
                }
                drop(PutBodies.points(piece.gzipped()).get(0), unreadable.why());
                return new Outcome(1, 1, List.of(), Pause.NONE);
            }
            if (answer instanceof PutResponse.TooLarge) {
                warn(
                        "413",
                        "answered 413, so requests of " + piece.bytes() + " bytes are halved; to send smaller ones from"
                                + " the start, lower --opentsdb-body");
                return piece.points > 1 ? halved(piece, Pause.NONE) : Outcome.unchanged(piece, Pause.SERVER);
            }
            PutResponse.Trouble trouble = (PutResponse.Trouble) answer;
            warn("trouble", trouble.why() + "; points are kept and sent again");
            boolean halved = trouble.maySize()
                    && piece.attempts + 1 >= ATTEMPTS_UNTIL_HALVED
                    && piece.points > HALVED_POINTS_MIN;
            return halved ? halved(piece, Pause.SERVER) : Outcome.unchanged(piece, Pause.SERVER);
        }
    }

    private Outcome counted(Piece piece, PutResponse.Counted counted) throws IOException {
        if (counted.failed() == 0 && counted.reasons().isEmpty()) {
            return Outcome.confirmed(piece);
        }
        List<String> again = new ArrayList<>();
        int named = 0;
        int dropped = 0;
        boolean unknown = false;
        long now = nanoClock.getAsLong();
        for (String point : PutBodies.points(piece.gzipped())) {
            String reason = counted.reasons().get(PutResponse.key(point));
            if (reason == null) {
                if (counted.timeouts() > 0) {
                    again.add(point);
                }
                continue;
            }
            named++;
            PutResponse.Fate fate = PutResponse.fate(reason);
            if (fate == PutResponse.Fate.UNKNOWN) {
                sayUnknown(point);
                if (piece.unknownNanos(now) > UNKNOWN_KEPT.toNanos()) {
                    fate = PutResponse.Fate.BAD;
                }
                unknown = true;
            } else if (fate == PutResponse.Fate.PASSING) {
                warn("points", "did not store a point (" + reason + "); it is sent again: " + point);
            }
            if (fate == PutResponse.Fate.BAD) {
                drop(point, reason);
                dropped++;
            } else {
                again.add(point);
            }
        }
        if (named < counted.failed() && counted.timeouts() == 0) {
            warn(
                    "counts",
                    "did not name all points that failed (failed: " + counted.failed() + ", named: " + named
                            + "); the request is sent again in halves");
            return piece.points > 1 ? halved(piece, Pause.NONE) : Outcome.unchanged(piece, Pause.PIECE);
        }
        int done = piece.points - again.size();
        boolean nothing = done == 0 && !unknown;
        if (again.size() == piece.points) {
            return new Outcome(0, 0, List.of(new Rest(null, piece.points)), nothing ? Pause.SERVER : Pause.PIECE);
        }
        List<Rest> rest = again.isEmpty() ? List.of() : List.of(part(again));
        return new Outcome(done, dropped, rest, nothing ? Pause.SERVER : Pause.PIECE);
    }

    /** If too many parts wait in memory, the whole piece is sent again instead of a part. */
    private Outcome bounded(Piece piece, Outcome wanted) {
        if (piece.isKept() || !wanted.keepsBodies() || keptBytes.getAsLong() + piece.bytes() <= keptMax) {
            return wanted;
        }
        warn(
                "kept",
                "fails parts of so many requests that no more parts are kept in memory; whole requests are sent again");
        return Outcome.unchanged(piece, Pause.SERVER);
    }

    private static Outcome halved(Piece piece, Pause pause) throws IOException {
        List<String> points = PutBodies.points(piece.gzipped());
        int middle = points.size() / 2;
        return new Outcome(
                0, 0, List.of(part(points.subList(0, middle)), part(points.subList(middle, points.size()))), pause);
    }

    private static Rest part(List<String> points) {
        return new Rest(PutBodies.pack(points), points.size());
    }

    private void warn(String kind, String what) {
        faults.warn(sink + " " + kind, sink + " " + what);
    }

    private void drop(String point, String reason) {
        faults.warn(sink + " bad", sink + " refused a point permanently (" + reason + "); it is dropped: " + point);
    }

    private void sayUnknown(String point) {
        if (unknownSaid.compareAndSet(false, true)) {
            faults.warn(
                    sink + " unknown",
                    sink + " does not know a metric or a tag of this point and does not create it; set"
                            + " tsd.core.auto_create_metrics = true there, or create each name with \"tsdb mkmetric NAME\";"
                            + " points with unknown names are sent again for "
                            + UNKNOWN_KEPT.toMinutes() + " minutes and then dropped (logged once): " + point);
        }
    }
}
