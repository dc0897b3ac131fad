package io.counters.collector.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.counters.collector.access.Token;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxyIniTest {
    private static final long HEAP_BYTES = 1000L << 20;

    @TempDir
    Path folder;

    private Path servers = Path.of("");

    @BeforeEach
    void writeServers() throws IOException {
        servers = Files.writeString(folder.resolve("servers.conf"), "h:1\t1\nh:2\t1\n");
    }

    private ProxyIni read(String text) throws IOException, SettingsException {
        return ProxyIni.read(Files.writeString(folder.resolve("proxy.conf"), text), HEAP_BYTES);
    }

    @Test
    void the_example_of_statsite_proxy_is_read_without_remarks() throws Exception {
        ProxyIni settings = read("[statsite-proxy]   \nport = 8150\nudp_port = 8151\nlog_level = DEBUG\nservers = "
                + servers + "\ndaemonize = 0\n\n");

        assertThat(settings.tcpPort()).isEqualTo(8150);
        assertThat(settings.udpPort()).isEqualTo(8151);
        assertThat(settings.logLevel()).isEqualTo("debug");
        assertThat(settings.list()).extracting(Server::address).containsExactly("h:1", "h:2");
        assertThat(settings.remarks()).isEmpty();
    }

    @Test
    void missing_keys_have_the_defaults_of_statsite_proxy() throws Exception {
        ProxyIni settings = read("[statsite]\nservers = " + servers);

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
    void the_later_of_port_and_tcp_port_is_used_and_section_statsite_proxy_takes_precedence(String lines, int port)
            throws Exception {
        assertThat(read("[statsite-proxy]\nservers = " + servers + "\n" + lines).tcpPort())
                .isEqualTo(port);
    }

    @ParameterizedTest
    @CsvSource({
        "'allow = otlp:10.0.0.0/8', 'allow is otlp:10.0.0.0/8, of which'",
        "'allow = ,', 'which has no address'",
        "'token_file = 0123456789abcdef0123', 'token_file is not shown, which cannot be read'",
        "'http_bind_address = 0.0.0.0', 'which other machines can reach'",
        "'tls_key = k.pem', 'tls_certificate and tls_key belong together'",
    })
    void what_would_leave_a_door_open_is_refused(String line, String message) {
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("[statsite]\nservers = " + servers + "\n" + line))
                .withMessageContaining(message)
                .satisfies(refused -> assertThat(refused.getMessage()).doesNotContain("0123456789abcdef0123"));
    }

    @Test
    void a_private_key_in_the_place_of_its_file_is_not_shown() throws Exception {
        Path chain = Files.writeString(folder.resolve("cert.pem"), "certificates");
        String key = "-----BEGIN PRIVATE KEY-----0123456789abcdef0123/0123456789abcdef0123-----END PRIVATE KEY-----";

        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read(
                        "[statsite]\nservers = " + servers + "\ntls_certificate = " + chain + "\ntls_key = " + key))
                .withMessageContaining(
                        "tls_certificate is " + chain + ", for which the file of tls_key (not shown) cannot be read")
                .satisfies(refused -> assertThat(refused.getMessage()).doesNotContain("0123456789"));
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read(
                        "[statsite]\nservers = " + servers + "\ntls_certificate = " + key + "\ntls_key = " + chain))
                .withMessageContaining(
                        "tls_certificate is not shown, for which the file of tls_certificate (not shown)")
                .satisfies(refused -> assertThat(refused.getMessage()).doesNotContain("0123456789"));
    }

    @Test
    void a_page_with_a_token_may_be_open_to_other_machines() throws Exception {
        Path token = Files.writeString(folder.resolve("token"), "0123456789abcdef");
        ProxyIni settings = read("[statsite]\nservers = " + servers
                + "\nhttp_bind_address = 0.0.0.0\nhttp_names = a.example\n" + "token_file = " + token);

        assertThat(settings.page()).get().satisfies(page -> {
            assertThat(page.bind().isAnyLocalAddress()).isTrue();
            assertThat(page.guard().token()).contains(Token.of("0123456789abcdef"));
            assertThat(page.guard().names()).containsExactly("a.example");
        });
    }

    @Test
    void drop_tags_are_keys_separated_by_commas() throws Exception {
        String lines = "[statsite]\nservers = " + servers + "\n";

        assertThat(read(lines).dropTags()).isEmpty();
        assertThat(read(lines + "drop_tags = pod, container_id").dropTags()).containsExactly("pod", "container_id");
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read(lines + "drop_tags = pod,"))
                .withMessageContaining("line 3: drop_tags is pod,, allowed are keys of tags");
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read(lines + "drop_tags = pod:x"))
                .withMessageContaining("drop_tags is pod:x, allowed are keys of tags");
    }

    @Test
    void an_unknown_key_is_reported_with_the_nearest_known_one() throws Exception {
        ProxyIni settings =
                read("[statsite]\nudp_prot = 1\nflush_interval = 10\n[sink]\nx = 1\n[statsite]\nservers = " + servers);

        assertThat(settings.remarks())
                .satisfiesExactly(
                        first -> assertThat(first).contains("line 2", "udp_prot", "most similar one is udp_port"),
                        second -> assertThat(second).contains("line 3", "flush_interval"),
                        third -> assertThat(third).contains("line 4", "[sink]"));
        assertThat(settings.udpPort()).isEqualTo(8150);
    }

    @Test
    void all_errors_in_both_files_are_reported_at_once() throws Exception {
        Files.writeString(servers, "h:1\nh:2\n");

        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("port = 1\n[statsite-proxy]\nport = 65536\nudp_port = x\nlog_level = LOUD\n"
                        + "daemonize = yes\nbind_address = not an address\nqueue_bytes = 1\nwhat\nservers = "
                        + servers))
                .satisfies(wrong -> assertThat(wrong.mistakes())
                        .hasSize(10)
                        .anyMatch(line -> line.contains("line 1 begins with \"port\" and is in no section"))
                        .anyMatch(line -> line.contains("line 3: port is 65536, allowed are"))
                        .anyMatch(line -> line.contains("line 4: udp_port is x"))
                        .anyMatch(line -> line.contains("line 5: log_level is LOUD"))
                        .anyMatch(line -> line.contains("line 6: daemonize is yes") && line.contains("systemd"))
                        .anyMatch(line -> line.contains("line 7: bind_address is not an address"))
                        .anyMatch(line -> line.contains("line 8: queue_bytes is 1"))
                        .anyMatch(line -> line.contains("line 9 is not a setting"))
                        .anyMatch(line -> line.contains("servers.conf line 1"))
                        .anyMatch(line -> line.contains("servers.conf line 2")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "port",
                "tcp_port",
                "udp_port",
                "bind_address",
                "servers",
                "log_level",
                "daemonize",
                "pid_file",
                "http_port",
                "queue_bytes",
                "sender_bytes",
                "names_bytes",
                "drop_tags"
            })
    void an_empty_value_is_refused_with_the_remedy(String key) {
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("[statsite]\nservers = " + servers + "\n" + key + " =  ; none\n"))
                .withMessageContaining(
                        "line 3: " + key + " is empty; give a value, or remove the line to use the default, ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "store_pass hunter2",
                "[statsite]\nstore_pass hunter2",
                "[statsite]\nstore_pass\thunter2 \u001b[31m",
                "[statsite]\nstore_pass hunter2 = x",
                "[statsite]\nstore_pass = hunter2",
                "[statsite]\nstore_pass: hunter2",
                "store_pass=hunter2",
                "[store_pass hunter2]",
            })
    void a_message_about_a_line_that_is_not_a_setting_shows_at_most_its_key(String text) throws Exception {
        List<String> told;
        try {
            told = read(text + "\n[statsite]\nservers = " + servers).remarks();
        } catch (SettingsException wrong) {
            told = wrong.mistakes();
        }

        assertThat(told).singleElement().asString().contains("proxy.conf line ").doesNotContain("hunter2", "\u001b");
    }

    @Test
    void a_value_in_a_message_contains_no_control_characters() {
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(
                        () -> read("[statsite]\nservers = " + servers + "\nlog_level = a\u001b[2Jb\u0007ERROR forged"))
                .withMessageContaining("log_level is a?[2Jb?ERROR forged, allowed are");
    }

    @ParameterizedTest
    @CsvSource({
        "1048576, 1048576",
        "2048k, 2097152",
        "64m, 67108864",
        "64M, 67108864",
        "10%, 104857600",
        "0%, 1048576",
    })
    void memory_is_set_in_bytes_or_as_a_share_of_the_heap(String written, long bytes) throws Exception {
        ProxyIni settings = read("[statsite]\nservers = " + servers + "\nqueue_bytes = " + written + "\nsender_bytes = "
                + written + "\nnames_bytes = " + written);

        assertThat(settings.queueBytes()).isEqualTo(bytes);
        assertThat(settings.senderBytes()).isEqualTo(bytes);
        assertThat(settings.namesBytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "1023k", "-1", "many", "64 m", "1t", "101%", "%", "9999999999999"})
    void an_invalid_amount_of_memory_is_refused(String written) {
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("[statsite]\nservers = " + servers + "\nsender_bytes = " + written))
                .withMessageContaining("line 3: sender_bytes is " + written + ", allowed are bytes from 1048576");
    }

    @ParameterizedTest
    @ValueSource(strings = {"queue_bytes = 51%", "names_bytes = 999999999999g", "sender_bytes = 100%"})
    void more_memory_than_the_heap_has_is_refused_with_the_remedy(String line) {
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("[statsite]\nservers = " + servers + "\n" + line))
                .withMessageContaining("at most 80 % of the heap, which is " + HEAP_BYTES)
                .withMessageContaining("-Xmx");
    }

    @Test
    void more_servers_than_the_queues_have_room_for_are_refused() throws Exception {
        StringBuilder many = new StringBuilder();
        for (int i = 1; i <= 100; i++) {
            many.append("h:").append(i).append("\t1\n");
        }
        Files.writeString(servers, many);

        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("[statsite]\nqueue_bytes = 12m\nservers = " + servers))
                .withMessageContaining("100 servers need at least 13107200");
        assertThat(read("[statsite]\nqueue_bytes = 13m\nservers = " + servers).list())
                .hasSize(100);
    }

    @Test
    void a_file_that_is_too_long_is_refused_without_reading_all_of_it() throws Exception {
        String lengthy = "# comment\n".repeat(200_000);

        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read(lengthy))
                .withMessageContaining("proxy.conf cannot be read: it is longer than 1048576 bytes");
        Files.writeString(servers, lengthy);
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("[statsite]\nservers = " + servers))
                .withMessageContaining("servers.conf cannot be read: it is longer than 1048576 bytes");
    }

    @Test
    void a_proxy_with_both_ports_off_is_refused() {
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("[statsite-proxy]\nport = 0\nudp_port = 0\nservers = " + servers))
                .withMessageContaining("the proxy would receive nothing");
    }

    @Test
    void log_facility_is_ignored_with_a_hint_about_syslog() throws Exception {
        assertThat(read("[statsite]\nlog_facility = LOCAL0\nservers = " + servers)
                        .remarks())
                .singleElement()
                .asString()
                .contains("log_facility", "stderr", "syslog");
    }

    @Test
    void a_key_signs_the_sums_and_servers_over_tcp_are_remarked() throws Exception {
        Files.writeString(servers, "udp://h:1\t1\nh:2\t1\n");
        Path keys = Files.writeString(folder.resolve("keys"), "proxy-1 " + "0123456789abcdef".repeat(4));
        String begin = "[statsite-proxy]\nservers = " + servers + "\n";

        assertThat(read(begin).sums().isSigned()).isFalse();
        ProxyIni settings = read(begin + "key = proxy-1:" + keys + "\n");

        assertThat(settings.sums().isSigned()).isTrue();
        assertThat(settings.remarks())
                .singleElement()
                .asString()
                .contains("on TCP nothing can be signed")
                .endsWith("write udp:// before the address: h:2");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "proxy-1", "0123456789abcdef0123456789abcdef", "proxy-1:0123456789abcdef0123456789abcdef"})
    void a_key_that_cannot_be_used_stops_the_start_and_is_not_shown(String key) {
        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> read("[statsite-proxy]\nservers = " + servers + "\nkey = " + key + "\n"))
                .satisfies(wrong -> assertThat(wrong.mistakes())
                        .singleElement()
                        .asString()
                        .contains("line 3: key: key ")
                        .doesNotContain("0123456789abcdef"));
    }
}
