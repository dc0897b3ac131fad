package io.counters.collector;

import io.counters.collector.dashboard.Dashboard;
import io.counters.collector.dashboard.DashboardSettings;
import io.counters.collector.history.History;
import io.counters.collector.history.HistorySettings;
import io.counters.collector.http.Route;
import io.counters.collector.intake.Intake;
import io.counters.collector.intake.IntakeSettings;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.intake.UnixSettings;
import io.counters.collector.ledger.Commit;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerClock;
import io.counters.collector.ledger.LedgerFile;
import io.counters.collector.ledger.LedgerGauges;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.publish.OpenTsdbSink;
import io.counters.collector.publish.PublishSettings;
import io.counters.collector.publish.Publisher;
import io.counters.collector.publish.Sink;
import io.counters.collector.publish.StdoutSink;
import io.counters.collector.publish.TickClock;
import io.counters.collector.query.QueryApi;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.LogStream;
import io.counters.collector.self.SeededHash;
import io.counters.collector.self.Self;
import io.counters.collector.self.Threads;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import io.counters.collector.store.Pusher;
import io.counters.collector.store.Store;
import io.counters.collector.store.StoreSettings;
import io.counters.collector.tap.Tap;
import io.counters.collector.tap.TapApi;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import okhttp3.HttpUrl;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running collector: opens its parts in order, runs each loop on its own thread, and closes the parts in reverse, so
 * that everything that has arrived is committed, pushed and published before it ends.
 */
public final class Collector implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Collector.class);

    private static final long COMMIT_MILLIS = 100;
    private static final long PUSH_MILLIS = 100;
    private static final long PUSH_AGAIN_MILLIS = 1000;
    private static final long LOOK_MILLIS = 1000;
    private static final long REPORT_MILLIS = 600_000;
    private static final long LOADING_MILLIS = 3000;
    private static final long LAST_PUSH_MILLIS = 1500;

    /** The maximum time that a hanging disk may delay the end. */
    private static final long END_MILLIS = 4700;

    private final InstantSource clock = InstantSource.system();
    private final Self self = new Self();
    private final FaultLog faults = new FaultLog(log, System::nanoTime);
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Threads threads = new Threads();
    private final List<Thread> loops = new ArrayList<>();
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    private final Settings settings;
    private final Parts parts;
    private final PublishSettings publishing;
    private final Ledger ledger;
    private final Commit commit;
    private final History history;
    private final Publisher publisher;
    private final TickClock ticks;
    private final Intake intake;
    private final Health health;
    private final Tap tap;
    private final Dashboard dashboard;
    private final @Nullable Pusher pusher;
    private final @Nullable Thread storeThread;
    private final Thread intakeThread;
    private boolean closed;

    /** The settings of every package. */
    private record Parts(
            IntakeSettings taking,
            UnixSettings unix,
            LedgerSettings keeping,
            StoreSettings storing,
            DashboardSettings showing,
            String prefix,
            PublishSettings publishing,
            HistorySettings history) {
        /** @throws SettingsException with every error in the settings */
        static Parts of(Settings settings) throws SettingsException {
            long heapBytes = Runtime.getRuntime().maxMemory();
            LedgerSettings keeping = LedgerSettings.from(settings, heapBytes);
            PublishSettings publishing = PublishSettings.from(settings);
            Parts parts = new Parts(
                    IntakeSettings.from(settings),
                    UnixSettings.from(settings),
                    keeping,
                    StoreSettings.from(settings),
                    DashboardSettings.from(settings),
                    LedgerSettings.prefix(settings),
                    publishing,
                    HistorySettings.from(
                            settings,
                            keeping.folder(),
                            heapBytes,
                            publishing.interval().toSeconds()));
            settings.check();
            return parts;
        }
    }

    /** Logs which settings have changed. None is used before a restart. */
    void lookAgain(Settings now) {
        try {
            Parts again = Parts.of(now);
            List<String> changed = settings.changes(now);
            if (!again.storing.login().equals(parts.storing.login()) && changed.isEmpty()) {
                changed = List.of("the store's password");
            }
            log.info(
                    "SIGHUP: the settings were read again; {}",
                    changed.isEmpty()
                            ? "nothing has changed"
                            : "changed settings, which need a restart: " + String.join(", ", changed));
        } catch (SettingsException mistakes) {
            log.warn(
                    "SIGHUP: the settings were read again and have errors, so a restart would fail: {}",
                    String.join("; ", mistakes.mistakes()));
        } catch (RuntimeException fault) {
            log.warn("SIGHUP: the settings could not be read again: {}", fault.toString());
        }
    }

    /**
     * Opens and starts everything.
     *
     * @param out gets the lines that say where it listens, and the points if {@code --sink stdout} is set
     * @throws SettingsException with every error in the settings
     * @throws IOException if a port or the data folder is not available; what was opened is closed again
     */
    public Collector(Settings settings, PrintStream out) throws SettingsException, IOException {
        this.settings = settings;
        parts = Parts.of(settings);
        IntakeSettings taking = parts.taking;
        LedgerSettings keeping = parts.keeping;
        StoreSettings storing = parts.storing;
        DashboardSettings showing = parts.showing;
        String prefix = parts.prefix;
        publishing = parts.publishing;
        settings.remarks().forEach(log::warn);
        try {
            LedgerFile file = open(new LedgerFile(keeping.folder()));
            if (file.isShared()) {
                throw new IOException("can't use the ledger " + file
                        + ": it has shared names with peers, and this version" + " has none; " + LedgerFile.WAY_OVER);
            }
            LedgerClock time = new LedgerClock(file.committedMillis(), clock.millis(), System::nanoTime);
            SecureRandom random = new SecureRandom();
            ledger = new Ledger(
                    keeping,
                    storing.isShared(),
                    time,
                    () -> clock.millis() / 1000,
                    random.nextLong(),
                    new SeededHash(random),
                    self);
            LedgerGauges.register(ledger, () -> List.of(ledger), self);
            load(file);
            if (file.setAside() != null) {
                log.error(
                        "the ledger was damaged ({}) and is set aside as {}; a new ledger begins with every counter at 0",
                        file.damage(),
                        file.setAside());
            }
            commit = new Commit(ledger, file, System::nanoTime, faults, self);
            Store store = storing.isShared() ? open(storing.open(System::nanoTime)) : null;
            pusher = store == null ? null : new Pusher(ledger, store, prefix, faults, self);
            List<Sink> sinks = sinks(out, keeping.folder().resolve("spool"));
            // Closed once more by the publisher, after its last tick.
            history = open(new History(parts.history, faults, self));
            List<Sink> takers = new ArrayList<>(sinks);
            if (history.countersMax() > 0) {
                takers.add(history);
            }
            publisher = open(new Publisher(
                    ledger, commit, takers, publishing, work -> threads.daemon("counters-sink", work), faults, self));
            Map<String, Supplier<Optional<String>>> watched = new LinkedHashMap<>();
            if (pusher != null) {
                watched.put("store " + store, pusher::trouble);
            }
            takers.forEach(taker -> watched.put(taker == history ? "history" : taker.toString(), taker::trouble));
            health = new Health(
                    commit::trouble,
                    ledger,
                    keeping.folder().toFile()::getUsableSpace,
                    watched,
                    System::nanoTime,
                    () -> clock.millis() / 1000);
            tap = new Tap(clock, Runtime.getRuntime().maxMemory());
            dashboard = open(new Dashboard(
                    showing,
                    ledger,
                    commit::run,
                    history,
                    self,
                    health::faults,
                    health::troubles,
                    health::parts,
                    () -> udpAddress().getPort(),
                    clock,
                    System::nanoTime,
                    faults,
                    work -> threads.worker("counters-http", work),
                    routes(history)));
            intake = open(new Intake(
                    taking,
                    parts.unix.path(),
                    LineTarget.of(ledger),
                    tap,
                    (work, name) -> threads.daemon(name, work),
                    System::nanoTime,
                    faults,
                    self));
            // The only thread that is not a daemon: it keeps the program running.
            intakeThread = threads.foreground("counters-tcp", intake);
            if (pusher != null) {
                pusher.begin();
            }
            say(out, file, store, sinks);
        } catch (IOException | RuntimeException cannot) {
            threads.end();
            closeOpened();
            throw cannot;
        }
        self.total(
                "log_dropped_lines_total",
                "Log lines that did not fit into the buffer before stderr.",
                LogStream::droppedLines);
        Runtime jvm = Runtime.getRuntime();
        self.gauge("disk_free_bytes", "Free space on the disk of the data folder.", health::diskBytesLeft);
        self.gauge("heap_bytes", "Heap in use.", () -> jvm.totalMemory() - jvm.freeMemory());
        self.gauge("heap_bytes_max", "The maximum of the heap.", jvm::maxMemory);
        ticks = new TickClock(publishing.interval().toSeconds(), clock, System::nanoTime, faults);
        intakeThread.start();
        dashboard.start();
        loop("counters-ledger", () -> {
            commit.run();
            return COMMIT_MILLIS;
        });
        storeThread = pusher == null
                ? null
                : loop("counters-store", () -> !pusher.run() ? PUSH_AGAIN_MILLIS : pusher.hasMore() ? 0 : PUSH_MILLIS);
        loop("counters-publish", this::publishWhenDue);
        loop("counters-health", () -> {
            health.lookAtLock();
            return LOOK_MILLIS;
        });
        loop("counters-live", dashboard.live()::run);
        loop("counters-ready", () -> {
            health.lookAtParts();
            return LOOK_MILLIS;
        });
        loop("counters-tap", tap::run);
        loop("counters-report", this::report);
    }

    /** Loads the ledger, and logs how far it is if that takes long. */
    private void load(LedgerFile file) throws IOException {
        long counters = file.counters();
        CountDownLatch loaded = new CountDownLatch(1);
        threads.worker("counters-loading", () -> {
                    try {
                        while (!loaded.await(LOADING_MILLIS, TimeUnit.MILLISECONDS)) {
                            log.info(
                                    "the ledger is being read: {} of {} counters, {} senders with totals",
                                    ledger.size(),
                                    counters,
                                    ledger.streams());
                        }
                    } catch (InterruptedException nobodyShould) {
                        Thread.currentThread().interrupt();
                    }
                })
                .start();
        try {
            file.load(ledger);
        } finally {
            loaded.countDown();
        }
    }

    private List<Route> routes(History history) {
        IntakeSettings taking = parts.taking;
        List<Route> routes = new ArrayList<>(
                new TapApi(tap, taking.nameBytesMax(), taking.statsd()::newName, System::nanoTime).routes());
        routes.addAll(
                new QueryApi(history, publishing.series(), Runtime.getRuntime().maxMemory(), clock, System::nanoTime)
                        .routes());
        return routes;
    }

    private <T extends AutoCloseable> T open(T part) {
        opened.push(part);
        return part;
    }

    /** The publisher closes them. If one can't be opened, the sinks before it end with the program. */
    private List<Sink> sinks(PrintStream out, Path spools) throws IOException {
        List<Sink> sinks = new ArrayList<>();
        for (HttpUrl address : publishing.opentsdb()) {
            boolean isFirst = address.equals(publishing.opentsdb().get(0));
            String folder =
                    isFirst ? "opentsdb" : "opentsdb-" + address.host().replace(':', '-') + "-" + address.port();
            // Also closed by the publisher, which is opened later and therefore closed first.
            sinks.add(open(new OpenTsdbSink(
                    address,
                    spools.resolve(folder),
                    publishing,
                    Runtime.getRuntime().maxMemory(),
                    clock,
                    System::nanoTime,
                    new SecureRandom(),
                    work -> threads.daemon("counters-opentsdb", work),
                    faults,
                    self)));
        }
        if (publishing.stdout()) {
            sinks.add(new StdoutSink(out, publishing));
        }
        return sinks;
    }

    private void say(PrintStream out, LedgerFile file, @Nullable Store store, List<Sink> sinks) throws IOException {
        InetSocketAddress udp = intake.udpAddress();
        InetSocketAddress tcp = intake.tcpAddress();
        boolean all = udp.getAddress().isAnyLocalAddress();
        out.println("counters collector listens on UDP " + text(udp) + " and TCP " + text(tcp)
                + "; try: echo \"increment hello\" | nc -u -w1 "
                + (all ? "127.0.0.1" : udp.getAddress().getHostAddress()) + " " + udp.getPort());
        parts.unix.path().ifPresent(path -> out.println("  unix:   " + path));
        out.println("  page:   http://" + text(dashboard.address()) + "/");
        out.println("  ledger: " + file + ", counters: " + ledger.size());
        out.println("  history: " + history);
        out.println("  store:  " + (store == null ? "none, only the ledger" : store));
        out.println("  points: "
                + (sinks.isEmpty()
                        ? "none; to publish them, use --opentsdb http://HOST:4242"
                        : sinks.stream().map(Sink::toString).collect(Collectors.joining(" and ")) + ", every "
                                + publishing.interval().toSeconds() + " s"));
        out.flush();
        intake.remark().ifPresent(log::info);
    }

    private static String text(InetSocketAddress address) {
        String host = address.getAddress().isAnyLocalAddress()
                ? "0.0.0.0"
                : address.getAddress().getHostAddress();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
    }

    /** One round of a loop. */
    @FunctionalInterface
    private interface Step {
        /** @return the milliseconds until the next round */
        long run();
    }

    private Thread loop(String name, Step step) {
        Thread thread = threads.daemon(name, () -> {
            long pause = 0;
            while (!ends(pause)) {
                try {
                    pause = step.run();
                } catch (RuntimeException fault) {
                    faults.warn(name, name + " failed and continues: " + fault);
                    log.debug("{}", name, fault);
                    pause = PUSH_AGAIN_MILLIS;
                }
            }
        });
        loops.add(thread);
        thread.start();
        return thread;
    }

    private boolean ends(long withinMillis) {
        try {
            return ending.await(withinMillis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException nobodyShould) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    private Map<String, Long> reported = Map.of();

    private long publishWhenDue() {
        ticks.due().ifPresent(publisher::publish);
        long missed = ticks.takeMissed();
        if (missed > 0) {
            publisher.missed(missed);
        }
        return ticks.waitMillis();
    }

    /** Logs how many datagrams were lost and what was healed, if anything has changed. */
    private long report() {
        Map<String, Long> numbers = self.values();
        if (ledger.streams() > 0 && !numbers.equals(reported)) {
            log.info(
                    "counters: {}; senders with totals: {}; their datagrams: {} sent, {} lost, {} received twice; counts"
                            + " healed: {}; amounts in doubt: {}; datagrams dropped by the kernel: {}",
                    numbers.get("ledger_counters"),
                    numbers.get("ledger_streams"),
                    numbers.get("ledger_datagrams_sent"),
                    numbers.get("ledger_datagrams_lost"),
                    numbers.get("ledger_datagrams_repeated"),
                    numbers.get("ledger_healed_total"),
                    numbers.get("ledger_in_doubt_total"),
                    numbers.get("intake_kernel_drops_total"));
        }
        reported = numbers;
        return REPORT_MILLIS;
    }

    /** The address of the UDP port. */
    public InetSocketAddress udpAddress() {
        return intake.udpAddress();
    }

    /** The address of the TCP port. */
    public InetSocketAddress tcpAddress() {
        return intake.tcpAddress();
    }

    /** The address of the page. */
    public InetSocketAddress httpAddress() {
        return dashboard.address();
    }

    /**
     * Reads what has arrived, commits, pushes, publishes once more, and closes everything, within 5 s even if the disk
     * hangs. Idempotent.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        threads.end();
        Thread last = threads.worker("counters-last", this::end);
        last.start();
        join(last, END_MILLIS);
        int lost = ledger.uncommitted();
        Commit.Behind behind = commit.behind();
        if (lost == 0) {
            log.info("the collector ended; counters in the ledger: {}", ledger.size());
        } else {
            long seconds = behind == null ? 0 : TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - behind.sinceNanos());
            log.error(
                    "the collector ended, but the last changes could NOT be written to the ledger: {}; counters affected: {}; senders with"
                            + " totals repeat theirs after the next start, lines without totals of the last {} s are lost",
                    behind == null ? "the program ended first" : behind.reason(),
                    lost,
                    seconds + 1);
        }
    }

    /** Whether everything that was counted is in the ledger on disk; call it after {@link #close}. */
    public boolean isCommitted() {
        return ledger.uncommitted() == 0;
    }

    private void end() {
        intake.close();
        join(intakeThread, 500);
        ending.countDown();
        for (Thread thread : loops) {
            join(thread, 1600);
        }
        commit.run();
        publisher.publish(clock.millis() / 1000);
        publisher.end();
        // If a round still waits for the store, no other may run: a pusher is for one thread.
        if (pusher != null && storeThread != null && !storeThread.isAlive()) {
            pushAll(pusher);
        }
        publisher.close();
        ledger.noteAll();
        commit.run();
        closeOpened();
    }

    private void pushAll(Pusher last) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LAST_PUSH_MILLIS);
        boolean answered = true;
        while (answered && ledger.unsettled() > 0 && System.nanoTime() - deadline < 0) {
            answered = last.run();
            commit.run();
        }
    }

    private static void join(Thread thread, long millis) {
        try {
            thread.join(millis);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    private void closeOpened() {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (Exception failure) {
                log.warn("a part of the collector did not close: {}", failure.toString());
            }
        }
    }
}
