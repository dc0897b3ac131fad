package io.counters.agent;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
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

    private Bridge() {}

    /** Defines the bridge; to be called once in a JVM, before anything that links to it is used. */
    static void define(Instrumentation instrumentation) throws IOException, ReflectiveOperationException {
        Method privateLookupIn;
        try {
            privateLookupIn = MethodHandles.class.getMethod("privateLookupIn", Class.class, MethodHandles.Lookup.class);
        } catch (NoSuchMethodException java8) {
            append(instrumentation);
            return;
        }
        open(instrumentation);
        Object lookup = privateLookupIn.invoke(null, Object.class, MethodHandles.lookup());
        Method defineClass = MethodHandles.Lookup.class.getMethod("defineClass", byte[].class);
        for (String name : CLASSES) {
            defineClass.invoke(lookup, (Object) bytes(name));
        }
    }

    private static void open(Instrumentation instrumentation) throws ReflectiveOperationException {
        Class<?> module = Class.forName("java.lang.Module");
        Object javaBase = Class.class.getMethod("getModule").invoke(Object.class);
        Object ours = Class.class.getMethod("getModule").invoke(Bridge.class);
        Instrumentation.class
                .getMethod("redefineModule", module, Set.class, Map.class, Map.class, Set.class, Map.class)
                .invoke(
                        instrumentation,
                        javaBase,
                        Collections.emptySet(),
                        Collections.emptyMap(),
                        Collections.singletonMap("java.lang", Collections.singleton(ours)),
                        Collections.emptySet(),
                        Collections.emptyMap());
    }

    private static void append(Instrumentation instrumentation) throws IOException {
        File jar = File.createTempFile("counters-bridge", ".jar");
        jar.deleteOnExit();
        try (JarOutputStream out = new JarOutputStream(new FileOutputStream(jar))) {
            for (String name : CLASSES) {
                out.putNextEntry(new JarEntry(name + ".class"));
                out.write(bytes(name));
            }
        }
        instrumentation.appendToBootstrapClassLoaderSearch(new JarFile(jar));
    }

    private static byte[] bytes(String name) throws IOException {
        try (InputStream in = Bridge.class.getClassLoader().getResourceAsStream(name + ".classdata")) {
            if (in == null) {
                throw new IOException("counters.jar holds no " + name + ".classdata; take it from the release again");
            }
            return all(in);
        }
    }

    /** What is left of a stream. */
    static byte[] all(InputStream in) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(16384);
        byte[] part = new byte[8192];
        for (int read = in.read(part); read >= 0; read = in.read(part)) {
            bytes.write(part, 0, read);
        }
        return bytes.toByteArray();
    }
}
