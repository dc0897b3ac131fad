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
 * Loads the agent's classes, which {@code counters.jar} contains as {@code .classdata} files, so that no other loader and
 * no class scanner finds them.
 *
 * <p>A class that counters.jar contains is always loaded from there, even if another loader has a class of that name: an
 * application may have the API, and with it {@code io.counters.emit}, on the boot class path or in a module. All other
 * classes come from the boot loader, which has every class of the JDK that the agent uses. No other loader is asked: the
 * platform loader finds the application's modules, and the system loader may be the application's own ({@code
 * java.system.class.loader}), whose locks the agent must not take.
 */
final class AgentLoader extends ClassLoader {
    private final ProtectionDomain trusted = trusted();
    private final JarFile jar;

    AgentLoader(JarFile jar) {
        super(null);
        this.jar = jar;
    }

    /** The user who starts or attaches the agent trusts it, even if a security manager's policy does not list it. */
    private static ProtectionDomain trusted() {
        Permissions all = new Permissions();
        all.add(new AllPermission());
        return new ProtectionDomain(null, all);
    }

    /** A class that is not from counters.jar, which shows that the agent was packed into another jar; or null. */
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
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        // The jar contains the bridge, too, but the boot loader defines it.
        if (name.startsWith("java.") || jar.getEntry("counters/" + file(name)) == null) {
            return super.loadClass(name, resolve);
        }
        synchronized (getClassLoadingLock(name)) {
            Class<?> known = findLoadedClass(name);
            return known == null ? findClass(name) : known;
        }
    }

    private static String file(String name) {
        return name.replace('.', '/') + ".classdata";
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        try (InputStream in = getResourceAsStream(file(name))) {
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

    /** A file of the agent. Files of the application and of the JDK are not found. */
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
