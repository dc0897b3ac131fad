package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.Faults;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real files on a disk that fails at a chosen call, in a child process: see {@link FaultySpool}. */
@Tag("once")
@Tag("slow")
class SpoolFaultsTest {
    @TempDir
    Path folder;

    @Test
    void the_spools_numbers_agree_with_the_disk_whichever_call_on_a_file_fails() throws Exception {
        String said = Faults.runEachCall(FaultySpool.class, folder);

        assertThat(said).containsPattern("\\d{3} calls failed");
    }
}
