package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;
import java.io.IOException;

/**
 * Writes the points of a tick as bodies, each of at most a number of bytes as it is sent. One body at a time is in memory. For
 * one thread.
 *
 * <p>How many points fit is known only after they are packed, so the last body's bytes per point are the estimate for the
 * next body; if the estimate was too low, fewer points are packed again.
 */
final class TickPacker {
    /** The target, a little below the bound, because points do not all pack equally well. */
    private static final double AIM = 0.93;

    private final PointFormat format;
    private final int bytesMax;
    private final int pointsMax;
    private double bytesAPoint = 20;

    /** Receives a body. */
    @FunctionalInterface
    interface Taker {
        void take(byte[] packed, int points) throws IOException;
    }

    /** @param bytesMax the maximum bytes of a body as it is sent; only one with a single point may be larger */
    TickPacker(PointFormat format, int bytesMax) {
        this.format = format;
        this.bytesMax = bytesMax;
        pointsMax = format.pointsMax(bytesMax);
    }

    /** Passes all points of a tick to {@code taker}, body by body. */
    void write(long second, Snapshot values, Taker taker) throws IOException {
        int begin = 0;
        while (begin < values.size()) {
            int points = (int) Math.max(1, Math.min(pointsMax, AIM * bytesMax / bytesAPoint));
            byte[] packed = null;
            while (packed == null) {
                points = Math.min(points, values.size() - begin);
                packed = format.pack(second, values, begin, begin + points);
                bytesAPoint = (double) packed.length / points;
                if (packed.length > bytesMax && points > 1) {
                    packed = null;
                    points = Math.max(1, Math.min(points * 3 / 4, (int) (AIM * bytesMax / bytesAPoint)));
                }
            }
            taker.take(packed, points);
            begin += points;
        }
    }
}
