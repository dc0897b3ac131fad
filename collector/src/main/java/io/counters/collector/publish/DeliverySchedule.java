package io.counters.collector.publish;

import io.counters.collector.publish.Outcome.Pause;
import io.counters.collector.publish.Outcome.Rest;
import io.counters.collector.publish.TickBodies.Place;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Decides which piece of which tick is sent next, and when. A state machine without sockets and threads: the time, in
 * nanoseconds, is an argument, and it reads only the ticks' files. All methods may be called from any thread; only {@link
 * #next} and {@link #shed} wait for the disk, and they hold no lock while they wait.
 *
 * <p>The current tick is sent first. The rest of older ticks is replayed oldest first, on at most half of the connections
 * and at a bounded rate, and only while nothing of the current tick is due. When the next tick begins, the current one
 * becomes the newest of the older ones. Ticks that are read ahead from a topic are all older ones ({@link #oldestFirst}).
 *
 * <p>A server that refuses a value which is older than one it has, such as Prometheus, gets one tick after the other ({@link
 * #inOrder}): the next one begins when all of one is confirmed or refused, or one point at which the server fails is left.
 *
 * <p>After a whole request has failed, nothing is sent for a while, then one request at a time, until one is accepted; see
 * {@link Pauses}.
 */
final class DeliverySchedule {
    /** The maximum points replayed per second, unless ticks have more points per second: then that number. */
    static final int REPLAY_RATE_MIN = 10_000;

    /**
     * The maximum older ticks that are begun at the same time. A later one is begun if no piece of the earlier ones is due.
     */
    static final int BEGUN_MAX = 256;

    /** After this many attempts a piece of an older tick is sent after those that were tried less often. */
    private static final int TRIES = 5;

    /** How long a tick with unconfirmed points rests while others wait to be begun. */
    static final long REST_MILLIS = 600_000;

    /** In points per second. */
    private static final long UNLIMITED_RATE = 1L << 50;

    private final Backlog backlog;
    private final int connections;
    private final Manner manner;

    /** How ticks are chosen. */
    private record Manner(
            int replayConnections, int begunMax, long replayRate, long intervalSeconds, boolean isInOrder) {}

    private @Nullable PendingTick current;
    private final NavigableSet<PendingTick> older =
            new TreeSet<>(Comparator.comparingLong(PendingTick::second).thenComparingLong(tick -> tick.number));

    /** The tick whose file must be read before {@link #choose} can return a piece of it; null if there is none. */
    private @Nullable PendingTick unread;

    private long lastNumber;
    private int inFlight;
    private int replaysInFlight;
    private final ReplayRate replayRate;

    private final Pauses pauses;

    /** Begins with the ticks that are in the spool already. */
    DeliverySchedule(Backlog backlog, int connections, long intervalSeconds, RandomGenerator random, long now) {
        this(
                backlog,
                connections,
                new Manner(Math.max(1, connections / 2), BEGUN_MAX, REPLAY_RATE_MIN, intervalSeconds, false),
                random,
                now);
    }

    private DeliverySchedule(Backlog backlog, int connections, Manner manner, RandomGenerator random, long now) {
        this.manner = manner;
        this.backlog = backlog;
        this.connections = connections;
        replayRate = new ReplayRate(manner.replayRate, now);
        pauses = new Pauses(random, now);
        backlog.ticks().forEach(this::add);
    }

    /** One for which all ticks are older ones, sent as fast as they are confirmed: {@link #add} is used, not {@link #begin}. */
    static DeliverySchedule oldestFirst(ReadAhead ahead, int connections, RandomGenerator random, long now) {
        return new DeliverySchedule(
                ahead, connections, new Manner(connections, Integer.MAX_VALUE, UNLIMITED_RATE, 1, false), random, now);
    }

    /** One that finishes a tick before it begins the next one, the oldest first, as fast as they are confirmed. */
    static DeliverySchedule inOrder(Backlog backlog, int connections, RandomGenerator random, long now) {
        return new DeliverySchedule(
                backlog, connections, new Manner(connections, Integer.MAX_VALUE, UNLIMITED_RATE, 1, true), random, now);
    }

    /** Adds an older tick. */
    synchronized void add(TickBodies tick) {
        older.add(new PendingTick(tick, ++lastNumber));
    }

    /** Makes this the current tick. */
    synchronized void begin(TickBodies file) {
        PendingTick last = current;
        if (last != null) {
            older.add(last);
            boolean untouched = last.left == last.file.points();
            boolean tooMany = older.stream().filter(PendingTick::isBegun).count() > manner.begunMax;
            if (last.inFlight == 0 && (untouched || tooMany)) {
                last.forget();
            }
        }
        current = new PendingTick(file, ++lastNumber);
        replayRate.limit(Math.max(REPLAY_RATE_MIN, file.points() / manner.intervalSeconds));
    }

    /**
     * Returns the piece to send now; each must be passed to {@link #apply}.
     *
     * @return null if there is none; see {@link #waitNanos}
     * @throws DamagedTick if a tick's file is not what was written; the tick is dropped
     * @throws IOException if a tick cannot be read now; it waits for a second
     */
    @Nullable
    Piece next(long now) throws DamagedTick, IOException {
        backlog.sweep();
        while (true) {
            PendingTick tick;
            synchronized (this) {
                Piece piece = choose(now);
                tick = unread;
                unread = null;
                if (tick == null) {
                    return piece;
                }
            }
            read(tick, now);
        }
    }

    private void read(PendingTick tick, long now) throws DamagedTick, IOException {
        List<Place> places;
        try {
            places = tick.file.places();
        } catch (TickFile.DamagedFile | NoSuchFileException gone) {
            throw new DamagedTick(drop(tick), gone);
        } catch (IOException notNow) {
            synchronized (this) {
                if (tick.cannotBeRead(now) && manner.isInOrder) {
                    throw new DamagedTick(drop(tick), notNow);
                }
            }
            throw notNow;
        }
        synchronized (this) {
            tick.unreadableSince = null;
            tick.places = places;
        }
    }

    private @Nullable Piece choose(long now) {
        if (pauses.isPaused(now) || isBusy()) {
            return null;
        }
        PendingTick first = first();
        if (manner.isInOrder && first != null && first.givesWay(now)) {
            // Whether the server accepts others shows whether it fails because of that point.
            first = older.size() > 1 ? older.higher(first) : current;
        }
        Piece piece = first == null ? null : due(first, now, Integer.MAX_VALUE);
        if (piece == null && unread == null && !manner.isInOrder && mayReplay(now)) {
            // Pieces that have failed repeatedly must not delay those that were never tried.
            piece = replayed(now, TRIES);
            if (piece == null && unread == null) {
                piece = replayed(now, Integer.MAX_VALUE);
            }
            if (piece != null) {
                piece.replay = true;
                replaysInFlight++;
                replayRate.take(piece.points);
            }
        }
        if (piece != null) {
            piece.sentAt = now;
            piece.tick.inFlight++;
            piece.halving.inFlight++;
            inFlight++;
        }
        return piece;
    }

    private @Nullable PendingTick first() {
        return manner.isInOrder && !older.isEmpty() ? older.first() : current;
    }

    private boolean isBusy() {
        return inFlight >= (pauses.areOver() ? connections : 1);
    }

    private boolean isBusyReplaying() {
        return replaysInFlight >= manner.replayConnections;
    }

    private @Nullable Piece replayed(long now, int attemptsMax) {
        int begun = 0;
        for (PendingTick tick : older) {
            if (tick.rests(now)) {
                continue;
            }
            Piece piece = due(tick, now, attemptsMax);
            if (piece != null || unread != null) {
                return piece;
            }
            begun += tick.isBegun() || tick.isUnreadable(now) ? 1 : 0;
            if (begun >= manner.begunMax) {
                giveWay(now);
                return null;
            }
        }
        return null;
    }

    /** If all begun ticks wait and another was never tried, lets the oldest one rest. */
    private void giveWay(long now) {
        if (older.stream().allMatch(tick -> tick.isBegun() || tick.rests(now))) {
            return;
        }
        for (PendingTick tick : older) {
            if (tick.isBegun() && tick.inFlight == 0) {
                tick.forget();
                tick.restsUntil = now + TimeUnit.MILLISECONDS.toNanos(REST_MILLIS);
                return;
            }
        }
    }

    private boolean mayReplay(long now) {
        return !older.isEmpty() && !isBusyReplaying() && replayRate.allows(now);
    }

    private @Nullable Piece due(PendingTick tick, long now, int attemptsMax) {
        if (tick.isUnreadable(now)) {
            return null;
        }
        List<Place> places = tick.places;
        if (places == null) {
            unread = tick;
            return null;
        }
        return tick.due(places, now, attemptsMax);
    }

    /** Whether nothing is sent because requests have failed. */
    synchronized boolean isPaused(long now) {
        return pauses.isPaused(now);
    }

    /** How long nothing is due, unless the outcome of a piece is known or a tick is begun; at most a second. */
    synchronized long waitNanos(long now) {
        long wait = TimeUnit.SECONDS.toNanos(1);
        if (isPaused(now)) {
            return Math.min(wait, pauses.nanos(now));
        }
        if (isBusy()) {
            return wait;
        }
        if (manner.isInOrder) {
            PendingTick first = first();
            long due = first == null ? wait : first.nanosUntilDue(now, wait);
            return Math.max(TimeUnit.MILLISECONDS.toNanos(1), Math.min(wait, due));
        }
        if (current != null && !current.again.isEmpty()) {
            wait = Math.min(wait, current.again.peek().due - now);
        }
        if (isBusyReplaying()) {
            return Math.max(TimeUnit.MILLISECONDS.toNanos(1), wait);
        }
        long earns = replayRate.nanosUntilOne();
        int begun = 0;
        for (PendingTick tick : older) {
            if (tick.rests(now)) {
                continue;
            }
            if (begun++ == manner.begunMax) {
                break;
            }
            if (tick.isUnreadable(now)) {
                continue;
            }
            if (tick.places == null || tick.next < tick.places.size()) {
                wait = Math.min(wait, earns);
                break;
            }
            Piece piece = tick.again.peek();
            if (piece != null) {
                wait = Math.min(wait, Math.max(earns, piece.due - now));
            }
        }
        return Math.max(TimeUnit.MILLISECONDS.toNanos(1), wait);
    }

    /**
     * Records the outcome of a piece.
     *
     * @return false if its tick was dropped and counted as lost meanwhile
     */
    synchronized boolean apply(Piece piece, Outcome outcome, long now) {
        PendingTick tick = piece.tick;
        inFlight--;
        tick.inFlight--;
        piece.halving.inFlight--;
        if (piece.replay) {
            replaysInFlight--;
            replayRate.confirmed(outcome.done(), now);
        }
        if (outcome.pause() == Pause.SERVER) {
            pauses.failed(piece.sentAt, now, outcome.delay());
        } else {
            pauses.end();
        }
        if (tick.dropped) {
            return false;
        }
        for (Rest part : outcome.rest()) {
            Piece again = part.of(piece);
            if (outcome.pause() == Pause.NONE) {
                again.due = piece.due;
            } else {
                again.attempts = piece.attempts + 1;
                again.due = pauses.again(again.attempts, now);
            }
            tick.again.add(again);
        }
        tick.left -= outcome.done();
        if (piece.place != null && outcome.rest().stream().noneMatch(Rest::isEntire)) {
            tick.file.sent(piece.place);
        }
        if (tick.isDone()) {
            backlog.remove(tick.file);
            older.remove(tick);
            if (tick == current) {
                current = null;
            }
        }
        return true;
    }

    /** Deletes the oldest ticks while the spool exceeds its bound; returns the points that were lost. */
    long shed() {
        backlog.sweep();
        long lost = 0;
        for (TickBodies file = backlog.dropExcess(); file != null; file = backlog.dropExcess()) {
            lost += lose(file);
        }
        return lost;
    }

    /** Drops the tick of a piece whose outcome is known, because its file is damaged or missing; returns the points that were lost. */
    synchronized int lose(Piece piece) {
        return drop(piece.tick);
    }

    private synchronized int lose(TickBodies file) {
        Stream<PendingTick> all = current == null ? older.stream() : Stream.concat(older.stream(), Stream.of(current));
        return all.filter(tick -> tick.file.equals(file))
                .findFirst()
                .map(this::drop)
                .orElse(0);
    }

    private synchronized int drop(PendingTick tick) {
        if (tick.dropped) {
            return 0;
        }
        backlog.remove(tick.file);
        older.remove(tick);
        if (tick == current) {
            current = null;
        }
        tick.dropped = true;
        return tick.left;
    }

    /** The recent rate of replayed points per second. */
    synchronized long replayRate(long now) {
        return replayRate.recent(now);
    }

    /** The bytes of parts of bodies that wait in memory. */
    synchronized long keptBytes() {
        long kept = current == null ? 0 : current.keptBytes();
        for (PendingTick tick : older) {
            kept += tick.keptBytes();
        }
        return kept;
    }

    /** Whether there is no tick. */
    synchronized boolean isDone() {
        return current == null && older.isEmpty();
    }

    /** Whether the current tick is completely confirmed. */
    synchronized boolean isCurrentDone() {
        return current == null;
    }

    /** Whether all ticks wait for one that cannot be read. */
    synchronized boolean isUnreadable() {
        PendingTick first = first();
        return manner.isInOrder && first != null && first.unreadableSince != null;
    }

    /** Whether the last request failed. */
    synchronized boolean isInTrouble() {
        return !pauses.areOver();
    }

    /** The points of older ticks. */
    synchronized long olderPoints() {
        return older.stream().mapToLong(tick -> tick.left).sum();
    }

    /** The bytes of older ticks on disk. */
    synchronized long olderBytes() {
        return backlog.bytes() - (current == null ? 0 : current.file.bytes());
    }

    /** The second of the oldest of the older ticks; {@code nothing} if there is none. */
    synchronized long oldest(long nothing) {
        return older.isEmpty() ? nothing : older.first().second();
    }

    /** The unconfirmed points of the older ticks, by their seconds; for a test. */
    synchronized Map<Long, Integer> older() {
        Map<Long, Integer> left = new TreeMap<>();
        older.forEach(tick -> left.merge(tick.second(), tick.left, Integer::sum));
        return left;
    }
}
