package io.counters.collector;

import io.counters.collector.access.Gate;
import io.counters.collector.access.Port;
import io.counters.collector.dashboard.Dashboard;
import io.counters.collector.fleet.FleetView;
import io.counters.collector.history.History;
import io.counters.collector.http.HttpPort;
import io.counters.collector.http.Route;
import io.counters.collector.intake.Intake;
import io.counters.collector.intake.IntakeSettings;
import io.counters.collector.intake.KeySettings;
import io.counters.collector.intake.Keys;
import io.counters.collector.otlp.OtlpRoute;
import io.counters.collector.otlp.OtlpSettings;
import io.counters.collector.post.CountRoute;
import io.counters.collector.publish.Sink;
import io.counters.collector.query.QueryApi;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import io.counters.collector.supervisor.Supervisor;
import io.counters.collector.tap.Tap;
import io.counters.collector.tap.TapApi;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running collector: opens its parts in order, runs each loop on its own thread, and closes the parts in reverse, so
 * that everything that has arrived is committed, pushed and published before it ends.
 */
final class Collector implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Collector.class);

    private static final long LOOK_MILLIS = 1000;
    private static final long REPORT_MILLIS = 600_000;

    /** The maximum time that a hanging disk may delay the end. */
    private static final long END_MILLIS = 4700;

    private final Assembly parts = new Assembly(log);
    private final Settings settings;
    private final Supervisor supervisor;
    private final CollectorSettings own;
    private final Counting counting;
    private final Optional<Keys> keys;
    private final Intake intake;
    private final Health health;
    private final Tap tap;
    private final Dashboard dashboard;
    private final Optional<HttpPort> otlp;
    private final Thread intakeThread;
    private boolean closed;
    private boolean isKept = true;

    /** Uses changed keys, and logs which settings have changed, none of which is used before a restart. */
    void lookAgain(Supplier<Settings> reading) {
        supervisor.reloading();
        keys.ifPresent(Keys::reload);
        try {
            Optional<CollectorFlag> once = settings.readOnce();
            if (once.isPresent()) {
                log.warn(
                        "SIGHUP: the settings are not read again, because the file of --{} is a pipe or a device",
                        once.get().flag());
                return;
            }
            Settings now = reading.get();
            CollectorSettings again = CollectorSettings.of(now);
            List<String> changed = settings.changes(now);
            if (!again.storing().login().equals(own.storing().login()) && changed.isEmpty()) {
                changed = List.of("the store's password");
            } else if (!again.access().token().equals(own.access().token()) && changed.isEmpty()) {
                changed = List.of("the token");
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
        } finally {
            supervisor.ready(status());
        }
    }

    /**
     * Opens and starts everything.
     *
     * @param supervisor has the UDP socket, if another program holds it open, and is told how this does
     * @param out gets the lines that say where it listens, and the points if {@code --sink stdout} is set
     * @throws SettingsException with every error in the settings
     * @throws IOException if a port or the data folder is not available; what was opened is closed again
     */
    Collector(Settings settings, Supervisor supervisor, PrintStream out) throws SettingsException, IOException {
        this.settings = settings;
        this.supervisor = parts.open(supervisor);
        own = CollectorSettings.of(settings);
        settings.remarks().forEach(log::warn);
        try {
            counting = own.fleet().isPresent()
                    ? new FleetCounting(own, own.fleet().get(), out, parts)
                    : new EmbeddedCounting(own, out, parts);
            health = new Health(
                    this::hangs,
                    counting::uncommitted,
                    counting.counted(),
                    own.keeping().folder().toFile()::getUsableSpace,
                    counting.withoutDisk(),
                    counting.parts(),
                    System::nanoTime,
                    () -> parts.clock.millis() / 1000);
            tap = new Tap(parts.clock, Runtime.getRuntime().maxMemory());
            dashboard = parts.open(dashboard());
            keys = own.keys().map(keyed -> new Keys(keyed, parts.clock::millis, parts.faults, parts.metrics));
            intake = parts.open(intake());
            otlp = own.otlp().isPresent()
                    ? Optional.of(parts.open(otlp(own.otlp().get())))
                    : Optional.empty();
            // The only thread that is not a daemon: it keeps the program running.
            intakeThread = parts.threads.foreground("counters-tcp", intake);
            counting.prepare();
            say(out);
        } catch (SettingsException | IOException | RuntimeException cannot) {
            parts.threads.end();
            parts.closeOpened();
            throw cannot;
        }
        show();
        start();
    }

    private void start() {
        intakeThread.start();
        dashboard.start();
        otlp.ifPresent(HttpPort::start);
        counting.start();
        parts.loop("counters-health", () -> {
            intake.look();
            health.lookAtLock();
            return LOOK_MILLIS;
        });
        parts.loop("counters-live", dashboard.live()::run);
        parts.loop("counters-ready", () -> {
            health.lookAtParts();
            return LOOK_MILLIS;
        });
        parts.loop("counters-tap", tap::run);
        own.access().certificate().ifPresent(parts::watch);
        keys.ifPresent(watched -> parts.loop("counters-keys", () -> {
            watched.look();
            return LOOK_MILLIS;
        }));
        parts.loop("counters-report", this::report);
        supervisor.ready(status());
        if (supervisor.isThere()) {
            parts.loop("counters-supervisor", () -> supervisor.tell(health.faults(), status()));
        }
    }

    private List<String> hangs() {
        return intake.hangs();
    }

    /** One line for the supervisor. */
    private String status() {
        List<String> troubles = health.troubles();
        return troubles.isEmpty()
                ? "receives on UDP " + Assembly.text(udpAddress()) + "; page: " + scheme(Port.HTTP)
                        + Assembly.text(httpAddress()) + "/"
                : String.join("; ", troubles);
    }

    private Dashboard dashboard() throws IOException {
        return new Dashboard(
                own.showing(),
                counting.counted(),
                counting::commit,
                counting.history(),
                parts.metrics,
                health::faults,
                health::troubles,
                health::parts,
                counting::fleet,
                () -> udpAddress().getPort(),
                parts.clock,
                System::nanoTime,
                parts.faults,
                work -> parts.threads.worker("counters-http", work),
                routes(counting.history()));
    }

    private Intake intake() throws IOException {
        return new Intake(
                own.taking(),
                supervisor.socket(),
                own.unix().path(),
                keys,
                counting.lines(),
                tap,
                (work, name) -> parts.threads.daemon(name, work),
                System::nanoTime,
                parts.faults,
                parts.metrics);
    }

    private HttpPort otlp(OtlpSettings settings) throws IOException {
        IntakeSettings taking = own.taking();
        return new HttpPort(
                settings.at().with(new Gate(Port.OTLP, own.access().allowed(Port.OTLP), parts.faults, parts.metrics)),
                List.of(
                        new OtlpRoute(
                                        settings,
                                        counting.lines(),
                                        counting::take,
                                        counting.fleet().equals(FleetView.NONE),
                                        new SecureRandom(),
                                        parts.clock,
                                        parts.faults,
                                        parts.metrics)
                                .route(),
                        new CountRoute(
                                        settings.bodyBytesMax(),
                                        taking.nameBytesMax(),
                                        taking.statsd()::newName,
                                        counting.lines(),
                                        counting::take,
                                        parts.faults,
                                        parts.metrics)
                                .route()),
                System::nanoTime,
                parts.faults,
                parts.metrics,
                work -> parts.threads.worker("counters-otlp", work));
    }

    private void show() {
        Runtime jvm = Runtime.getRuntime();
        parts.metrics.gauge("disk_free_bytes", "Free space on the disk of the data folder.", health::diskBytesLeft);
        parts.metrics.gauge("heap_bytes", "Heap in use.", () -> jvm.totalMemory() - jvm.freeMemory());
        parts.metrics.gauge("heap_bytes_max", "The maximum of the heap.", jvm::maxMemory);
    }

    private List<Route> routes(History history) {
        IntakeSettings taking = own.taking();
        List<Route> routes = new ArrayList<>(
                new TapApi(tap, taking.nameBytesMax(), taking.statsd()::newName, System::nanoTime).routes());
        routes.addAll(new QueryApi(
                        history,
                        own.publishing().series(),
                        Runtime.getRuntime().maxMemory(),
                        parts.clock,
                        System::nanoTime)
                .routes());
        return routes;
    }

    private void say(PrintStream out) throws IOException {
        InetSocketAddress udp = intake.udpAddress();
        InetSocketAddress tcp = intake.tcpAddress();
        boolean all = udp.getAddress().isAnyLocalAddress();
        out.println("counters collector listens on UDP " + Assembly.text(udp) + " and TCP " + Assembly.text(tcp)
                + (own.keys().filter(KeySettings::isRequired).isPresent()
                        ? ""
                        : "; try: echo \"increment hello\" | nc -u -w1 "
                                + (all ? "127.0.0.1" : udp.getAddress().getHostAddress()) + " " + udp.getPort()));
        own.unix().path().ifPresent(path -> out.println("  unix:   " + path));
        keys.ifPresent(known -> out.println("  keys:   " + known));
        otlp.ifPresent(port -> out.println(
                "  otlp:   " + scheme(Port.OTLP) + Assembly.text(port.address()) + "/v1/metrics and /count"));
        out.println("  page:   " + scheme(Port.HTTP) + Assembly.text(dashboard.address()) + "/");
        out.println("  ledger: " + counting);
        out.println("  history: " + counting.history());
        out.println("  store:  " + counting.pushing());
        out.println("  points: "
                + (counting.sinks().isEmpty()
                        ? "none; to publish them, use --opentsdb http://HOST:4242"
                        : counting.sinks().stream().map(Sink::toString).collect(Collectors.joining(" and "))
                                + ", every " + own.publishing().interval().toSeconds() + " s"));
        out.flush();
        intake.remark().ifPresent(log::info);
    }

    private String scheme(Port port) {
        return own.access().certificate(port).isPresent() ? "https://" : "http://";
    }

    private Map<String, Long> reported = Map.of();

    /** Logs how many datagrams were lost and what was healed, if anything has changed. */
    private long report() {
        Map<String, Long> numbers = parts.metrics.values();
        if (counting.counted().streams() > 0 && !numbers.equals(reported)) {
            log.info(
                    "counters: {}; senders with totals: {}; their datagrams: {} sent, {} lost, {} received twice;"
                            + " counts healed: {}; amounts in doubt: {}; datagrams dropped by the kernel: {}",
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
        supervisor.stopping();
        parts.threads.end();
        Thread last = parts.threads.worker("counters-last", this::end);
        last.start();
        Assembly.join(last, END_MILLIS);
        isKept = counting.isKept();
    }

    /** Whether everything that was counted is kept; call it after {@link #close}. */
    public synchronized boolean isCommitted() {
        return isKept;
    }

    private void end() {
        otlp.ifPresent(HttpPort::close);
        intake.close();
        Assembly.join(intakeThread, 500);
        parts.endLoops();
        counting.end();
        parts.closeOpened();
    }
}
