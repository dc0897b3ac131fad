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
 * The class files of an application that is not running: of a folder, a jar, or a war, and of the archives in it, such as
 * those in {@code BOOT-INF/lib} of a fat jar or {@code WEB-INF/lib} of a war. As a class loader it returns them as
 * resources, before those of the JDK, and loads no class.
 *
 * <p>All files are kept in memory. If a class is found twice, the first one is used; folders precede archives. From a
 * multi-release jar it uses the version that the running Java would load.
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
     * Reads all class files of an application.
     *
     * @param faults accepts one message for each file that is not a class file or archive
     * @throws IOException if {@code app} is not a folder, jar or war, or cannot be read
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

    /** The classes, sorted by name; names have slashes. */
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

    /** Reads the zip directory, which is found even if a script precedes it, as in executable jars that Unix can run. */
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
            throw new IOException("it is not a jar, war or folder (" + broken.getMessage() + ")", broken);
        }
        nested(archives, app.toString());
    }

    /** Returns whether the archive had any entry. */
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
        String why = "it is empty";
        try {
            if (archive(in, place)) {
                return;
            }
        } catch (IOException | IllegalArgumentException broken) {
            why = broken.toString();
        }
        faults.accept(place + ": it is not a readable jar (" + why + "); its classes are not listed");
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
            faults.accept(place + ": it is not a readable class file (" + broken + ")");
        }
    }

    /** The first release of Java that uses this class file; 0 for all. */
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
