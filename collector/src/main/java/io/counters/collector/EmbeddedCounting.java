package io.counters.collector;

import io.counters.collector.common.SeededHash;
import io.counters.collector.fleet.FleetView;
import io.counters.collector.history.History;
import io.counters.collector.intake.Kept;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.BoundedCommit;
import io.counters.collector.ledger.Committer;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerClock;
import io.counters.collector.ledger.LedgerFile;
import io.counters.collector.ledger.LedgerGauges;
import io.counters.collector.ledger.LedgerState;
import io.counters.collector.ledger.LedgerView;
import io.counters.collector.publish.HttpSink;
import io.counters.collector.publish.PublishSettings;
import io.counters.collector.publish.Publisher;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts with a ledger in a file of its own. */
final class EmbeddedCounting implements Counting {
    private static final Logger log = LoggerFactory.getLogger(Collector.class);

    private static final long LOADING_MILLIS = 3000;
    private static final long LAST_PUSH_MILLIS = 1500;

    /** How long a request waits for a disk that hangs; less than the time limit of an answer. */
    private static final long COMMIT_MILLIS = 5000;

    private final Assembly parts;
    private final PublishSettings publishing;
    private final LedgerFile file;
    private final Ledger ledger;
    private final Committer commit;
    private final BoundedCommit boundedCommit;
    private final History history;
    private final List<Sink> sinks;
    private final List<Sink> takers;
    private final Publisher publisher;
    private final Pushing pushing;

    /** @throws IOException if the data folder is not available, or the store cannot be opened */
    EmbeddedCounting(CollectorSettings settings, PrintStream out, Assembly parts)
            throws SettingsException, IOException {
        this.parts = parts;
        publishing = settings.publishing();
        Path folder = settings.keeping().folder();
        file = parts.open(new LedgerFile(folder, log::info));
        if (file.isShared()) {
            throw new IOException("cannot use the ledger " + file + ": " + LedgerFile.SHARED);
        }
        SecureRandom random = new SecureRandom();
        LedgerState state = load(new LedgerState(random.nextLong(), new SeededHash(random)));
        ledger = new Ledger(
                settings.keeping(),
                settings.storing().isShared(),
                new LedgerClock(state.committedMillis(), parts.clock.millis(), System::nanoTime),
                () -> parts.clock.millis() / 1000,
                state,
                parts.metrics);
        LedgerGauges.register(ledger, () -> List.of(ledger), parts.metrics);
        if (file.setAside() != null) {
            log.error(
                    "the ledger was damaged ({}) and is set aside as {}; a new ledger begins with every counter at 0. Check the"
                            + " disk, and restore a backup if there is one",
                    file.damage(),
                    file.setAside());
        }
        if (file.wasEmpty()) {
            log.warn("the ledger {} was empty; a new one begins with every counter at 0", file);
        }
        commit = new Committer(ledger, file, System::nanoTime, parts.faults, parts.metrics);
        ExecutorService committing =
                Executors.newSingleThreadExecutor(work -> parts.threads.worker("counters-commit", work));
        parts.open(committing::shutdown);
        boundedCommit = new BoundedCommit(commit::run, committing, COMMIT_MILLIS);
        pushing = new Pushing(settings, () -> List.of(new Pusher.Target(ledger, "")), parts);
        sinks = sinks(out, folder.resolve("spool"));
        // Closed once more by the publisher, after its last tick.
        history = parts.open(new History(settings.history(), parts.faults, parts.metrics));
        takers = new ArrayList<>(sinks);
        if (history.countersMax() > 0) {
            takers.add(history);
        }
        publisher = parts.open(new Publisher(
                ledger,
                commit,
                takers,
                publishing,
                work -> parts.threads.daemon("counters-sink", work),
                parts.faults,
                parts.metrics));
    }

    /** Loads the state of the ledger, and logs how far it is if that takes long. */
    private LedgerState load(LedgerState state) throws IOException {
        String upgrade = file.upgrade();
        if (upgrade != null) {
            log.info("{}", upgrade);
        }
        long counters = file.counters();
        CountDownLatch loaded = new CountDownLatch(1);
        parts.threads
                .worker("counters-loading", () -> {
                    try {
                        while (!loaded.await(LOADING_MILLIS, TimeUnit.MILLISECONDS)) {
                            log.info(
                                    "the ledger is being read: {} of {} counters, {} senders with totals",
                                    state.counters(),
                                    counters,
                                    state.streams());
                        }
                    } catch (InterruptedException nobodyShould) {
                        Thread.currentThread().interrupt();
                    }
                })
                .start();
        try {
            return file.load(state);
        } finally {
            loaded.countDown();
        }
    }

    /** The publisher closes them. If one cannot be opened, the sinks before it end with the program. */
    private List<Sink> sinks(PrintStream out, Path spools) throws IOException {
        List<Sink> opened = new ArrayList<>();
        for (SinkAddress address : publishing.targets()) {
            // Also closed by the publisher, which is opened later and therefore closed first.
            opened.add(parts.open(new HttpSink(
                    address,
                    spools.resolve(publishing.name(address)),
                    publishing,
                    Runtime.getRuntime().maxMemory(),
                    parts.clock,
                    System::nanoTime,
                    new SecureRandom(),
                    work -> parts.threads.daemon("counters-points", work),
                    parts.faults,
                    parts.metrics)));
        }
        if (publishing.stdout()) {
            opened.add(new StdoutSink(out, publishing));
        }
        return opened;
    }

    @Override
    public LineTarget lines() {
        return LineTarget.of(ledger);
    }

    @Override
    public Supplier<Kept> take(Runnable lines) {
        return ledger.batch(lines) ? () -> commit() ? Kept.ALL : Kept.LATE : () -> Kept.NO_ROOM;
    }

    @Override
    public LedgerView counted() {
        return ledger;
    }

    @Override
    public boolean commit() {
        return boundedCommit.run();
    }

    @Override
    public Optional<String> uncommitted(long nanos) {
        return commit.trouble(nanos);
    }

    @Override
    public History history() {
        return history;
    }

    @Override
    public FleetView fleet() {
        return FleetView.NONE;
    }

    @Override
    public Map<String, Supplier<Optional<String>>> parts() {
        Map<String, Supplier<Optional<String>>> watched = new LinkedHashMap<>();
        pushing.watch(watched);
        takers.forEach(taker -> watched.put(taker == history ? "history" : taker.toString(), taker::trouble));
        return watched;
    }

    @Override
    public String withoutDisk() {
        return "counts cannot be committed";
    }

    @Override
    public Pushing pushing() {
        return pushing;
    }

    @Override
    public List<Sink> sinks() {
        return sinks;
    }

    /** Where the ledger is. */
    @Override
    public String toString() {
        return file + ", counters: " + ledger.size();
    }

    @Override
    public void prepare() throws IOException {
        pushing.begin();
    }

    @Override
    public void start() {
        parts.loop("counters-ledger", () -> {
            commit.run();
            return Committer.INTERVAL_MILLIS;
        });
        pushing.start();
        // Its time begins when everything is open, so that a slow start is no missed tick.
        TickClock ticks = new TickClock(publishing.interval().toSeconds(), parts.clock, System::nanoTime, parts.faults);
        parts.loop("counters-publish", () -> publishWhenDue(ticks));
    }

    private long publishWhenDue(TickClock ticks) {
        ticks.due().ifPresent(publisher::publish);
        long missed = ticks.takeMissed();
        if (missed > 0) {
            publisher.missed(missed);
        }
        return ticks.waitMillis();
    }

    @Override
    public void end() {
        commit.run();
        publisher.publish(parts.clock.millis() / 1000);
        publisher.end();
        pushing.end(ledger, commit::run, LAST_PUSH_MILLIS);
        publisher.close();
        ledger.noteAll();
        commit.run();
    }

    @Override
    public boolean isKept() {
        int lost = ledger.uncommitted();
        Committer.Behind behind = commit.behind();
        if (lost == 0) {
            log.info("the collector ended; counters in the ledger: {}", ledger.size());
            return true;
        }
        long seconds = behind == null ? 0 : TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - behind.sinceNanos());
        log.error(
                "the collector ended, but the last changes could NOT be written to the ledger: {}; counters affected: {}; senders with"
                        + " totals repeat theirs after the next start, lines without totals of the last {} s are lost",
                behind == null ? "the program ended first" : behind.reason(),
                lost,
                seconds + 1);
        return false;
    }
}
