package io.counters.collector.publish;

import io.counters.collector.publish.TickBodies.Place;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A tick of the {@link Backlog} and how much of it is confirmed. {@link DeliverySchedule} guards it by its lock. */
final class PendingTick {
    /** How long other ticks wait for one that cannot be read, if they must. */
    static final long UNREADABLE_NANOS = TimeUnit.MINUTES.toNanos(10);

    final TickBodies file;

    /** No two ticks have the same. */
    final long number;

    @Nullable
    List<Place> places;

    /** When it may be read again, if it could not be. */
    @Nullable
    Long readAgain;

    @Nullable
    Long restsUntil;

    int next;
    final PriorityQueue<Piece> again = new PriorityQueue<>(Halving.ORDER);

    /** The bodies of which all was refused. */
    final AtomicInteger fruitless = new AtomicInteger();

    /** When it could first not be read, if it still cannot be. */
    @Nullable
    Long unreadableSince;

    /** The attempts of its last piece when the next tick had its turn. */
    private int othersTurn;

    int inFlight;
    int left;
    boolean dropped;

    /**
     * When OpenTSDB first answered that it does not know a metric of the tick; 0 if it did not. Kept by {@link #forget}.
     */
    volatile long unknownSince;

    PendingTick(TickBodies file, long number) {
        this.file = file;
        this.number = number;
        left = file.points();
    }

    long second() {
        return file.second();
    }

    boolean isBegun() {
        return places != null;
    }

    /** Whether it waits for a while, so that others are sent. */
    boolean rests(long now) {
        return restsUntil != null && now - restsUntil < 0;
    }

    /**
     * It could not be read, for example because too many files are open, and waits for a while. Returns whether that has lasted
     * so long that other ticks should not wait for it.
     */
    boolean cannotBeRead(long now) {
        unreadableSince = unreadableSince == null ? now : unreadableSince;
        readAgain = now + TimeUnit.MILLISECONDS.toNanos(Pauses.PIECE_MILLIS_MAX);
        return now - unreadableSince > UNREADABLE_NANOS;
    }

    boolean isUnreadable(long now) {
        return readAgain != null && now - readAgain < 0;
    }

    /** The next piece that may be sent now and was tried less often than this; null if there is none. */
    @Nullable
    Piece due(List<Place> of, long now, int attemptsMax) {
        Piece waiting = again.peek();
        if (waiting != null && now - waiting.due >= 0 && waiting.attempts < attemptsMax && !isBlocked(waiting)) {
            return again.remove();
        }
        if (next == of.size()) {
            return null;
        }
        Place place = of.get(next++);
        Piece fresh = new Piece(this, place, null, place.points());
        fresh.due = now;
        return fresh;
    }

    /** Whether the outcome of another part of the same body decides what happens to this one. */
    private static boolean isBlocked(Piece piece) {
        return piece.halving.inFlight > 0 && piece.halving.isDoubtful();
    }

    /** Whether all that is left of it is a point at which the server has failed for long. Then the next tick takes turns with it. */
    boolean givesWay(long now) {
        List<Place> all = places;
        Piece last = again.peek();
        boolean isStuck = all != null && next == all.size() && last != null && again.size() == 1 && last.isStuck(now);
        boolean isOthersTurn = isStuck && last.attempts != othersTurn;
        if (isOthersTurn) {
            othersTurn = last.attempts;
        }
        return isOthersTurn;
    }

    /** How long nothing of it is due, if all its bodies were sent or it cannot be read. */
    long nanosUntilDue(long now, long otherwise) {
        if (readAgain != null && isUnreadable(now)) {
            return readAgain - now;
        }
        Piece waiting = again.peek();
        return waiting == null || isBlocked(waiting) ? otherwise : waiting.due - now;
    }

    /** Resets its progress: all of it is sent again, which changes nothing in OpenTSDB. */
    void forget() {
        places = null;
        next = 0;
        again.clear();
        left = file.points();
    }

    long keptBytes() {
        long kept = 0;
        for (Piece piece : again) {
            kept += piece.isKept() ? piece.bytes() : 0;
        }
        return kept;
    }

    boolean isDone() {
        return places != null && next == places.size() && again.isEmpty() && inFlight == 0;
    }
}
