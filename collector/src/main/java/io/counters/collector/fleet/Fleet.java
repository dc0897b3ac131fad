package io.counters.collector.fleet;

import io.counters.collector.history.History;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.Counted;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerClock;
import io.counters.collector.ledger.LedgerGauges;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.publish.Sink;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.SeededHash;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * The parts of one collector of a fleet. Its assembly runs each {@code run} method again and again on a thread of its own,
 * after the time that it returns.
 */
public final class Fleet implements AutoCloseable {

    /** The topics are looked at with one in so many looks at the members: once a minute. */
    private static final int LOOKS = 12;

    private static final long AGAIN_MILLIS = 1_000;
    private static final long LOADER_MILLIS = 100;

    private final FleetSettings settings;
    private final Topics topics;
    private final int partitions;
    private final long heapBytes;
    private final InstantSource clock;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final Self self;
    private final Gatherer gatherer;
    private final OwnedLedgers owned;
    private final Loader loader;
    private final Owner owner;
    private final Members members;
    private final List<TickSink> sinks = new ArrayList<>();
    private @Nullable TickHistory history;
    private final FleetCheck check;
    private volatile Optional<String> topicsTrouble = Optional.empty();
    private int looks;

    /**
     * Creates the topics that are missing, and opens the connections. The first {@link #own} joins the fleet.
     *
     * @param httpPort of this collector's page, which others link to; 0 if it is not known
     * @param bounds of all partitions together
     * @param knowsStore whether a new ledger has learnt what other ledgers have written to the store; empty without a store
     * @param dueTick the second of a tick, when it is due; asked by one thread
     * @param heapBytes this JVM's maximum heap, of which shares are used
     * @throws IOException if Kafka cannot be used; the message says why, and what to do
     */
    public Fleet(
            FleetSettings settings,
            int httpPort,
            LedgerSettings bounds,
            Optional<Predicate<Ledger>> knowsStore,
            Supplier<OptionalLong> dueTick,
            long heapBytes,
            InstantSource clock,
            LongSupplier nanoClock,
            RandomGenerator random,
            FaultLog faults,
            Self self)
            throws IOException {
        this.settings = settings;
        this.heapBytes = heapBytes;
        this.clock = clock;
        this.nanoClock = nanoClock;
        this.faults = faults;
        this.self = self;
        topics = settings.topics();
        check = new FleetCheck(settings);
        partitions = check.partitions();
        owned = new OwnedLedgers(partitions);
        LedgerGauges.register(owned, owned::ledgers, self);
        SeededHash hashing = new SeededHash(random);
        LedgerSettings boundsOfEach = bounds.ofEach(partitions);
        LedgerClock time = new LedgerClock(0, clock.millis(), nanoClock);
        Supplier<Ledger> newLedger = () -> new Ledger(
                boundsOfEach,
                knowsStore.isPresent(),
                time,
                () -> clock.millis() / 1000,
                random.nextLong(),
                hashing,
                self);
        try {
            loader = new Loader(new KafkaLoaderLog(settings), partitions, newLedger, faults);
            owner = new Owner(
                    new KafkaOwnerLog(settings, Member.role(httpPort)),
                    loader,
                    owned,
                    partitions,
                    knowsStore.orElse(ledger -> true),
                    dueTick,
                    clock::millis,
                    nanoClock,
                    faults,
                    self);
            gatherer = new Gatherer(
                    new KafkaLines(
                            settings.producer("lines", Map.of()),
                            topics.lines(),
                            Gatherer.producerBytes(heapBytes),
                            nanoClock,
                            faults),
                    partitions,
                    heapBytes,
                    nanoClock,
                    clock::millis,
                    hashing,
                    faults,
                    self);
            members = new Members(
                    Admin.create(settings.admin("members", Map.of())),
                    topics.owners(),
                    settings.instance(),
                    partitions,
                    self);
        } catch (KafkaException refused) {
            throw new IOException("cannot use " + settings + ": " + Faults.reason(refused), refused);
        }
    }

    /** Adds a sink of this collector, which gets ticks from {@link #sinks}. */
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
                self));
    }

    /** Has this history filled. */
    public void fill(History empty) {
        history = new TickHistory(
                empty, topics.ticks(), this::ledgers, () -> ticks("history", null), heapBytes, clock, faults, self);
    }

    private Consumer<byte[], byte[]> ticks(String role, @Nullable String group) {
        Map<String, Object> ours = new HashMap<>(Reading.fetching(heapBytes));
        if (group == null) {
            ours.put("auto.offset.reset", "earliest");
        } else {
            ours.put("group.id", group);
            ours.put("group.instance.id", settings.instance());
        }
        return new KafkaConsumer<>(
                settings.consumer(role, ours), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** Where lines go that arrive. */
    public LineTarget lines() {
        return gatherer;
    }

    /** The counters of the partitions that this collector owns. */
    public Counted counted() {
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

    /** What keeps Kafka from taking lines. */
    public Optional<String> linesTrouble() {
        return gatherer.trouble();
    }

    /** What keeps this collector from counting the lines of its partitions. */
    public Optional<String> partitionsTrouble() {
        Optional<String> found = topicsTrouble;
        return found.isPresent() ? found : owner.trouble();
    }

    /** Who owns what. */
    public FleetView view() {
        return members.view();
    }

    /** The sinks, each read by a thread of its own. */
    public List<? extends Reading> sinks() {
        return sinks;
    }

    /** The history; null if there is none. */
    public @Nullable Reading history() {
        return history;
    }

    /** Merges lines of its partitions, and commits. */
    public long own() {
        try {
            owner.run();
            return 0;
        } catch (IOException notNow) {
            faults.warn("owner", notNow.getMessage() + "; it is tried again, and lines wait in their topic");
            return AGAIN_MILLIS;
        }
    }

    /** Loads the ledgers of partitions that were assigned. */
    public long load() {
        try {
            if (!loader.step()) {
                loader.await(LOADER_MILLIS);
            }
        } catch (InterruptedException nobodyShould) {
            Thread.currentThread().interrupt();
        }
        return 0;
    }

    /** Sends lines. */
    public long sendLines() {
        return gatherer.run();
    }

    /** Finds out who owns what, and whether the topics are as they should be. */
    public long look() {
        if (looks++ % LOOKS == 0) {
            List<FleetReport.Problem> found = check.look().faults();
            topicsTrouble = found.stream().findFirst().map(FleetReport.Problem::toString);
        }
        return members.run();
    }

    /** Sends what has arrived. Returns whether Kafka has all of it. */
    public boolean endLines() {
        return gatherer.end();
    }

    /**
     * Commits. Other collectors take the partitions if this one does not come back within some seconds, so that a restart
     * moves nothing. After the last {@link #own}.
     */
    public void endOwner() {
        owner.close();
    }

    /** Loads no more. After the last {@link #load}. */
    public void endLoader() {
        loader.close();
    }

    /** Has the sinks deliver what they have. */
    public void endSinks() {
        sinks.forEach(TickSink::close);
        sinks.clear();
        if (history != null) {
            history.close();
        }
    }

    /** Closes everything that is still open, but for what {@link #endOwner} and {@link #endLoader} end. Idempotent. */
    @Override
    public void close() {
        gatherer.close();
        endSinks();
        members.close();
        check.close();
    }

    @Override
    public String toString() {
        return settings + ", topics " + topics.prefix() + ".*, partitions: " + partitions;
    }
}
