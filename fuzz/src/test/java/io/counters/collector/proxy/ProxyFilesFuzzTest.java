package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

/** The two files of the proxy; the first byte says which. */
@Tag("once")
@Tag("slow")
class ProxyFilesFuzzTest {
    private static final byte[] MESSAGE = "a:1|c\n".getBytes(ISO_8859_1);

    @TempDir
    static Path folder = Path.of("");

    static Stream<byte[]> seeds() {
        return Stream.of(
                        "s1.2.3.4:11211   900\n5.6.7.8:11211\t300\n9.8.7.6:11211   1500\n",
                        "s# ours\r\n\r\n  \t\r\nh:1\t10\r\n[::1]:11211 1\nh:1 2\nh:70000 1\nh:1 0",
                        "i[statsite]\nport = 8150\nudp_port = 8150\nlog_level = INFO\nservers = servers.conf\n",
                        """
                        i[statsite-proxy]
                        bind_address = 127.0.0.1
                        queue_bytes = 10%
                        sender_bytes = 1m
                        names_bytes=1k
                        drop_tags = a, b
                        pid_file = pid
                        daemonize = 1
                        http_port = 0
                        """)
                .map(text -> text.getBytes(ISO_8859_1));
    }

    @MethodSource("seeds")
    @DictionaryEntries({
        "[statsite-proxy]",
        "tcp_port=",
        "udp_port=",
        "bind_address=",
        "servers=",
        "log_level=",
        "log_facility=",
        "daemonize=",
        "http_port=",
        "queue_bytes=",
        "names_bytes=",
        "drop_tags=",
        "100%",
        "9223372036854775807"
    })
    @FuzzTest(maxDuration = "10s")
    void a_file_is_read_or_each_of_its_errors_is_a_message(byte[] bytes) throws IOException {
        if (bytes.length == 0) {
            return;
        }
        boolean isServers = bytes[0] == 's';
        Path file = Files.write(
                folder.resolve(isServers ? "servers.conf" : "proxy.conf"), Arrays.copyOfRange(bytes, 1, bytes.length));
        try {
            if (isServers) {
                ServersFile.Read read = ServersFile.read(file);
                assertThat(read.servers()).isNotEmpty().hasSizeLessThanOrEqualTo(ServersFile.SERVERS_MAX);
                int owner = new Ring(read.servers()).owner(MESSAGE, 0, MESSAGE.length, 0, 1);
                assertThat(owner).isBetween(0, read.servers().size() - 1);
            } else {
                assertThat(ProxyIni.read(file, 1L << 28).toString()).isNotBlank();
            }
        } catch (SettingsException refused) {
            assertThat(refused.getMessage()).isNotBlank();
        }
    }
}
