package io.counters.collector.fleet;

import io.counters.collector.ledger.Counted;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerClock;
import io.counters.collector.ledger.LedgerGauges;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.SeededHash;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This collector's part in owning the partitions of its fleet: two threads, {@code counters-owner} and {@code
 * counters-loader}. Methods may be called from any thread but these.
 */
public final class PartitionOwner implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(PartitionOwner.class);

    private static final long AGAIN_MILLIS = 1_000;
    private static final long LOADER_MILLIS = 100;
    private static final long END_MILLIS = 2_000;

    private final OwnedLedgers owned;
    private final Owner owner;
    private final Loader loader;
    private final FaultLog faults;
    private final Thread ownerThread;
    private final Thread loaderThread;
    private final CountDownLatch ending = new CountDownLatch(1);

    /** Time, chance and threads. */
    public record Surroundings(
            LongSupplier wallMillis,
            LongSupplier nanoClock,
            RandomGenerator random,
            BiFunction<Runnable, String, Thread> threads,
            FaultLog faults,
            Self self) {}

    /**
     * Opens the connections; nothing happens before {@link #start}.
     *
     * @param httpPort of this collector's page, which others link to; 0 if it is not known
     * @param partitions how many the fleet has; its topics exist
     * @param bounds of all ledgers together
     * @param knowsStore whether a new ledger has learnt what other ledgers have written to the store; null without a store
     * @param dueTick the second of a tick, when it is due
     * @throws IOException if the brokers cannot be used now
     */
    public PartitionOwner(
            FleetSettings settings,
            int httpPort,
            int partitions,
            LedgerSettings bounds,
            Optional<Predicate<Ledger>> knowsStore,
            Supplier<OptionalLong> dueTick,
            Surroundings with)
            throws IOException {
        faults = with.faults;
        owned = new OwnedLedgers(partitions);
        Topics topics = settings.topics();
        SeededHash hashing = new SeededHash(with.random);
        LedgerSettings boundsOfEach = bounds.ofEach(partitions);
        LedgerClock time = new LedgerClock(0, with.wallMillis.getAsLong(), with.nanoClock);
        Supplier<Ledger> newLedger = () -> new Ledger(
                boundsOfEach,
                knowsStore.isPresent(),
                time,
                () -> with.wallMillis.getAsLong() / 1000,
                with.random.nextLong(),
                hashing,
                with.self);
        KafkaOwnerLog lines = new KafkaOwnerLog(
                settings.consumer(Member.role(httpPort), Map.of(), Map.of()),
                settings.producer("owner", Map.of(), Map.of()),
                topics,
                settings.instance(),
                faults);
        KafkaLoaderLog ledgers = new KafkaLoaderLog(
                settings.consumer("loader", Map.of(), Map.of()), settings.admin("offsets", Map.of()), topics);
        loader = new Loader(ledgers, partitions, newLedger, faults);
        owner = new Owner(
                lines,
                loader,
                owned,
                partitions,
                knowsStore.orElse(ledger -> true),
                dueTick,
                with.wallMillis,
                with.nanoClock,
                faults,
                with.self);
        LedgerGauges.register(owned, owned::ledgers, with.self);
        ownerThread = with.threads.apply(this::own, "counters-owner");
        loaderThread = with.threads.apply(this::load, "counters-loader");
    }

    /** Joins the fleet. */
    public void start() {
        loaderThread.start();
        ownerThread.start();
    }

    private void own() {
        boolean isGood = true;
        while (!ends(isGood ? 0 : AGAIN_MILLIS)) {
            isGood = false;
            try {
                owner.run();
                isGood = true;
            } catch (IOException notNow) {
                faults.warn("owner", notNow.getMessage() + "; it is tried again, and lines wait in their topic");
            } catch (InstanceTaken taken) {
                throw taken;
            } catch (RuntimeException fault) {
                faults.warn("counters-owner", "counters-owner failed and continues", fault);
            }
        }
        owner.close();
    }

    private boolean ends(long withinMillis) {
        try {
            return ending.await(withinMillis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException nobodyShould) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    private void load() {
        while (ending.getCount() > 0) {
            try {
                if (!loader.step()) {
                    loader.await(LOADER_MILLIS);
                }
            } catch (InterruptedException nobodyShould) {
                Thread.currentThread().interrupt();
                break;
            } catch (RuntimeException fault) {
                faults.warn("counters-loader", "counters-loader failed and continues", fault);
            }
        }
        loader.close();
    }

    /** What is counted in the partitions that this collector owns. */
    public Counted counted() {
        return owned;
    }

    /** The ledgers of the partitions that this collector owns, by the partitions' numbers. */
    public SortedMap<Integer, Ledger> ledgers() {
        SortedMap<Integer, Ledger> all = new TreeMap<>();
        owned.partitions().forEach(one -> all.put(one.number, one.ledger));
        return all;
    }

    /** Waits until everything that was changed before this call is committed; false if it is not within 5 s. */
    public boolean awaitCommit() {
        return owner.awaitCommit();
    }

    /** The message for the health check if transactions have failed for 5 s. Does not wait. */
    public Optional<String> uncommitted(long nowNanos) {
        return owner.committing().trouble(nowNanos);
    }

    /** What keeps this collector from counting lines of partitions that it owns, if something does. Does not wait. */
    public Optional<String> trouble() {
        return owner.trouble();
    }

    /**
     * Commits everything and ends, within 2 s if Kafka answers. The partitions stay this instance's until its session's time
     * is over, so that a restart moves nothing.
     */
    @Override
    public void close() {
        ending.countDown();
        try {
            ownerThread.join(END_MILLIS);
            loaderThread.join(END_MILLIS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
        if (ownerThread.isAlive()) {
            log.warn("the last transaction did not end in time; another collector merges its lines once more");
        }
    }
}
