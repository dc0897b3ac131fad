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
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Loads the ledgers of partitions that were assigned, several at a time, while the owner goes on with others. {@link Load}
 * has the order. {@link #want} and {@link #take} are for the owner's thread, {@link #step} for a thread of its own.
 */
final class Loader {
    private final LoaderLog log;
    private final int partitions;
    private final Function<LedgerRecords.Collected, Ledger> newLedger;
    private final FaultLog faults;
    private final LinkedBlockingQueue<Load> wanted = new LinkedBlockingQueue<>();
    private final Queue<Load> done = new ConcurrentLinkedQueue<>();

    /** By partition; the latest wish for each. */
    private final Map<Integer, Load> loads = new HashMap<>();

    /**
     * @param partitions how many the fleet has
     * @param newLedger makes a ledger of its records
     */
    Loader(LoaderLog log, int partitions, Function<LedgerRecords.Collected, Ledger> newLedger, FaultLog faults) {
        this.log = log;
        this.partitions = partitions;
        this.newLedger = newLedger;
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
            loads.put(load.partition, load);
        }
    }

    /**
     * Does the next part of the work.
     *
     * @return whether there is more to do at once; otherwise {@link #await} is to be called before
     */
    boolean step() {
        for (Load load = wanted.poll(); load != null; load = wanted.poll()) {
            loads.put(load.partition, load);
        }
        loads.values().removeIf(load -> load.isDropped);
        if (loads.isEmpty()) {
            return false;
        }
        try {
            askOffsets();
            askEnds();
            read();
            finish();
            return !loads.isEmpty();
        } catch (IOException notNow) {
            faults.warn(
                    "loading",
                    "the ledgers of partitions cannot be loaded now (partitions: " + loads.size() + "): "
                            + notNow.getMessage() + "; it is tried again, and their lines wait");
            return false;
        }
    }

    private Set<Integer> which(Predicate<Load> are) {
        return loads.values().stream().filter(are).map(load -> load.partition).collect(Collectors.toSet());
    }

    private void askOffsets() throws IOException {
        Set<Integer> without = which(load -> load.committed == null);
        if (!without.isEmpty()) {
            log.committed(without).forEach((partition, committed) -> load(partition).committed = committed);
        }
    }

    private void askEnds() throws IOException {
        Set<Integer> without = which(Load::needsEnd);
        if (!without.isEmpty()) {
            log.ends(without).forEach((partition, end) -> load(partition).end = end);
        }
    }

    private void read() throws IOException {
        Map<Integer, Long> positions = new HashMap<>();
        for (Load load : loads.values()) {
            if (load.end != LoaderLog.NONE && !load.isRead()) {
                positions.put(load.partition, load.position);
            }
        }
        if (!positions.isEmpty()) {
            log.read(positions, (partition, key, value) -> load(partition).put(key, value));
            positions.forEach((partition, position) -> load(partition).position = position);
        }
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
