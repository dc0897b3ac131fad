package io.counters.agent;

import io.counters.wire.NameTemplates;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.ClassFileTransformer;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;

/** The agent's classes from its build folder, by reflection, because its jar hides them. */
final class AgentClasses {
    private final ClassLoader loader;

    AgentClasses() throws IOException {
        Path classes =
                Path.of("..", "agent", "target", "classes").toAbsolutePath().normalize();
        if (!Files.isDirectory(classes)) {
            throw new IOException(classes + " is missing; build the module agent first");
        }
        loader = new URLClassLoader(new URL[] {classes.toUri().toURL()}, AgentClasses.class.getClassLoader());
    }

    Class<?> named(String name) throws ClassNotFoundException {
        return loader.loadClass("io.counters.agent." + name);
    }

    /** What {@code Settings.read} makes of these arguments. */
    Object settings(String arguments) throws ReflectiveOperationException {
        return named("settings.Settings")
                .getMethod("read", String.class, Properties.class, Map.class)
                .invoke(null, arguments, new Properties(), Map.of());
    }

    /**
     * What instruments classes by these settings.
     *
     * @param names is asked for the ID of each name that counts
     */
    ClassFileTransformer weaving(Object settings, ToIntFunction<String> names, Consumer<String> log)
            throws ReflectiveOperationException {
        Class<?> rules = named("weave.Rules");
        Object read = rules.getMethod("read", named("settings.Settings"), Consumer.class)
                .invoke(null, settings, log);
        return (ClassFileTransformer) named("weave.Weaving")
                .getConstructor(rules, NameTemplates.class, BooleanSupplier.class, ToIntFunction.class, Consumer.class)
                .newInstance(read, new NameTemplates("host", "app", "", log), (BooleanSupplier) () -> true, names, log);
    }

    /** A class file of a class that tests can see. */
    static byte[] bytes(Class<?> type) throws IOException {
        String file = type.getName().substring(type.getPackageName().length() + 1) + ".class";
        try (InputStream in = type.getResourceAsStream(file)) {
            return Objects.requireNonNull(in, file).readAllBytes();
        }
    }
}
