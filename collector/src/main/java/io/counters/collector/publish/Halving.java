package io.counters.collector.publish;

import java.util.Comparator;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Whether it is worth it to halve requests that are refused; of all parts of one body together. For any thread.
 *
 * <p>Its parts are sent one at a time until one is accepted: the larger ones first down to an eighth of the body, which finds
 * points that are refused in a row, and then smaller ones first, which finds a single point that is accepted after a few
 * requests, wherever the refused ones are. If so many single points are refused and none is accepted, the parts that are
 * refused from then on are not halved. After a body of which nothing was accepted, the next ones of its tick are tried less.
 */
final class Halving {
    static final int SINGLES_MAX = 16;
    private static final int LARGE = 8;

    /** The order of pieces that may be sent: by the time, then as above; what is large comes first as it is below 0. */
    static final Comparator<Piece> ORDER = Comparator.<Piece>comparingLong(piece -> piece.due)
            .thenComparingInt(piece -> isSmall(piece) ? piece.points : -piece.points);

    /** The bodies of the tick of which all was refused. */
    private final AtomicInteger fruitless;

    private final int points;

    /** Its parts in flight; {@link DeliverySchedule}'s lock guards it. */
    int inFlight;

    private int singles;
    private boolean isAnyRefused;
    private boolean isAnyAccepted;
    private boolean isFruitless;

    /**
     * @param fruitless shared by the bodies of a tick
     * @param points of the body
     */
    Halving(AtomicInteger fruitless, int points) {
        this.fruitless = fruitless;
        this.points = points;
    }

    private static boolean isSmall(Piece piece) {
        return piece.points * LARGE < piece.halving.points;
    }

    synchronized void accepted() {
        isAnyAccepted = true;
    }

    /** Whether a part was accepted. */
    synchronized boolean isAnyAccepted() {
        return isAnyAccepted;
    }

    /** Whether a part was refused and none accepted, so that one part is sent at a time. */
    synchronized boolean isDoubtful() {
        return isAnyRefused && !isAnyAccepted;
    }

    /** A part with so many points was refused; returns whether its halves may fare better. */
    synchronized boolean refused(int ofPoints) {
        isAnyRefused = true;
        if (isAnyAccepted) {
            return true;
        }
        singles += ofPoints == 1 ? 1 : 0;
        boolean isWorthIt = singles < SINGLES_MAX >> Math.min(fruitless.get(), 30);
        if (!isWorthIt && !isFruitless) {
            isFruitless = true;
            fruitless.incrementAndGet();
        }
        return isWorthIt;
    }
}
