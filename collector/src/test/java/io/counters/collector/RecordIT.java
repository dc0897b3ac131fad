package io.counters.collector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.DefaultSignals;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code record} of collector.jar, which a person ends. */
class RecordIT {
    @TempDir
    Path folder;

    @Test
    void ctrl_c_completes_the_file_and_says_what_is_in_it() throws Exception {
        Path file = folder.resolve("recording");
        Path said = folder.resolve("said");
        try (CollectorProgram collector = CollectorProgram.launch(folder.resolve("data"), Map.of(), List.of())) {
            List<String> command = List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:TieredStopAtLevel=1",
                    "-jar",
                    Path.of("target", "collector.jar").toAbsolutePath().toString(),
                    "record",
                    "--at",
                    "http://127.0.0.1:" + collector.httpPort(),
                    "--seconds",
                    "600",
                    file.toString());
            Process record = new ProcessBuilder(DefaultSignals.command("INT", command))
                    .redirectError(said.toFile())
                    .start();
            try {
                await().atMost(CollectorProgram.PATIENCE)
                        .until(() -> Files.readString(said).contains("records for 600 s"));
                // It says how far it is every 3 seconds.
                await().atMost(CollectorProgram.PATIENCE)
                        .pollInterval(Duration.ofMillis(100))
                        .until(() -> {
                            collector.send("increment a");
                            return Files.readString(said).contains(" datagrams, ");
                        });

                Process kill = new ProcessBuilder("kill", "-INT", Long.toString(record.pid())).start();
                assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
                assertThat(record.waitFor(60, TimeUnit.SECONDS)).isTrue();
            } finally {
                record.destroyForcibly();
            }
            assertThat(record.exitValue()).isEqualTo(130);
        }
        int datagrams = Files.readString(file).split("\nincrement a\n", -1).length - 1;
        assertThat(datagrams).isPositive();
        assertThat(Files.readString(said))
                .endsWith("counters record: " + file + " has " + datagrams + " datagrams, " + Files.size(file)
                        + " bytes\n");
    }
}
