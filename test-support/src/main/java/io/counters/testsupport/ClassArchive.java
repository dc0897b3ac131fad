package io.counters.testsupport;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a JVM has read of a jar's classes and of its class path, in a file beside the jar. JVMs that start with it save a third
 * of the processor time of a collector's start, and more than half of a broker's. Whoever needs it first makes it; the tests of
 * other JVMs go on without it meanwhile, and all do if it cannot be made. May be called from any thread.
 */
final class ClassArchive {
    private static final String VERSION = System.getProperty("java.vm.version").replaceAll("[^\\w.+-]", "_");

    private final Path jar;
    private final List<Path> alsoMadeOf;
    private final Use use;
    private boolean isTried;

    /** Runs a program with these options of the JVM until it has used its classes, and ends it in order. */
    interface Use {
        void run(List<String> options) throws IOException;
    }

    /** @param alsoMadeOf files that say which other classes there are */
    ClassArchive(Path jar, List<Path> alsoMadeOf, Use use) {
        this.jar = jar;
        this.alsoMadeOf = alsoMadeOf;
        this.use = use;
    }

    /** Options for the JVM of this JVM's JDK that runs the jar; none if there is no archive. */
    synchronized List<String> options() throws IOException {
        Path archive = archive();
        if (!Files.exists(archive) && !isTried) {
            isTried = true;
            try {
                make(archive);
            } catch (IOException | RuntimeException | AssertionError impossible) {
                System.err.println("tests go on without " + archive + ": " + impossible);
            }
        }
        return Files.exists(archive) ? List.of("-XX:SharedArchiveFile=" + archive) : List.of();
    }

    /** By all on which its use depends, because a JVM complains about an archive that it cannot use. */
    private Path archive() throws IOException {
        StringBuilder madeOf = new StringBuilder();
        for (Path file : alsoMadeOf) {
            madeOf.append('-').append(Integer.toHexString(Files.readString(file).hashCode()));
        }
        return jar.resolveSibling(prefix() + Files.size(jar) + "-"
                + Files.getLastModifiedTime(jar).toMillis() + madeOf + ".jsa");
    }

    private String prefix() {
        return jar.getFileName() + "-" + VERSION + "-";
    }

    private void make(Path archive) throws IOException {
        Path lockFile = jar.resolveSibling(prefix() + "making");
        try (FileChannel file = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = file.tryLock()) {
            if (lock == null || Files.exists(archive)) {
                return;
            }
            removeOlder();
            Path fresh = jar.resolveSibling(prefix() + "fresh");
            Files.deleteIfExists(fresh);
            use.run(List.of("-XX:ArchiveClassesAtExit=" + fresh, "-Xlog:cds=off", "-Xlog:cds+dynamic=off"));
            if (Files.exists(fresh)) {
                Files.move(fresh, archive, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (OverlappingFileLockException another) {
            // Another class loader of this JVM makes it.
        }
    }

    /** Those of jars that were built before. */
    private void removeOlder() throws IOException {
        try (Stream<Path> files = Files.list(jar.resolveSibling("."))) {
            for (Path older : files.filter(file -> {
                        String name = file.getFileName().toString();
                        return name.startsWith(jar.getFileName() + "-") && name.endsWith(".jsa");
                    })
                    .toList()) {
                Files.deleteIfExists(older);
            }
        }
    }
}
