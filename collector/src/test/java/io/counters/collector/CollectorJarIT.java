package io.counters.collector;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.testsupport.CollectorProgram;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What collector.jar contains, and collector-couchbase.jar, which may lie beside it. */
class CollectorJarIT {
    private static final String COLLECTOR = "target/collector.jar";
    private static final String COUCHBASE = "../couchbase/target/collector-couchbase.jar";
    private static final int BYTES_MAX = 30_000_000;

    /** A library in NOTICE: at the beginning of a line, or behind two blanks where a line belongs to the one before it. */
    private static final Pattern LISTED = Pattern.compile("(?m)^ {0,2}(\\S(?:[^ \\n]| (?! ))*)");

    private static final Pattern JAR_NAME = Pattern.compile("(.+?)-\\d.*\\.jar");

    @TempDir
    Path folder;

    private static String text(String jarFile, String entry) throws IOException {
        try (JarFile jar = new JarFile(jarFile);
                InputStream in = jar.getInputStream(jar.getEntry(entry))) {
            return new String(in.readAllBytes(), UTF_8);
        }
    }

    /** The files in a jar, and what they contain, by checksum. */
    private static Map<String, Long> files(Path jarFile) throws IOException {
        try (JarFile jar = new JarFile(jarFile.toFile())) {
            return jar.stream()
                    .filter(entry -> !entry.isDirectory())
                    .collect(Collectors.toMap(ZipEntry::getName, ZipEntry::getCrc, (one, same) -> one));
        }
    }

    @ParameterizedTest
    @CsvSource({COLLECTOR, COUCHBASE})
    void each_has_our_license_and_our_notice_with_those_of_the_libraries(String jar) throws IOException {
        String notice = Files.readString(Path.of("../NOTICE"));

        assertThat(text(jar, "META-INF/LICENSE")).isEqualTo(Files.readString(Path.of("../LICENSE")));
        assertThat(text(jar, "META-INF/NOTICE")).startsWith(notice).containsOnlyOnce(notice);
    }

    @ParameterizedTest
    @CsvSource({
        COLLECTOR + ", META-INF/licenses/lettuce-core, Redis Ltd",
        COLLECTOR + ", META-INF/licenses/slf4j, QOS.ch",
        COLLECTOR + ", META-INF/licenses/sqlite-jdbc, David Crawshaw",
        COLLECTOR + ", META-INF/licenses/kafka-clients-NOTICE, The Apache Software Foundation",
        COLLECTOR + ", META-INF/licenses/lz4, Yann Collet",
        COLLECTOR + ", META-INF/licenses/protobuf, Google Inc.",
        COUCHBASE + ", META-INF/licenses/protobuf, Google Inc.",
        COUCHBASE + ", META-INF/licenses/dnsjava, Brian Wellington",
        COUCHBASE + ", META-INF/licenses/HdrHistogram, Gil Tene",
        COUCHBASE + ", META-INF/FastDoubleParser-LICENSE, Werner Randelshofer",
        COUCHBASE + ", META-INF/NOTICE, Jackson JSON processor"
    })
    void they_have_the_licenses_of_the_libraries(String jar, String entry, String author) throws IOException {
        assertThat(text(jar, entry)).contains("Copyright", author);
    }

    /** Each file of a library is compared with the jars on the class path, so that a transitive dependency is noticed. */
    @ParameterizedTest
    @CsvSource({"In collector.jar, " + COLLECTOR, "In collector-couchbase.jar, " + COUCHBASE})
    void the_notice_names_every_library_that_a_jar_contains_and_no_other(String heading, Path jar) throws IOException {
        Map<String, Long> unexplained = files(jar);
        unexplained.keySet().removeIf(CollectorJarIT::isOurs);
        Set<String> contained = new TreeSet<>();
        for (Path library : libraries()) {
            Map<String, Long> files = files(library);
            files.entrySet().retainAll(unexplained.entrySet());
            if (!files.isEmpty()) {
                contained.add(artifact(library));
                unexplained.keySet().removeAll(files.keySet());
            }
        }

        assertThat(unexplained.keySet()).as("files of no library").isEmpty();
        Set<String> listed = listed(heading);
        assertThat(contained)
                .as("libraries in %s", jar)
                .allMatch(artifact -> listed.stream().anyMatch(artifact::startsWith));
        assertThat(listed)
                .as("libraries in NOTICE")
                .allMatch(name -> contained.stream().anyMatch(artifact -> artifact.startsWith(name)));
    }

    /** Libraries bring services, licenses and notes of tools in META-INF, too, some of which are merged. */
    private static boolean isOurs(String file) {
        return file.startsWith("io/counters/")
                || file.equals("simplelogger.properties")
                || (file.startsWith("META-INF/")
                        && !file.startsWith("META-INF/resources/")
                        && !file.startsWith("META-INF/native/"));
    }

    private static List<Path> libraries() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .filter(Files::isRegularFile)
                .filter(file -> JAR_NAME.matcher(file.getFileName().toString()).matches())
                .toList();
    }

    private static String artifact(Path jar) {
        Matcher name = JAR_NAME.matcher(jar.getFileName().toString());
        assertThat(name.matches()).as(jar.toString()).isTrue();
        return name.group(1);
    }

    private static Set<String> listed(String heading) throws IOException {
        String notice = Files.readString(Path.of("../NOTICE"));
        int begin = notice.indexOf(heading + " (");
        assertThat(begin).as(heading).isNotNegative();
        String section = notice.substring(notice.indexOf("--\n", begin) + 3);
        int next = section.indexOf("\nIn ");
        Set<String> names = new HashSet<>();
        Matcher line = LISTED.matcher(next < 0 ? section : section.substring(0, next));
        while (line.find()) {
            for (String name : line.group(1).split(",", -1)) {
                if (!name.isBlank()) {
                    String[] words = name.strip().toLowerCase(Locale.ROOT).split(" ", -1);
                    names.add(words[words.length - 1]);
                }
            }
        }
        return names;
    }

    @Test
    void it_is_small_because_the_client_of_couchbase_lies_beside_it() throws IOException {
        assertThat(Files.size(Path.of(COLLECTOR))).isBetween(1_000_000L, (long) BYTES_MAX);
        assertThat(files(Path.of(COLLECTOR)).keySet()).noneMatch(file -> file.startsWith("com/couchbase/"));
        assertThat(files(Path.of(COUCHBASE)).keySet()).anyMatch(file -> file.startsWith("com/couchbase/"));
        try (JarFile jar = new JarFile(COLLECTOR)) {
            Attributes manifest = jar.getManifest().getMainAttributes();
            assertThat(manifest.getValue(Attributes.Name.CLASS_PATH).split(" "))
                    .containsExactly(
                            "collector-couchbase.jar",
                            "counters-collector-couchbase-" + manifest.getValue("Implementation-Version") + ".jar");
        }
    }

    @Test
    void it_has_sqlite_for_the_platforms_that_the_document_lists() throws IOException {
        Pattern row = Pattern.compile("`([A-Z][A-Za-z-]+/\\w+)`");
        Set<String> documented = row.matcher(Files.readString(Path.of("../docs/compatibility.md")))
                .results()
                .map(found -> found.group(1))
                .collect(Collectors.toSet());

        assertThat(files(Path.of(COLLECTOR)).keySet().stream()
                        .filter(file -> file.startsWith("org/sqlite/native/"))
                        .map(file -> file.replaceFirst("^org/sqlite/native/(.*)/[^/]*$", "$1")))
                .containsExactlyInAnyOrderElementsOf(documented);
    }

    @Test
    void on_another_platform_it_says_where_to_get_a_library_and_then_uses_it() throws Exception {
        List<String> elsewhere = new ArrayList<>(List.of("-Dorg.sqlite.osinfo.architecture=riscv64"));
        try (CollectorProgram collector = CollectorProgram.launch(folder.resolve("data"), Map.of(), elsewhere)) {
            assertThat(collector.runs()).isFalse();
            assertThat(collector.status(CollectorProgram.PATIENCE)).isNotZero();
            assertThat(collector.log())
                    .contains(
                            "collector.jar has no SQLite library for Linux/riscv64; take org/sqlite/native/Linux/riscv64/"
                                    + "libsqlitejdbc.so out of sqlite-jdbc-")
                    .contains("java -Dorg.sqlite.lib.path=FOLDER -jar");
        }

        // The name of the file is the same on each Linux.
        try (JarFile jar = new JarFile(COLLECTOR)) {
            String here = System.getProperty("os.arch").equals("amd64") ? "x86_64" : "aarch64";
            try (InputStream in =
                    jar.getInputStream(jar.getEntry("org/sqlite/native/Linux/" + here + "/libsqlitejdbc.so"))) {
                Files.copy(in, folder.resolve("libsqlitejdbc.so"));
            }
        }
        elsewhere.add("-Dorg.sqlite.lib.path=" + folder);
        try (CollectorProgram collector = CollectorProgram.launch(folder.resolve("data"), Map.of(), elsewhere)) {
            assertThat(collector.runs()).as(collector.program().toString()).isTrue();
            collector.send("increment elsewhere 3");
            collector.awaitCounter("elsewhere", 3);
        }
    }
}
