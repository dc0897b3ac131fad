package io.counters.emit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends all that this JVM counts to a collector, from one daemon thread, {@code counters-sweep}.
 *
 * <p>The collector's name is resolved on that thread, at the first sweep and every {@value #RESOLVE_SECONDS} s after;
 * until it resolves nothing is assigned, so nothing is lost. An address has changed only when it is no longer among
 * those the name stands for: a new stream begins at the new one. Faults are reported once each, again when they change,
 * and at most once a minute. {@link #close} and a shutdown hook make a last sweep.
 */
public final class Emitter implements AutoCloseable {
    /** The longest that the last sweep may take, in milliseconds. */
    public static final long LAST_SWEEP_MILLIS = 500;

    private static final long RESOLVE_SECONDS = 30;
    private static final long FAULT_SECONDS = 60;
    private static final long[] LAST_PAUSES_MILLIS = {50, 100};

    private final EmitterSettings settings;
    private final Consumer<String> log;
    private final CounterTable table;
    private final Thread thread = thread(this::run, "counters-sweep");
    private final Thread hook = thread(this::stop, "counters-last-sweep");

    private volatile boolean closing;
    private @Nullable UdpTransport transport;
    private @Nullable InetAddress address;
    private @Nullable Sweep sweep;
    private long resolveAtNanos;
    private long faultsSaid;
    private long faultAtNanos;
    private @Nullable String unresolved;

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
        this.settings = settings;
        this.table = table;
        this.log = log;
        thread.setDaemon(true);
    }

    /** A thread that inherits no values of the thread that makes it, and so holds no application's; Java 8 can't. */
    private static Thread thread(Runnable body, String name) {
        try {
            return Thread.class
                    .getConstructor(ThreadGroup.class, Runnable.class, String.class, long.class, boolean.class)
                    .newInstance(null, body, name, 0L, false);
        } catch (ReflectiveOperationException java8) {
            return new Thread(body, name);
        }
    }

    /** Starts the thread; its first sweep is one interval from now. To be called once. */
    public void start() {
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException alreadyEnding) {
            return;
        }
        thread.start();
    }

    /** Makes the last sweep and ends the thread, within {@value #LAST_SWEEP_MILLIS} ms. Idempotent. */
    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException alreadyEnding) {
            // The hook is running, or has run: it does the same.
        }
        stop();
    }

    private void stop() {
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
        resolveAtNanos = begun;
        faultAtNanos = begun;
        long intervalNanos = TimeUnit.MILLISECONDS.toNanos(settings.sweepMillis());
        for (long due = begun + intervalNanos; !closing; due += intervalNanos) {
            pause(due);
            long late = System.nanoTime() - due;
            if (late > intervalNanos) {
                due += late / intervalNanos * intervalNanos;
            }
            if (!closing) {
                guarded(this::sweep);
            }
        }
        guarded(this::lastSweep);
        if (transport != null) {
            transport.close();
        }
    }

    private void pause(long untilNanos) {
        for (long left = untilNanos - System.nanoTime(); left > 0 && !closing; left = untilNanos - System.nanoTime()) {
            LockSupport.parkNanos(this, left);
            // Where somebody interrupts every thread there is, this one's sockets must not see it.
            Thread.interrupted();
        }
    }

    private void guarded(Runnable step) {
        try {
            step.run();
        } catch (Throwable fault) {
            // Counting must go on whatever happens here, and the host must not hear of it but for a line.
            log.accept("a sweep failed and will be tried again: " + fault);
        }
    }

    private void sweep() {
        if (connect()) {
            sweeper().run(transport());
            reportFaults(transport());
        }
    }

    private void lastSweep() {
        // Where there is a socket already, a name server that hangs must not cost the last counts.
        if (transport == null && !connect()) {
            return;
        }
        sweeper().last(transport());
        for (int i = 0; settings.totals() && i < LAST_PAUSES_MILLIS.length; i++) {
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LAST_PAUSES_MILLIS[i]);
            for (long left = until - System.nanoTime(); left > 0; left = until - System.nanoTime()) {
                LockSupport.parkNanos(this, left);
                Thread.interrupted();
            }
            sweeper().repeat(transport());
        }
    }

    /** Opens the socket, or opens it anew where the collector's address has changed. */
    private boolean connect() {
        long now = System.nanoTime();
        if (now - resolveAtNanos < 0) {
            return transport != null;
        }
        resolveAtNanos = now + TimeUnit.SECONDS.toNanos(transport == null ? 1 : RESOLVE_SECONDS);
        try {
            InetAddress[] addresses = InetAddress.getAllByName(settings.host());
            if (transport == null || !Arrays.asList(addresses).contains(address)) {
                UdpTransport fresh = new UdpTransport(new InetSocketAddress(addresses[0], settings.port()));
                if (transport != null) {
                    log.accept("collector " + settings + " has moved to " + addresses[0].getHostAddress());
                    transport.close();
                }
                transport = fresh;
                address = addresses[0];
                faultsSaid = 0;
                resolveAtNanos = now + TimeUnit.SECONDS.toNanos(RESOLVE_SECONDS);
                if (sweep == null) {
                    sweep = newSweep();
                } else if (!settings.follow()) {
                    sweep.begin(0);
                }
            }
            unresolved = null;
        } catch (UnknownHostException unknown) {
            complain("collector " + settings + " has a name that does not resolve");
        } catch (IOException | RuntimeException cannot) {
            complain("no socket to collector " + settings + ": " + cannot.getMessage());
        }
        return transport != null;
    }

    private void complain(String what) {
        if (!what.equals(unresolved)) {
            unresolved = what;
            log.accept(what + "; it is tried again, and counts are kept until then");
        }
    }

    private void reportFaults(UdpTransport used) {
        long now = System.nanoTime();
        if (used.faults() > faultsSaid && (faultsSaid == 0 || now - faultAtNanos > 0)) {
            log.accept("collector " + settings + ": " + used.lastFault() + " (" + used.faults()
                    + " datagrams so far); nothing is lost if it comes back, totals are repeated");
            faultsSaid = used.faults();
            faultAtNanos = now + TimeUnit.SECONDS.toNanos(FAULT_SECONDS);
        }
    }

    private Sweep newSweep() {
        SecureRandom random = new SecureRandom();
        return new Sweep(table, settings, System::nanoTime, System::currentTimeMillis, () -> newId(random));
    }

    private static String newId(SecureRandom random) {
        byte[] bits = new byte[12];
        random.nextBytes(bits);
        StringBuilder id = new StringBuilder();
        for (byte b : bits) {
            id.append(Character.forDigit((b >> 4) & 15, 16)).append(Character.forDigit(b & 15, 16));
        }
        return id.toString();
    }

    private Sweep sweeper() {
        if (sweep == null) {
            throw new IllegalStateException("no sweep before the first connect");
        }
        return sweep;
    }

    private UdpTransport transport() {
        if (transport == null) {
            throw new IllegalStateException("no socket before the first connect");
        }
        return transport;
    }
}
