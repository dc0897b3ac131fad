package io.counters.collector.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProxySettingsTest {
    private static final long HEAP_BYTES = 1000L << 20;

    @TempDir
    Path folder;

    private Path servers = Path.of("");

    @BeforeEach
    void writeServers() throws IOException {
        servers = Files.writeString(folder.resolve("servers.conf"), "h:1\t1\nh:2\t1\n");
    }

    private ProxySettings read(String text) throws IOException, SettingsException {
        return ProxySettings.read(Files.writeString(folder.resolve("proxy.conf"), text), HEAP_BYTES);
    }

    @Test
    void the_original_s_example_is_read_without_a_word() throws Exception {
        ProxySettings settings = read("[statsite-proxy]   \nport = 8150\nudp_port = 8151\nlog_level = DEBUG\nservers = "
                + servers + "\ndaemonize = 0\n\n");

        assertThat(settings.tcpPort()).isEqualTo(8150);
        assertThat(settings.udpPort()).isEqualTo(8151);
        assertThat(settings.logLevel()).isEqualTo("debug");
        assertThat(settings.list()).extracting(Server::address).containsExactly("h:1", "h:2");
        assertThat(settings.remarks()).isEmpty();
    }

    @Test
    void what_is_left_out_has_the_original_s_default() throws Exception {
        ProxySettings settings = read("[statsite]\nservers = " + servers);

        assertThat(settings.tcpPort()).isEqualTo(8150);
        assertThat(settings.udpPort()).isEqualTo(8150);
        assertThat(settings.bind().isAnyLocalAddress()).isTrue();
        assertThat(settings.queueBytes()).isEqualTo(400L << 20);
        assertThat(settings.senderBytes()).isEqualTo(100L << 20);
        assertThat(settings.namesBytes()).isEqualTo(200L << 20);
        assertThat(settings.pidFile()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "port = 1, 1",
        "tcp_port = 1, 1",
        "PORT=1, 1",
        "port: 1 ; ours, 1",
        "'port = 1\ntcp_port = 2', 2",
        "'port = 1\n[statsite]\ntcp_port = 2', 1",
        "'port = 0', -1",
    })
    void the_later_of_port_and_tcp_port_counts_and_the_own_section_goes_first(String lines, int port) throws Exception {
        assertThat(read("[statsite-proxy]\nservers = " + servers + "\n" + lines).tcpPort())
                .isEqualTo(port);
    }

    @Test
    void an_unknown_key_is_remarked_with_the_nearest_one() throws Exception {
        ProxySettings settings =
                read("[statsite]\nudp_prot = 1\nflush_interval = 10\n[sink]\nx = 1\n[statsite]\nservers = " + servers);

        assertThat(settings.remarks())
                .satisfiesExactly(
                        first -> assertThat(first).contains("line 2", "udp_prot", "nearest is udp_port"),
                        second -> assertThat(second).contains("line 3", "flush_interval"),
                        third -> assertThat(third).contains("line 4", "[sink]"));
        assertThat(settings.udpPort()).isEqualTo(8150);
    }

    @Test
    void every_mistake_in_both_files_is_told_at_once() throws Exception {
        Files.writeString(servers, "h:1\nh:2\n");

        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("port = 1\n[statsite-proxy]\nport = 65536\nudp_port = x\nlog_level = LOUD\n"
                        + "daemonize = yes\nbind_address = not an address\nqueue_bytes = 1\nwhat\nservers = "
                        + servers))
                .satisfies(wrong -> assertThat(wrong.mistakes())
                        .hasSize(10)
                        .anyMatch(line -> line.contains("line 1 stands in no section: \"port\""))
                        .anyMatch(line -> line.contains("line 3: port is 65536, allowed are"))
                        .anyMatch(line -> line.contains("line 4: udp_port is x"))
                        .anyMatch(line -> line.contains("line 5: log_level is LOUD"))
                        .anyMatch(line -> line.contains("line 6: daemonize is yes") && line.contains("systemd"))
                        .anyMatch(line -> line.contains("line 7: bind_address is not an address"))
                        .anyMatch(line -> line.contains("line 8: queue_bytes is 1"))
                        .anyMatch(line -> line.contains("line 9: \"what\" begins no setting"))
                        .anyMatch(line -> line.contains("servers.conf line 1"))
                        .anyMatch(line -> line.contains("servers.conf line 2")));
    }

    @Test
    void a_proxy_that_hears_nothing_is_refused() {
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("[statsite-proxy]\nport = 0\nudp_port = 0\nservers = " + servers))
                .withMessageContaining("nothing would come in");
    }

    @Test
    void the_log_facility_is_remarked_with_the_way_to_syslog() throws Exception {
        assertThat(read("[statsite]\nlog_facility = LOCAL0\nservers = " + servers)
                        .remarks())
                .singleElement()
                .asString()
                .contains("log_facility", "stderr", "syslog");
    }
}
