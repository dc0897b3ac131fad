package io.counters.collector.publish;

import io.counters.collector.ledger.Commit;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
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
 * Publishes one tick after the other: freezes its values and hands them to every sink, each on a thread of its own, so
 * that neither a sink nor the next tick waits for another. For any thread.
 */
public final class Publisher implements AutoCloseable {
    /** The most ticks that wait until a sink has taken the one before. */
    private static final int WAITING_MAX = 2;

    /** The last tick, at the end, may fall into a second that has one. */
    private static final long SECONDS_TRIED_MIN = 2;

    private static final Duration CLOSE = Duration.ofMillis(2500);

    private final Ledger ledger;
    private final Commit commit;
    private final List<Lane> lanes = new ArrayList<>();
    private final long intervalSeconds;
    private final @Nullable Idle idle;
    private final FaultLog faults;
    private final LongAdder ticks;
    private final LongAdder skipped;
    private final LongAdder lost;
    private volatile boolean closed;

    /** A sink and its thread. */
    private record Lane(Sink sink, ThreadPoolExecutor thread) {}

    /**
     * @param sinks closed with this
     * @param threads makes one for each sink
     */
    public Publisher(
            Ledger ledger,
            Commit commit,
            List<Sink> sinks,
            PublishSettings settings,
            ThreadFactory threads,
            FaultLog faults,
            Self self) {
        this.ledger = ledger;
        this.commit = commit;
        this.faults = faults;
        intervalSeconds = settings.interval().toSeconds();
        idle = settings.idle()
                .map(after -> new Idle((after.toSeconds() + intervalSeconds - 1) / intervalSeconds))
                .orElse(null);
        for (Sink sink : sinks) {
            lanes.add(new Lane(
                    sink, new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), threads)));
        }
        ticks = self.count("publish_ticks_total");
        skipped = self.count("publish_skipped_ticks_total");
        lost = self.count("publish_lost_points_total");
    }

    /**
     * Hands the committed value of every counter to every sink; nothing where the second can't be committed, as the next
     * life would use it again. Returns before they are delivered.
     *
     * @param second the tick's Unix time; where it was used before, also by an earlier life, the next free one is taken
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
                            + " this tick is left out, as OpenTSDB breaks on two values for one second");
            return;
        }
        long free = unused.getAsLong();
        if (!commit.run()) {
            skipped.increment();
            return;
        }
        Snapshot all = ledger.snapshot(free);
        Snapshot moving = idle == null ? all : idle.leaveOut(all);
        for (Lane lane : lanes) {
            Snapshot values = lane.sink.takesIdle() ? all : moving;
            if (lane.thread.getQueue().size() >= WAITING_MAX) {
                lost.add(values.size());
                faults.warn(
                        "sink stuck",
                        lane.sink + " takes nothing: " + values.size() + " points of second " + free
                                + " are lost; counts are unaffected, and the next tick has them");
            } else {
                lane.thread.execute(() -> put(lane.sink, free, values));
            }
        }
        ticks.increment();
    }

    /** An error, too, is the end of this tick for this sink and no more. */
    private void put(Sink sink, long second, Snapshot values) {
        try {
            sink.put(second, values);
        } catch (RuntimeException | Error fault) {
            lost.add(values.size());
            faults.warn(
                    "sink fault",
                    sink + " failed, and " + values.size() + " points of second " + second + " are lost; it goes on: "
                            + fault);
        }
    }

    private void close(Sink sink) {
        try {
            sink.close();
        } catch (RuntimeException | Error fault) {
            faults.warn("sink fault", sink + " did not close: " + fault);
        }
    }

    /** Takes note of ticks that came while this program stood still. */
    public void missed(long count) {
        if (lanes.isEmpty()) {
            return;
        }
        skipped.add(count);
        faults.warn("ticks missed", "ticks that were left out, as this program stood still: " + count);
    }

    /** Lets every sink take what it was handed, and then end; does not wait. Idempotent. */
    public synchronized void end() {
        for (Lane lane : lanes) {
            if (!lane.thread.isShutdown()) {
                lane.thread.execute(() -> close(lane.sink));
            }
            lane.thread.shutdown();
        }
    }

    /** As {@link #end}, and waits for it, 2.5 s at the most; the second time not at all. */
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
                // All close at the same time, so each waits for the rest of what the first was given.
                if (!lane.thread.awaitTermination(left, TimeUnit.MILLISECONDS)) {
                    left = 0;
                    faults.warn(
                            "end",
                            lane.sink
                                    + " has not taken the last tick in time: points that are not in its spool will be missing from"
                                    + " graphs; counts are unaffected");
                }
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }
}
