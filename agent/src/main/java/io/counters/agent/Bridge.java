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
 * Puts {@code java.lang.CountersCells} and {@code CountersCompletion}, the renamed copies of core's {@code Cells} and
 * {@code Completion}, where the classes of every loader find them: OSGi bundles and JBoss modules delegate {@code
 * java.*} and little else.
 *
 * <p>On Java 9 and newer {@code java.lang} is opened to us and the classes are defined into it, by public methods only.
 * Nothing is appended to the boot class path there: that switches the host's class data archive off. Java 8 knows no
 * other way than appending.
 */
final class Bridge {
    private static final String[] CLASSES = {"java/lang/CountersCells", "java/lang/CountersCompletion"};

    private static final int THREAD_ID_SINCE = 19;

    private Bridge() {}

    /**
     * The cells with {@code Thread.threadId} in place of {@code Thread.getId}, which any subclass may override: the one
     * constant that names it, as a class file has it, is another. They know it by themselves, see {@code ID_IS_FINAL} there.
     */
    static byte[] withThreadId(byte[] cells) {
        String before = new String(cells, StandardCharsets.ISO_8859_1);
        String getId = "\1\0\5getId";
        int at = before.indexOf(getId);
        if (at < 0 || before.indexOf(getId, at + 1) >= 0) {
            throw new IllegalStateException("the cells in counters.jar do not name getId once");
        }
        return (before.substring(0, at) + "\1\0\10threadId" + before.substring(at + getId.length()))
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Defines the bridge; to be called once in a JVM, before anything that links to it is used. */
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

    /** {@code IntoJavaLang}, which no compiler for Java 8 knows. */
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

    /** Not by createTempFile: its random bits take seconds where the kernel has none in a file. */
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
                throw new IOException("counters.jar holds no " + name + ".classdata; take it from the release again");
            }
            return Agent.all(in);
        }
    }
}
