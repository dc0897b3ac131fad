package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.Faults;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real file on a disk whose calls fail one by one, in a child process: see {@link FaultyDisk}. */
@Tag("once")
@Tag("slow")
class LedgerFaultsTest {
    @TempDir
    Path folder;

    @Test
    void values_stay_exact_and_no_file_is_set_aside_whichever_call_on_a_file_fails() throws Exception {
        String said = Faults.runEachCall(FaultyDisk.class, folder);

        assertThat(said).containsPattern("\\d{3} calls failed");
    }
}
