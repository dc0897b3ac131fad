package io.counters.collector.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogWatchTest {
    @TempDir
    Path data;

    @Test
    void a_backup_during_which_the_logs_have_grown_by_half_of_what_was_free_gives_up() throws Exception {
        Files.write(data.resolve("ledger.sqlite-wal"), new byte[1000]);
        List<String> said = new ArrayList<>();
        LogWatch watch = new LogWatch(data, 600, said::add);

        Files.write(data.resolve("ledger.sqlite-wal"), new byte[1200]);
        Files.write(data.resolve("history.db-wal"), new byte[100]);
        watch.look();
        assertThat(said).isEmpty();

        Files.write(data.resolve("history.db-wal"), new byte[101]);
        watch.look();
        assertThat(said)
                .singleElement()
                .asString()
                .startsWith("the backup takes too long: meanwhile SQLite's logs in " + data
                        + " have grown to 1301 bytes, and at most 1300 are allowed; give a faster disk");
    }
}
