package io.counters.collector.publish;

import io.counters.collector.ledger.Commit;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.self.Self;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/** Publishes one tick after the other. Called by one thread at a time. */
public final class Publisher {
    private final Ledger ledger;
    private final Commit commit;
    private final List<Sink> sinks;
    private final LongAdder ticks;
    private final LongAdder skipped;

    public Publisher(Ledger ledger, Commit commit, List<Sink> sinks, Self self) {
        this.ledger = ledger;
        this.commit = commit;
        this.sinks = List.copyOf(sinks);
        ticks = self.count("publish_ticks_total");
        skipped = self.count("publish_skipped_ticks_total");
    }

    /**
     * Puts the committed value of every counter into every sink; nothing where the second can't be committed, as the
     * next life would use it again.
     *
     * @param second the tick's Unix time; where it was used before, also by an earlier life, the next free one is taken
     * @param within the time to do it in
     */
    public synchronized void publish(long second, Duration within) {
        if (sinks.isEmpty()) {
            return;
        }
        long free = ledger.publishAt(second);
        if (!commit.run()) {
            skipped.increment();
            return;
        }
        Snapshot values = ledger.snapshot(free);
        for (Sink sink : sinks) {
            sink.put(free, values, within);
        }
        ticks.increment();
    }
}
