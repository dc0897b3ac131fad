package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedMethod;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A call counts once in every language, whatever its compiler makes of a marked method. What is right the fixtures
 * count by hand, in the bodies of their functions; from Java 25 on the JVM counts too, by JFR's method timing.
 */
class LanguagesIT {
    private static final Path BUILT = Path.of("target", "languages");

    @TempDir
    Path folder = Path.of("");

    enum Language {
        SCALA("scala", "Rows"),
        SCALA_3("scala3", "Rows3"),
        KOTLIN("kotlin", "Rows"),
        KOTLIN_WITHOUT_DEFAULTS_IN_INTERFACES("kotlin-disable", "Rows"),
        GROOVY("groovy", "Rows");

        private final Path classes;
        private final String main;

        Language(String folder, String main) {
            classes = BUILT.resolve(folder);
            this.main = "languages." + main;
        }

        List<Path> classPath() throws IOException {
            List<Path> all = new ArrayList<>(List.of(classes, ChildJvm.FIXTURES, ChildJvm.CORE));
            for (String library : Files.readString(BUILT.resolve("libraries")).split(File.pathSeparator)) {
                if (library.matches(".*(scala-library|scala3-library|kotlin-stdlib|groovy)[^/]*\\.jar")) {
                    all.add(Path.of(library));
                }
            }
            return all;
        }

        ChildJvm.Ended run(String... options) throws Exception {
            return ChildJvm.start(List.of(options), classPath(), main).await().well();
        }
    }

    /** What a fixture's functions came to, and which methods of class files they are. */
    private record Truth(Map<String, Long> sums, Map<String, String> methods) {
        static Truth of(ChildJvm.Ended child) {
            Truth truth = new Truth(new TreeMap<>(), new TreeMap<>());
            for (String line : child.out().lines().toList()) {
                String[] words = line.split(" ", 3);
                truth.sums.put(words[0], Long.valueOf(words[1]));
                if (!words[2].equals("-")) {
                    truth.methods.put(words[0], words[2]);
                }
            }
            assertThat(truth.sums).hasSizeGreaterThan(30);
            return truth;
        }
    }

    @ParameterizedTest
    @EnumSource
    void each_call_counts_once(Language language) throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = language.run("-Xverify:all", ChildJvm.AGENT + "=" + receiver.arguments());

            assertThat(new TreeMap<>(receiver.sums())).as(child.err()).isEqualTo(Truth.of(child).sums);
        }
    }

    @ParameterizedTest
    @EnumSource
    void an_override_counts_beside_where_that_is_asked_for(Language language) throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child =
                    language.run("-Dinherit=true", ChildJvm.AGENT + "=" + receiver.arguments() + ",inherit=true");

            assertThat(new TreeMap<>(receiver.sums())).as(child.err()).isEqualTo(Truth.of(child).sums);
        }
    }

    @ParameterizedTest
    @EnumSource
    void the_jvm_counts_the_same(Language language) throws Exception {
        assumeTrue(Runtime.version().feature() >= 25, "method timing came with Java 25");
        Path recording = folder.resolve("timed.jfr");

        Truth truth = Truth.of(
                language.run("-XX:StartFlightRecording:filename=" + recording + ",method-timing=@io.counters.Count"));

        Map<String, Long> timed = timed(recording);
        truth.methods.forEach((name, method) ->
                assertThat(timed).as(name + " by " + method).containsEntry(method, truth.sums.get(name)));
    }

    private static Map<String, Long> timed(Path recording) throws IOException {
        Map<String, Long> timed = new TreeMap<>();
        for (RecordedEvent event : RecordingFile.readAllEvents(recording)) {
            if (event.getEventType().getName().equals("jdk.MethodTiming")) {
                RecordedMethod method = event.getValue("method");
                timed.merge(
                        method.getType().getName() + "::" + method.getName() + method.getDescriptor(),
                        event.getLong("invocations"),
                        Math::max);
            }
        }
        return timed;
    }

    @ParameterizedTest
    @EnumSource
    void list_tells_what_will_count_and_finds_nothing_wrong(Language language) throws Exception {
        Path app = Files.createDirectory(folder.resolve("app"));
        copy(language.classes, app);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();

        int status = ListCommand.run(
                new String[] {app.toString(), "enabled=true"}, new PrintStream(out), new PrintStream(err));

        assertThat(err.toString()).isEmpty();
        assertThat(status).isZero();
        assertThat(out.toString().lines().map(line -> line.replaceAll(".* = (\\S+) .*", "$1")))
                .containsAll(Truth.of(language.run()).sums.keySet());
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path each : all.toList()) {
                Path target = to.resolve(from.relativize(each).toString());
                if (Files.isDirectory(each)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(each, target);
                }
            }
        }
    }
}
