package io.counters.emit;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Learns from CRaC when this process is checkpointed and restored. Two packages have the same types: {@code jdk.crac} in a
 * JVM that can do it, and {@code org.crac}, a library that passes on to the JVM, or to who else makes the image, such as AWS
 * Lambda's SnapStart. Neither is needed: both are called by reflection.
 *
 * <p>The types, of which methods are called by name: {@code Core.getGlobalContext()} returns a {@code Context}, whose {@code
 * register(Resource)} takes an interface with {@code beforeCheckpoint(Context)} and {@code afterRestore(Context)}. A context
 * refers to its resources weakly, so they are kept here: keep this object as long as the program must be told.
 */
public final class Checkpoints implements InvocationHandler {
    /** In a JVM with CRaC; only the boot loader has it. */
    public static final String OF_THE_JVM = "jdk.crac";

    /** The library, in a loader of the application. */
    public static final String OF_THE_APPLICATION = "org.crac";

    private final Checkpointed program;
    private final List<Object> resources = new ArrayList<>();

    /** @param program is told; may be called by several threads */
    public Checkpoints(Checkpointed program) {
        this.program = program;
    }

    /**
     * Registers the program, which is called from then on.
     *
     * @param api {@link #OF_THE_JVM} or {@link #OF_THE_APPLICATION}
     * @param loader where to look for it; null for the boot loader
     * @return false if it is not there, which is usual, or has other types
     */
    public synchronized boolean register(String api, @Nullable ClassLoader loader) {
        try {
            Class<?> type = Class.forName(api + ".Resource", false, loader);
            Object context = Class.forName(api + ".Core", true, loader)
                    .getMethod("getGlobalContext")
                    .invoke(null);
            Object resource = Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, this);
            Class.forName(api + ".Context", false, loader)
                    .getMethod("register", type)
                    .invoke(context, resource);
            resources.add(resource);
            return true;
        } catch (ReflectiveOperationException | RuntimeException | LinkageError notThere) {
            return false;
        }
    }

    /** Called by the context. Never throws, because that would make the checkpoint fail. */
    @Override
    @SuppressWarnings("ReferenceEquality") // A resource is equal to itself only.
    public @Nullable Object invoke(Object resource, Method method, Object @Nullable [] arguments) {
        switch (method.getName()) {
            case "beforeCheckpoint":
                tell(true);
                return null;
            case "afterRestore":
                tell(false);
                return null;
            case "equals":
                return arguments != null && resource == arguments[0];
            case "hashCode":
                return System.identityHashCode(resource);
            default:
                return "counters";
        }
    }

    private void tell(boolean isBefore) {
        try {
            if (isBefore) {
                program.beforeCheckpoint();
            } else {
                program.afterRestore();
            }
        } catch (Throwable fault) {
            // The program says what it can; the checkpoint must not fail because of it.
            return;
        }
    }
}
