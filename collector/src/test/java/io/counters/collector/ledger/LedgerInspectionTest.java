package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerInspectionTest {
    @TempDir
    Path folder;

    private Map<String, Long> files() throws IOException {
        Map<String, Long> files = new TreeMap<>();
        try (Stream<Path> all = Files.list(folder)) {
            for (Path file : all.toList()) {
                files.put(
                        file.getFileName().toString(),
                        Files.getLastModifiedTime(file).toMillis());
            }
        }
        return files;
    }

    private void fill() throws IOException {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("from 8f2c6a1e0b7d4c93a5e1f07b 1000 1\nincrement a 2 2\nincrement b 1 1");
            assertThat(kept.value("a")).isEqualTo(2);
        }
    }

    @Test
    void nothing_is_created_where_there_is_no_ledger() {
        assertThat(LedgerInspection.of(folder.resolve("nowhere")).isThere()).isFalse();
        assertThat(LedgerInspection.of(folder).isThere()).isFalse();
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void a_ledger_is_read_and_not_changed() throws Exception {
        fill();
        Map<String, Long> before = files();

        LedgerInspection found = LedgerInspection.of(folder);

        assertThat(found)
                .isEqualTo(new LedgerInspection(folder.resolve("ledger.sqlite"), true, false, false, 4, 2, 1, null));
        assertThat(files()).isEqualTo(before);
    }

    @Test
    void a_ledger_in_use_is_left_alone() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            assertThat(kept.value("a")).isZero();
            assertThat(LedgerInspection.of(folder).isInUse()).isTrue();
        }
    }

    @Test
    void damage_is_found_and_nothing_is_set_aside() throws Exception {
        fill();
        Files.write(folder.resolve("ledger.sqlite"), new byte[2000], StandardOpenOption.WRITE);
        Map<String, Long> before = files();

        assertThat(LedgerInspection.of(folder).problem()).startsWith("it is damaged: ");
        assertThat(files()).isEqualTo(before);
    }
}
