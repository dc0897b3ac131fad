package io.counters.collector.simulate;

import io.counters.cells.Cells;
import io.counters.emit.CounterTable;
import io.counters.emit.EmitterSettings;
import io.counters.emit.Sweep;
import io.counters.emit.Transport;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The real sweep and streams of one JVM, over cells of its own. */
final class SimulatedSender {
    private final long[] cells;
    private final int[] owners;
    private final Sweep sweep;

    /**
     * @param names of the counters; the simulation knows them by their places
     * @param owners the collector that owns each counter at first
     */
    SimulatedSender(
            List<String> names,
            int[] owners,
            int collectors,
            boolean totals,
            LongSupplier clockMillis,
            Supplier<String> ids) {
        this.owners = owners.clone();
        cells = new long[Cells.APART + names.size()];
        Map<String, Integer> idsByName = new ConcurrentHashMap<>();
        names.forEach(name -> idsByName.put(name, idsByName.size()));
        Object[] source = Cells.source(idsByName, cells);
        sweep = new Sweep(
                new CounterTable(() -> List.<Object[]>of(source)),
                EmitterSettings.to("nowhere").totals(totals),
                () -> clockMillis.getAsLong() * 1_000_000,
                clockMillis,
                ids,
                collectors,
                counter -> this.owners[counter]);
    }

    /** Counts. */
    void add(int counter, long amount) {
        cells[Cells.APART + counter] += amount;
    }

    /** Learns who owns the counters now. */
    void learn(int[] newOwners) {
        System.arraycopy(newOwners, 0, owners, 0, owners.length);
    }

    void sweep(Transport... transports) {
        sweep.run(transports);
    }

    void lastSweep(Transport... transports) {
        sweep.last(transports);
    }

    void repeat(Transport... transports) {
        sweep.repeat(transports);
    }
}
