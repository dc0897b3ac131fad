package io.counters.collector;

import io.counters.collector.fleet.Fleet;
import io.counters.collector.fleet.FleetSettings;
import io.counters.collector.fleet.FleetView;
import io.counters.collector.history.History;
import io.counters.collector.intake.Kept;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.FolderLock;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerFile;
import io.counters.collector.ledger.LedgerView;
import io.counters.collector.publish.HttpSink;
import io.counters.collector.publish.PublishSettings;
import io.counters.collector.publish.Sink;
import io.counters.collector.publish.SinkAddress;
import io.counters.collector.publish.StdoutSink;
import io.counters.collector.publish.TickClock;
import io.counters.collector.settings.SettingsException;
import io.counters.collector.store.Pusher;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts as one of a fleet, whose ledgers are in Kafka. The data folder has only the history. */
final class FleetCounting implements Counting {
    private static final Logger log = LoggerFactory.getLogger(Collector.class);

    private static final long LAST_PUSH_MILLIS = 1000;

    private final Assembly parts;
    private final PublishSettings publishing;
    private final Fleet fleet;
    private final History history;
    private final List<Sink> sinks = new ArrayList<>();
    private final LongAdder ticked;
    private final LongAdder skipped;
    private final Pushing pushing;
    private @Nullable TickClock ticks;
    private volatile boolean areLinesKept;

    /** @throws IOException if Kafka or the data folder is not available, or the store cannot be opened */
    FleetCounting(CollectorSettings settings, FleetSettings own, PrintStream out, Assembly parts)
            throws SettingsException, IOException {
        this.parts = parts;
        publishing = settings.publishing();
        own.remarks().forEach(log::warn);
        Path folder = settings.keeping().folder();
        parts.open(new FolderLock(folder));
        if (LedgerFile.isIn(folder)) {
            log.warn(
                    "the embedded ledger in {} is not used, because the ledger is in Kafka; the command"
                            + " import carries it over; if it was imported already, or if its counts are not needed, move it away",
                    folder);
        }
        fleet = parts.open(new Fleet(
                own,
                settings.showing().port(),
                settings.keeping(),
                settings.storing().isShared() ? Optional.of(this::knowsStore) : Optional.empty(),
                this::dueTick,
                () -> Objects.requireNonNull(ticks).last(),
                Runtime.getRuntime().maxMemory(),
                parts.clock,
                System::nanoTime,
                new SecureRandom(),
                parts.faults,
                parts.metrics));
        pushing = new Pushing(settings, this::targets, parts);
        for (SinkAddress address : publishing.targets()) {
            add(
                    HttpSink.readingAhead(
                            address,
                            "Kafka",
                            publishing,
                            Runtime.getRuntime().maxMemory(),
                            parts.clock,
                            System::nanoTime,
                            new SecureRandom(),
                            work -> parts.threads.daemon("counters-points", work),
                            parts.faults,
                            parts.metrics),
                    address.name(),
                    address.label());
        }
        if (publishing.stdout()) {
            add(new StdoutSink(out, publishing), "stdout", "stdout");
        }
        history = parts.open(new History(settings.history(), parts.faults, parts.metrics));
        if (history.countersMax() > 0) {
            fleet.fill(history);
        }
        ticked = parts.metrics.count("publish_ticks_total", "Ticks published.");
        skipped = parts.metrics.count("publish_skipped_ticks_total", "Ticks left out.");
    }

    private void add(Sink sink, String name, String label) {
        sinks.add(sink);
        fleet.add(sink, name, label, publishing.idleTicks());
    }

    private List<Pusher.Target> targets() {
        return fleet.ledgers().entrySet().stream()
                .map(part -> new Pusher.Target(part.getValue(), part.getKey().toString()))
                .toList();
    }

    private boolean knowsStore(Ledger ledger) {
        return pushing.hasLearnt(ledger);
    }

    private OptionalLong dueTick() {
        TickClock clock = Objects.requireNonNull(ticks);
        OptionalLong due = clock.due();
        long missed = clock.takeMissed();
        if (missed > 0) {
            skipped.add(missed);
            parts.faults.warn("ticks missed", "ticks left out because this program was paused: " + missed);
        }
        if (due.isPresent()) {
            ticked.increment();
        }
        return due;
    }

    @Override
    public LineTarget lines() {
        return fleet.lines();
    }

    @Override
    public Supplier<Kept> take(Runnable lines) {
        return fleet.take(lines);
    }

    @Override
    public LedgerView counted() {
        return fleet.counted();
    }

    @Override
    public boolean commit() {
        return fleet.commit();
    }

    @Override
    public Optional<String> uncommitted(long nanos) {
        return fleet.uncommitted(nanos);
    }

    @Override
    public History history() {
        return history;
    }

    @Override
    public FleetView fleet() {
        return fleet.view();
    }

    @Override
    public Map<String, Supplier<Optional<String>>> parts() {
        Map<String, Supplier<Optional<String>>> watched = fleet.parts();
        pushing.watch(watched);
        return watched;
    }

    @Override
    public String withoutDisk() {
        return "graphs lack new values";
    }

    @Override
    public Pushing pushing() {
        return pushing;
    }

    @Override
    public List<Sink> sinks() {
        return sinks;
    }

    /** Where the ledgers are. */
    @Override
    public String toString() {
        return fleet.toString();
    }

    @Override
    public void prepare() {
        // A ledger begins when the store's stamp was read, or some seconds later.
    }

    @Override
    public void start() {
        // Its time begins when everything is open, so that a slow start is no missed tick.
        ticks = new TickClock(publishing.interval().toSeconds(), parts.clock, System::nanoTime, parts.faults);
        fleet.start((name, round) -> parts.loop(name, round::getAsLong));
        pushing.start();
    }

    @Override
    public void end() {
        // Known before what follows, which may take longer than there is time for.
        areLinesKept = fleet.endLines();
        fleet.end();
        pushing.end(fleet.counted(), () -> {}, LAST_PUSH_MILLIS);
        fleet.close();
    }

    @Override
    public boolean isKept() {
        if (areLinesKept) {
            log.info("the collector ended; all lines are in Kafka");
            return true;
        }
        log.error(
                "the collector ended, but the last lines could NOT be written to Kafka; senders with totals repeat theirs,"
                        + " lines without totals are lost");
        return false;
    }
}
