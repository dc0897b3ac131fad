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
}
