package io.counters.collector.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.tuple;

import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServersFileTest {
    @TempDir
    Path folder;

    private ServersFile.Read read(String text) throws IOException, SettingsException {
        return ServersFile.read(Files.writeString(folder.resolve("servers.conf"), text));
    }

    @Test
    void the_example_of_statsite_proxy_is_read_without_remarks() throws Exception {
        ServersFile.Read read = read("1.2.3.4:11211   900\n5.6.7.8:11211\t300\n9.8.7.6:11211   1500\n");

        assertThat(read.servers())
                .extracting(Server::address, Server::weight, Server::scheme)
                .containsExactly(
                        tuple("1.2.3.4:11211", 900L, Server.Scheme.TCP),
                        tuple("5.6.7.8:11211", 300L, Server.Scheme.TCP),
                        tuple("9.8.7.6:11211", 1500L, Server.Scheme.TCP));
        assertThat(read.remarks()).isEmpty();
    }

    @Test
    void comments_empty_lines_and_carriage_returns_are_ignored() throws Exception {
        ServersFile.Read read = read("# ours\r\n\r\n  \t\r\nh:1\t10\r\n#h:2\t10\r\n");

        assertThat(read.servers()).extracting(Server::address).containsExactly("h:1");
        assertThat(read.remarks()).isEmpty();
    }

    @Test
    void a_last_line_without_a_line_break_is_read_completely_with_a_remark() throws Exception {
        ServersFile.Read read = read("h:1\t900\nh:2\t1500");

        assertThat(read.servers()).extracting(Server::weight).containsExactly(900L, 1500L);
        assertThat(read.remarks())
                .singleElement()
                .asString()
                .contains("line 2", "1500", "statsite-proxy", "last digit");
    }

    @Test
    void blanks_after_a_weight_cause_a_remark() throws Exception {
        ServersFile.Read read = read("h:1\t900 \nh:2\t900\n");

        assertThat(read.servers()).extracting(Server::weight).containsExactly(900L, 900L);
        assertThat(read.remarks()).singleElement().asString().contains("line 1", "blanks", "last digit");
    }

    @ParameterizedTest
    @CsvSource({
        "h:1, TCP, h:1",
        "tcp://h:1, TCP, h:1",
        "udp://h:1, UDP, h:1",
        "statsd-1.example.com:8125, TCP, statsd-1.example.com:8125",
        "[::1]:8125, TCP, [::1]:8125",
        "udp://[fe80::1%eth0]:1, UDP, [fe80::1%eth0]:1",
    })
    void the_scheme_is_not_part_of_the_address_on_the_ring(String written, Server.Scheme scheme, String address)
            throws Exception {
        Server server = read(written + "\t1\n").servers().get(0);

        assertThat(server.scheme()).isEqualTo(scheme);
        assertThat(server.address()).isEqualTo(address);
    }

    @ParameterizedTest
    @CsvSource({
        "h\t1",
        "h:1",
        "h:0\t1",
        "h:65536\t1",
        "h:x\t1",
        ":1\t1",
        "::1:8125\t1",
        "h:1*3\t1",
        "udp://\t1",
        "http://h:1\t1",
        "h:1\t0",
        "h:1\t-1",
        "h:1\t4294967296",
        "h:1\t99999999999999999999",
        "h:1\tmany",
        "h:1\t1\t1",
        "h:1\t1 # ours",
    })
    void a_bad_line_is_refused_and_reported_with_its_place(String line) {
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("# first\n" + line + "\n"))
                .withMessageContaining("servers.conf line 2 begins with \"" + line.split("\t", -1)[0] + "\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "store_pass hunter2",
                "store_pass\thunter2 x",
                "store_pass \u001b]0;hunter2",
                "hunter2@store_pass:1 1",
                "redis://me:hunter2@store_pass:6379 1",
                "store_pass\u001b[31m 1"
            })
    void a_message_about_an_invalid_line_shows_only_its_first_word_without_secrets(String line) {
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read(line + "\n"))
                .satisfies(wrong -> assertThat(wrong.mistakes())
                        .singleElement()
                        .asString()
                        .contains("line 1", "store_pass")
                        .doesNotContain("\u001b")
                        .doesNotContain("hunter2\"", "hunter2@", "hunter2 ", " hunter2"));
    }

    @Test
    void all_errors_are_reported_at_once() {
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("h:1\t1\nh:2\nH:1\t2\nh:0\t1\n"))
                .satisfies(wrong -> assertThat(wrong.mistakes())
                        .satisfiesExactly(
                                first -> assertThat(first).contains("line 2"),
                                second -> assertThat(second).contains("line 3", "appears twice"),
                                third -> assertThat(third).contains("line 4")));
    }

    @Test
    void an_empty_list_and_a_missing_file_are_refused() {
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("# none\n"))
                .withMessageContaining("lists no servers");
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> ServersFile.read(folder.resolve("nowhere.conf")))
                .withMessageContaining("does not exist");
    }

    @Test
    void a_server_that_would_own_no_keys_causes_a_remark() throws Exception {
        assertThat(read("h:1\t1\nh:2\t100000\n").remarks())
                .singleElement()
                .asString()
                .contains("h:1 has a weight of 1 of 100001");
    }
}
