package io.counters.spring;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/** Checks the published modules: their POM for Maven, and their manifest for the module system and OSGi. */
class PublishedIT {
    @TempDir
    Path folder = Path.of("");

    @ParameterizedTest
    @CsvSource({
        "core, core, ''",
        "junit, junit, counters-core",
        "agent, agent, ''",
        "micrometer, micrometer, counters-core",
        "spring-boot-starter, spring, counters-core;counters-micrometer"
    })
    void the_pom_needs_no_parent_and_the_manifest_describes_a_module_and_a_bundle(
            String module, String name, String needs) throws Exception {
        String jar = module.equals("agent") ? "counters" : "counters-" + module;
        Path target = Path.of("..", module, "target");
        Element pom = pom(target.resolve(".flattened-pom.xml"));
        String version = text(pom, "version");
        try (JarFile built = new JarFile(jar(target, jar, version))) {
            Attributes manifest = built.getManifest().getMainAttributes();

            assertThat(pom.getElementsByTagName("parent").getLength()).isZero();
            assertThat(text(pom, "artifactId")).isEqualTo("counters-" + module);
            assertThat(dependencies(pom))
                    .as("dependencies at run time, each with its version")
                    .isEqualTo(Stream.of(needs.split(";", -1))
                            .filter(one -> !one.isEmpty())
                            .map(one -> one + " " + version)
                            .toList());

            assertThat(built.getEntry("META-INF/LICENSE")).isNotNull();
            assertThat(built.getEntry("META-INF/NOTICE")).isNotNull();
            assertThat(manifest.getValue("Automatic-Module-Name")).isEqualTo("counters." + name);
            assertThat(manifest.getValue("Bundle-ManifestVersion")).isEqualTo("2");
            assertThat(manifest.getValue("Bundle-SymbolicName")).isEqualTo("io.counters." + name);
            assertThat(manifest.getValue("Bundle-Version")).isEqualTo(version.replace('-', '.'));
            assertThat(manifest.keySet().stream().map(Object::toString)).noneMatch(key -> key.startsWith("Require-"));
            if (!module.equals("agent")) {
                assertThat(exported(manifest)).isEqualTo(packages(built));
                assertThat(manifest.getValue("Export-Package"))
                        .contains(";version=\"" + version.replace('-', '.') + "\"")
                        .doesNotContain("${");
            }
        }
        ModuleDescriptor read = ModuleFinder.of(jar(target, jar, version).toPath()).findAll().stream()
                .findFirst()
                .orElseThrow()
                .descriptor();
        assertThat(read.name()).isEqualTo("counters." + name);
        assertThat(read.isAutomatic()).isEqualTo(!module.equals("core"));
        if (module.equals("core")) {
            assertThat(read.requires())
                    .extracting(ModuleDescriptor.Requires::name)
                    .containsExactly("java.base");
            assertThat(read.exports())
                    .extracting(ModuleDescriptor.Exports::source)
                    .containsExactlyInAnyOrderElementsOf(read.packages());
        }
    }

    @Test
    void only_these_modules_are_published_and_no_other_one_names_itself_a_module() throws Exception {
        try (Stream<Path> modules = Files.list(Path.of(".."))) {
            assertThat(modules.filter(module -> Files.exists(module.resolve("published.txt")))
                            .map(module -> module.getFileName().toString()))
                    .containsExactlyInAnyOrder("core", "junit", "agent", "micrometer", "spring-boot-starter");
        }
        Path unpublished = Path.of("..", "test-support", "target");
        try (JarFile built = new JarFile(jar(unpublished, "counters-test-support", version()))) {
            assertThat(built.getManifest().getMainAttributes().getValue("Automatic-Module-Name"))
                    .isNull();
        }
    }

    @Test
    void a_modular_program_uses_the_api_and_sends() throws Exception {
        Path core =
                jar(Path.of("..", "core", "target"), "counters-core", version()).toPath();
        Path source = Files.createDirectories(folder.resolve("source/app"));
        Files.writeString(source.resolveSibling("module-info.java"), "module app { requires counters.core; }");
        Files.writeString(source.resolve("Main.java"), """
                package app;

                import io.counters.Counters;

                public class Main {
                    public static void main(String[] arguments) throws Exception {
                        Counters.counter("module.started", "way", "api").increment();
                        Counters.start(arguments[0]).close();
                        System.out.print(Counters.class.getModule().getName());
                    }
                }
                """);
        Path compiled = folder.resolve("compiled");
        assertThat(ToolProvider.getSystemJavaCompiler()
                        .run(
                                null,
                                null,
                                null,
                                "-Xlint:all",
                                "-Werror",
                                "-d",
                                compiled.toString(),
                                "--module-path",
                                core.toString(),
                                source.resolve("Main.java").toString(),
                                source.resolveSibling("module-info.java").toString()))
                .isZero();
        try (DatagramSocket collector = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            collector.setSoTimeout(60_000);
            Process program = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "--module-path",
                            core + File.pathSeparator + compiled,
                            "--module",
                            "app/app.Main",
                            "127.0.0.1:" + collector.getLocalPort())
                    .redirectErrorStream(true)
                    .start();

            assertThat(new String(program.getInputStream().readAllBytes(), US_ASCII))
                    .isEqualTo("counters.core");
            DatagramPacket last = new DatagramPacket(new byte[2000], 2000);
            collector.receive(last);
            assertThat(new String(last.getData(), 0, last.getLength(), US_ASCII))
                    .contains("increment module.started,way=api 1 1\n");
        }
    }

    private static String version() throws Exception {
        return text(pom(Path.of("..", "core", "target", ".flattened-pom.xml")), "version");
    }

    private static File jar(Path target, String name, String version) {
        return target.resolve(name.equals("counters") ? name + ".jar" : name + "-" + version + ".jar")
                .toFile();
    }

    private static Set<String> exported(Attributes manifest) {
        return Stream.of(manifest.getValue("Export-Package")
                        .replaceAll("\"[^\"]*\"", "")
                        .split(",", -1))
                .map(one -> one.split(";", 2)[0])
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> packages(JarFile jar) {
        return jar.stream()
                .map(JarEntry::getName)
                .filter(entry -> entry.endsWith(".class") && !entry.startsWith("META-INF/"))
                .map(entry -> entry.substring(0, entry.lastIndexOf('/')).replace('/', '.'))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Element pom(Path file) throws Exception {
        try (var in = Files.newInputStream(file)) {
            return DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(in)
                    .getDocumentElement();
        }
    }

    /** The names and versions of the dependencies that users of the module get. */
    private static List<String> dependencies(Element pom) throws IOException {
        NodeList all = pom.getElementsByTagName("dependency");
        return Stream.iterate(0, i -> i < all.getLength(), i -> i + 1)
                .map(i -> (Element) all.item(i))
                .filter(one -> !text(one, "scope").matches("test|provided"))
                .map(one -> text(one, "artifactId") + " " + text(one, "version"))
                .toList();
    }

    private static String text(Element of, String name) {
        for (Node child = of.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child.getNodeName().equals(name)) {
                return child.getTextContent().trim();
            }
        }
        return "";
    }
}
