package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.Faults;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real file on a disk that fails at a moment of our choice, in a child process: see {@link FaultyDisk}. */
class LedgerFaultsTest {
    @TempDir
    Path folder;

    @Test
    void whichever_call_on_a_file_fails_the_values_are_exact_and_nothing_is_set_aside() throws Exception {
        Path data = Files.createDirectory(folder.resolve("data"));
        Faults faults = new Faults(folder.resolve("control"), data);
        faults.set(Faults.Slot.SYNCS_SKIPPED, 1);
        ProcessBuilder java = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                FaultyDisk.class.getName(),
                folder.resolve("control").toString(),
                data.toString());
        java.environment().putAll(faults.environment());

        Process child = java.redirectErrorStream(true).start();
        String said = new String(child.getInputStream().readAllBytes(), UTF_8);

        assertThat(child.waitFor()).as(said).isZero();
        assertThat(said).containsPattern("\\d{3,} calls failed");
    }
}
