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
 * Puts {@code java.lang.CountersCells}, the renamed copy of core's {@code Cells}, where the classes of every loader
 * find it: OSGi bundles and JBoss modules delegate {@code java.*} and little else.
 *
 * <p>On Java 9 and newer {@code java.lang} is opened to us and the class is defined into it, by public methods only.
 * Nothing is appended to the boot class path there: that switches the host's class data archive off. Java 8 knows no
 * other way than appending.
 */
final class Bridge {
    private static final String CLASS = "java/lang/CountersCells";

    private Bridge() {}

    /** Defines the bridge; to be called once in a JVM, before anything that links to it is used. */
    static void define(Instrumentation instrumentation) throws IOException, ReflectiveOperationException {
        byte[] bytes = bytes();
        Method privateLookupIn;
        try {
            privateLookupIn = MethodHandles.class.getMethod("privateLookupIn", Class.class, MethodHandles.Lookup.class);
        } catch (NoSuchMethodException java8) {
            append(instrumentation, bytes);
            return;
        }
        open(instrumentation);
        Object lookup = privateLookupIn.invoke(null, Object.class, MethodHandles.lookup());
        MethodHandles.Lookup.class.getMethod("defineClass", byte[].class).invoke(lookup, (Object) bytes);
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

    private static void append(Instrumentation instrumentation, byte[] bytes) throws IOException {
        File jar = File.createTempFile("counters-bridge", ".jar");
        jar.deleteOnExit();
        try (JarOutputStream out = new JarOutputStream(new FileOutputStream(jar))) {
            out.putNextEntry(new JarEntry(CLASS + ".class"));
            out.write(bytes);
        }
        instrumentation.appendToBootstrapClassLoaderSearch(new JarFile(jar));
    }

    private static byte[] bytes() throws IOException {
        try (InputStream in = Bridge.class.getClassLoader().getResourceAsStream(CLASS + ".classdata")) {
            if (in == null) {
                throw new IOException("counters.jar holds no " + CLASS + ".classdata; take it from the release again");
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
