package io.counters.testsupport;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
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
 * a second for it, as documented, in which a busy machine may not even load the classes that it needs. A last sweep that is not
 * made at all is noticed: the child ends with status {@value #NO_LAST_SWEEP}.
 */
public final class PatientEnd {
    /** The exit status of a JVM that begins a last sweep and never ends it. */
    public static final int NO_LAST_SWEEP = 99;

    private static final long PATIENCE_SECONDS = 50;
    /** The agent sets it when it counts, and then has a thread with the second name when the JVM ends. */
    private static final String AGENT_COUNTS = "io.counters.agent.counts";

    private static final String AGENT_ENDS = "counters-end";
    private static final long AGENT_ENDS_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static @Nullable Path jar;

    private PatientEnd() {}

    /** The option of a JVM for this agent, whose jar is made by the first call. May be called from any thread. */
    public static synchronized String option() throws IOException {
        if (jar == null) {
            jar = Files.createTempFile("patient-end", ".jar");
            jar.toFile().deleteOnExit();
            Manifest manifest = new Manifest();
            manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
            manifest.getMainAttributes().put(new Attributes.Name("Premain-Class"), PatientEnd.class.getName());
            String name = PatientEnd.class.getName().replace('.', '/') + ".class";
            try (OutputStream file = Files.newOutputStream(jar);
                    JarOutputStream entries = new JarOutputStream(file, manifest);
                    InputStream bytes = PatientEnd.class.getClassLoader().getResourceAsStream(name)) {
                entries.putNextEntry(new ZipEntry(name));
                Objects.requireNonNull(bytes).transferTo(entries);
            }
        }
        return "-javaagent:" + jar;
    }

    /** Called by the child JVM. */
    public static void premain(String arguments) {
        // Not a class of its own, which rules for all threads would match.
        Runtime.getRuntime().addShutdownHook(new Thread(PatientEnd::end, "patient-end"));
    }

    private static void end() {
        try {
            Thread sweeps = sweeps();
            if (sweeps != null && !lastSweep(sweeps).await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                Runtime.getRuntime().halt(NO_LAST_SWEEP);
            }
        } catch (InterruptedException | ReflectiveOperationException changed) {
            changed.printStackTrace();
            Runtime.getRuntime().halt(NO_LAST_SWEEP);
        }
    }

    /** The emitter's thread, which the agent may start only now; null if nothing was counted. */
    private static @Nullable Thread sweeps() throws InterruptedException {
        long begin = System.nanoTime();
        boolean mayStart = System.getProperty(AGENT_COUNTS) != null;
        while (true) {
            Thread sweeps = thread("counters-sweep");
            if (sweeps != null || !mayStart) {
                return sweeps;
            }
            Thread ends = thread(AGENT_ENDS);
            if (ends != null) {
                ends.join();
            }
            mayStart = ends == null && System.nanoTime() - begin < AGENT_ENDS_NANOS;
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static @Nullable Thread thread(String name) {
        for (Thread each : Thread.getAllStackTraces().keySet()) {
            if (each.getName().equals(name)) {
                return each;
            }
        }
        return null;
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
