package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TickFileTest {
    @TempDir
    Path folder;

    private TickFile written() throws IOException {
        TickPacker packer = new TickPacker(new RemoteWriteFormat(new Series("", List.of())), 1024);
        Snapshot values = new Snapshot(new String[] {"a", "b"}, new long[] {1, 2}, 2);
        return new Spool(folder, 1 << 20).write(1_700_000_000, values, packer);
    }

    /** In a body of remote write nothing else shows it, so a wrong value would be sent. */
    @Test
    void any_changed_byte_is_found_before_the_tick_is_sent() throws Exception {
        TickFile tick = written();
        byte[] sound = Files.readAllBytes(tick.path());
        assertThat(tick.places()).hasSize(1);

        for (int at = 0; at < sound.length; at++) {
            byte[] changed = sound.clone();
            changed[at] ^= 1;
            Files.write(tick.path(), changed);

            assertThatThrownBy(tick::places).as("byte %s", at).isInstanceOf(TickFile.DamagedFile.class);
        }
    }

    @Test
    void a_file_without_a_sum_in_its_name_is_of_an_earlier_version_and_is_sent() throws Exception {
        Path earlier = folder.resolve("1700000000-2.tick");
        Files.move(written().path(), earlier);

        List<TickFile> found = new Spool(folder, 1 << 20).ticks();

        assertThat(found).singleElement().extracting(TickFile::path).isEqualTo(earlier);
        assertThat(found.get(0).places()).hasSize(1);
    }
}
