package io.counters.collector.simulate;

import io.counters.cells.CellSource;
import io.counters.emit.CounterTable;
import io.counters.emit.EmitterSettings;
import io.counters.emit.Sweep;
import io.counters.emit.Transport;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The real sweep and streams of one JVM, with its own cells. */
public final class SimulatedSender {
    private final long[] cells;
    private final int[] owners;
    private final Sweep sweep;

    /**
     * One with these counters, which all are 0.
     *
     * @param names the names of the counters; elsewhere a counter is identified by its index in this list
     * @param owners at the start, the collector that owns each counter
     */
    public SimulatedSender(
            List<String> names,
            int[] owners,
            int collectors,
            boolean totals,
            LongSupplier clockMillis,
            Supplier<String> ids) {
        this.owners = owners.clone();
        cells = new long[CellSource.APART + names.size()];
        Map<String, Integer> idsByName = new ConcurrentHashMap<>();
        names.forEach(name -> idsByName.put(name, idsByName.size()));
        Object[] source = CellSource.of(idsByName, cells);
        sweep = new Sweep(
                new CounterTable(() -> List.<Object[]>of(source)),
                EmitterSettings.to("nowhere").totals(totals),
                () -> clockMillis.getAsLong() * 1_000_000,
                clockMillis,
                ids,
                collectors,
                counter -> this.owners[counter]);
    }

    /** Adds to a counter. */
    public void add(int counter, long amount) {
        cells[CellSource.APART + counter] += amount;
    }

    /** Uses these owners from now on. */
    void learn(int[] newOwners) {
        System.arraycopy(newOwners, 0, owners, 0, owners.length);
    }

    /** Sends what is due. */
    public void sweep(Transport... transports) {
        sweep.run(transports);
    }

    /** Sends what was counted, and every total. */
    public void lastSweep(Transport... transports) {
        sweep.last(transports);
    }

    /** Sends every total once more. */
    public void repeat(Transport... transports) {
        sweep.repeat(transports);
    }
}
