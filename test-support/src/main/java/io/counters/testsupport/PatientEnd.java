package io.counters.testsupport;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import org.jspecify.annotations.Nullable;

/**
 * A second agent for child JVMs that count and end at once: they end only when their last sweep has been made. A JVM waits half
 * a second for it, as documented, in which a busy machine may not even load the classes that it needs. If a sweep's thread never
 * makes its last one, the child ends with status {@value #NO_LAST_SWEEP}.
 */
public final class PatientEnd {
    /** The exit status of a JVM that has a sweep's thread, and whose last sweep was not seen. */
    private static final int NO_LAST_SWEEP = 99;

    private static final long PATIENCE_SECONDS = 50;
    /** The agent sets it when it has started, and then has a thread with the second name when the JVM ends. */
    private static final String AGENT_COUNTS = "io.counters.agent.counts";

    private static final String AGENT_ENDS = "counters-end";
    private static final long AGENT_ENDS_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static @Nullable Path jar;

    private PatientEnd() {}

    /** The option of a JVM for this agent, whose jar is made by the first call. May be called from any thread. */
    public static synchronized String option() throws IOException {
        if (jar == null) {
            Path fresh = Files.createTempFile("patient-end", ".jar");
            fresh.toFile().deleteOnExit();
            Manifest manifest = new Manifest();
            manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
            manifest.getMainAttributes().put(new Attributes.Name("Premain-Class"), PatientEnd.class.getName());
            String name = PatientEnd.class.getName().replace('.', '/') + ".class";
            try (OutputStream file = Files.newOutputStream(fresh);
                    JarOutputStream entries = new JarOutputStream(file, manifest);
                    InputStream bytes = PatientEnd.class.getClassLoader().getResourceAsStream(name)) {
                entries.putNextEntry(new ZipEntry(name));
                Objects.requireNonNull(bytes).transferTo(entries);
            }
            jar = fresh;
        }
        return "-javaagent:" + jar;
    }

    /** Called by the child JVM. */
    public static void premain(String arguments) {
        // A subclass of Thread would match rules such as +java.lang.Runnable#run.
        Runtime.getRuntime().addShutdownHook(new Thread(PatientEnd::end, "patient-end"));
    }

    private static void end() {
        try {
            // The agent has one, and an application that uses the API has another one.
            for (Thread sweeps : sweeps()) {
                if (!lastSweep(sweeps).await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    Runtime.getRuntime().halt(NO_LAST_SWEEP);
                }
            }
        } catch (InterruptedException | ReflectiveOperationException changed) {
            changed.printStackTrace();
            Runtime.getRuntime().halt(NO_LAST_SWEEP);
        }
    }

    /** The emitters' threads, of which the agent may start its own only now; none if nothing was counted. */
    private static List<Thread> sweeps() throws InterruptedException {
        long begin = System.nanoTime();
        boolean mayStart = System.getProperty(AGENT_COUNTS) != null;
        while (true) {
            List<Thread> sweeps = threads("counters-sweep");
            if (!sweeps.isEmpty() || !mayStart) {
                return sweeps;
            }
            List<Thread> ends = threads(AGENT_ENDS);
            for (Thread end : ends) {
                end.join();
            }
            mayStart = ends.isEmpty() && System.nanoTime() - begin < AGENT_ENDS_NANOS;
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static List<Thread> threads(String name) {
        List<Thread> found = new ArrayList<>();
        for (Thread each : Thread.getAllStackTraces().keySet()) {
            if (each.getName().equals(name)) {
                found.add(each);
            }
        }
        return found;
    }

    private static CountDownLatch lastSweep(Thread sweeps) throws ReflectiveOperationException {
        return (CountDownLatch) field(field(sweeps, "this$0"), "lastSwept");
    }

    private static Object field(Object of, String name) throws ReflectiveOperationException {
        Field field = of.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return Objects.requireNonNull(field.get(of));
    }
}
