package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;

/** The contents of counters.jar. */
class CountersJarIT {
    private static final int JAVA_8 = 52;

    @Test
    void every_class_is_for_java_8_or_older() throws Exception {
        try (JarFile jar = new JarFile(System.getProperty("counters.jar"))) {
            for (JarEntry entry : jar.stream().filter(CountersJarIT::isClass).toList()) {
                DataInputStream in = new DataInputStream(jar.getInputStream(entry));

                assertThat(in.readInt()).isEqualTo(0xCAFEBABE);
                assertThat(in.readInt()).as(entry.getName()).isLessThanOrEqualTo(JAVA_8);
            }
        }
    }

    @Test
    void the_application_finds_three_classes_and_the_rest_is_hidden_below_counters() throws Exception {
        List<String> open = new ArrayList<>();
        List<String> foreign = new ArrayList<>();
        try (JarFile jar = new JarFile(System.getProperty("counters.jar"))) {
            for (JarEntry entry : jar.stream().toList()) {
                if (entry.getName().endsWith(".class")) {
                    open.add(entry.getName());
                } else if (!entry.getName().startsWith("META-INF/")
                        && !entry.getName().startsWith("counters/io/counters/")) {
                    foreign.add(entry.getName());
                }
            }
            assertThat(jar.getEntry("META-INF/versions")).isNull();
            assertThat(jar.getEntry("counters/io/counters/Count.classdata")).isNull();
        }

        assertThat(open)
                .containsExactlyInAnyOrder(
                        "io/counters/agent/AgentLoader.class",
                        "io/counters/agent/Main.class",
                        "io/counters/agent/Premain.class");
        assertThat(foreign)
                .containsExactlyInAnyOrder(
                        "counters/java/lang/CountersCells.classdata",
                        "counters/java/lang/CountersCellSource.classdata",
                        "counters/java/lang/CountersCompletion.classdata");
    }

    @Test
    void it_has_our_license_and_those_of_what_it_contains() throws Exception {
        try (JarFile jar = new JarFile(System.getProperty("counters.jar"))) {
            assertThat(text(jar, "META-INF/LICENSE")).isEqualTo(Files.readString(Path.of("../LICENSE")));
            assertThat(text(jar, "META-INF/NOTICE"))
                    .startsWith(Files.readString(Path.of("../NOTICE")))
                    .contains("Copyright 2014 - Present Rafael Winterhalter");
            assertThat(text(jar, "META-INF/licenses/ASM")).contains("INRIA, France Telecom");
        }
    }

    private static String text(JarFile jar, String entry) throws IOException {
        try (InputStream in = jar.getInputStream(jar.getEntry(entry))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void the_manifest_names_the_premain_class() throws Exception {
        try (JarFile jar = new JarFile(System.getProperty("counters.jar"))) {
            Attributes manifest = jar.getManifest().getMainAttributes();

            assertThat(manifest.getValue("Premain-Class")).isEqualTo(Premain.class.getName());
            assertThat(manifest.getValue("Agent-Class")).isEqualTo(Premain.class.getName());
            assertThat(manifest.getValue("Can-Retransform-Classes")).isEqualTo("true");
        }
    }

    private static boolean isClass(JarEntry entry) {
        return entry.getName().endsWith(".class") || entry.getName().endsWith(".classdata");
    }
}
