package io.counters.agent;

import io.counters.cells.Cells;
import io.counters.emit.Emitter;
import io.counters.emit.EmitterSettings;
import java.lang.instrument.Instrumentation;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;

/**
 * Counting begins at the first hit and not before: then the bridge is defined and the emitter starts. As a function it
 * gives a counter's id in the bridge; as a supplier it begins, and tells whether counting is on.
 *
 * <p>Written without lambdas: their machinery would cost every JVM that hits nothing some 20 ms. In counters.jar
 * {@code Cells} is the bridge, so no method may touch it that is called before counting is on.
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
                Bridge.define(instrumentation);
                startEmitter();
                on = true;
            } catch (Throwable fault) {
                // Whatever it is, the host's class must load.
                log.accept("nothing is counted: the bridge could not be defined in java.lang: " + fault
                        + (fault.getCause() == null ? "" : ", " + fault.getCause()));
            }
        }
        return on;
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
