package io.counters.collector.fleet;

import io.counters.collector.history.History;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.Counted;
import io.counters.collector.ledger.Ledger;
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
import java.util.function.BiFunction;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The parts of one collector of a fleet. Its assembly runs each {@code run} method again and again on a thread of its own,
 * after the time that it returns.
 */
public final class Fleet implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Fleet.class);

    /** The topics are looked at with one in so many looks at the members: once a minute. */
    private static final int LOOKS = 12;

    private static final int SESSION_MILLIS = 10_000;
    private static final int HEARTBEAT_MILLIS = 2_000;

    private final FleetSettings settings;
    private final Topics topics;
    private final int partitions;
    private final long heapBytes;
    private final InstantSource clock;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final Self self;
    private final Gatherer gatherer;
    private final PartitionOwner owner;
    private final Members members;
    private final List<TickSink> sinks = new ArrayList<>();
    private @Nullable TickHistory history;
    private final FleetCheck check;
    private volatile Optional<String> topicsTrouble = Optional.empty();
    private int looks;

    /**
     * Creates the topics that are missing, and opens the connections. {@link #start} joins the fleet.
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
            BiFunction<Runnable, String, Thread> threads,
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
        try {
            owner = new PartitionOwner(
                    settings,
                    httpPort,
                    partitions,
                    bounds,
                    knowsStore,
                    dueTick,
                    new PartitionOwner.Surroundings(clock::millis, nanoClock, random, threads, faults, self));
            gatherer = new Gatherer(
                    new KafkaLines(
                            settings.producer("lines", Map.of(), Map.of()),
                            topics.lines(),
                            Gatherer.producerBytes(heapBytes),
                            nanoClock,
                            faults),
                    partitions,
                    heapBytes,
                    nanoClock,
                    clock::millis,
                    new SeededHash(random),
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
                empty, topics.ticks(), owner::ledgers, () -> ticks("history", null), heapBytes, clock, faults);
    }

    private Consumer<byte[], byte[]> ticks(String role, @Nullable String group) {
        Map<String, Object> own = new HashMap<>(Map.of(
                "isolation.level", "read_committed",
                "enable.auto.commit", false,
                "allow.auto.create.topics", false));
        if (group == null) {
            own.put("auto.offset.reset", "earliest");
        } else {
            own.put("auto.offset.reset", "none");
            own.put("group.id", group);
            own.put("group.instance.id", settings.instance());
            own.put("group.protocol", "classic");
            own.put("partition.assignment.strategy", List.of(CooperativeStickyAssignor.class.getName()));
        }
        Map<String, Object> defaults = new HashMap<>(Reading.fetching(heapBytes));
        defaults.put("session.timeout.ms", SESSION_MILLIS);
        defaults.put("heartbeat.interval.ms", HEARTBEAT_MILLIS);
        return new KafkaConsumer<>(
                settings.consumer(role, defaults, own), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** Joins the fleet. */
    public void start() {
        owner.start();
    }

    /** Where lines go that arrive. */
    public LineTarget lines() {
        return gatherer;
    }

    /** The counters of the partitions that this collector owns. */
    public Counted counted() {
        return owner.counted();
    }

    /** The ledgers of these partitions, by the partitions' numbers. */
    public SortedMap<Integer, Ledger> ledgers() {
        return owner.ledgers();
    }

    /** Waits until what has changed is committed; returns false if it is not within some seconds. */
    public boolean commit() {
        return owner.awaitCommit();
    }

    /** What keeps changes from being committed. Does not wait. */
    public Optional<String> uncommitted(long nanos) {
        return owner.uncommitted(nanos);
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

    /** Commits. Other collectors take the partitions if this one does not come back within some seconds. */
    public void endOwner() {
        owner.close();
    }

    /** Has the sinks deliver what they have. */
    public void endSinks() {
        sinks.forEach(TickSink::close);
        sinks.clear();
        if (history != null) {
            history.close();
        }
    }

    /** Closes everything that is still open. Idempotent. */
    @Override
    public void close() {
        gatherer.close();
        endOwner();
        endSinks();
        members.close();
        check.close();
    }

    @Override
    public String toString() {
        return settings + ", topics " + topics.prefix() + ".*, partitions: " + partitions;
    }
}
