package io.counters.collector.publish;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.ledger.Committer;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.prometheus.SeriesMarks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Publishes one tick after the other: takes a snapshot of the values and passes it to every sink, each on its own thread, so
 * that neither another sink nor the next tick waits for a sink. For any thread.
 */
public final class Publisher implements AutoCloseable {
    /** The maximum ticks that wait for a sink. */
    private static final int WAITING_MAX = 2;

    /** The last tick, at the end of the program, may be in a second that has a tick already. */
    private static final long SECONDS_TRIED_MIN = 2;

    /** A server refuses a value that is further in the future, so a clock that was ahead by more has done no harm. */
    private static final long OVERTAKEN_SECONDS_MAX = TimeUnit.DAYS.toSeconds(2);

    private static final Duration CLOSE = Duration.ofMillis(2500);

    private final Ledger ledger;
    private final Committer commit;
    private final List<Lane> lanes = new ArrayList<>();
    private final long intervalSeconds;
    private final @Nullable IdleFilter idle;

    /** Null if no sink needs more than values. */
    private final @Nullable SeriesMarks marks;

    private final FaultLog faults;
    private final LongAdder ticks;
    private final LongAdder skipped;
    private volatile boolean closed;

    /** A sink, its thread, and the points that it lost. */
    private record Lane(Sink sink, ThreadPoolExecutor thread, LongAdder lost) {}

    /**
     * @param sinks closed with this
     * @param threads creates one thread for each sink
     */
    public Publisher(
            Ledger ledger,
            Committer commit,
            List<Sink> sinks,
            PublishSettings settings,
            ThreadFactory threads,
            FaultLog faults,
            Metrics metrics) {
        this.ledger = ledger;
        this.commit = commit;
        this.faults = faults;
        intervalSeconds = settings.interval().toSeconds();
        OptionalLong idleTicks = settings.idleTicks();
        idle = idleTicks.isPresent() ? new IdleFilter(idleTicks.getAsLong()) : null;
        marks = settings.needsFacts() ? new SeriesMarks() : null;
        for (Sink sink : sinks) {
            lanes.add(new Lane(
                    sink,
                    new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), threads),
                    Sink.lost(sink.label(), metrics)));
        }
        ticks = metrics.count("publish_ticks_total", "Ticks published.");
        skipped = metrics.count("publish_skipped_ticks_total", "Ticks left out.");
    }

    /**
     * Passes the committed value of every counter to every sink. If the second cannot be committed, publishes nothing,
     * because the program would use the second again after a restart. Returns before the points are delivered.
     *
     * @param second the tick's Unix time; if it was used before, even before a restart, the next unused one is used
     */
    public synchronized void publish(long second) {
        if (lanes.isEmpty()) {
            return;
        }
        OptionalLong unused = ledger.publishAt(second, Math.max(intervalSeconds, SECONDS_TRIED_MIN));
        if (unused.isEmpty()) {
            skipped.increment();
            faults.warn(
                    "seconds used",
                    "second " + second + " and those up to the next tick were published before the clock was set back;"
                            + " this tick is left out, because a server cannot handle two values for one second");
            return;
        }
        long free = unused.getAsLong();
        if (!commit.run()) {
            skipped.increment();
            return;
        }
        Snapshot all = marks == null ? ledger.snapshot() : marks.marked(ledger.details());
        boolean isOvertaken = ledger.isOvertaken(free, OVERTAKEN_SECONDS_MAX);
        Snapshot moving = idle == null ? all : idle.leaveOut(all);
        for (Lane lane : lanes) {
            Snapshot values = lane.sink.takesIdle() ? all : moving;
            if (isOvertaken && lane.sink.needsOrder()) {
                skipped.increment();
                faults.warn(
                        "second overtaken",
                        "later seconds than " + free
                                + " were published before the clock was set back; until it has caught up, " + lane.sink
                                + " gets no ticks, because it would take smaller values for restarts of counters");
            } else if (lane.thread.getQueue().size() >= WAITING_MAX) {
                lane.lost.add(values.size());
                lane.sink.missed();
                faults.warn(
                        "sink stuck",
                        lane.sink + " accepts nothing, so the points of second " + free + " are lost (points: "
                                + values.size() + "); counts are unaffected, and the next tick has them");
            } else {
                lane.thread.execute(() -> put(lane, free, values));
            }
        }
        ticks.increment();
    }

    /** An exception or error ends only this tick for this sink. */
    private void put(Lane lane, long second, Snapshot values) {
        try {
            lane.sink.put(second, values);
        } catch (RuntimeException | Error fault) {
            lane.lost.add(values.size());
            faults.warn(
                    "sink fault",
                    lane.sink + " failed, so the points of second " + second + " are lost (points: " + values.size()
                            + "); it continues: " + fault);
        }
    }

    private void close(Sink sink) {
        try {
            sink.close();
        } catch (RuntimeException | Error fault) {
            faults.warn("sink fault", sink + " did not close: " + fault);
        }
    }

    /** Counts and logs the ticks that were missed while this program was paused. */
    public void missed(long count) {
        if (lanes.isEmpty()) {
            return;
        }
        skipped.add(count);
        faults.warn("ticks missed", "ticks left out because this program was paused: " + count);
    }

    /** Lets every sink finish its ticks and then close; does not wait. Idempotent. */
    public synchronized void end() {
        for (Lane lane : lanes) {
            if (!lane.thread.isShutdown()) {
                lane.thread.execute(() -> close(lane.sink));
            }
            lane.thread.shutdown();
        }
    }

    /** Like {@link #end}, but waits for it, at most 2.5 s; a second call does not wait. */
    @Override
    public void close() {
        end();
        if (closed) {
            return;
        }
        closed = true;
        long left = CLOSE.toMillis();
        try {
            for (Lane lane : lanes) {
                // All close at the same time, so they share one time limit.
                if (!lane.thread.awaitTermination(left, TimeUnit.MILLISECONDS)) {
                    left = 0;
                    faults.warn(
                            "end",
                            lane.sink
                                    + " did not finish the last tick in time; points that are not in its spool will be"
                                    + " missing from graphs; counts are unaffected");
                }
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }
}
