package io.counters.collector.publish;

import io.counters.collector.publish.TickBodies.Place;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Points of one tick that are sent in one request. {@link DeliverySchedule} guards what changes in it by its lock. */
final class Piece {
    final PendingTick tick;
    final @Nullable Place place;
    final byte @Nullable [] own;
    final int points;
    final Halving halving;

    /** How often it was sent without success. */
    int attempts;

    /** When the server first failed at it, as a single point; 0 if it did not. */
    long failedSince;

    long due;
    long sentAt;
    boolean replay;

    Piece(PendingTick tick, @Nullable Place place, byte @Nullable [] own, int points) {
        this(tick, place, own, points, new Halving(tick.fruitless, points));
    }

    Piece(PendingTick tick, @Nullable Place place, byte @Nullable [] own, int points, Halving halving) {
        this.halving = halving;
        this.tick = tick;
        this.place = place;
        this.own = own;
        this.points = points;
    }

    /** The tick's second. */
    long second() {
        return tick.second();
    }

    /**
     * How many nanoseconds ago OpenTSDB first answered that it does not know a metric of the tick; 0 at the first call.
     */
    long unknownNanos(long now) {
        if (tick.unknownSince == 0) {
            tick.unknownSince = now == 0 ? 1 : now;
        }
        return now - tick.unknownSince;
    }

    /** Whether it is a single point at which the server has failed for long. */
    boolean isStuck(long now) {
        return failedSince != 0 && now - failedSince > ResponsePolicy.FAILED_KEPT.toNanos();
    }

    /** The size of its body. */
    int bytes() {
        return own != null ? own.length : place == null ? 0 : place.length();
    }

    /** Whether its body is kept in memory, because it is only a part of a body on disk. */
    boolean isKept() {
        return own != null;
    }

    /** Its body. */
    byte[] body() throws IOException {
        if (own != null) {
            return own;
        }
        if (place == null) {
            throw new IllegalStateException();
        }
        return tick.file.read(place);
    }
}
