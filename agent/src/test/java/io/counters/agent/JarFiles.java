package io.counters.agent;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/** Creates jars for tests from folders and from counters.jar. */
final class JarFiles {
    private JarFiles() {}

    /** A jar with the classes of the fixtures, and these lines in its manifest. */
    static Path ofFixtures(Path jar, String... manifest) throws IOException {
        return write(jar, manifest(manifest), List.of(ChildJvm.FIXTURES), entry -> false);
    }

    /** A jar with the classes in these folders, the wanted entries of counters.jar, and the manifest of counters.jar. */
    static Path ofCounters(Path jar, List<Path> folders, Predicate<String> wanted) throws IOException {
        try (JarFile counters = new JarFile(System.getProperty("counters.jar"))) {
            return write(jar, counters.getManifest(), folders, wanted);
        }
    }

    /** A jar with the classes in a folder, and these lines in its manifest. */
    static Path ofFolder(Path jar, Path folder, String... manifest) throws IOException {
        return write(jar, manifest(manifest), List.of(folder), entry -> false);
    }

    private static Manifest manifest(String... lines) {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        for (String line : lines) {
            String[] parts = line.split(": ", 2);
            manifest.getMainAttributes().putValue(parts[0], parts[1]);
        }
        return manifest;
    }

    private static Path write(Path jar, Manifest manifest, List<Path> folders, Predicate<String> wanted)
            throws IOException {
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file, manifest);
                JarFile counters = new JarFile(System.getProperty("counters.jar"))) {
            for (JarEntry entry : counters.stream().toList()) {
                if (!entry.getName().startsWith("META-INF") && wanted.test(entry.getName())) {
                    out.putNextEntry(new JarEntry(entry.getName()));
                    out.write(counters.getInputStream(entry).readAllBytes());
                }
            }
            for (Path folder : folders) {
                try (Stream<Path> files = Files.walk(folder)) {
                    for (Path of :
                            files.filter(f -> f.toString().endsWith(".class")).toList()) {
                        out.putNextEntry(new JarEntry(folder.relativize(of).toString()));
                        out.write(Files.readAllBytes(of));
                    }
                }
            }
        }
        return jar;
    }
}
