package io.counters.servers;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.example.shop.BundleShop;
import com.example.shop.Orders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/** The folders of the servers, and the archives that are deployed in them. */
final class Folders {
    private static final Path CLASSES = Path.of("target", "classes");

    private Folders() {}

    /** A folder or file that the build has put there, by the beginning of its name. */
    static Path server(String name) throws IOException {
        try (Stream<Path> all = Files.list(Path.of(System.getProperty("counters.servers")))) {
            return all.filter(path -> path.getFileName().toString().startsWith(name))
                    .findFirst()
                    .orElseThrow(() -> new IOException("there is no " + name + "; build with -Pservers"));
        }
    }

    /** The files in a folder, by name. */
    static List<Path> in(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    /** Copies a folder with its contents. */
    static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to.getParent());
        try (Stream<Path> all = Files.walk(from)) {
            for (Path path : all.toList()) {
                Path copy = to.resolve(from.relativize(path).toString());
                Files.copy(path, copy, StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    /** Writes a web application with these classes and {@link Orders}, with the API in a jar or without it. */
    static void war(Path file, Class<?> servlet, boolean withApi) throws IOException {
        Files.createDirectories(file.getParent());
        try (JarOutputStream war = new JarOutputStream(Files.newOutputStream(file))) {
            add(war, "WEB-INF/classes/", servlet, Orders.class);
            war.putNextEntry(new JarEntry("ready.txt"));
            if (withApi) {
                war.putNextEntry(new JarEntry("WEB-INF/lib/counters-core.jar"));
                Files.copy(Path.of(System.getProperty("counters.core")), war);
            }
        }
    }

    /** Writes a bundle that imports only OSGi's own package. */
    static void bundle(Path file) throws IOException {
        try (JarOutputStream bundle = new JarOutputStream(Files.newOutputStream(file))) {
            bundle.putNextEntry(new JarEntry("META-INF/MANIFEST.MF"));
            bundle.write(String.join(
                            "\n",
                            "Manifest-Version: 1.0",
                            "Bundle-ManifestVersion: 2",
                            "Bundle-SymbolicName: shop",
                            "Bundle-Version: 1.0.0",
                            "Bundle-Activator: " + BundleShop.class.getName(),
                            "Import-Package: org.osgi.framework",
                            "")
                    .getBytes(UTF_8));
            add(bundle, "", BundleShop.class, Orders.class);
        }
    }

    private static void add(JarOutputStream jar, String folder, Class<?>... classes) throws IOException {
        for (Class<?> one : classes) {
            String name = one.getName().replace('.', '/') + ".class";
            jar.putNextEntry(new JarEntry(folder + name));
            Files.copy(CLASSES.resolve(name), jar);
        }
    }
}
