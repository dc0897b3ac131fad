package io.counters.agent.weave;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The supertypes of classes, and the annotation types that rules name. They are read from class files, which a loader
 * returns as resources; no class is loaded. Used only if {@code inherit}, a rule with {@code +} or a rule with {@code @}
 * needs it.
 *
 * <p>The caller is a thread of the application that is about to define a class and holds locks of its loader. Asking that
 * loader for the files of the supertypes takes locks in the same order as the JVM does a moment later, when it resolves
 * these supertypes through the same loader. The agent holds no lock meanwhile. Classes that a loader must load to find a
 * file never reach {@code transform}, because the JVM does not call it again on a thread that is inside it.
 *
 * <p>At most {@value #TYPES_MAX} types are cached, by loader, without keeping the loader alive; if there are more, the
 * cache is cleared. Of a type whose class file cannot be read, such as one of an optional dependency that is missing, only
 * the name is known. The first such type is logged, and all are counted.
 */
final class Hierarchy {
    private static final int TYPES_MAX = 2000;

    private final Rules rules;
    private final Consumer<String> log;
    private final AtomicInteger unread = new AtomicInteger();
    private final LoaderMap<Map<String, Found>> known = new LoaderMap<>();
    private int size;

    /** A type; without a file if that could not be read. */
    static final class Found {
        final String name;
        final @Nullable TypeFile file;

        Found(String name, @Nullable TypeFile file) {
            this.name = name;
            this.file = file;
        }
    }

    Hierarchy(Rules rules, Consumer<String> log) {
        this.rules = rules;
        this.log = log;
    }

    /** All supertypes by name: the superclasses first, the nearest of them first, then the interfaces, nearest first. */
    Map<String, Found> above(@Nullable ClassLoader loader, @Nullable String superName, String[] interfaces) {
        Map<String, Found> above = new LinkedHashMap<>();
        List<String> waiting = new ArrayList<>();
        add(interfaces, waiting);
        for (String at = superName; at != null && !at.equals("java/lang/Object") && !above.containsKey(at); ) {
            TypeFile file = put(loader, at, above);
            at = file == null ? null : file.superName;
            if (file != null) {
                add(file.interfaces, waiting);
            }
        }
        for (int i = 0; i < waiting.size(); i++) {
            if (!above.containsKey(waiting.get(i))) {
                TypeFile file = put(loader, waiting.get(i), above);
                if (file != null) {
                    add(file.interfaces, waiting);
                }
            }
        }
        return above;
    }

    private static void add(String[] names, List<String> into) {
        for (String name : names) {
            into.add(name);
        }
    }

    private @Nullable TypeFile put(@Nullable ClassLoader loader, String name, Map<String, Found> above) {
        // A type of the JDK has only supertypes of the JDK, so it is read only if a rule names a type of the JDK.
        Found found = name.startsWith("java/") && !rules.nameSupertypesOfTheJdk()
                ? new Found(name, null)
                : find(loader, name);
        above.put(name, found);
        return found.file;
    }

    /** A type as a loader sees it. */
    Found find(@Nullable ClassLoader loader, String name) {
        ClassLoader by = name.startsWith("java/") ? null : loader;
        synchronized (known) {
            Map<String, Found> ofLoader = known.get(by);
            Found found = ofLoader == null ? null : ofLoader.get(name);
            if (found != null) {
                return found;
            }
        }
        Found found = new Found(name, read(by, name));
        synchronized (known) {
            if (++size > TYPES_MAX) {
                known.clear();
                size = 1;
            }
            Map<String, Found> ofLoader = known.get(by);
            if (ofLoader == null) {
                ofLoader = new HashMap<>();
                known.put(by, ofLoader);
            }
            ofLoader.put(name, found);
        }
        return found;
    }

    private @Nullable TypeFile read(@Nullable ClassLoader loader, String name) {
        String why = "its loader has no such resource";
        try {
            byte[] bytes = bytes(loader, name);
            if (bytes != null) {
                TypeFile file = TypeFile.read(Weaving.reader(bytes), rules.annotations(), false);
                file.shrink(!rules.nameOverriding());
                return file;
            }
        } catch (Throwable unreadable) {
            // A class loader of the application may throw anything; reading its message may throw, too.
            why = unreadable.getClass().getName();
        }
        if (unread.getAndIncrement() == 0) {
            log.accept(name.replace('/', '.') + ": its class file cannot be read (" + why
                    + "), so its annotations and methods are ignored; further such supertypes are not logged");
        }
        return null;
    }

    /** How many class files could not be read. */
    int unread() {
        return unread.get();
    }

    /** A type's class file as a loader sees it; null if it has none. */
    static byte @Nullable [] bytes(@Nullable ClassLoader loader, String name) throws IOException {
        String resource = name + ".class";
        try (InputStream in = loader == null
                ? ClassLoader.getSystemResourceAsStream(resource)
                : loader.getResourceAsStream(resource)) {
            return in == null ? null : all(in);
        }
    }

    private static byte[] all(InputStream in) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(8192);
        byte[] part = new byte[8192];
        for (int read = in.read(part); read >= 0; read = in.read(part)) {
            bytes.write(part, 0, read);
        }
        return bytes.toByteArray();
    }
}
