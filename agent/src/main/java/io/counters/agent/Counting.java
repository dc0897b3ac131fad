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
 * Counting begins at the first hit and not before: then the bridge is defined, and {@link Watch} is woken to start the
 * emitter. As a function it gives a counter's id in the bridge; as a supplier it begins, and tells whether counting is
 * on.
 *
 * <p>Written without lambdas: their machinery would cost every JVM that hits nothing some 20 ms. In counters.jar
 * {@code Cells} is the bridge, so no method may touch it that is called before counting is on.
 */
final class Counting implements BooleanSupplier, ToIntFunction<String> {
    private final Instrumentation instrumentation;
    private final EmitterSettings settings;
    private final boolean sends;
    private final Log log;
    private volatile @Nullable Thread watch;
    private volatile boolean on;
    private boolean triedToBegin;
    private boolean keeps;
    private @Nullable Emitter emitter;

    /** @param sends whether what is counted is to be sent; else it is kept in this JVM */
    Counting(Instrumentation instrumentation, EmitterSettings settings, boolean sends, Log log) {
        this.instrumentation = instrumentation;
        this.settings = settings;
        this.sends = sends;
        this.log = log;
    }

    /** Begins, unless it has begun; false when that failed, which is said once. */
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
                // Whatever it is, the host's class must load.
                log.accept("nothing is counted: the bridge could not be defined in java.lang: " + fault
                        + (fault.getCause() == null ? "" : ", " + fault.getCause()));
            }
        }
        return on;
    }

    /** By our own rights: the code that loads a class may, under a security manager, do next to nothing. */
    private void define() throws PrivilegedActionException {
        AccessController.doPrivileged(new PrivilegedExceptionAction<Void>() {
            @Override
            public @Nullable Void run() throws IOException, ReflectiveOperationException {
                Bridge.define(instrumentation);
                return null;
            }
        });
    }

    /** Names the thread to wake when counting begins. */
    void wakes(Thread thread) {
        watch = thread;
    }

    /** Whether anything was hit and is counted. */
    boolean isOn() {
        return on;
    }

    /**
     * Starts the emitter, unless it has started, nothing was hit, or nothing is to be sent. Not for threads of the
     * application, as the emitter's would inherit their group and their access control context, and with it a web
     * application's loader.
     *
     * @throws OutOfMemoryError where this process may have no more threads; to be called again
     */
    synchronized void send() {
        if (!on || keeps || emitter != null) {
            return;
        }
        if (AotCache.option(instrumentation, "-XX:AOTCacheOutput=", "-XX:AOTMode=record") != null) {
            log.accept("this run trains an AOT cache: what it counts is not sent");
            keeps = true;
        } else if (!sends) {
            keeps = true;
        } else {
            Emitter fresh = new Emitter(settings, log);
            fresh.start();
            emitter = fresh;
        }
    }

    /**
     * How many milliseconds lie between two calls of {@link #fold} where nothing is sent; 0 where the emitter's sweeps
     * do what it does, or nothing is counted yet.
     */
    synchronized long foldMillis() {
        return keeps ? settings.sweepMillis() : 0;
    }

    /** Lets dead threads and unloaded applications go, which the cells hold until somebody reads them. */
    void fold() {
        Cells.fold();
    }

    /** Whether the cells of this class, a copy of the API's, are read with the bridge's; only once counting is on. */
    boolean sweeps(Class<?> copy) {
        return Cells.sweeps(copy);
    }

    /** Where the counts go, for the log. */
    synchronized String destination() {
        if (emitter == null) {
            return on ? "nothing is sent" : "nothing to send yet";
        }
        return "sent to " + (emitter.addresses().isEmpty() ? "nobody yet" : emitter.addresses());
    }

    /** Sends the last of it as the JVM ends, even where nothing was sent before. */
    synchronized void end() {
        send();
        if (emitter != null) {
            emitter.close();
        }
    }

    /** How many Throwables of the counting itself were kept from the application, about; only once counting is on. */
    int suppressed() {
        return Cells.suppressed;
    }

    /** The id under which this canonical name is counted; only once counting is on. */
    @Override
    public int applyAsInt(String name) {
        return Cells.id(name);
    }
}
