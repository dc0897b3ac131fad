package io.counters.agent;

import io.counters.emit.Checkpointed;
import io.counters.emit.Checkpoints;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.AccessController;
import java.security.PrivilegedAction;
import java.security.ProtectionDomain;
import org.jspecify.annotations.Nullable;

/**
 * Registers the agent for checkpoints: at once in a JVM with CRaC; otherwise whenever a loader of the application loads {@code
 * org.crac}, wherever that is: on the class path, in a jar in a jar, in a web application. The agent never looks for it in
 * the application's loaders, whose code and locks it must not use; it sees the class as any class that is loaded. The last
 * loader that has it is used, so that no other one, such as that of a web application that was stopped, is kept.
 *
 * <p>Registering initializes a class of the application, so a short thread does it, and not the thread that loads.
 */
final class CheckpointWatch implements ClassFileTransformer, Checkpointed {
    private static final String CORE = "org/crac/Core";

    private final Instrumentation instrumentation;
    private final BridgeActivation counting;
    private final LoadedClasses loaded;
    private final Log log;

    /** Of the thread that starts the agent: a thread that loads classes may be in a group of the application. */
    private final @Nullable ThreadGroup group = Thread.currentThread().getThreadGroup();

    /** Kept, because a context refers to it weakly. */
    @SuppressWarnings("UnusedVariable")
    private volatile @Nullable Checkpoints registered;

    CheckpointWatch(Instrumentation instrumentation, BridgeActivation counting, LoadedClasses loaded, Log log) {
        this.instrumentation = instrumentation;
        this.counting = counting;
        this.loaded = loaded;
        this.log = log;
    }

    /**
     * Registers or begins to watch.
     *
     * @param attached whether classes of the application may already be loaded
     */
    void start(boolean attached) {
        if (register(Checkpoints.OF_THE_JVM, null)) {
            return;
        }
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

    /** With the agent's own permissions: a thread inherits those of the code that creates it. */
    private void see(@Nullable ClassLoader from) {
        try {
            AccessController.doPrivileged(new PrivilegedAction<@Nullable Void>() {
                @Override
                public @Nullable Void run() {
                    new Registering(from).start();
                    return null;
                }
            });
        } catch (Throwable noThread) {
            say(noThread);
        }
    }

    private boolean register(String api, @Nullable ClassLoader loader) {
        Checkpoints fresh = new Checkpoints(this);
        if (!fresh.register(api, loader)) {
            return false;
        }
        registered = fresh;
        return true;
    }

    private final class Registering extends Thread {
        private final @Nullable ClassLoader loader;

        Registering(@Nullable ClassLoader loader) {
            super(group, "counters-checkpoint");
            this.loader = loader;
            setDaemon(true);
            setContextClassLoader(null);
        }

        @Override
        public void run() {
            try {
                register(Checkpoints.OF_THE_APPLICATION, loader);
            } catch (Throwable fault) {
                say(fault);
            }
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
