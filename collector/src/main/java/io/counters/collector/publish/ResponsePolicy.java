package io.counters.collector.publish;

import io.counters.collector.common.FaultLog;
import io.counters.collector.publish.Outcome.Pause;
import io.counters.collector.publish.Outcome.Rest;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

/**
 * Decides how an {@link Answer} affects the points of a request:
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
 *
 * <p>Servers of the other formats name no points:
 *
 * <pre>
 *   some refused, a number of them       those are counted as dropped, the others confirmed
 *   refused, perhaps because of single   each half is sent as a request of its own, while that saves points; a single
 *   points: out of order, duplicate,     point is dropped
 *   invalid
 *   refused otherwise, or out of bounds  all are dropped
 *   500 by remote write                  all are sent again; from the third time on each half; a single point that fails for
 *                                        five minutes is dropped, if others of its body, or any later ones, were accepted;
 *                                        for an hour, further points of its series are dropped when they fail alone
 *   429, other 5xx, as the format says,  all are sent again, not before the time that the server asked for
 *   and of a login or an address
 * </pre>
 */
final class ResponsePolicy {
    private static final int ATTEMPTS_UNTIL_HALVED = 3;
    private static final int HALVED_POINTS_MIN = 50;

    /** How long a single point at which the server fails is sent again; then it must be seen whether it takes others. */
    static final Duration FAILED_KEPT = Duration.ofMinutes(5);

    /** How long it is not tried again for further points of the series, and the maximum of such series. */
    private static final Duration FAILING_KNOWN = Duration.ofHours(1);

    private static final int FAILING_MAX = 1_000;
    private static final Duration UNKNOWN_KEPT = Duration.ofMinutes(10);

    private final String sink;
    private final PointFormat format;
    private final LongSupplier keptBytes;
    private final long keptMax;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final Object unpacking = new Object();
    private final AtomicBoolean unknownSaid = new AtomicBoolean();

    /** By a series at which the server has failed: until when that is taken for granted. */
    private final Map<String, Long> failing = new HashMap<>();

    /** When a request was last accepted; 0 if none was. */
    private volatile long acceptedAt;

    /**
     * Creates the policy of a sink.
     *
     * @param sink as messages name it
     * @param format of the points in its pieces
     * @param keptBytes the bytes of parts of bodies that wait in memory
     * @param keptMax their bound; beyond it, whole bodies are sent again
     */
    ResponsePolicy(
            String sink,
            PointFormat format,
            LongSupplier keptBytes,
            long keptMax,
            LongSupplier nanoClock,
            FaultLog faults) {
        this.sink = sink;
        this.format = format;
        this.keptBytes = keptBytes;
        this.keptMax = keptMax;
        this.nanoClock = nanoClock;
        this.faults = faults;
    }

    /**
     * Judges an answer. From any thread.
     *
     * @throws TickFile.DamagedFile if the piece's body is damaged, so that it cannot be sent in parts
     * @throws IOException if it cannot be read again
     */
    Outcome judge(Piece piece, Answer answer) throws IOException {
        return bounded(piece, judged(piece, answer));
    }

    private Outcome judged(Piece piece, Answer answer) throws IOException {
        if (answer instanceof Answer.Taken) {
            piece.halving.accepted();
            acceptedAt = time();
            return Outcome.confirmed(piece);
        }
        // An unpacked body is much larger than a sent one, so one at a time is unpacked.
        synchronized (unpacking) {
            if (answer instanceof Answer.Counted counted) {
                return counted(piece, counted);
            }
            if (answer instanceof Answer.Partial partial) {
                return partial(piece, partial);
            }
            if (answer instanceof Answer.Refused refused) {
                return refused(piece, refused);
            }
            if (answer instanceof Answer.Unreadable unreadable) {
                if (piece.points > 1) {
                    return halved(piece, Pause.NONE);
                }
                drop(format.first(piece.body()), unreadable.why());
                return new Outcome(1, 1, List.of(), Pause.NONE);
            }
            if (answer instanceof Answer.Failed failed) {
                return failed(piece, failed);
            }
            if (answer instanceof Answer.TooLarge) {
                warn(
                        "413",
                        "answered 413, so requests of " + piece.bytes() + " bytes are halved; to send smaller ones to"
                                + " OpenTSDB from the start, lower --opentsdb-body");
                return piece.points > 1 ? halved(piece, Pause.NONE) : Outcome.unchanged(piece, Pause.SERVER);
            }
            Answer.Trouble trouble = (Answer.Trouble) answer;
            warn("trouble", trouble.why() + "; points are kept and sent again");
            boolean halved = trouble.maySize()
                    && piece.attempts + 1 >= ATTEMPTS_UNTIL_HALVED
                    && piece.points > HALVED_POINTS_MIN;
            Outcome again = halved ? halved(piece, Pause.SERVER) : Outcome.unchanged(piece, Pause.SERVER);
            return again.after(trouble.delay());
        }
    }

    private Outcome partial(Piece piece, Answer.Partial partial) {
        piece.halving.accepted();
        int dropped = (int) Math.min(partial.rejected(), piece.points);
        if (dropped == 0) {
            warn("remark", "accepted all points of a request, with a remark: " + partial.why());
        } else {
            warn(
                    "partial",
                    "refused points of a request permanently without naming them (points: " + dropped + " of "
                            + piece.points + "): " + partial.why());
        }
        return Outcome.refused(piece, dropped, "partial_success");
    }

    private Outcome refused(Piece piece, Answer.Refused refused) throws IOException {
        if (refused.isOfPoints() && piece.halving.refused(piece.points) && piece.points > 1) {
            return halved(piece, Pause.NONE);
        }
        warn(
                "refused",
                "refused points permanently (points: " + piece.points + ", reason: " + refused.reason()
                        + "), and they are dropped; " + refused.why() + "; the first is " + format.first(piece.body()));
        return Outcome.refused(piece, piece.points, refused.reason());
    }

    private Outcome failed(Piece piece, Answer.Failed failed) throws IOException {
        warn("trouble", failed.why() + "; points are kept and sent again");
        if (piece.points > 1) {
            Outcome again = piece.attempts + 1 < ATTEMPTS_UNTIL_HALVED
                    ? Outcome.unchanged(piece, Pause.SERVER)
                    : halved(piece, Pause.SERVER);
            return again.after(failed.delay());
        }
        long now = time();
        if (piece.failedSince == 0) {
            piece.failedSince = now;
        }
        String series = format.first(piece.body());
        boolean takesOthers = piece.halving.isAnyAccepted() || (acceptedAt != 0 && acceptedAt - piece.failedSince > 0);
        Long known = failing.get(series);
        if (known == null || now - known >= 0) {
            if (!takesOthers || !piece.isStuck(now)) {
                return Outcome.unchanged(piece, Pause.SERVER).after(failed.delay());
            }
            failing.values().removeIf(until -> now - until >= 0);
            if (failing.size() < FAILING_MAX) {
                failing.put(series, now + FAILING_KNOWN.toNanos());
            }
        }
        warn(
                "failing",
                "fails at one point for " + FAILED_KEPT.toMinutes()
                        + " minutes and accepts others, so it is dropped, and for an hour the others of its series are, too;"
                        + " it " + failed.why() + "; the point is " + series);
        return Outcome.refused(piece, 1, "failed");
    }

    private long time() {
        long now = nanoClock.getAsLong();
        return now == 0 ? 1 : now;
    }

    private Outcome counted(Piece piece, Answer.Counted counted) throws IOException {
        if (counted.failed() == 0 && counted.reasons().isEmpty()) {
            return Outcome.confirmed(piece);
        }
        List<String> again = new ArrayList<>();
        int named = 0;
        int dropped = 0;
        boolean unknown = false;
        long now = nanoClock.getAsLong();
        List<String> points = PutBodies.points(piece.body());
        requireAll(piece, points.size());
        for (String point : points) {
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
        List<Rest> rest = again.isEmpty() ? List.of() : List.of(PutBodies.part(again));
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

    private Outcome halved(Piece piece, Pause pause) throws IOException {
        List<Rest> halves = format.halves(piece.body());
        requireAll(piece, halves.stream().mapToInt(Rest::points).sum());
        return new Outcome(0, 0, halves, pause);
    }

    /** The sum in the name of a tick's file shows any damage, but an earlier version wrote files without one. */
    private static void requireAll(Piece piece, int points) throws TickFile.DamagedFile {
        if (points != piece.points) {
            throw new TickFile.DamagedFile(
                    "a body is damaged: points in it: " + points + ", by its file: " + piece.points);
        }
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
