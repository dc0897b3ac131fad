package io.counters.agent;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.AllPermission;
import java.security.Permissions;
import java.security.ProtectionDomain;
import java.util.Enumeration;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import org.jspecify.annotations.Nullable;

/**
 * Loads what lies in {@code counters.jar} as {@code .classdata}, where no other loader and no scanner finds it. Sees
 * the JDK and itself, and nothing of the application.
 */
final class AgentLoader extends ClassLoader {
    private final ProtectionDomain trusted = trusted();
    private final JarFile jar;

    AgentLoader(JarFile jar) {
        super(platform());
        this.jar = jar;
    }

    /** Whoever sets an agent trusts it, also where a security manager's policy knows nothing of it. */
    private static ProtectionDomain trusted() {
        Permissions all = new Permissions();
        all.add(new AllPermission());
        return new ProtectionDomain(null, all);
    }

    /** The loader below the boot loader: Java 9's platform loader, Java 8's extension loader. */
    private static ClassLoader platform() {
        ClassLoader at = ClassLoader.getSystemClassLoader();
        while (at.getParent() != null) {
            at = at.getParent();
        }
        return at;
    }

    /** A class that counters.jar does not hold, which gives away that it was packed into another jar; or null. */
    static @Nullable String stranger(JarFile jar) {
        for (Enumeration<JarEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
            String name = entries.nextElement().getName();
            if (name.endsWith(".class") && !name.startsWith("io/counters/agent/")) {
                return name;
            }
        }
        return null;
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".classdata")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(8192);
            byte[] part = new byte[8192];
            for (int read = in.read(part); read >= 0; read = in.read(part)) {
                bytes.write(part, 0, read);
            }
            return defineClass(name, bytes.toByteArray(), 0, bytes.size(), trusted);
        } catch (IOException unreadable) {
            throw new ClassNotFoundException(name, unreadable);
        }
    }

    /** A file of the agent's own; the application's and the JDK's are not seen. */
    @Override
    public @Nullable InputStream getResourceAsStream(String name) {
        try {
            ZipEntry entry = jar.getEntry("counters/" + name);
            return entry == null ? null : jar.getInputStream(entry);
        } catch (IOException unreadable) {
            return null;
        }
    }
}
