package io.counters.emit;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends everything that this JVM counts to its collectors, from one daemon thread, {@code counters-sweep}.
 *
 * <p>Each collector has its own stream. Each counter belongs to one collector, which owns its name on the ring. While a
 * collector's address is unknown, nothing is assigned to it, so nothing is lost; the other collectors are not affected,
 * because each name is looked up on its own thread. {@link #close} makes a last sweep. When the JVM ends, a shutdown hook
 * makes one, and sweeps continue until the JVM has ended, because its other hooks may still count, such as that of a
 * server that finishes its requests.
 *
 * <p>Before this process is copied, {@link #beforeCheckpoint} makes such a sweep, too, and ends the streams, so that no two
 * copies continue the same one.
 *
 * <p>Written without lambdas: it starts during the application's start, which lambdas would delay by 20 ms.
 */
public final class Emitter implements AutoCloseable, Checkpointed {
    /** The maximum duration of the last sweep, in milliseconds, for all collectors together. */
    public static final long LAST_SWEEP_MILLIS = 500;

    /** The maximum time that a checkpoint waits for the last sweep, in milliseconds. */
    private static final long REST_MILLIS_MAX = 5000;

    /**
     * The pauses between the last sweep and its repeats; the third is for collectors whose address is not known
     * earlier.
     */
    private static final long[] LAST_PAUSES_MILLIS = {50, 100, 200};

    private static final int LAST_REPEATS = 2;

    /** The time between two sweeps, in milliseconds, while the JVM is ending. */
    private static final long ENDING_PAUSE_MILLIS = 50;

    /** Contains two sweeps, also if the first must wait for the longest pause of the last sweep. */
    private static final long ENDING_SWEEPS_MILLIS = 200;

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

    private final CountDownLatch lastSwept = new CountDownLatch(1);
    private volatile boolean closing;
    private volatile boolean ending;

    private final CheckpointRest rest = new CheckpointRest();
    private volatile String addresses = "";
    private final List<Destination> destinations = new ArrayList<>();

    /** Those that were closed for a checkpoint, until others replace them. */
    private final List<Destination> before = new ArrayList<>();

    private final @Nullable Transport[] transports;
    private @Nullable Sweep sweep;
    private final SweepMessages messages;

    /** Creates the only emitter that this JVM's cells ever have. */
    public Emitter(EmitterSettings settings, Consumer<String> log) {
        this(settings, new CounterTable(), log);
    }

    /**
     * Creates one of several successive emitters.
     *
     * @param table contains what earlier emitters have sent, so that this one does not send it again
     * @param log called with one line at a time, on the emitter's thread
     */
    public Emitter(EmitterSettings settings, CounterTable table, Consumer<String> log) {
        this(settings, table, log, new Function<String, InetAddress[]>() {
            @Override
            public InetAddress[] apply(String host) {
                return Resolver.ofTheJvm(host);
            }
        });
    }

    /** @param names returns all addresses of a name, or none; called on one thread per name */
    Emitter(EmitterSettings settings, CounterTable table, Consumer<String> log, Function<String, InetAddress[]> names) {
        this.settings = settings;
        this.table = table;
        this.log = log;
        this.names = names;
        messages = new SweepMessages(table, log);
        transports = new Transport[settings.collectors().size()];
        thread.setDaemon(true);
    }

    /**
     * Starts the thread. Its first sweep is one interval from now, or at once if the JVM is ending. Call it only once.
     *
     * @throws OutOfMemoryError if this process cannot start another thread; nothing was sent then
     */
    public void start() {
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException alreadyEnding) {
            ending = true;
        }
        try {
            thread.start();
        } catch (OutOfMemoryError noThread) {
            removeHook();
            throw noThread;
        }
    }

    /** The latest known address of each collector; empty before the first sweep. */
    public String addresses() {
        return addresses;
    }

    /**
     * For code that has counted while the JVM is ending: waits until an emitter of this JVM, also one of the agent, has
     * sent that and has repeated it, which takes {@value #ENDING_SWEEPS_MILLIS} ms. Returns at once if the JVM is not
     * ending.
     */
    public static void awaitEndingSweeps() {
        Thread probe = new Thread("counters-probe");
        try {
            Runtime.getRuntime().addShutdownHook(probe);
            Runtime.getRuntime().removeShutdownHook(probe);
        } catch (IllegalStateException ending) {
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ENDING_SWEEPS_MILLIS);
            for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
                LockSupport.parkNanos(left);
                if (Thread.currentThread().isInterrupted()) {
                    return;
                }
            }
        }
    }

    /**
     * Makes the last sweep and ends the thread, within {@value #LAST_SWEEP_MILLIS} ms. Idempotent. Also while the JVM is
     * ending: what was counted since its hook ran is sent.
     */
    @Override
    public void close() {
        removeHook();
        closing = true;
        LockSupport.unpark(thread);
        try {
            thread.join(LAST_SWEEP_MILLIS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    private void removeHook() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException alreadyEnding) {
            // The hook is running or has run.
            return;
        }
    }

    /**
     * For shutdown hooks: makes a last sweep, within {@value #LAST_SWEEP_MILLIS} ms, and lets the thread sweep every
     * {@value #ENDING_PAUSE_MILLIS} ms until the JVM has ended or {@link #close} is called.
     */
    public void end() {
        ending = true;
        LockSupport.unpark(thread);
        try {
            lastSwept.await(LAST_SWEEP_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Makes a last sweep, ends all streams, and closes all sockets. Nothing is sent until {@link #afterRestore}; counts are
     * kept. Returns when that is done, or after {@value #REST_MILLIS_MAX} ms.
     */
    @Override
    public void beforeCheckpoint() {
        rest.begin();
        LockSupport.unpark(thread);
        try {
            if (rest.await(thread, REST_MILLIS_MAX)) {
                return;
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
        log.accept(
                "the last sweep before a checkpoint has not ended yet; if the checkpoint fails because of an open socket,"
                        + " try it again");
    }

    /** Sends again: to the collectors' present addresses, in new streams. Returns at once. */
    @Override
    public void afterRestore() {
        rest.end();
        LockSupport.unpark(thread);
    }

    private void run() {
        long begun = System.nanoTime();
        long intervalNanos = TimeUnit.MILLISECONDS.toNanos(settings.sweepMillis());
        try {
            lookUp();
        } catch (Throwable fault) {
            messages.failed(fault);
        }
        for (long due = begun + intervalNanos; !isOver(); due += intervalNanos) {
            pause(due, false);
            if (rest.isDue() && !isOver()) {
                rest();
                due = System.nanoTime();
                continue;
            }
            long late = System.nanoTime() - due;
            if (late > intervalNanos) {
                due += late / intervalNanos * intervalNanos;
            }
            if (!isOver()) {
                sweep();
            }
        }
        boolean last;
        do {
            // Read before the sweep, which then contains everything that was counted before close().
            last = closing;
            lastSweep();
            reportLast();
            lastSwept.countDown();
            while (!last && !closing) {
                pause(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ENDING_PAUSE_MILLIS), true);
                sweep();
            }
        } while (!last);
        for (Destination destination : destinations) {
            destination.close();
        }
    }

    private boolean isOver() {
        return closing || ending;
    }

    /** Waits and clears interrupts: an interrupted thread would close its sockets when it uses them. */
    private void pause(long untilNanos, boolean whole) {
        for (long left = untilNanos - System.nanoTime();
                left > 0 && (whole || !(isOver() || rest.isDue()));
                left = untilNanos - System.nanoTime()) {
            LockSupport.parkNanos(this, left);
            Thread.interrupted();
        }
    }

    /**
     * Prepares for a checkpoint and rests until the restore. The streams end before anything is sent: if the image is made
     * meanwhile, because this takes too long, no two copies are in the middle of one.
     */
    private void rest() {
        rest.prepare();
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(REST_MILLIS_MAX - 2 * LAST_SWEEP_MILLIS);
        try {
            lastOfStreams(until);
        } catch (Throwable fault) {
            messages.failed(fault);
        }
        for (Destination destination : destinations) {
            destination.close();
        }
        until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LAST_SWEEP_MILLIS);
        for (Destination destination : destinations) {
            destination.await(until);
        }
        before.clear();
        before.addAll(destinations);
        destinations.clear();
        Arrays.fill(transports, null);
        rest.rests(true);
        while (rest.lasts() && !isOver()) {
            LockSupport.park(this);
            Thread.interrupted();
        }
        rest.rests(false);
    }

    /** Ends all streams, sends all their totals and repeats them; waits for names that are being looked up until then. */
    private void lastOfStreams(long untilNanos) {
        if (sweep != null) {
            sweep.end();
        }
        Sweep last = connected();
        for (Destination destination : destinations) {
            destination.hurry();
        }
        last.end();
        for (int repeats = 0; repeats < LAST_REPEATS; repeats++) {
            connected().repeat(transports);
            do {
                pause(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LAST_PAUSES_MILLIS[repeats]), true);
            } while (isAwaited() && System.nanoTime() - untilNanos < 0 && !isOver());
        }
        last.end();
        connected().repeat(transports);
        last.settle();
        messages.overflow();
    }

    private void sweep() {
        try {
            connected().run(transports);
            for (Destination destination : destinations) {
                destination.reportFaults();
            }
            messages.overflow();
        } catch (Throwable fault) {
            messages.failed(fault);
        }
    }

    /** Sends every total, repeats it, and also sends it to collectors whose address becomes known meanwhile. */
    private void lastSweep() {
        try {
            for (Destination destination : destinations) {
                destination.hurry();
            }
            for (int i = 0; i < LAST_PAUSES_MILLIS.length; i++) {
                connected().last(transports);
                messages.overflow();
                if (!isAwaited() && (i == LAST_REPEATS || !settings.totals())) {
                    return;
                }
                pause(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LAST_PAUSES_MILLIS[i]), true);
            }
            connected().last(transports);
        } catch (Throwable fault) {
            messages.failed(fault);
        }
    }

    private void reportLast() {
        try {
            for (Destination destination : destinations) {
                destination.reportLast();
            }
        } catch (Throwable fault) {
            messages.failed(fault);
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

    /** The sweep; also opens a socket to every collector whose address has become known. */
    private Sweep connected() {
        lookUp();
        if (sweep == null) {
            CounterOwners owners = new CounterOwners(settings.collectors(), table);
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

    /** Begins to look up all names; after a failure it continues with the first name that it has not begun. */
    private void lookUp() {
        while (destinations.size() < transports.length) {
            CollectorAddress collector = settings.collectors().get(destinations.size());
            // Half a sweep from now the application has started, and has set its own provider of look-ups if it has
            // one.
            Resolver resolver = new Resolver(collector.host, names, settings.sweepMillis() / 2);
            Destination destination = new Destination(collector, settings, resolver, log);
            if (destinations.size() < before.size()) {
                destination.replaces(before.get(destinations.size()).address());
            }
            destinations.add(destination);
        }
        before.clear();
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
