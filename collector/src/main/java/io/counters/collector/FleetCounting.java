package io.counters.collector;

import io.counters.collector.fleet.Fleet;
import io.counters.collector.fleet.FleetSettings;
import io.counters.collector.fleet.FleetView;
import io.counters.collector.fleet.Reading;
import io.counters.collector.history.History;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.Counted;
import io.counters.collector.ledger.FolderLock;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerFile;
import io.counters.collector.publish.OpenTsdbSink;
import io.counters.collector.publish.PublishSettings;
import io.counters.collector.publish.Sink;
import io.counters.collector.publish.StdoutSink;
import io.counters.collector.publish.TickClock;
import io.counters.collector.settings.SettingsException;
import io.counters.collector.store.Pusher;
import io.counters.collector.store.Store;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import okhttp3.HttpUrl;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts as one of a fleet, whose ledgers are in Kafka. The data folder has only the history. */
final class FleetCounting implements Counting {
    private static final Logger log = LoggerFactory.getLogger(Collector.class);

    private static final long PUSH_MILLIS = 100;
    private static final long PUSH_AGAIN_MILLIS = 1000;
    private static final long LAST_PUSH_MILLIS = 1000;

    private final Assembly parts;
    private final PublishSettings publishing;
    private final Fleet fleet;
    private final History history;
    private final List<Sink> sinks = new ArrayList<>();
    private final LongAdder ticked;
    private final LongAdder skipped;
    private final @Nullable Store store;
    private final @Nullable Pusher pusher;
    private @Nullable TickClock ticks;
    private @Nullable Thread storeThread;
    private @Nullable Thread ownerThread;
    private @Nullable Thread loaderThread;
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
                            + " import carries it over; then, or if its counts are not needed, move it away",
                    folder);
        }
        fleet = parts.open(new Fleet(
                own,
                settings.showing().port(),
                settings.keeping(),
                settings.storing().isShared() ? Optional.of(this::knowsStore) : Optional.empty(),
                this::dueTick,
                Runtime.getRuntime().maxMemory(),
                parts.clock,
                System::nanoTime,
                new SecureRandom(),
                parts.faults,
                parts.self));
        store = settings.storing().isShared() ? parts.open(settings.storing().open(System::nanoTime)) : null;
        pusher = store == null ? null : new Pusher(this::targets, store, settings.prefix(), parts.faults, parts.self);
        for (HttpUrl address : publishing.opentsdb()) {
            add(
                    OpenTsdbSink.readingAhead(
                            address,
                            "Kafka",
                            publishing,
                            Runtime.getRuntime().maxMemory(),
                            parts.clock,
                            System::nanoTime,
                            new SecureRandom(),
                            work -> parts.threads.daemon("counters-opentsdb", work),
                            parts.faults,
                            parts.self),
                    "opentsdb-" + address.host() + "-" + address.port(),
                    address.host() + ":" + address.port());
        }
        if (publishing.stdout()) {
            add(new StdoutSink(out, publishing), "stdout", "stdout");
        }
        history = parts.open(new History(settings.history(), parts.faults, parts.self));
        if (history.countersMax() > 0) {
            fleet.fill(history);
        }
        ticked = parts.self.count("publish_ticks_total", "Ticks published.");
        skipped = parts.self.count("publish_skipped_ticks_total", "Ticks left out.");
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
        Pusher learns = pusher;
        return learns == null || learns.hasLearnt(ledger);
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
    public Counted counted() {
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
        Map<String, Supplier<Optional<String>>> watched = new LinkedHashMap<>();
        watched.put("Kafka", fleet::linesTrouble);
        watched.put("partitions", fleet::partitionsTrouble);
        if (pusher != null) {
            watched.put("store " + store, pusher::trouble);
        }
        fleet.sinks().forEach(sink -> watched.put(sink.toString(), sink::trouble));
        return watched;
    }

    @Override
    public String withoutDisk() {
        return "graphs lack new values";
    }

    @Override
    public void say(PrintStream out) {
        out.println("  ledger: " + fleet);
        out.println("  history: " + history);
        out.println("  store:  " + (store == null ? "none, only the ledger" : store));
        out.println("  points: "
                + (sinks.isEmpty()
                        ? "none; to publish them, use --opentsdb http://HOST:4242"
                        : sinks.stream().map(Sink::toString).collect(Collectors.joining(" and ")) + ", every "
                                + publishing.interval().toSeconds() + " s"));
    }

    @Override
    public void prepare() {
        // A ledger begins when the store's mark was read, or some seconds later.
    }

    @Override
    public void start() {
        parts.loop("counters-lines", fleet::sendLines);
        // Its time begins when everything is open, so that a slow start is no missed tick.
        ticks = new TickClock(publishing.interval().toSeconds(), parts.clock, System::nanoTime, parts.faults);
        loaderThread = parts.loop("counters-loader", fleet::load);
        ownerThread = parts.loop("counters-owner", fleet::own);
        parts.loop("counters-members", fleet::look);
        if (pusher != null) {
            Pusher pushes = pusher;
            storeThread = parts.loop(
                    "counters-store", () -> !pushes.run() ? PUSH_AGAIN_MILLIS : pushes.hasMore() ? 0 : PUSH_MILLIS);
        }
        for (Reading sink : fleet.sinks()) {
            parts.loop("counters-ticks", sink::run);
        }
        Reading filling = fleet.history();
        if (filling != null) {
            parts.loop("counters-history", filling::run);
        }
    }

    @Override
    public void end() {
        areLinesKept = fleet.endLines();
        if (hasEnded(ownerThread)) {
            fleet.endOwner();
        } else {
            log.warn("the last transaction did not end in time; another collector merges its lines once more");
        }
        // A loader may wait for a broker; then it ends with this process.
        if (hasEnded(loaderThread)) {
            fleet.endLoader();
        }
        // If a round still waits for the store, no other may run: a pusher is for one thread.
        if (pusher != null && storeThread != null && !storeThread.isAlive()) {
            pushAll(pusher);
        }
        fleet.endSinks();
    }

    private static boolean hasEnded(@Nullable Thread thread) {
        return thread == null || !thread.isAlive();
    }

    private void pushAll(Pusher last) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LAST_PUSH_MILLIS);
        boolean answered = true;
        while (answered && fleet.counted().unsettled() > 0 && System.nanoTime() - deadline < 0) {
            answered = last.run();
        }
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
