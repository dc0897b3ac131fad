package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Program;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All counts arrive, even at full speed. {@code -Dflatout.seconds=10} makes the test longer. */
class FloodIT {
    private static final String SECONDS = System.getProperty("flatout.seconds", "2");
    private static final String CLASS_PATH = Path.of("target", "test-classes") + File.pathSeparator + Jars.shop();

    @TempDir
    private Path folder;

    @Test
    void counts_of_two_threads_at_full_speed_with_the_api_are_exact() throws Exception {
        try (CollectorProgram collector = CollectorProgram.start(folder);
                Program flood = Program.java("-cp", CLASS_PATH, Flood.class.getName(), SECONDS, collector.address())) {
            arrives(flood, collector);
        }
    }

    @Test
    void counts_of_two_threads_at_full_speed_in_an_instrumented_method_are_exact() throws Exception {
        try (CollectorProgram collector = CollectorProgram.start(folder);
                Program flood = Program.java(List.of(
                        "-javaagent:" + Jars.agent() + "=collector=" + collector.address(),
                        "-cp",
                        CLASS_PATH,
                        Flood.class.getName(),
                        SECONDS))) {
            arrives(flood, collector);
        }
    }

    private static void arrives(Program flood, CollectorProgram collector) throws Exception {
        assertThat(flood.awaitEnd()).as("%s", flood).isZero();
        long counted = Long.parseLong(flood.awaitLine("^counted (\\d+)$").group(1));
        assertThat(counted).isGreaterThan(5_000_000L * Long.parseLong(SECONDS));
        collector.awaitCounters(Map.of("flood", counted));
    }
}
