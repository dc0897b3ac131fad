package io.counters.emit;

import io.counters.cells.Cells;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends all that this JVM counts to its collectors, from one daemon thread, {@code counters-sweep}.
 *
 * <p>Each collector has a stream of its own, and each counter one collector, the one that owns its name on the ring. As
 * long as a collector's address is not known nothing is assigned to it, so nothing is lost, and the others get theirs:
 * names are looked up on threads of their own. {@link #close} and a shutdown hook make a last sweep.
 *
 * <p>Written without lambdas: it starts while the application does, and their machinery would cost that 20 ms.
 */
public final class Emitter implements AutoCloseable {
    /** The longest that the last sweep may take, in milliseconds, for all collectors together. */
    public static final long LAST_SWEEP_MILLIS = 500;

    private static final long FAULT_SECONDS = 60;

    /** Between the last sweep and its repeats; the third for a collector whose address is known only then. */
    private static final long[] LAST_PAUSES_MILLIS = {50, 100, 200};

    private static final int LAST_REPEATS = 2;

    private final EmitterSettings settings;
    private final Consumer<String> log;
    private final CounterTable table;
    private final Function<String, InetAddress[]> names;
    private final Thread thread = new Thread("counters-sweep") {
        @Override
        public void run() {
            Emitter.this.run();
        }
    };
    private final Thread hook = new Thread("counters-last-sweep") {
        @Override
        public void run() {
            Emitter.this.end();
        }
    };

    private volatile boolean closing;
    private volatile String addresses = "";
    private final List<Destination> destinations = new ArrayList<>();
    private final @Nullable Transport[] transports;
    private @Nullable Sweep sweep;
    private boolean faultSaid;
    private boolean overflowSaid;
    private long faultAtNanos;

    /** As the only emitter that this JVM's cells ever have. */
    public Emitter(EmitterSettings settings, Consumer<String> log) {
        this(settings, new CounterTable(), log);
    }

    /**
     * As one of several emitters in succession.
     *
     * @param table knows what earlier emitters have sent, so that this one does not send it again
     * @param log takes one line at a time, from the emitter's thread
     */
    public Emitter(EmitterSettings settings, CounterTable table, Consumer<String> log) {
        this(settings, table, log, new Function<String, InetAddress[]>() {
            @Override
            public InetAddress[] apply(String host) {
                return Resolver.ofTheJvm(host);
            }
        });
    }

    /** @param names gives all addresses of a name, or none; asked on threads of their own */
    Emitter(EmitterSettings settings, CounterTable table, Consumer<String> log, Function<String, InetAddress[]> names) {
        this.settings = settings;
        this.table = table;
        this.log = log;
        this.names = names;
        transports = new Transport[settings.collectors().size()];
        thread.setDaemon(true);
    }

    /**
     * Starts the thread; its first sweep is one interval from now, or at once where the JVM ends. To be called once.
     *
     * @throws OutOfMemoryError where this process may have no more threads; nothing was sent then
     */
    public void start() {
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException alreadyEnding) {
            closing = true;
        }
        try {
            thread.start();
        } catch (OutOfMemoryError noThread) {
            removeHook();
            throw noThread;
        }
    }

    /** The address of each collector as it was found last; empty before the first sweep. */
    public String addresses() {
        return addresses;
    }

    /** Makes the last sweep and ends the thread, within {@value #LAST_SWEEP_MILLIS} ms. Idempotent. */
    @Override
    public void close() {
        removeHook();
        end();
    }

    private void removeHook() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException alreadyEnding) {
            // The hook is running, or has run: it does the same as close().
            return;
        }
    }

    private void end() {
        closing = true;
        LockSupport.unpark(thread);
        try {
            thread.join(LAST_SWEEP_MILLIS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        long begun = System.nanoTime();
        long intervalNanos = TimeUnit.MILLISECONDS.toNanos(settings.sweepMillis());
        try {
            lookUp();
        } catch (Throwable fault) {
            report(fault);
        }
        for (long due = begun + intervalNanos; !closing; due += intervalNanos) {
            pause(due, false);
            long late = System.nanoTime() - due;
            if (late > intervalNanos) {
                due += late / intervalNanos * intervalNanos;
            }
            if (!closing) {
                sweep();
            }
        }
        lastSweep();
        reportLast();
        for (Destination destination : destinations) {
            destination.close();
        }
    }

    /** Waits, also through interrupts: where somebody interrupts every thread, this one's sockets must not see it. */
    private void pause(long untilNanos, boolean ending) {
        for (long left = untilNanos - System.nanoTime();
                left > 0 && (ending || !closing);
                left = untilNanos - System.nanoTime()) {
            LockSupport.parkNanos(this, left);
            Thread.interrupted();
        }
    }

    private void sweep() {
        try {
            connected().run(transports);
            for (Destination destination : destinations) {
                destination.reportFaults();
            }
            reportOverflow();
        } catch (Throwable fault) {
            report(fault);
        }
    }

    /** Says every total, and again, and to those whose address is found meanwhile for the first time. */
    private void lastSweep() {
        try {
            for (Destination destination : destinations) {
                destination.hurry();
            }
            for (int i = 0; i < LAST_PAUSES_MILLIS.length; i++) {
                connected().last(transports);
                reportOverflow();
                if (!isAwaited() && (i == LAST_REPEATS || !settings.totals())) {
                    return;
                }
                pause(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LAST_PAUSES_MILLIS[i]), true);
            }
            connected().last(transports);
        } catch (Throwable fault) {
            report(fault);
        }
    }

    private void reportLast() {
        try {
            for (Destination destination : destinations) {
                destination.reportLast();
            }
        } catch (Throwable fault) {
            report(fault);
        }
    }

    private void reportOverflow() {
        if (overflowSaid) {
            return;
        }
        synchronized (table) {
            overflowSaid = table.knows(Cells.OVERFLOW);
        }
        if (overflowSaid) {
            log.accept("there are more than " + Cells.COUNTERS_MAX + " counters in this JVM; what is counted under a"
                    + " new name is counted as " + Cells.OVERFLOW
                    + ". Names must not hold ids of users or of requests");
        }
    }

    private boolean isAwaited() {
        for (Destination destination : destinations) {
            if (destination.isAwaited()) {
                return true;
            }
        }
        return false;
    }

    /** The sweep, with a socket to every collector whose address is known. */
    private Sweep connected() {
        lookUp();
        if (sweep == null) {
            Owners owners = new Owners(settings.collectors(), table);
            sweep = new Sweep(table, settings, MONOTONIC, WALL, new StreamIds(), transports.length, owners);
        }
        for (int i = 0; i < transports.length; i++) {
            if (destinations.get(i).connect()) {
                sweep.begin(i);
            }
            Transport found = destinations.get(i).transport();
            if (!Objects.equals(found, transports[i])) {
                transports[i] = found;
                addresses = listed();
            }
        }
        return sweep;
    }

    private String listed() {
        StringBuilder list = new StringBuilder();
        for (Destination destination : destinations) {
            list.append(list.length() == 0 ? "" : ", ").append(destination);
        }
        return list.toString();
    }

    /** Begins to look up all names; where that failed it goes on from there. */
    private void lookUp() {
        while (destinations.size() < transports.length) {
            CollectorAddress collector = settings.collectors().get(destinations.size());
            // Half a sweep from now there is an application whose provider of look-ups is the one to ask.
            Resolver resolver = new Resolver(collector.host, names, settings.sweepMillis() / 2);
            destinations.add(new Destination(collector, settings, resolver, log));
        }
    }

    /** Counting must go on whatever happens here, and the host must not hear of it but for a line a minute. */
    private void report(Throwable fault) {
        long now = System.nanoTime();
        if (!faultSaid || now - faultAtNanos > 0) {
            faultSaid = true;
            faultAtNanos = now + TimeUnit.SECONDS.toNanos(FAULT_SECONDS);
            try {
                log.accept("a sweep failed and will be tried again: " + fault);
            } catch (Throwable notEvenThat) {
                // No memory for a line, say. The thread must go on: it is the only one that sends.
                return;
            }
        }
    }

    private static final LongSupplier MONOTONIC = new LongSupplier() {
        @Override
        public long getAsLong() {
            return System.nanoTime();
        }
    };

    private static final LongSupplier WALL = new LongSupplier() {
        @Override
        public long getAsLong() {
            return System.currentTimeMillis();
        }
    };
}
