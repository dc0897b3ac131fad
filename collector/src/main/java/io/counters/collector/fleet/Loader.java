package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerRecords;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Loads the ledgers of partitions that were assigned, several at a time, while the owner goes on with others. {@link Load}
 * has the order. {@link #want} and {@link #take} are for the owner's thread, {@link #step} for a thread of its own.
 */
final class Loader {
    /** A transaction that was left open is ended sooner, and brokers that are away are told of as such. */
    private static final long STANDS_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final LoaderLog log;
    private final int partitions;
    private final Function<LedgerRecords.Collected, Ledger> newLedger;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final LinkedBlockingQueue<Load> wanted = new LinkedBlockingQueue<>();
    private final Queue<Load> done = new ConcurrentLinkedQueue<>();

    /** By partition; the latest wish for each. */
    private final Map<Integer, Load> loads = new HashMap<>();

    /** Whether something was learnt in this step. */
    private boolean hasMoved;

    /**
     * @param partitions how many the fleet has
     * @param newLedger makes a ledger of its records
     */
    Loader(
            LoaderLog log,
            int partitions,
            Function<LedgerRecords.Collected, Ledger> newLedger,
            LongSupplier nanoClock,
            FaultLog faults) {
        this.log = log;
        this.partitions = partitions;
        this.newLedger = newLedger;
        this.nanoClock = nanoClock;
        this.faults = faults;
    }

    void want(Load load) {
        wanted.add(load);
    }

    /** The next load that is complete, or that has failed for good; null if there is none. */
    @Nullable
    Load take() {
        return done.poll();
    }

    /** Waits until there is something to load, at most for this time. */
    void await(long millis) throws InterruptedException {
        Load load = wanted.poll(millis, TimeUnit.MILLISECONDS);
        if (load != null) {
            begin(load);
        }
    }

    private void begin(Load load) {
        load.movedNanos = nanoClock.getAsLong();
        loads.put(load.partition, load);
    }

    /**
     * Does the next part of the work.
     *
     * @return whether there is more to do at once; otherwise {@link #await} is to be called before
     */
    boolean step() {
        for (Load load = wanted.poll(); load != null; load = wanted.poll()) {
            begin(load);
        }
        loads.values().removeIf(load -> load.isDropped);
        if (loads.isEmpty()) {
            return false;
        }
        hasMoved = false;
        boolean isAnswered = askOffsets();
        isAnswered &= askEnds();
        isAnswered &= read();
        finish();
        loads.values().forEach(this::warnIfItStands);
        return !loads.isEmpty() && (isAnswered || hasMoved);
    }

    private Set<Integer> which(Predicate<Load> are) {
        return loads.values().stream().filter(are).map(load -> load.partition).collect(Collectors.toSet());
    }

    private boolean askOffsets() {
        Set<Integer> without = which(load -> load.committed == null);
        return ask(
                without,
                "committed offsets",
                () -> log.committed(without).forEach((partition, committed) -> {
                    load(partition).committed = committed;
                    moved(partition);
                }));
    }

    private boolean askEnds() {
        Set<Integer> without = which(Load::needsEnd);
        return ask(
                without,
                "ends",
                () -> log.ends(without).forEach((partition, end) -> {
                    load(partition).end = end;
                    moved(partition);
                }));
    }

    private boolean read() {
        Map<Integer, Long> positions = new HashMap<>();
        for (Load load : loads.values()) {
            if (load.end != LoaderLog.NONE && !load.isRead()) {
                positions.put(load.partition, load.position);
            }
        }
        return ask(positions.keySet(), "records", () -> {
            log.read(positions, (partition, key, value) -> load(partition).put(key, value));
            positions.forEach((partition, position) -> {
                if (load(partition).position != position) {
                    load(partition).position = position;
                    moved(partition);
                }
            });
        });
    }

    private void moved(int partition) {
        load(partition).movedNanos = nanoClock.getAsLong();
        hasMoved = true;
    }

    /** A question to the log. */
    @FunctionalInterface
    private interface Question {
        void ask() throws IOException;
    }

    /**
     * Asks about some partitions. If that fails, the others are loaded nevertheless: until it is known of each partition of an
     * owner whether it is still its own, the owner commits none of them.
     *
     * @return whether it did not fail
     */
    private boolean ask(Set<Integer> about, String what, Question question) {
        if (about.isEmpty()) {
            return true;
        }
        try {
            question.ask();
            return true;
        } catch (IOException notNow) {
            about.forEach(partition -> load(partition).movedNanos = nanoClock.getAsLong());
            faults.warn(
                    "loading: " + what,
                    "the ledgers of partitions cannot be loaded now (partitions: " + about.size() + "): "
                            + notNow.getMessage() + "; it is tried again, and their lines wait");
            return false;
        }
    }

    private void warnIfItStands(Load load) {
        if (nanoClock.getAsLong() - load.movedNanos < STANDS_NANOS) {
            return;
        }
        // An error would have been told. Without one, brokers do not serve it, or do not show it.
        boolean isAsked = load.committed == null;
        String topic = isAsked ? "__consumer_offsets" : log.topic();
        faults.warn(
                "loading: stands",
                "the ledger of partition " + load.partition
                        + (load.known == null ? " has not been loaded for " : " has not been checked for ")
                        + TimeUnit.NANOSECONDS.toSeconds(STANDS_NANOS) + " s: "
                        + (isAsked
                                ? "Kafka does not say how far its lines were read"
                                : load.end == LoaderLog.NONE
                                        ? "no broker says where its records end"
                                        : "of " + topic + ", it was read up to offset " + load.position + " of "
                                                + load.end + ", and nothing follows")
                        + ". Its lines wait. If all brokers run, a transaction has no end: find it with kafka-transactions.sh"
                        + " find-hanging --broker-id ID, for each broker, and end it with kafka-transactions.sh abort --topic "
                        + topic + " and what that has printed");
    }

    private Load load(int partition) {
        return Objects.requireNonNull(loads.get(partition));
    }

    /** Hands over what is complete. */
    private void finish() {
        for (Load load : List.copyOf(loads.values())) {
            if (load.isRead()) {
                load.complete(newLedger, partitions);
                loads.remove(load.partition);
                done.add(load);
            }
        }
    }

    void close() {
        log.close();
    }
}
