package io.counters.agent;

import io.counters.cells.Cells;
import io.counters.emit.Emitter;
import io.counters.emit.EmitterSettings;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.security.AccessController;
import java.security.PrivilegedActionException;
import java.security.PrivilegedExceptionAction;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Counting begins at the first hit and not before: then the bridge is defined and the emitter starts. As a function it
 * gives a counter's id in the bridge; as a supplier it begins, and tells whether counting is on.
 *
 * <p>Written without lambdas: their machinery would cost every JVM that hits nothing some 20 ms. In counters.jar
 * {@code Cells} is the bridge, so no method but {@link #applyAsInt} may touch it.
 */
final class Counting implements BooleanSupplier, ToIntFunction<String> {
    private final Instrumentation instrumentation;
    private final EmitterSettings settings;
    private final Log log;
    private boolean tried;
    private boolean on;

    Counting(Instrumentation instrumentation, EmitterSettings settings, Log log) {
        this.instrumentation = instrumentation;
        this.settings = settings;
        this.log = log;
    }

    /** Begins, unless it has begun; false when that failed, which is said once. */
    @Override
    public synchronized boolean getAsBoolean() {
        if (!tried) {
            tried = true;
            try {
                begin();
                on = true;
            } catch (Throwable fault) {
                // Whatever it is, the host's class must load.
                log.accept("nothing is counted: the bridge could not be defined in java.lang: " + fault
                        + (fault.getCause() == null ? "" : ", " + fault.getCause()));
            }
        }
        return on;
    }

    /**
     * By our own rights: the code that loads a class may, under a security manager, do next to nothing, and a thread
     * that is made in its name would hold on to its loader.
     */
    private void begin() throws PrivilegedActionException {
        AccessController.doPrivileged(new PrivilegedExceptionAction<Void>() {
            @Override
            public @Nullable Void run() throws IOException, ReflectiveOperationException {
                Bridge.define(instrumentation);
                startEmitter();
                return null;
            }
        });
    }

    /** This is a thread of the application: the emitter's must not inherit, and so hold, a web application's loader. */
    private void startEmitter() {
        Thread caller = Thread.currentThread();
        ClassLoader context = caller.getContextClassLoader();
        try {
            caller.setContextClassLoader(null);
            new Emitter(settings, log).start();
        } finally {
            caller.setContextClassLoader(context);
        }
    }

    /** Whether anything was hit and is counted. */
    synchronized boolean isOn() {
        return on;
    }

    /** The id under which this canonical name is counted; only once counting is on. */
    @Override
    public int applyAsInt(String name) {
        return Cells.id(name);
    }
}
