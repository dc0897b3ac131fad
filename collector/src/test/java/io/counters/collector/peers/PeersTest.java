package io.counters.collector.peers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a collector follows the file; the rules of the list are tested with the ledger and the file. */
class PeersTest {
    private static final String OURS = "127.0.0.1:1";

    @TempDir
    Path folder;

    private Path file;
    private KeptLedger kept;
    private Peers peers;
    private int streams;

    @BeforeEach
    void join() throws Exception {
        file = folder.resolve("peers");
        write("list 3\n" + OURS + "\n127.0.0.1:2\n");
        kept = new KeptLedger(folder.resolve("data"), false);
        peers = peers();
    }

    @AfterEach
    void leave() throws Exception {
        peers.close();
        kept.close();
    }

    private Peers peers() throws SettingsException {
        return new Peers(
                file, OURS, kept.ledger, () -> 0, () -> "0123456789abcdef" + streams++, kept.said.log(), kept.self);
    }

    private void write(String text) throws IOException {
        Files.writeString(file, text);
    }

    private void run(int times) {
        for (int i = 0; i < times; i++) {
            peers.run(0);
        }
    }

    private long bad() {
        return kept.counted("peers_bad_lists_total");
    }

    private String said() {
        return String.join("\n", kept.said.lines());
    }

    @Test
    void a_later_list_is_used_once_it_has_been_unchanged_for_a_second() throws Exception {
        write("list 4\n" + OURS + "\n127.0.0.1:2\n127.0.0.1:3\n");

        run(1);
        assertThat(peers).hasToString("list 3 (127.0.0.1:1*1;127.0.0.1:2*1)");
        run(1);

        assertThat(peers).hasToString("list 4 (127.0.0.1:1*1;127.0.0.1:2*1;127.0.0.1:3*1)");
        assertThat(kept.counted("peers_list")).isEqualTo(4);
        assertThat(bad()).isZero();
    }

    @Test
    void a_partly_written_list_is_not_used() throws Exception {
        write("list 4\n" + OURS + "\nout 127.0.0.1:2\n");
        run(1);
        write("list 4\n" + OURS + "\nout 127.0.0.1:2\n127.0.0.1:3\n");
        run(1);
        assertThat(kept.counted("peers_list")).isEqualTo(3);
        run(1);

        assertThat(peers).hasToString("list 4 (127.0.0.1:1*1;127.0.0.1:3*1;127.0.0.1:2*out)");
    }

    @Test
    void a_list_that_leaves_out_a_peer_is_refused_counted_and_logged_once() throws Exception {
        write("list 4\n" + OURS + "\n");

        run(10);

        assertThat(kept.counted("peers_list")).isEqualTo(3);
        assertThat(bad()).isEqualTo(9);
        assertThat(said())
                .containsOnlyOnce("does not contain 127.0.0.1:2; add the line \"out 127.0.0.1:2\"")
                .contains("list 3 (127.0.0.1:1*1;127.0.0.1:2*1) stays in use");
    }

    @Test
    void a_list_with_a_lower_number_or_another_list_with_the_same_is_refused() throws Exception {
        write("list 2\n" + OURS + "\n127.0.0.1:2\n");
        run(2);
        assertThat(bad()).isEqualTo(1);
        write("list 3\n" + OURS + "\n127.0.0.1:2*2\n");
        run(2);

        assertThat(bad()).isEqualTo(2);
        assertThat(peers).hasToString("list 3 (127.0.0.1:1*1;127.0.0.1:2*1)");
        assertThat(said()).contains("its number is not higher than that of the current list");
    }

    @Test
    void an_invalid_or_missing_file_changes_nothing() throws Exception {
        write("list four\n" + OURS + "\n");
        run(1);
        Files.delete(file);
        run(1);

        assertThat(bad()).isEqualTo(2);
        assertThat(kept.counted("peers_list")).isEqualTo(3);
        assertThat(said())
                .contains("line 1 is \"list four\"")
                .contains("list 3 (127.0.0.1:1*1;127.0.0.1:2*1) stays in use");
    }

    @Test
    void the_awaited_peers_are_logged_once() {
        run(3);

        assertThat(said()).containsOnlyOnce("list 3 waits for 127.0.0.1:2");
        assertThat(kept.counted("peers_awaited")).isEqualTo(1);
    }

    @Test
    void a_restart_accepts_only_the_same_list_or_a_later_one() throws Exception {
        run(1);
        kept.commit.run();
        leave();
        kept = new KeptLedger(folder.resolve("data"), false);
        assertThat(kept.ledger.hasPeers()).isTrue();

        write("list 2\n" + OURS + "\n127.0.0.1:2\n");
        assertThatThrownBy(this::peers)
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("this ledger already uses list 3")
                .hasMessageContaining("use a list with a higher number");
        write("list 4\n127.0.0.1:2\n");
        assertThatThrownBy(this::peers)
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("\"out " + OURS + "\" if it should hand over its counters");
        write("list 4\n127.0.0.1:2\nout " + OURS + "\n");
        peers = peers();

        assertThat(kept.counted("peers_list")).isEqualTo(4);
    }
}
