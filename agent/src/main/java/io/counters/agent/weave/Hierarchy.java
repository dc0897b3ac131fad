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
 * What stands above a class, and on an annotation type: read from class files, which a loader gives as resources. No
 * class is loaded. In use only where {@code inherit}, a rule with {@code +} or a rule with {@code @} asks for it.
 *
 * <p>The caller is a thread of the application that is about to define a class, with locks of its loader held. Asking
 * that loader for its supertypes' files takes locks in the order in which the JVM itself takes them a moment later, when
 * it resolves these supertypes through the same loader; and no lock of ours is held meanwhile. What a loader must load
 * itself to find a file never comes to {@code transform}: the JVM keeps a thread that is in there out of it.
 *
 * <p>Remembered are {@value #TYPES_MAX} types at most, by loader, whose life is not prolonged; beyond, it begins anew. What
 * can't be read, as a library's optional dependency that is not there, is a type of which nothing but the name is known;
 * the first is named in a line, and all are counted.
 */
final class Hierarchy {
    private static final int TYPES_MAX = 2000;

    private final Rules rules;
    private final Consumer<String> log;
    private final AtomicInteger unread = new AtomicInteger();
    private final ByLoader<Map<String, Found>> known = new ByLoader<>();
    private int size;

    /** A type above; without a file, if that could not be read. */
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

    /** All supertypes by their names: the superclasses first, from near to far, then interfaces, near ones first. */
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
        // Nothing in the JDK extends what is not of the JDK: its types are read for rules that name one only.
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
            // It is a loader's of the application, and may throw anything: what it says of itself is not asked for.
            why = unreadable.getClass().getName();
        }
        if (unread.getAndIncrement() == 0) {
            log.accept(name.replace('/', '.') + ": its class file can't be read (" + why
                    + "); what stands in it counts nothing. Further such supertypes are only counted");
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
