package io.counters.agent;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.nio.charset.StandardCharsets;
import java.util.function.BiConsumer;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/**
 * Defines {@code java.lang.CountersCells}, {@code CountersCellSource} and {@code CountersCompletion}, the renamed copies of
 * core's {@code Cells}, {@code CellSource} and {@code Completion}, in {@code java.lang}, where the classes of every loader find them: OSGi bundles and JBoss modules
 * delegate {@code java.*} and little else.
 *
 * <p>On Java 9 and newer {@code java.lang} is opened to the agent, which defines the classes there with public methods
 * only. Nothing is appended to the boot class path, because that would disable the class data archive of the application.
 * On Java 8 appending is the only way.
 */
final class Bridge {
    private static final String[] CLASSES = {
        "java/lang/CountersCells", "java/lang/CountersCellSource", "java/lang/CountersCompletion"
    };

    private static final int THREAD_ID_SINCE = 19;

    private Bridge() {}

    /**
     * Replaces {@code Thread.getId}, which a subclass may override, by {@code Thread.threadId} in the class file of the
     * cells, by replacing the one constant with that name. The cells detect this themselves; see their {@code ID_IS_FINAL}.
     */
    static byte[] withThreadId(byte[] cells) {
        String before = new String(cells, StandardCharsets.ISO_8859_1);
        String getId = "\1\0\5getId";
        int at = before.indexOf(getId);
        if (at < 0 || before.indexOf(getId, at + 1) >= 0) {
            throw new IllegalStateException("the cells in counters.jar must contain the name getId exactly once;"
                    + " use counters.jar as released");
        }
        return (before.substring(0, at) + "\1\0\10threadId" + before.substring(at + getId.length()))
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Defines the bridge. Call it once in a JVM, before any code that links to the bridge runs. */
    static void define(Instrumentation instrumentation) throws IOException, ReflectiveOperationException {
        byte[][] classes = new byte[CLASSES.length][];
        for (int i = 0; i < classes.length; i++) {
            classes[i] = bytes(CLASSES[i]);
        }
        int feature = Agent.feature(System.getProperties());
        if (feature >= THREAD_ID_SINCE) {
            classes[0] = withThreadId(classes[0]);
        }
        if (feature < 9) {
            append(instrumentation, classes);
        } else {
            intoJavaLang().accept(instrumentation, classes);
        }
    }

    /** Loads {@code IntoJavaLang} by name, because it does not compile at release 8. */
    @SuppressWarnings("unchecked")
    private static BiConsumer<Instrumentation, byte[][]> intoJavaLang() throws ReflectiveOperationException {
        return Class.forName("io.counters.agent.IntoJavaLang")
                .asSubclass(BiConsumer.class)
                .getDeclaredConstructor()
                .newInstance();
    }

    private static void append(Instrumentation instrumentation, byte[][] classes) throws IOException {
        File jar = fresh();
        jar.deleteOnExit();
        try (JarOutputStream out = new JarOutputStream(new FileOutputStream(jar))) {
            for (int i = 0; i < classes.length; i++) {
                out.putNextEntry(new JarEntry(CLASSES[i] + ".class"));
                out.write(classes[i]);
            }
        }
        instrumentation.appendToBootstrapClassLoaderSearch(new JarFile(jar));
    }

    /** Does not use createTempFile: where the kernel has no random device file, its random bits take seconds. */
    private static File fresh() throws IOException {
        File folder = new File(System.getProperty("java.io.tmpdir", "."));
        File jar = new File(folder, "counters-bridge-" + System.nanoTime() + ".jar");
        while (!jar.createNewFile()) {
            jar = new File(folder, "counters-bridge-" + System.nanoTime() + ".jar");
        }
        return jar;
    }

    private static byte[] bytes(String name) throws IOException {
        try (InputStream in = Bridge.class.getClassLoader().getResourceAsStream(name + ".classdata")) {
            if (in == null) {
                throw new IOException(
                        "counters.jar does not contain " + name + ".classdata; use counters.jar as released");
            }
            return Agent.all(in);
        }
    }
}
