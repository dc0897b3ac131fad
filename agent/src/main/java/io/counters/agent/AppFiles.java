package io.counters.agent;

import io.counters.agent.weave.Weaving;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;

/**
 * The class files of an application that does not run: of a folder, a jar, a war, and of the archives in them, as fat
 * jars have them in {@code BOOT-INF/lib} and wars in {@code WEB-INF/lib}. As a loader it shows them as resources, before
 * the JDK's, and loads no class.
 *
 * <p>All are kept in memory. Of a class that is there twice the first counts: folders before archives. Of a jar for
 * several releases of Java it is what the running one would load.
 */
final class AppFiles extends ClassLoader {
    private static final String VERSIONS = "META-INF/versions/";

    private final Map<String, byte[]> classes = new TreeMap<>();
    private final Map<String, Integer> releases = new HashMap<>();
    private final Consumer<String> faults;
    private final int java = ofThisJava();

    private AppFiles(Consumer<String> faults) {
        super(ClassLoader.getSystemClassLoader());
        this.faults = faults;
    }

    /**
     * Reads them all.
     *
     * @param faults takes a line for each file that is none
     * @throws IOException if {@code app} is nothing of that kind, or can't be read
     */
    static AppFiles read(Path app, Consumer<String> faults) throws IOException {
        AppFiles files = new AppFiles(faults);
        if (Files.isDirectory(app)) {
            files.folder(app);
        } else {
            files.archive(app);
        }
        return files;
    }

    /** The classes, sorted by their names, which have slashes. */
    Map<String, byte[]> classes() {
        return classes;
    }

    @Override
    public @Nullable InputStream getResourceAsStream(String name) {
        byte[] bytes =
                name.endsWith(".class") ? classes.get(name.substring(0, name.length() - ".class".length())) : null;
        return bytes == null
                ? ClassLoader.getSystemClassLoader().getParent().getResourceAsStream(name)
                : new ByteArrayInputStream(bytes);
    }

    private void folder(Path folder) throws IOException {
        List<Path> archives = new ArrayList<>();
        Files.walkFileTree(folder, new SimpleFileVisitor<Path>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (file.toString().endsWith(".class")) {
                    String name = folder.relativize(file).toString().replace(File.separatorChar, '/');
                    take(name, Files.readAllBytes(file), file.toString());
                } else if (isArchive(file.toString())) {
                    archives.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        archives.sort(null);
        for (Path archive : archives) {
            try (InputStream in = Files.newInputStream(archive)) {
                nested(in, archive.toString());
            }
        }
    }

    /** By its directory, which is found behind a script too: such are executable jars that Unix runs by themselves. */
    private void archive(Path app) throws IOException {
        Map<String, byte[]> archives = new TreeMap<>();
        try (ZipFile zip = new ZipFile(app.toFile())) {
            for (Enumeration<? extends ZipEntry> entries = zip.entries(); entries.hasMoreElements(); ) {
                ZipEntry entry = entries.nextElement();
                try (InputStream in = zip.getInputStream(entry)) {
                    entry(entry.getName(), in, app.toString(), archives);
                }
            }
        } catch (ZipException broken) {
            throw new IOException("it is no jar, war or folder (" + broken.getMessage() + ")", broken);
        }
        nested(archives, app.toString());
    }

    /** Whether there was anything in it. */
    private boolean archive(InputStream in, String place) throws IOException {
        Map<String, byte[]> archives = new TreeMap<>();
        ZipInputStream zip = new ZipInputStream(in);
        boolean any = false;
        for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
            any = true;
            entry(entry.getName(), zip, place, archives);
        }
        nested(archives, place);
        return any;
    }

    private void entry(String name, InputStream in, String place, Map<String, byte[]> archives) throws IOException {
        if (name.endsWith(".class")) {
            take(name, Agent.all(in), place + "!/" + name);
        } else if (isArchive(name)) {
            archives.put(name, Agent.all(in));
        }
    }

    private void nested(Map<String, byte[]> archives, String place) {
        for (Map.Entry<String, byte[]> nested : archives.entrySet()) {
            nested(new ByteArrayInputStream(nested.getValue()), place + "!/" + nested.getKey());
        }
    }

    private void nested(InputStream in, String place) {
        String why = "there is nothing in it";
        try {
            if (archive(in, place)) {
                return;
            }
        } catch (IOException | IllegalArgumentException broken) {
            why = broken.toString();
        }
        faults.accept(place + ": it is no jar that can be read (" + why + "); its classes are not listed");
    }

    private void take(String path, byte[] bytes, String place) {
        if (path.endsWith("module-info.class")) {
            return;
        }
        try {
            String name = Weaving.reader(bytes).getClassName();
            int release = release(path);
            Integer other = releases.get(name);
            if (release <= java && (other == null || other < release)) {
                releases.put(name, release);
                classes.put(name, bytes);
            }
        } catch (RuntimeException broken) {
            faults.accept(place + ": it is no class file that can be read (" + broken + ")");
        }
    }

    /** The release of Java from which on a class file is used: 0 for any. */
    private static int release(String path) {
        int begin = path.indexOf(VERSIONS);
        if (begin < 0) {
            return 0;
        }
        begin += VERSIONS.length();
        return Integer.parseInt(path.substring(begin, path.indexOf('/', begin)));
    }

    private static int ofThisJava() {
        String version = System.getProperty("java.specification.version", "1.8");
        return Integer.parseInt(version.substring(version.indexOf('.') + 1));
    }

    private static boolean isArchive(String name) {
        return name.endsWith(".jar") || name.endsWith(".war");
    }
}
