package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.fixture.Two;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.io.TempDir;

/** Archives from which a JVM loads classes: AppCDS, and the AOT caches of newer JVMs. */
class ArchivesIT {
    private static final String SHARED = "source: shared objects file";

    @TempDir
    Path folder = Path.of("");

    private Path app = Path.of("");
    private Path log = Path.of("");

    @BeforeEach
    void pack() throws Exception {
        app = JarFiles.ofFixtures(folder.resolve("app.jar"));
        log = folder.resolve("loads.log");
    }

    @Test
    void an_archive_of_the_application_is_used_with_the_agent_as_without_it() throws Exception {
        Path archive = folder.resolve("app.jsa");
        java("-XX:ArchiveClassesAtExit=" + archive, "-cp", app.toString(), Two.class.getName());
        String use = "-XX:SharedArchiveFile=" + archive;

        java(use, loads(), "-cp", app.toString(), Two.class.getName());
        long without = shared();
        try (Receiver receiver = new Receiver()) {
            java(use, loads(), agent(receiver, ""), "-cp", app.toString(), Two.class.getName());

            assertThat(receiver.sums()).isEqualTo(Map.of("two.marked", 2L));
        }
        assertThat(shared()).isGreaterThanOrEqualTo(without - 1);
        assertThat(load(Two.class)).contains(SHARED);
    }

    @Test
    @EnabledForJreRange(minVersion = 25)
    void a_cache_that_was_trained_with_the_agent_is_used_and_counts() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended training = train(agent(receiver, ""));
            assertThat(training.err()).contains("trains an AOT cache; its counts are not sent");
            assertThat(receiver.sums()).isEmpty();

            ChildJvm.Ended use = use(agent(receiver, ""));

            assertThat(receiver.sums()).isEqualTo(Map.of("two.marked", 2L));
            assertThat(load(Two.class)).contains(SHARED);
            assertThat(use.err().lines()).hasSize(1);

            use(agent(receiver, ",methods=io.counters.fixture.Two#plain = two.plain"));

            assertThat(receiver.sums()).as("rules that were added later").containsEntry("two.plain", 1L);
        }
    }

    @Test
    @EnabledForJreRange(minVersion = 25)
    void marked_classes_are_found_in_a_cache_that_was_trained_for_another_agent() throws Exception {
        train("--add-modules=java.instrument");
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended use = use(agent(receiver, ""));

            assertThat(load(Two.Marked.class)).contains(SHARED);
            assertThat(receiver.sums()).isEqualTo(Map.of("two.marked", 2L));
            assertThat(use.err().lines())
                    .hasSize(2)
                    .anyMatch(line -> line.contains("instrumented now: 1.")
                            && line.contains("train the cache with -javaagent:counters.jar"));
        }
    }

    @Test
    @EnabledForJreRange(minVersion = 25)
    void a_cache_that_was_trained_without_an_agent_is_not_used_and_that_is_logged() throws Exception {
        train("-Dno.agent=at.all");
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended use = use(agent(receiver, ""));

            assertThat(load(Two.class)).doesNotContain(SHARED);
            assertThat(receiver.sums()).isEqualTo(Map.of("two.marked", 2L));
            assertThat(use.err()).containsOnlyOnce("the JVM does not use the AOT cache " + folder.resolve("app.aot"));
        }
    }

    @Test
    @EnabledForJreRange(minVersion = 25)
    void without_a_cache_no_message_about_caches_is_logged() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended plain = java(agent(receiver, ""), "-cp", app.toString(), Two.class.getName());

            assertThat(plain.err()).doesNotContain("AOT");
        }
    }

    private ChildJvm.Ended train(String option) throws Exception {
        return java(
                "-XX:AOTCacheOutput=" + folder.resolve("app.aot"), option, "-cp", app.toString(), Two.class.getName());
    }

    private ChildJvm.Ended use(String agent) throws Exception {
        return java(
                "-XX:AOTCache=" + folder.resolve("app.aot"),
                loads(),
                agent,
                "-cp",
                app.toString(),
                Two.class.getName());
    }

    private static String agent(Receiver receiver, String more) {
        return ChildJvm.AGENT + "=" + receiver.arguments() + more;
    }

    private String loads() {
        return "-Xlog:class+load:file=" + log;
    }

    private long shared() throws Exception {
        return Files.readAllLines(log).stream()
                .filter(line -> line.contains(SHARED))
                .count();
    }

    private String load(Class<?> type) throws Exception {
        return Files.readAllLines(log).stream()
                .filter(line -> line.contains(" " + type.getName() + " "))
                .findFirst()
                .orElse("not loaded");
    }

    private static ChildJvm.Ended java(String... arguments) throws Exception {
        return ChildJvm.start("java", new ArrayList<>(List.of(arguments)), Map.of())
                .await()
                .well();
    }
}
