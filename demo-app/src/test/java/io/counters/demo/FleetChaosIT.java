package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Brokers;
import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Memcached;
import io.counters.testsupport.Pause;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A fleet whose processes are killed, hang, leave and join at random, while a bad network brings it the totals of many senders.
 * At rest every sum is exact: in the ledgers, in memcached and in the time series database. No second of a counter has two
 * values, no counter that is only incremented falls, and seconds without a point are near something that was done to the fleet.
 *
 * <p><b>Rules.</b> At most one of the three brokers is away or hangs, because topics need two replicas in sync, and the next
 * one not before it has been back for {@value #BROKER_REST_SECONDS} s. At least one collector runs. The collector in the first
 * place may hang but is never killed: it gets lines without totals over TCP, and what a killed collector had taken and Kafka
 * had not acknowledged of such lines is lost, as documented.
 *
 * <p>With {@code -Dchaos.minutes=20 -Dchaos.every=6} it runs for longer, and {@code -Dchaos.seed=7} makes other choices. The
 * seed decides what is done and when, but not how the work of the processes interleaves. The logs of all collectors are in
 * {@code target/fleet-chaos/SEED} afterwards.
 */
@Tag("once")
class FleetChaosIT {
    private static final double MINUTES = Double.parseDouble(System.getProperty("chaos.minutes", "1"));
    private static final int EVERY_SECONDS = Integer.getInteger("chaos.every", 4);
    private static final long SEED = Long.getLong("chaos.seed", 20261130);

    private static final int BROKERS = 3;
    private static final int COLLECTORS = 3;
    private static final int COLLECTORS_MAX = 5;
    private static final int PARTITIONS = 8;
    private static final int NAMES_OF_AGENT = 100;
    private static final int BROKER_REST_SECONDS = 5;
    private static final int AWAY_SECONDS_MAX = 15;
    /** Longer than the 10 s of a collector's session and the 6 s of a broker's. */
    private static final int HANG_SECONDS = 12;

    private static final int HANG_MORE_SECONDS = 6;
    /** How long after something was done, and undone, points may be missing: a session, a transaction, a load. */
    private static final int FELT_SECONDS = 30;

    /** Twice what the longest hang, a session, a transaction and a load take, because one thing follows the other. */
    private static final int GAP_SECONDS_MAX = 180;

    private static final int GAP_SECONDS_SHOWN = 4;

    /** Of all points, with something done every four seconds; four tenths are usual. */
    private static final double MISSING_SHARE_MAX = 0.85;

    private static final int STARTS_MAX = 5;
    private static final int SIGTERM_STATUS = 143;
    private static final int FAILED_STATUS = 3;
    /** The last lines did not reach Kafka within some seconds. */
    private static final int UNSENT_STATUS = 4;

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final Pattern COUNTED = Pattern.compile("(many[^ ]+) (-?\\d+)");
    private static final Pattern INTERNAL = Pattern.compile("failed and continues|internal error|Exception in thread");

    private static final String LOST_TOTALS = "fleet_lost_lines_total{kind=\"total\"}";

    private static final String UNSENT = "the last lines could NOT be written to Kafka";

    /** Losses and errors that no collector may count. */
    private static final List<String> ZERO = List.of(
            "fleet_faulty_records_total",
            "fleet_gone_records_total",
            "fleet_rejected_lines_total",
            "fleet_lost_lines_total{kind=\"amount\"}",
            LOST_TOTALS,
            "fleet_dropped_lines_total{kind=\"amount\"}",
            "fleet_dropped_lines_total{kind=\"total\"}",
            "publish_lost_points_total",
            "publish_bad_points_total");

    /** What is done, and how often of twenty. */
    private enum Kind {
        COLLECTOR_KILLED(6),
        COLLECTOR_HANGS(3),
        /** It hangs, another one with its name starts elsewhere, and then it goes on: an orchestrator does that. */
        COLLECTOR_REPLACED(1),
        COLLECTOR_LEAVES(2),
        COLLECTOR_JOINS(2),
        BROKER_KILLED(4),
        BROKER_HANGS(2);

        final int share;

        Kind(int share) {
            this.share = share;
        }
    }

    /** Something that was done, and when it was undone, in seconds of Unix time. */
    private static final class Event {
        final Kind kind;
        final long begin = System.currentTimeMillis() / 1000;
        volatile long end = Long.MAX_VALUE;

        Event(Kind kind) {
            this.kind = kind;
        }

        void isOver() {
            end = System.currentTimeMillis() / 1000;
        }

        boolean isFelt(long second) {
            return second >= begin - 1 && second - FELT_SECONDS <= end;
        }
    }

    private enum State {
        EMPTY,
        RUNS,
        /** Something is done to its collector. */
        BUSY
    }

    /** Where a collector may be. For the chaos thread, but for the collector. */
    private static final class Place {
        final int number;
        final int port = Ports.reserve();
        int generation;
        State state = State.EMPTY;
        volatile @Nullable CollectorProgram collector;

        Place(int number) throws IOException {
            this.number = number;
        }

        /** The same after a kill; another one who joins has another. */
        String instance() {
            return "collector-" + number + "-" + generation;
        }

        CollectorProgram running() {
            return Objects.requireNonNull(collector);
        }
    }

    @TempDir
    private Path folder;

    /** Each that takes another one's place has a folder of its own, because the other one may have taken a place, too. */
    private final AtomicInteger replaced = new AtomicInteger();

    private final Random random = new Random(SEED);
    private final ScheduledExecutorService chaos = Executors.newSingleThreadScheduledExecutor();
    private final ExecutorService works = Executors.newCachedThreadPool();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicInteger refusedStarts = new AtomicInteger();
    private final List<Event> events = new CopyOnWriteArrayList<>();
    private final Map<String, Program> programs = new ConcurrentHashMap<>();
    /** The last of each collector, by its process. */
    private final Map<Long, SortedMap<String, Long>> metrics = new TreeMap<>();

    /** The processes that lost nothing before their end, at which they said that the last lines were not sent. */
    private final Set<Long> unsent = ConcurrentHashMap.newKeySet();

    private final List<Place> places = new ArrayList<>();
    private final Deque<Kind> deck = new ArrayDeque<>();
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private Brokers brokers;
    private Memcached memcached;
    private VictoriaMetrics database;
    private PutRecorder recorder;
    private boolean isBrokerAway;
    private long brokerBackNanos = System.nanoTime();
    private volatile boolean isEnough;
    private double longestTakeOver;

    @BeforeEach
    void open() throws Exception {
        say("seed " + SEED + ", " + MINUTES + " minutes, something every " + EVERY_SECONDS + " s");
        memcached = opened(new Memcached());
        database = opened(VictoriaMetrics.start(folder.resolve("database")));
        recorder = opened(new PutRecorder(database.address()));
        brokers = opened(Brokers.start(BROKERS));
        for (int number = 0; number < COLLECTORS_MAX; number++) {
            places.add(new Place(number));
        }
        // The first one creates the topics.
        for (Place place : places.subList(0, COLLECTORS)) {
            start(place);
            place.state = State.RUNS;
        }
        List<Kind> once = new ArrayList<>(List.of(Kind.values()));
        Collections.shuffle(once, random);
        deck.addAll(once);
    }

    @AfterEach
    void close() throws Exception {
        chaos.shutdownNow();
        works.shutdownNow();
        assertThat(works.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
        programs.values().forEach(Program::close);
        Path logs = Files.createDirectories(Path.of("target", "fleet-chaos", Long.toString(SEED)));
        for (Map.Entry<String, Program> program : programs.entrySet()) {
            Files.write(logs.resolve(program.getKey()), program.getValue().errors());
        }
        Files.writeString(logs.resolve("brokers"), String.valueOf(brokers));
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    private <T extends AutoCloseable> T opened(T one) {
        opened.push(one);
        return one;
    }

    private void say(String what) {
        System.out.println(LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS) + " " + what);
    }

    // What is done

    private interface Work {
        void run() throws Exception;
    }

    private void guarded(Work work) {
        try {
            work.run();
        } catch (InterruptedException ending) {
            Thread.currentThread().interrupt();
        } catch (Exception | AssertionError broken) {
            failure.compareAndSet(null, broken);
        }
    }

    /** Does what takes long on a thread of its own, and then something short on the chaos thread. */
    private void inBackground(Work work, Work then) {
        pending.incrementAndGet();
        works.execute(() -> guarded(() -> {
            work.run();
            chaos.execute(() -> guarded(() -> {
                then.run();
                pending.decrementAndGet();
            }));
        }));
    }

    private void later(int seconds, Work work) {
        pending.incrementAndGet();
        var unused = chaos.schedule(
                () -> guarded(() -> {
                    work.run();
                    pending.decrementAndGet();
                }),
                seconds,
                TimeUnit.SECONDS);
    }

    private void start(Place place) throws Exception {
        start(place, place.port);
    }

    private void start(Place place, int port) throws Exception {
        for (int tries = 1; ; tries++) {
            try {
                CollectorProgram started = CollectorProgram.start(
                        folder.resolve(
                                place.instance() + (port == 0 ? "-elsewhere-" + replaced.incrementAndGet() : "")),
                        port,
                        "--ledger",
                        "kafka://" + brokers.bootstrap(),
                        "--instance",
                        place.instance(),
                        "--fleet-partitions",
                        Integer.toString(PARTITIONS),
                        "--interval",
                        "1s",
                        "--store",
                        memcached.url(),
                        "--opentsdb",
                        recorder.address());
                programs.put(place.instance() + "." + started.program().pid(), started.program());
                place.collector = started;
                return;
            } catch (AssertionError notStarted) {
                // Without leaders for a moment, Kafka cannot be used; who supervises processes starts them again.
                if (tries == STARTS_MAX) {
                    throw notStarted;
                }
                refusedStarts.incrementAndGet();
                say(place.instance() + " did not start: " + notStarted.getMessage());
            }
        }
    }

    /** Does the next thing that the rules allow now. */
    private void next() {
        checkRunning();
        if (isEnough) {
            return;
        }
        if (deck.size() < Kind.values().length) {
            List<Kind> more = new ArrayList<>();
            for (Kind kind : Kind.values()) {
                more.addAll(Collections.nCopies(kind.share, kind));
            }
            Collections.shuffle(more, random);
            deck.addAll(more);
        }
        deck.stream().filter(this::isAllowed).findFirst().ifPresent(kind -> {
            deck.removeFirstOccurrence(kind);
            Event event = new Event(kind);
            events.add(event);
            switch (kind) {
                case COLLECTOR_KILLED -> kill(event, any(mortal()));
                case COLLECTOR_HANGS -> hang(event, any(in(State.RUNS)));
                case COLLECTOR_REPLACED -> replace(event, any(mortal()));
                case COLLECTOR_LEAVES -> leave(event, any(mortal()));
                case COLLECTOR_JOINS -> join(event, any(in(State.EMPTY)));
                case BROKER_KILLED -> killBroker(event, random.nextInt(BROKERS));
                case BROKER_HANGS -> hangBroker(event, random.nextInt(BROKERS));
            }
        });
    }

    private void checkRunning() {
        for (Place place : in(State.RUNS)) {
            Program program = place.running().program();
            assertThat(program.isRunning())
                    .as("%s runs: %s", place.instance(), program)
                    .isTrue();
        }
    }

    private List<Place> in(State state) {
        return places.stream().filter(place -> place.state == state).toList();
    }

    private List<Place> mortal() {
        return in(State.RUNS).stream().filter(place -> place.number > 0).toList();
    }

    private <T> T any(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private boolean isAllowed(Kind kind) {
        boolean mayStop = in(State.RUNS).size() > 1;
        return switch (kind) {
            case COLLECTOR_KILLED, COLLECTOR_REPLACED -> mayStop && !mortal().isEmpty();
            case COLLECTOR_HANGS -> mayStop;
            case COLLECTOR_LEAVES ->
                mayStop && COLLECTORS_MAX - in(State.EMPTY).size() > COLLECTORS && !mortal().isEmpty();
            case COLLECTOR_JOINS -> !in(State.EMPTY).isEmpty();
            case BROKER_KILLED, BROKER_HANGS ->
                !isBrokerAway && System.nanoTime() - brokerBackNanos > TimeUnit.SECONDS.toNanos(BROKER_REST_SECONDS);
        };
    }

    private void kill(Event event, Place place) {
        int seconds = random.nextInt(AWAY_SECONDS_MAX);
        say("kill -9 " + place.instance() + " for " + seconds + " s");
        place.state = State.BUSY;
        inBackground(() -> place.running().program().kill(), () -> later(seconds, () -> begin(event, place)));
    }

    private void begin(Event event, Place place) {
        inBackground(() -> start(place), () -> {
            place.state = State.RUNS;
            event.isOver();
        });
    }

    private void hang(Event event, Place place) {
        int seconds = HANG_SECONDS + random.nextInt(HANG_MORE_SECONDS);
        say("SIGSTOP " + place.instance() + " for " + seconds + " s");
        place.state = State.BUSY;
        AtomicReference<Pause> pause = new AtomicReference<>();
        inBackground(
                () -> pause.set(Pause.of(place.running().program().pid())),
                () -> later(seconds, () -> {
                    Objects.requireNonNull(pause.get()).resume();
                    place.state = State.RUNS;
                    event.isOver();
                }));
    }

    private void replace(Event event, Place place) {
        say("SIGSTOP " + place.instance() + " until another one has its name");
        place.state = State.BUSY;
        Program former = place.running().program();
        inBackground(
                () -> {
                    Pause pause = Pause.of(former.pid());
                    start(place, 0);
                    pause.resume();
                    assertThat(former.awaitEnd()).as("status of %s", former).isEqualTo(FAILED_STATUS);
                    assertThat(former.errors()).anyMatch(line -> line.contains("has the instance name"));
                },
                () -> {
                    place.state = State.RUNS;
                    event.isOver();
                });
    }

    private void leave(Event event, Place place) {
        say("SIGTERM " + place.instance());
        place.state = State.BUSY;
        CollectorProgram leaving = place.running();
        inBackground(
                () -> {
                    await("what it has lost")
                            .atMost(PATIENCE)
                            .ignoreExceptions()
                            .untilAsserted(() -> assertThat(leaving.metrics()).containsEntry(LOST_TOTALS, 0L));
                    int ended = leaving.program().stop();
                    if (ended == UNSENT_STATUS) {
                        unsent.add(leaving.program().pid());
                        assertThat(leaving.program().errors()).anyMatch(line -> line.contains(UNSENT));
                    }
                    assertThat(ended)
                            .as("status of %s", leaving.program())
                            .matches(status ->
                                    status == SIGTERM_STATUS || (status == UNSENT_STATUS && isBrokerMissed()));
                },
                () -> {
                    place.collector = null;
                    place.generation++;
                    place.state = State.EMPTY;
                    event.isOver();
                });
    }

    /** Whether Kafka may be without some leaders, or was a moment ago. */
    private boolean isBrokerMissed() {
        long now = System.currentTimeMillis() / 1000;
        return events.stream()
                .filter(event -> event.kind == Kind.BROKER_KILLED || event.kind == Kind.BROKER_HANGS)
                .anyMatch(event -> event.isFelt(now));
    }

    private void join(Event event, Place place) {
        say("joins: " + place.instance());
        place.state = State.BUSY;
        begin(event, place);
    }

    private void killBroker(Event event, int broker) {
        int seconds = random.nextInt(AWAY_SECONDS_MAX);
        say("kill -9 broker " + broker + " for " + seconds + " s");
        isBrokerAway = true;
        inBackground(
                () -> brokers.kill(broker),
                () -> later(seconds, () -> inBackground(() -> brokers.restart(broker), () -> brokerIsBack(event))));
    }

    private void hangBroker(Event event, int broker) {
        int seconds = HANG_SECONDS + random.nextInt(HANG_MORE_SECONDS);
        say("SIGSTOP broker " + broker + " for " + seconds + " s");
        isBrokerAway = true;
        inBackground(
                () -> brokers.pause(broker),
                () -> later(seconds, () -> inBackground(() -> brokers.resume(broker), () -> brokerIsBack(event))));
    }

    private void brokerIsBack(Event event) {
        isBrokerAway = false;
        brokerBackNanos = System.nanoTime();
        event.isOver();
    }

    // What is seen

    private List<CollectorProgram> running() {
        return places.stream()
                .map(place -> place.collector)
                .filter(Objects::nonNull)
                .map(Objects::requireNonNull)
                .filter(collector -> collector.program().isRunning())
                .toList();
    }

    /** Notes the metrics of all collectors that answer. */
    private void look() throws InterruptedException {
        for (CollectorProgram collector : running()) {
            try {
                SortedMap<String, Long> now = collector.metrics();
                longestTakeOver = Math.max(longestTakeOver, now.getOrDefault("fleet_take_over_millis", 0L));
                metrics.put(collector.program().pid(), now);
            } catch (IOException hangsOrIsKilled) {
                // The next look may succeed.
            }
        }
    }

    private void check() {
        Throwable broken = failure.get();
        if (broken != null) {
            throw new AssertionError("the test itself failed, or a process that should run does not", broken);
        }
    }

    private double sum(String metric) {
        return metrics.values().stream()
                .flatMap(one -> one.entrySet().stream())
                .filter(one -> isOf(one.getKey(), metric))
                .mapToDouble(Map.Entry::getValue)
                .sum();
    }

    /** Whether a name, perhaps with labels, is that of a metric. */
    private static boolean isOf(String name, String metric) {
        return name.equals(metric) || name.startsWith(metric + "{");
    }

    private static List<String> differences(Map<String, Long> expected, Map<String, Long> found) {
        TreeSet<String> names = new TreeSet<>(expected.keySet());
        names.addAll(found.keySet());
        return names.stream()
                .filter(name -> !Objects.equals(expected.get(name), found.get(name)))
                .map(name -> name + " should be " + expected.get(name) + " and is " + found.get(name))
                .toList();
    }

    private static void assertNone(List<String> wrong, String what) {
        assertThat(wrong.stream().limit(20))
                .as("%s: the first of %d", what, wrong.size())
                .isEmpty();
    }

    private void awaitExact(String what, Map<String, Long> expected, Found found) {
        await(what)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(500))
                .ignoreExceptionsInstanceOf(IOException.class)
                .untilAsserted(() -> assertNone(differences(expected, found.values()), what));
        say("exact " + what);
    }

    private interface Found {
        Map<String, Long> values() throws Exception;
    }

    /** Each counter is shown by one collector. */
    private Map<String, Long> inLedgers() throws Exception {
        Map<String, Long> found = new TreeMap<>();
        for (CollectorProgram collector : running()) {
            collector
                    .counters()
                    .forEach((name, value) -> assertThat(found.put(name, value))
                            .as("a second value of " + name)
                            .isNull());
        }
        return found;
    }

    private Map<String, Long> inMemcached(Map<String, Long> expected) throws Exception {
        Map<String, Long> found = new TreeMap<>();
        for (String name : expected.keySet()) {
            Long value = memcached.counter(name);
            if (value != null) {
                found.put(name, value);
            }
        }
        return found;
    }

    private Map<String, Long> lastRecorded() {
        Map<String, Long> found = new TreeMap<>();
        recorder.points()
                .forEach((name, points) -> found.put(name, points.lastEntry().getValue()));
        return found;
    }

    private Map<String, Long> lastInDatabase(Map<String, Long> expected) throws Exception {
        Map<String, Long> found = new TreeMap<>();
        for (String name : expected.keySet()) {
            NavigableMap<Long, Long> points = database.points(name);
            if (!points.isEmpty()) {
                found.put(name, points.lastEntry().getValue());
            }
        }
        return found;
    }

    /** What is wrong with the points, and the longest gap. */
    private static final class Series {
        final List<String> falls = new ArrayList<>();
        final List<String> unexplained = new ArrayList<>();
        long gapSeconds;
        long gapBegin;
        long missing;
        long points;
        /** Those of {@value #GAP_SECONDS_SHOWN} s and more: when and how long, and how many counters have them. */
        final SortedMap<String, Integer> gaps = new TreeMap<>();

        Series(Map<String, NavigableMap<Long, Long>> all, List<Event> events) {
            all.forEach((name, points) -> read(name, points, events));
        }

        private void read(String name, NavigableMap<Long, Long> all, List<Event> events) {
            long second = all.firstKey();
            long value = Long.MIN_VALUE;
            for (Map.Entry<Long, Long> point : all.entrySet()) {
                if (name.startsWith(RawSenders.RISING) && point.getValue() < value) {
                    falls.add(name + " falls from " + value + " to " + point.getValue() + " at " + point.getKey());
                }
                value = point.getValue();
                if (point.getKey() - second >= GAP_SECONDS_SHOWN) {
                    gaps.merge(time(second) + " " + (point.getKey() - second) + " s", 1, Integer::sum);
                }
                if (point.getKey() - second > gapSeconds) {
                    gapSeconds = point.getKey() - second;
                    gapBegin = second;
                }
                for (; second < point.getKey(); second++) {
                    long without = second;
                    missing++;
                    if (events.stream().noneMatch(event -> event.isFelt(without))) {
                        unexplained.add(name + " at " + second);
                    }
                }
                second++;
                points++;
            }
        }
    }

    private static LocalTime time(long second) {
        return LocalTime.ofInstant(Instant.ofEpochSecond(second), ZoneId.systemDefault());
    }

    private void assertSeries(Series series) {
        assertNone(recorder.conflicts(), "seconds with two values");
        assertNone(series.falls, "values that fall");
        assertNone(series.unexplained, "seconds without a point while nothing was done");
        assertThat(series.gapSeconds).as("seconds of the longest gap").isLessThanOrEqualTo(GAP_SECONDS_MAX);
        assertThat((double) series.missing / (series.missing + series.points))
                .as("share of the points that are missing")
                .isLessThan(MISSING_SHARE_MAX);
    }

    private void printTable(Series series, Map<String, Long> expected, RawSenders senders, FaultyForwarder network) {
        Map<Kind, Integer> counts = new EnumMap<>(Kind.class);
        events.forEach(event -> counts.merge(event.kind, 1, Integer::sum));
        System.out.printf("seed                              %d%n", SEED);
        counts.forEach((kind, count) -> System.out.printf(
                "%-32s  %d%n", kind.name().toLowerCase(Locale.ROOT).replace('_', ' '), count));
        System.out.printf("starts that were refused          %s%n", refusedStarts);
        System.out.printf("raw senders, lines                %d, %,d%n", senders.senders(), senders.lines());
        System.out.printf("datagrams, lost by the network    %,d, %,d%n", network.got(), network.lost());
        System.out.printf(
                "counters, sum of all              %,d, %,d%n",
                expected.size(),
                expected.values().stream().mapToLong(Long::longValue).sum());
        System.out.printf("points, sent again                %,d, %,d%n", series.points, recorder.repeated());
        System.out.printf(
                "points missing, longest gap       %,d, %d s from %s%n",
                series.missing, series.gapSeconds, time(series.gapBegin));
        System.out.printf("gaps, and how many counters       %s%n", series.gaps);
        System.out.printf("longest take-over                 %.0f ms%n", longestTakeOver);
        System.out.printf("rebalances                        %.0f%n", sum("fleet_rebalances_total"));
        System.out.printf("transactions aborted              %.0f%n", sum("fleet_aborted_transactions_total"));
        System.out.printf("ledgers discarded                 %.0f%n", sum("fleet_discarded_ledgers_total"));
    }

    private static Program agent(FaultyForwarder network) throws Exception {
        Program agent = Program.java(List.of(
                "-javaagent:" + Jars.agent() + "=collector=" + network.address() + ",sweep=100ms",
                "-cp",
                Path.of("target", "test-classes") + File.pathSeparator + Jars.shop(),
                ManyCounters.class.getName(),
                Integer.toString(NAMES_OF_AGENT),
                Long.toString(SEED)));
        agent.awaitLine("^counts$");
        return agent;
    }

    /** Lets it stop counting but keep running; returns what it has counted. */
    private static Map<String, Long> counted(Program agent) throws Exception {
        agent.tell("enough");
        agent.awaitLine("^told$");
        Map<String, Long> counted = new TreeMap<>();
        for (String line : agent.output()) {
            Matcher one = COUNTED.matcher(line);
            if (one.matches()) {
                counted.put(one.group(1), Long.valueOf(one.group(2)));
            }
        }
        return counted;
    }

    @Test
    void every_sum_is_exact_whatever_is_killed_hangs_leaves_or_joins() throws Exception {
        awaitOwned();
        List<Integer> ports = places.stream().map(place -> place.port).toList();
        try (FaultyForwarder network = new FaultyForwarder(ports, new Random(SEED));
                Program agent = agent(network);
                RawSenders senders = new RawSenders(
                        Integer.parseInt(network.address().split(":", 2)[1]), ports.get(0), new Random(SEED))) {
            var unused = chaos.scheduleAtFixedRate(() -> guarded(this::next), 1, EVERY_SECONDS, TimeUnit.SECONDS);
            long endNanos = System.nanoTime() + Math.round(MINUTES * 60e9);
            await("chaos").forever().pollInterval(Duration.ofSeconds(1)).until(() -> {
                check();
                senders.check();
                look();
                return System.nanoTime() - endNanos > 0;
            });
            isEnough = true;
            say("enough");
            await("everything is back").atMost(PATIENCE).until(() -> {
                check();
                return pending.get() == 0;
            });
            Map<String, Long> expected = senders.enough();
            expected.putAll(counted(agent));
            say("all run, nothing is counted any more");

            awaitExact("in the ledgers", expected, this::inLedgers);
            awaitExact("in memcached", expected, () -> inMemcached(expected));
            awaitExact("in what the database was sent", expected, this::lastRecorded);
            awaitExact("in the database", expected, () -> lastInDatabase(expected));
            look();
            chaos.submit(this::checkRunning).get();
            Series series = new Series(recorder.points(), events);
            printTable(series, expected, senders, network);

            assertSeries(series);
            // Their senders repeat these, or the sums were not exact.
            metrics.forEach(
                    (pid, one) -> one.keySet().removeIf(name -> name.equals(LOST_TOTALS) && unsent.contains(pid)));
            for (String metric : ZERO) {
                assertThat(metrics.values())
                        .as(metric)
                        .anyMatch(one -> one.keySet().stream().anyMatch(name -> isOf(name, metric)));
                assertThat(sum(metric)).as(metric).isZero();
            }
            assertNone(
                    programs.entrySet().stream()
                            .flatMap(one -> one.getValue().errors().stream()
                                    .filter(line -> INTERNAL.matcher(line).find())
                                    .map(line -> one.getKey() + ": " + line))
                            .toList(),
                    "internal errors");
            assertThat(network.lost()).isGreaterThan(network.got() / 5);
            assertThat(events.size()).isGreaterThan((int) (MINUTES * 60 / EVERY_SECONDS / 2));
        }
    }

    /** Until each collector owns some partitions, and each partition has an owner: from then on nothing moves by itself. */
    private void awaitOwned() {
        await("every partition has an owner").untilAsserted(() -> {
            double owned = 0;
            for (CollectorProgram collector : running()) {
                double its = collector.metrics().getOrDefault("fleet_owned_partitions", 0L);
                assertThat(its).as("partitions of %s", collector.page()).isPositive();
                owned += its;
            }
            assertThat(owned).isEqualTo(PARTITIONS);
        });
        say("begins");
    }
}
