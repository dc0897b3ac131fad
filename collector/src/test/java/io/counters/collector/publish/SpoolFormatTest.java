package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpoolFormatTest {
    @TempDir
    Path folder;

    @Test
    void ticks_of_a_newer_format_are_left_alone_and_reported() throws Exception {
        Files.writeString(folder.resolve("1700000000-3.tick2"), "of a newer version");
        Files.writeString(folder.resolve("notes"), "of an operator");

        Spool spool = new Spool(folder, 1 << 20);

        assertThat(spool.ticks()).isEmpty();
        assertThat(spool.trouble())
                .isEqualTo("it has ticks that a newer version has written, and this version cannot send (files: 1); run"
                        + " that version until it has sent them, or delete them");
        assertThat(folder.resolve("1700000000-3.tick2")).exists();
        Files.delete(folder.resolve("1700000000-3.tick2"));
        assertThat(spool.trouble()).as("after they were deleted").isNull();
    }
}
