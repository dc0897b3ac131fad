package io.counters.collector.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.Faults;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real file on a disk that fails at chosen moments, in a child process: see {@link FaultyHistory}. */
@Tag("once")
class HistoryFaultsTest {
    @TempDir
    Path folder;

    @Tag("slow")
    @Test
    void if_any_call_on_a_file_fails_the_ticks_before_and_after_it_are_kept() throws Exception {
        String said = Faults.runEachCall(FaultyHistory.class, folder);

        assertThat(said).containsPattern("\\d{2,} calls failed");
    }

    @Tag("slow")
    @Test
    void a_copy_does_not_wait_for_the_disk() throws Exception {
        String said = Faults.runEachCall(CopiedHistory.class, folder);

        assertThat(said).contains("of its own: true", "copied: 2998 ticks, syncs: 0");
    }
}
