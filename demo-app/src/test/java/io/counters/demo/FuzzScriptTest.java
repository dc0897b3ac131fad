package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.testsupport.Program;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs {@code bin/fuzz} with a program in Maven's place that prints its arguments. */
@Tag("slow")
@Tag("once")
class FuzzScriptTest {
    private static final String SCRIPT =
            Path.of("../bin/fuzz").toAbsolutePath().normalize().toString();

    @TempDir
    Path folder;

    private Program fuzz(String target) throws Exception {
        Path maven = Files.writeString(folder.resolve("mvn"), "#!/bin/sh\necho \"$@\"\n");
        assertThat(maven.toFile().setExecutable(true)).isTrue();
        return Program.start("env", "PATH=" + folder + ":" + System.getenv("PATH"), SCRIPT, target, "1");
    }

    @ParameterizedTest
    @CsvSource({"Datagram, DatagramFuzzTest", "DatagramFuzzTest, DatagramFuzzTest", "all, *FuzzTest"})
    void a_target_is_given_by_its_name_or_by_that_of_its_class(String target, String classes) throws Exception {
        try (Program fuzz = fuzz(target)) {
            assertThat(fuzz.awaitEnd()).as(fuzz::toString).isZero();
            assertThat(fuzz.output()).singleElement().asString().contains(" -Dtest=" + classes + " ");
        }
    }

    @Test
    void a_target_that_does_not_exist_is_refused_with_those_that_do() throws Exception {
        try (Program fuzz = fuzz("Nowhere")) {
            assertThat(fuzz.awaitEnd()).isEqualTo(2);
            assertThat(fuzz.errors()).anyMatch(line -> line.contains("no target Nowhere") && line.contains("Datagram"));
        }
    }
}
