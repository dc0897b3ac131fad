package io.counters.emit;

import io.counters.wire.DatagramWriter;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * One look at all counters: what was counted since the last one is assigned to the destination's stream, and the stream
 * sends what is due. Pure but for what it is given. Not for several threads.
 */
final class Sweep {
    /** Clocks that part by more mean that the machine slept or was copied: the stream must not go on. */
    static final long DRIFT_MILLIS_MAX = 60_000;

    private final CounterTable table;
    private final boolean totals;
    private final LongSupplier nanoClock;
    private final LongSupplier wallMillisClock;
    private final Supplier<String> ids;
    private final DatagramWriter writer;
    private Stream stream;

    /** @param ids gives a stream's id: at least 96 random bits in 16 to 64 letters, never the same again */
    Sweep(
            CounterTable table,
            EmitterSettings settings,
            LongSupplier nanoClock,
            LongSupplier wallMillisClock,
            Supplier<String> ids) {
        this.table = table;
        this.totals = settings.totals();
        this.nanoClock = nanoClock;
        this.wallMillisClock = wallMillisClock;
        this.ids = ids;
        this.writer = new DatagramWriter(settings.datagramBytes());
        this.stream = newStream();
    }

    /** Begins a new stream, to a destination that has heard nothing yet. */
    void begin() {
        stream = newStream();
    }

    /** Reads all counters and sends. */
    void run(Transport transport) {
        synchronized (table) {
            long now = nanoClock.getAsLong();
            long wall = wallMillisClock.getAsLong();
            assign(now, wall, transport);
            stream.sweep(table, now, wall, writer, transport);
        }
    }

    /** The last sweep of this sender's life: sends every total. With totals, to be done again by {@link #repeat}. */
    void last(Transport transport) {
        synchronized (table) {
            long now = nanoClock.getAsLong();
            long wall = wallMillisClock.getAsLong();
            assign(now, wall, transport);
            stream.repeatAll(table, now, wall, writer, transport);
        }
    }

    /** Sends every total once more. */
    void repeat(Transport transport) {
        synchronized (table) {
            stream.repeatAll(table, nanoClock.getAsLong(), wallMillisClock.getAsLong(), writer, transport);
        }
    }

    private void assign(long now, long wall, Transport transport) {
        if (stream.driftMillis(now, wall) > DRIFT_MILLIS_MAX) {
            renew(now, wall, transport);
        }
        table.read();
        for (int counter = 0; counter < table.size(); counter++) {
            long amount = table.unassigned(counter);
            if (amount != 0) {
                if (stream.isFull(counter)) {
                    renew(now, wall, transport);
                }
                table.assigned(counter, stream.assign(counter, amount));
            }
        }
    }

    private void renew(long now, long wall, Transport transport) {
        stream.repeatAll(table, now, wall, writer, transport);
        stream = newStream();
    }

    private Stream newStream() {
        return new Stream(ids.get(), nanoClock.getAsLong(), wallMillisClock.getAsLong(), totals);
    }
}
