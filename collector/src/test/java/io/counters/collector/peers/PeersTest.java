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

/** How a collector follows the file; the list's own rules are the ledger's and the file's. */
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
    void a_later_list_is_taken_once_it_has_stayed_for_a_second() throws Exception {
        write("list 4\n" + OURS + "\n127.0.0.1:2\n127.0.0.1:3\n");

        run(1);
        assertThat(peers).hasToString("list 3 (127.0.0.1:1*1;127.0.0.1:2*1)");
        run(1);

        assertThat(peers).hasToString("list 4 (127.0.0.1:1*1;127.0.0.1:2*1;127.0.0.1:3*1)");
        assertThat(kept.counted("peers_list")).isEqualTo(4);
        assertThat(bad()).isZero();
    }

    @Test
    void a_list_that_is_being_written_is_not_taken_for_a_shorter_one() throws Exception {
        write("list 4\n" + OURS + "\nout 127.0.0.1:2\n");
        run(1);
        write("list 4\n" + OURS + "\nout 127.0.0.1:2\n127.0.0.1:3\n");
        run(1);
        assertThat(kept.counted("peers_list")).isEqualTo(3);
        run(1);

        assertThat(peers).hasToString("list 4 (127.0.0.1:1*1;127.0.0.1:3*1;127.0.0.1:2*out)");
    }

    @Test
    void a_list_that_forgets_a_peer_is_refused_counted_and_said_once() throws Exception {
        write("list 4\n" + OURS + "\n");

        run(10);

        assertThat(kept.counted("peers_list")).isEqualTo(3);
        assertThat(bad()).isEqualTo(9);
        assertThat(said())
                .containsOnlyOnce("does not say what became of 127.0.0.1:2: write \"out 127.0.0.1:2\"")
                .contains("list 3 (127.0.0.1:1*1;127.0.0.1:2*1) stays");
    }

    @Test
    void a_list_of_a_lower_number_or_another_of_the_same_is_refused() throws Exception {
        write("list 2\n" + OURS + "\n127.0.0.1:2\n");
        run(2);
        assertThat(bad()).isEqualTo(1);
        write("list 3\n" + OURS + "\n127.0.0.1:2*2\n");
        run(2);

        assertThat(bad()).isEqualTo(2);
        assertThat(peers).hasToString("list 3 (127.0.0.1:1*1;127.0.0.1:2*1)");
        assertThat(said()).contains("its number is no higher than that of the list gone by so far");
    }

    @Test
    void a_file_with_mistakes_or_none_leaves_all_as_it_was() throws Exception {
        write("list four\n" + OURS + "\n");
        run(1);
        Files.delete(file);
        run(1);

        assertThat(bad()).isEqualTo(2);
        assertThat(kept.counted("peers_list")).isEqualTo(3);
        assertThat(said()).contains("line 1 is \"list four\"").contains("list 3 (127.0.0.1:1*1;127.0.0.1:2*1) stays");
    }

    @Test
    void who_is_awaited_is_said() {
        run(3);

        assertThat(said()).containsOnlyOnce("list 3 waits for 127.0.0.1:2");
        assertThat(kept.counted("peers_awaited")).isEqualTo(1);
    }

    @Test
    void a_restart_goes_on_by_the_same_list_or_a_later_one_and_refuses_others() throws Exception {
        run(1);
        kept.commit.run();
        leave();
        kept = new KeptLedger(folder.resolve("data"), false);
        assertThat(kept.ledger.hasPeers()).isTrue();

        write("list 2\n" + OURS + "\n127.0.0.1:2\n");
        assertThatThrownBy(this::peers)
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("this ledger goes by list 3")
                .hasMessageContaining("give it a list of a higher number");
        write("list 4\n127.0.0.1:2\n");
        assertThatThrownBy(this::peers)
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("\"out " + OURS + "\" has it hand over what it holds");
        write("list 4\n127.0.0.1:2\nout " + OURS + "\n");
        peers = peers();

        assertThat(kept.counted("peers_list")).isEqualTo(4);
    }
}
