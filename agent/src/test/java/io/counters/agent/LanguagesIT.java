package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedMethod;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A call counts once in every language, whatever its compiler generates for a marked method. The fixtures count the
 * expected values by hand, in the bodies of their functions. From Java 25 on, the JVM counts, too, with JFR's method
 * timing, which records each method that carries the annotation, and those of its calls that return.
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
            for (String library : Files.readString(BUILT.resolve("libraries")).split(File.pathSeparator, -1)) {
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

    /** The expected sums of a fixture, by counter and, for methods that the JVM counts, by method of the class file. */
    private record Truth(Map<String, Long> sums, Map<String, Long> methods) {
        static Truth of(ChildJvm.Ended child) {
            Truth truth = new Truth(new TreeMap<>(), new TreeMap<>());
            for (String line : child.out().lines().toList()) {
                String[] words = line.split(" ", -1);
                long sum = Long.parseLong(words[2]);
                truth.sums.merge(words[0], sum, Long::sum);
                if (!words[1].equals("-")) {
                    truth.methods.put(words[1], sum);
                }
            }
            assertThat(truth.sums).hasSizeGreaterThan(30);
            return truth;
        }
    }

    /** The sums that the agent sent, and the expected ones. */
    private record Counted(Map<String, Long> sums, Truth truth, String err) {
        static Counted by(Language language, String settings, String... options) throws Exception {
            List<String> all = new ArrayList<>(List.of(options));
            try (Receiver receiver = new Receiver()) {
                all.add(ChildJvm.AGENT + "=" + receiver.arguments() + settings);
                ChildJvm.Ended child = language.run(all.toArray(new String[0]));
                return new Counted(new TreeMap<>(receiver.sums()), Truth.of(child), child.err());
            }
        }

        void assertRight() {
            assertThat(sums).as(err).isEqualTo(truth.sums);
        }
    }

    private static final Map<Language, Counted> counted = new TreeMap<>();

    private static Counted counted(Language language) throws Exception {
        if (!counted.containsKey(language)) {
            counted.put(language, Counted.by(language, "", "-Xverify:all"));
        }
        return counted.get(language);
    }

    @ParameterizedTest
    @EnumSource
    void each_call_counts_once(Language language) throws Exception {
        counted(language).assertRight();
    }

    @ParameterizedTest
    @EnumSource
    void an_override_counts_with_inherit(Language language) throws Exception {
        Counted.by(language, ",inherit=true", "-Dinherit=true").assertRight();
    }

    @ParameterizedTest
    @EnumSource
    void the_jvm_counts_the_same_calls(Language language) throws Exception {
        assumeTrue(Runtime.version().feature() >= 25, "method timing needs Java 25");
        Path recording = folder.resolve("timed.jfr");

        Truth truth = Truth.of(language.run(
                "-Xlog:jfr+startup=error",
                "-XX:StartFlightRecording:filename=" + recording
                        + ",method-timing=@io.counters.Count;@io.counters.Count$List"));

        assertThat(timed(recording)).containsAllEntriesOf(truth.methods);
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
    void list_prints_what_will_count_and_reports_no_error(Language language) throws Exception {
        ListIT.Listed listed = ListIT.list(language.classes);

        assertThat(listed.err()).isEmpty();
        assertThat(listed.status()).isZero();
        assertThat(listed.out().lines().map(line -> line.split(" ", -1)[2]))
                .containsAll(counted(language).truth.sums.keySet());
    }
}
