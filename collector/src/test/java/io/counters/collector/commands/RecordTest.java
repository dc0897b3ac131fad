package io.counters.collector.commands;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What {@code record} writes. The collector is a stub, because CommandsTest records a real one. */
class RecordTest {
    @TempDir
    Path folder;

    private static String event(String datagram) {
        return "event: datagram\ndata: {\"at\": 5, \"bytes\": \""
                + Base64.getEncoder().encodeToString(datagram.getBytes(ISO_8859_1)) + "\"}\n\n";
    }

    @Test
    void a_datagram_that_udp_cannot_carry_is_left_out_and_counted_and_the_file_can_be_read() throws Exception {
        String longest = "x".repeat(Recording.DATAGRAM_BYTES_MAX);
        String events = "event: open\ndata: {}\n\n" + event(longest + "x") + event("increment a") + event(longest);
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/api/tap/datagrams", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(events.getBytes(UTF_8));
            exchange.close();
        });
        server.start();
        Path file = folder.resolve("recording");
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Shell shell = new Shell(
                new ByteArrayInputStream(new byte[0]),
                new PrintStream(new ByteArrayOutputStream(), true, UTF_8),
                new PrintStream(err, true, UTF_8),
                false,
                false,
                System::nanoTime,
                Thread::new);
        try {
            int status = new CommandLine(new Record(shell))
                    .execute("--at", "127.0.0.1:" + server.getAddress().getPort(), "--bytes", "64k", file.toString());

            assertThat(status).as(err.toString(UTF_8)).isZero();
        } finally {
            server.stop(0);
        }
        try (Recording.Reader reader = new Recording.Reader(file)) {
            assertThat(new String(Objects.requireNonNull(reader.next()).bytes(), ISO_8859_1))
                    .isEqualTo("increment a");
            assertThat(Objects.requireNonNull(reader.next()).bytes()).hasSize(Recording.DATAGRAM_BYTES_MAX);
            assertThat(reader.next()).isNull();
            assertThat(reader.isCut()).isFalse();
        }
        assertThat(err.toString(UTF_8))
                .contains("has 2 datagrams, ")
                .contains("; 1 of more than 65,507 bytes are not in it, because UDP cannot carry them");
    }
}
