package io.counters.agent;

import io.counters.cells.Cells;
import io.counters.emit.Emitter;
import io.counters.emit.EmitterSettings;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.security.AccessController;
import java.security.PrivilegedActionException;
import java.security.PrivilegedExceptionAction;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Starts counting when the first class that counts is loaded: it then defines the bridge, and wakes {@link AgentThread}, which
 * starts the emitter. As a function it returns a counter's ID in the bridge. As a supplier it starts counting if
 * necessary, and returns whether counting is on.
 *
 * <p>Written without lambdas: they would cost about 20 ms in every JVM in which nothing counts. In counters.jar {@code
 * Cells} is the bridge, so a method that may be called before counting is on must not refer to it.
 */
final class BridgeActivation implements BooleanSupplier, ToIntFunction<String> {
    private static final int EMITTER_TRIES = 20;
    private static final long EMITTER_WAIT_MILLIS = 50;

    private final Instrumentation instrumentation;
    private final EmitterSettings settings;
    private final boolean sends;
    private final Log log;
    private volatile @Nullable Thread watch;
    private volatile boolean on;
    private boolean triedToBegin;
    private boolean keeps;
    private @Nullable Emitter emitter;

    /** @param sends whether counts are sent; if not, they stay in this JVM */
    BridgeActivation(Instrumentation instrumentation, EmitterSettings settings, boolean sends, Log log) {
        this.instrumentation = instrumentation;
        this.settings = settings;
        this.sends = sends;
        this.log = log;
    }

    /** Starts counting unless it is on. False if that failed, which is logged once. */
    @Override
    public boolean getAsBoolean() {
        return on || begin();
    }

    private synchronized boolean begin() {
        if (!triedToBegin) {
            triedToBegin = true;
            try {
                define();
                on = true;
                LockSupport.unpark(watch);
            } catch (Throwable fault) {
                // The application's class must load, whatever happened here.
                log.accept("nothing is counted: the bridge could not be defined in java.lang: " + fault
                        + (fault.getCause() == null ? "" : ", " + fault.getCause()));
            }
        }
        return on;
    }

    /** Runs with the agent's own permissions: under a security manager, the code that loads a class may have almost none. */
    private void define() throws PrivilegedActionException {
        AccessController.doPrivileged(new PrivilegedExceptionAction<Void>() {
            @Override
            public @Nullable Void run() throws IOException, ReflectiveOperationException {
                Bridge.define(instrumentation);
                return null;
            }
        });
    }

    /** Sets the thread to wake when counting begins. */
    void wakes(Thread thread) {
        watch = thread;
    }

    /** Whether counting has begun. */
    boolean isOn() {
        return on;
    }

    /**
     * Starts the emitter, unless it has started, counting has not begun, or nothing is sent. Do not call it from a thread
     * of the application: the emitter's thread would inherit that thread's group and its access control context, which may
     * hold the class loader of a web application.
     *
     * @throws OutOfMemoryError if the process cannot create another thread; call it again later
     */
    synchronized void send() {
        if (!on || keeps || emitter != null) {
            return;
        }
        if (AotCache.option(instrumentation, "-XX:AOTCacheOutput=", "-XX:AOTMode=record") != null) {
            log.accept("this run trains an AOT cache; its counts are not sent");
            keeps = true;
        } else if (!sends) {
            keeps = true;
        } else {
            Emitter fresh = new Emitter(settings, log);
            fresh.start();
            emitter = fresh;
            notifyAll();
        }
    }

    /**
     * Prepares for a checkpoint: sends the counts so far, even if nothing was sent before, and closes all sockets. The
     * agent's thread starts the emitter, as in {@link #send}, so this waits for it.
     */
    void beforeCheckpoint() throws InterruptedException {
        Emitter running = awaited();
        if (running != null) {
            // Without the lock: the JVM may end meanwhile, which must not wait.
            running.beforeCheckpoint();
        }
    }

    private synchronized @Nullable Emitter awaited() throws InterruptedException {
        for (int tries = 0; on && !keeps && emitter == null && tries < EMITTER_TRIES; tries++) {
            LockSupport.unpark(watch);
            wait(EMITTER_WAIT_MILLIS);
        }
        return emitter;
    }

    /** Sends again, in new streams. */
    synchronized void afterRestore() {
        if (emitter != null) {
            emitter.afterRestore();
        }
    }

    /**
     * The time between two calls of {@link #fold}, in milliseconds. 0 if the emitter runs, because its sweeps do the same,
     * or if counting has not begun.
     */
    synchronized long foldMillis() {
        return keeps ? settings.sweepMillis() : 0;
    }

    /** Releases dead threads and unloaded applications, to which the cells refer until they are read. */
    void fold() {
        Cells.fold();
    }

    /** Whether sweeps read the cells of this copy of the API. Call it only when counting is on. */
    boolean sweeps(Class<?> copy) {
        return Cells.sweeps(copy);
    }

    /** Where the counts go, for the log. */
    synchronized String destination() {
        if (emitter == null) {
            return on ? "nothing is sent" : "nothing to send yet";
        }
        return emitter.addresses().isEmpty()
                ? "nothing sent yet, because no address of a collector is known"
                : "sent to " + emitter.addresses();
    }

    /** Sends the last counts when the JVM ends, even if nothing was sent before. */
    synchronized void end() {
        send();
        if (emitter != null) {
            emitter.end();
        }
    }

    /** About how many errors of the counting code were kept from the application. Call it only when counting is on. */
    int suppressed() {
        return Cells.suppressed;
    }

    /** The ID of the counter with this canonical name. Call it only when counting is on. */
    @Override
    public int applyAsInt(String name) {
        return Cells.id(name);
    }
}
