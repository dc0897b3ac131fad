package io.counters.agent;

import io.counters.emit.Checkpointed;
import io.counters.emit.Checkpoints;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Registers the agent for checkpoints: at once in a JVM with CRaC; otherwise when a loader of the application loads {@code
 * org.crac}, wherever that is: on the class path, in a jar in a jar, in a web application. The agent never looks for it in
 * the application's loaders, whose code and locks it must not use; it sees the class as any class that is loaded. The first
 * loader that has it is used.
 *
 * <p>Registering initializes a class of the application, so the agent's thread does it, and not the thread that loads.
 */
final class CheckpointWatch implements ClassFileTransformer, Checkpointed {
    private static final String CORE = "org/crac/Core";

    private final Instrumentation instrumentation;
    private final BridgeActivation counting;
    private final LoadedClasses loaded;
    private final Log log;
    private final Checkpoints checkpoints = new Checkpoints(this);

    private volatile boolean waits;
    private volatile boolean isSeen;
    private volatile @Nullable ClassLoader loader;
    private volatile @Nullable Thread registers;

    CheckpointWatch(Instrumentation instrumentation, BridgeActivation counting, LoadedClasses loaded, Log log) {
        this.instrumentation = instrumentation;
        this.counting = counting;
        this.loaded = loaded;
        this.log = log;
    }

    /**
     * Registers or begins to watch. Call it before the agent's thread starts.
     *
     * @param thread will call {@link #register}, and is woken for that
     * @param attached whether classes of the application may already be loaded
     */
    void start(Thread thread, boolean attached) {
        if (checkpoints.register(Checkpoints.OF_THE_JVM, null)) {
            return;
        }
        registers = thread;
        waits = true;
        // As the agent's other transformer: one of the other kind would make the JVM copy the bytes of each class.
        instrumentation.addTransformer(this, instrumentation.isRetransformClassesSupported());
        if (attached) {
            for (Class<?> one : instrumentation.getAllLoadedClasses()) {
                if (one.getName().equals(CORE.replace('/', '.'))) {
                    see(one.getClassLoader());
                }
            }
        }
    }

    @Override
    public byte @Nullable [] transform(
            @Nullable ClassLoader from,
            @Nullable String name,
            @Nullable Class<?> redefined,
            @Nullable ProtectionDomain domain,
            byte[] bytes) {
        if (CORE.equals(name) && redefined == null) {
            see(from);
        }
        return null;
    }

    private synchronized void see(@Nullable ClassLoader from) {
        if (!isSeen) {
            loader = from;
            isSeen = true;
            LockSupport.unpark(registers);
        }
    }

    /** Whether {@link #register} may have something to do later. */
    boolean waits() {
        return waits;
    }

    /** Registers once the class was seen. For the agent's thread. */
    void register() {
        if (waits && isSeen) {
            waits = false;
            instrumentation.removeTransformer(this);
            checkpoints.register(Checkpoints.OF_THE_APPLICATION, loader);
            loader = null;
        }
    }

    @Override
    public void beforeCheckpoint() {
        try {
            loaded.joinCopies();
            counting.beforeCheckpoint();
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        } catch (Throwable fault) {
            say(fault);
        }
        log.close();
    }

    @Override
    public void afterRestore() {
        log.open();
        try {
            counting.afterRestore();
        } catch (Throwable fault) {
            say(fault);
        }
    }

    private void say(Throwable fault) {
        try {
            log.accept("an error at a checkpoint was ignored: " + fault);
        } catch (Throwable notEvenThat) {
            // For example, there is no memory for the message; the checkpoint must not fail because of that.
            return;
        }
    }
}
