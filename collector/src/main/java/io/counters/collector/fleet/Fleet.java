package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.history.History;
import io.counters.collector.intake.Kept;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerClock;
import io.counters.collector.ledger.LedgerGauges;
import io.counters.collector.ledger.LedgerRecords;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.collector.ledger.LedgerView;
import io.counters.collector.publish.Sink;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The parts of one collector of a fleet. */
public final class Fleet implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Fleet.class);

    /** The topics are looked at with one in so many looks at the members: once a minute; with each while there is a fault. */
    private static final int LOOKS = 12;

    private static final long LOOK_MILLIS = 5_000;
    private static final long AGAIN_MILLIS = 1_000;
    private static final long LOADER_MILLIS = 100;

    private final FleetSettings settings;
    private final Topics topics;
    private final int partitions;
    private final long heapBytes;
    private final InstantSource clock;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final Metrics metrics;
    private final Gatherer gatherer;
    private final OwnedLedgers owned;
    private final Loader loader;
    private final Owner owner;
    private final List<TickSink> sinks = new ArrayList<>();
    private @Nullable TickHistory history;
    private final FleetCheck check;
    private volatile Optional<String> topicsTrouble = Optional.empty();

    /** Why the owner's last round failed, if it did. */
    private volatile Optional<String> roundTrouble = Optional.empty();

    private volatile FleetView view;
    private int looks;
    private @Nullable Thread owning;
    private @Nullable Thread loading;

    /**
     * Creates the topics that are missing, and opens the connections. It joins the fleet after {@link #start}.
     *
     * @param httpPort of this collector's page, which others link to; 0 if it is not known
     * @param bounds of all partitions together
     * @param knowsStore whether a new ledger has learnt what other ledgers have written to the store; empty without a store
     * @param dueTick the second of a tick, when it is due; asked by one thread
     * @param lastTick the second of the tick before the next one that will be due; asked by the same thread
     * @param heapBytes this JVM's maximum heap, of which shares are used
     * @throws IOException if Kafka cannot be used; the message says why, and what to do
     */
    public Fleet(
            FleetSettings settings,
            int httpPort,
            LedgerSettings bounds,
            Optional<Predicate<Ledger>> knowsStore,
            Supplier<OptionalLong> dueTick,
            LongSupplier lastTick,
            long heapBytes,
            InstantSource clock,
            LongSupplier nanoClock,
            RandomGenerator random,
            FaultLog faults,
            Metrics metrics)
            throws IOException {
        this.settings = settings;
        this.heapBytes = heapBytes;
        this.clock = clock;
        this.nanoClock = nanoClock;
        this.faults = faults;
        this.metrics = metrics;
        topics = settings.topics();
        check = new FleetCheck(settings);
        partitions = check.partitions();
        view = new FleetView(settings.instance(), partitions, List.of());
        metrics.gauge(
                "fleet_collectors",
                "Collectors of the fleet.",
                () -> view.members().size());
        owned = new OwnedLedgers(partitions);
        LedgerGauges.register(owned, owned::ledgers, metrics);
        SeededHash hashing = new SeededHash(random);
        try {
            loader = loader(newLedger(bounds.ofEach(partitions), knowsStore.isPresent(), hashing, random));
            owner = new Owner(
                    ownerLog(httpPort, random),
                    loader,
                    owned,
                    partitions,
                    knowsStore.orElse(ledger -> true),
                    dueTick,
                    lastTick,
                    clock::millis,
                    nanoClock,
                    faults,
                    metrics);
            gatherer = new Gatherer(
                    new KafkaLines(settings, Gatherer.producerBytes(heapBytes), nanoClock, faults),
                    partitions,
                    heapBytes,
                    nanoClock,
                    clock::millis,
                    hashing,
                    faults,
                    metrics);
        } catch (KafkaException | IOException refused) {
            throw new IOException("cannot use " + settings + ": " + Faults.reason(refused), refused);
        }
    }

    private Loader loader(Function<LedgerRecords.Collected, Ledger> newLedger) {
        return new Loader(new KafkaLoaderLog(settings, nanoClock), partitions, newLedger, nanoClock, faults);
    }

    private KafkaOwnerLog ownerLog(int httpPort, RandomGenerator random) throws IOException {
        String process = Long.toHexString(random.nextLong());
        return new KafkaOwnerLog(settings, Member.role(httpPort), process, KafkaOwnerLog.TRANSACTION_MILLIS, nanoClock);
    }

    private Function<LedgerRecords.Collected, Ledger> newLedger(
            LedgerSettings bounds, boolean hasStore, SeededHash hashing, RandomGenerator random) {
        LedgerClock time = new LedgerClock(0, clock.millis(), nanoClock);
        return records -> new Ledger(
                bounds,
                hasStore,
                time,
                () -> clock.millis() / 1000,
                records.load(new LedgerState(random.nextLong(), hashing)),
                metrics);
    }

    /** Adds a sink of this collector, which gets the fleet's ticks. */
    public void add(Sink sink, String name, String label, OptionalLong idleTicks) {
        sinks.add(new TickSink(
                sink,
                label,
                topics.ticks(),
                () -> ticks("sink." + name, topics.sink(name)),
                idleTicks,
                heapBytes,
                clock,
                nanoClock,
                faults,
                metrics));
    }

    /** Has this history filled. */
    public void fill(History empty) {
        history = new TickHistory(
                empty, topics.ticks(), this::ledgers, () -> ticks("history", null), heapBytes, clock, faults, metrics);
    }

    private Consumer<byte[], byte[]> ticks(String role, @Nullable String group) {
        Map<String, Object> ours = new HashMap<>(Reading.fetching(heapBytes));
        if (group == null) {
            ours.put("auto.offset.reset", "earliest");
        } else {
            ours.put("group.id", group);
            ours.put("group.instance.id", settings.instance());
        }
        return settings.newConsumer(role, ours);
    }

    /** Where lines go that arrive. */
    public LineTarget lines() {
        return gatherer;
    }

    /**
     * Takes lines as one batch. What is returned waits until Kafka has all of them, at most for some seconds, and says whether
     * it has.
     */
    public Supplier<Kept> take(Runnable lines) {
        return gatherer.take(lines);
    }

    /** The counters of the partitions that this collector owns. */
    public LedgerView counted() {
        return owned;
    }

    /** The ledgers of these partitions, by the partitions' numbers. */
    public SortedMap<Integer, Ledger> ledgers() {
        SortedMap<Integer, Ledger> all = new TreeMap<>();
        owned.partitions().forEach(one -> all.put(one.number, one.ledger));
        return all;
    }

    /** Waits until what has changed is committed; returns false if it is not within some seconds. */
    public boolean commit() {
        return owner.awaitCommit();
    }

    /** What keeps changes from being committed. Does not wait. */
    public Optional<String> uncommitted(long nanos) {
        return owner.committing().trouble(nanos);
    }

    /** The parts that may fail while others work, by their names: what keeps each from its work, if something does. */
    public Map<String, Supplier<Optional<String>>> parts() {
        Map<String, Supplier<Optional<String>>> watched = new LinkedHashMap<>();
        watched.put("Kafka", gatherer::trouble);
        watched.put("partitions", () -> topicsTrouble.or(() -> roundTrouble).or(owner::trouble));
        sinks.forEach(sink -> watched.put(sink.toString(), sink::trouble));
        return watched;
    }

    /** Who owns what. */
    public FleetView view() {
        return view;
    }

    /** What runs rounds. */
    @FunctionalInterface
    public interface Loops {
        /** Starts a thread that runs rounds; each returns the milliseconds until the next. */
        Thread start(String name, LongSupplier round);
    }

    /** Starts everything. */
    public void start(Loops loops) {
        loops.start("counters-lines", gatherer::run);
        loading = loops.start("counters-loader", this::load);
        owning = loops.start("counters-owner", this::own);
        loops.start("counters-members", this::look);
        sinks.forEach(sink -> loops.start("counters-ticks", sink::run));
        if (history != null) {
            loops.start("counters-history", history::run);
        }
    }

    private long own() {
        try {
            owner.run();
            roundTrouble = Optional.empty();
            return 0;
        } catch (IOException notNow) {
            roundTrouble = Optional.of(Faults.reason(notNow));
            faults.warn("owner of lines", notNow.getMessage() + "; it is tried again, and lines wait in their topic");
            return AGAIN_MILLIS;
        }
    }

    private long load() {
        try {
            if (!loader.step()) {
                loader.await(LOADER_MILLIS);
            }
        } catch (InterruptedException nobodyShould) {
            Thread.currentThread().interrupt();
        }
        return 0;
    }

    /** Finds out who owns what, and whether the topics are as they should be. */
    long look() {
        if (looks++ % LOOKS == 0 || topicsTrouble.isPresent() || check.misses()) {
            List<FleetReport.Problem> found = check.look().faults();
            topicsTrouble = found.stream().findFirst().map(FleetReport.Problem::toString);
        }
        // What is known stays if there is no answer: the owner says that Kafka is away.
        check.members().ifPresent(members -> view = new FleetView(view.collector(), partitions, members));
        return LOOK_MILLIS;
    }

    /**
     * Sends what has arrived, after the loops were told to end.
     *
     * @return whether Kafka has all lines that had not been lost before
     */
    public boolean endLines() {
        return gatherer.end();
    }

    /**
     * Commits, after {@link #endLines}. Other collectors take the partitions if this one does not come back within some
     * seconds, so that a restart moves nothing.
     */
    public void end() {
        if (hasEnded(owning)) {
            owner.close();
        } else {
            log.warn("the last transaction did not end in time; another collector merges its lines once more");
        }
        // A loader may wait for a broker; then it ends with this process.
        if (hasEnded(loading)) {
            loader.close();
        }
    }

    private static boolean hasEnded(@Nullable Thread thread) {
        return thread == null || !thread.isAlive();
    }

    /** Has the sinks deliver what they have, and closes everything but for what {@link #end} ends. Idempotent. */
    @Override
    public void close() {
        gatherer.close();
        sinks.forEach(TickSink::close);
        sinks.clear();
        if (history != null) {
            history.close();
        }
        check.close();
    }

    @Override
    public String toString() {
        return settings + " as " + settings.instance() + ", topics " + topics.prefix() + ".*, partitions: "
                + partitions;
    }
}
