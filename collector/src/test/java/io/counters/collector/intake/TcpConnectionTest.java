package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.ledger.KeptLedger;
import io.counters.wire.StatsdName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TCP splits a stream at any byte; here each piece is read before the next one is sent, so the test chooses the byte. */
class TcpConnectionTest {
    @TempDir
    Path folder;

    /** Reads each piece with its own read, and then the end of the stream. */
    private static void read(KeptLedger kept, String... pieces) throws IOException {
        read(KeptIntake.lines(kept), true, pieces);
    }

    /** @param goesOn whether the connection goes on after each piece */
    private static void read(Lines lines, boolean goesOn, String... pieces) throws IOException {
        try (ServerSocketChannel server =
                        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                SocketChannel sender = SocketChannel.open(server.getLocalAddress());
                SocketChannel taken = server.accept()) {
            ByteBuffer buffer = ByteBuffer.allocate(64 * 1024);
            TcpConnection connection = new TcpConnection(taken, Optional.empty(), lines, 0);
            for (String piece : pieces) {
                ByteBuffer bytes = ByteBuffer.wrap(piece.getBytes(ISO_8859_1));
                while (bytes.hasRemaining()) {
                    sender.write(bytes);
                }
                assertThat(connection.read(buffer.clear(), 0)).isEqualTo(goesOn);
            }
            sender.shutdownOutput();
            while (goesOn && connection.read(buffer.clear(), 0)) {
                // Until the end of the stream.
            }
            connection.end();
        }
    }

    @Test
    void a_stream_that_is_split_at_any_byte_counts_the_same() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            String rest =
                    " 10 1\nincrement a 5 7\r\ndecrement b 2\r\n\r\nfrom -\nb:3|c\nincrement c 10 400\nincrement c 14\n";
            int streams = 0;
            for (int cut = 1; cut < rest.length() + 20; cut++) {
                String text = "from sender-0000000" + (100 + cut) + rest;

                read(kept, text.substring(0, cut), text.substring(cut));

                streams++;
                assertThat(kept.values())
                        .as("cut after byte %s", cut)
                        .isEqualTo(Map.of("a", 7L * streams, "b", 1L * streams, "c", 24L * streams));
            }
            assertThat(kept.said.lines()).isEmpty();
        }
    }

    @Test
    void a_stream_that_arrives_byte_by_byte_counts_the_same() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            read(kept, "from sender-0000000001 10 1\nincrement a 5 7\r\ndecrement b 2\nb:3|c\n\n".split("(?<=.)"));

            assertThat(kept.values()).isEqualTo(Map.of("a", 7L, "b", 1L));
        }
    }

    @Test
    void where_signatures_are_required_a_connection_without_line_breaks_is_ended_and_counted_as_unsigned()
            throws Exception {
        KeySettings required = new KeySettings(folder.resolve("keys"), List.of(), true);
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            Keys keys = new Keys(required, () -> 0, kept.said.log(), kept.metrics);
            Lines lines = KeptIntake.lines(kept, KeptIntake.NAME_BYTES_MAX, StatsdName.strict(), Optional.of(keys));

            read(lines, false, "increment a 1 ".repeat(100));
            read(lines, true, "increment a");

            assertThat(kept.values()).isEmpty();
            assertThat(kept.counted("intake_rejected_lines_total{reason=\"unsigned\"}"))
                    .isEqualTo(2);
            assertThat(kept.counted("intake_rejected_lines_total{reason=\"line_cut\"}"))
                    .isZero();
            assertThat(kept.said.lines()).allMatch(line -> line.contains("unsigned"));
        }
    }

    @Test
    void a_line_cut_off_with_its_connection_is_not_counted_under_a_from_line() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            read(kept, "from sender-0000000001 10 1\nincrement a 5 5\nincrement a 500");
            read(kept, "from sender-0000000001 20 2\nincrement a 0 500\n");

            assertThat(kept.values()).isEqualTo(Map.of("a", 500L));
            assertThat(kept.counted("intake_rejected_lines_total{reason=\"line_cut\"}"))
                    .isEqualTo(1);
        }
    }

    @Test
    void a_line_cut_off_with_its_connection_is_not_counted_wherever_it_is_cut() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            String line = "orders:1234567890|c";
            for (int cut = 1; cut <= line.length(); cut++) {
                read(kept, line.substring(0, cut));
                read(kept, "before:1|c\n" + line.substring(0, cut));

                assertThat(kept.values()).as("cut after byte %s", cut).isEqualTo(Map.of("before", (long) cut));
                assertThat(kept.counted("intake_rejected_lines_total{reason=\"line_cut\"}"))
                        .isEqualTo(2L * cut);
            }
        }
    }

    @Test
    void the_estimate_of_joined_lines_is_the_same_wherever_they_are_split() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            String text = "orders.placed:12|c|#port:80|c:abc".repeat(100) + "end";
            int streams = 0;
            for (int cut = 1; cut < text.length(); cut += 7) {
                read(kept, text.substring(0, cut), text.substring(cut) + "\nincrement a\n");

                streams++;
                assertThat(kept.counted("intake_joined_counts_total"))
                        .as("cut after byte %s", cut)
                        .isEqualTo(100L * streams);
                assertThat(kept.values()).isEqualTo(Map.of("a", (long) streams));
            }
            assertThat(kept.counted("intake_rejected_lines_total{reason=\"lines_joined\"}"))
                    .isEqualTo(streams);
        }
    }

    @Test
    void a_line_that_is_too_long_is_rejected_once_wherever_it_is_split() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            String text = "increment a\n" + "x".repeat(3000) + "\nincrement a\nincrement a\n";
            int streams = 0;
            for (int cut = 1; cut < text.length(); cut += 7) {
                read(kept, text.substring(0, cut), text.substring(cut));

                streams++;
                assertThat(kept.values()).as("cut after byte %s", cut).isEqualTo(Map.of("a", 3L * streams));
            }
            assertThat(kept.counted("intake_rejected_lines_total{reason=\"line_too_long\"}"))
                    .isEqualTo(streams);
        }
    }

    @Test
    void a_line_of_the_maximum_length_counts_although_its_line_break_arrives_later() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            String name = "a".repeat(200);
            String line = name + ":1|c|#t:v" + "|T1".repeat((1024 - name.length() - 9) / 3);

            read(kept, line, "\r", "\n", line + "\r", "\n");

            assertThat(kept.values()).isEqualTo(Map.of(name + ",t=v", 2L));
            assertThat(kept.said.lines()).isEmpty();
        }
    }

    @Test
    void a_from_line_that_is_too_long_ends_the_stream_before_it() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            String begin = "from sender-0000000001 10 1\nincrement a 5 5\nfrom sender-0000000002 " + "1".repeat(2000);

            read(kept, begin, "\nincrement a 1 500\n");

            assertThat(kept.values()).isEqualTo(Map.of("a", 6L));
        }
    }

    /** Reads the pieces one by one until the connection must be closed; returns whether it must. */
    private static boolean isRefused(KeptLedger kept, byte[]... pieces) throws IOException {
        try (ServerSocketChannel server =
                        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                SocketChannel sender = SocketChannel.open(server.getLocalAddress());
                SocketChannel taken = server.accept()) {
            ByteBuffer buffer = ByteBuffer.allocate(64 * 1024);
            TcpConnection connection = new TcpConnection(taken, Optional.empty(), KeptIntake.lines(kept), 0);
            for (byte[] piece : pieces) {
                ByteBuffer bytes = ByteBuffer.wrap(piece);
                while (bytes.hasRemaining()) {
                    sender.write(bytes);
                }
                if (piece.length > 0 && !connection.read(buffer.clear(), 0)) {
                    return true;
                }
            }
            return false;
        }
    }

    private static byte[][] cut(byte[] whole, int at) {
        return new byte[][] {Arrays.copyOfRange(whole, 0, at), Arrays.copyOfRange(whole, at, whole.length)};
    }

    @Test
    void http_is_rejected_wherever_it_is_split_and_only_lines_before_it_count() throws Exception {
        String body = "\r\n\r\nincrement a 1000\nfrom sender-0000000001 10 1\nincrement a 500 500\na:7|c\n";
        List<String> requests = List.of(
                "POST / HTTP/1.1\r\nHost: localhost:11212" + body,
                "GET /?" + "x".repeat(3000) + " HTTP/1.1\r\nUser-Agent: any" + body,
                "OPTIONS * HTTP/1.1\r\nOrigin: http://evil.example" + body,
                "Host: localhost" + body);
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            int requested = 0;
            for (String request : requests) {
                byte[] whole = ("increment a\n" + request).getBytes(ISO_8859_1);
                for (int cut = 0; cut < whole.length; cut += whole.length > 2000 ? 97 : 1) {
                    assertThat(isRefused(kept, cut(whole, cut)))
                            .as("%s cut after byte %s", request, cut)
                            .isTrue();

                    requested++;
                    assertThat(kept.values()).as("cut after byte %s", cut).isEqualTo(Map.of("a", (long) requested));
                }
            }
            assertThat(kept.counted("intake_rejected_lines_total{reason=\"http\"}"))
                    .isEqualTo(requested);
        }
    }

    @Test
    void whether_a_line_that_is_too_long_is_http_does_not_depend_on_where_it_is_split() throws Exception {
        byte[] all = ("host:" + "x".repeat(1100) + "|c\nincrement a\n").getBytes(ISO_8859_1);
        for (int cut = 1000; cut < all.length; cut++) {
            try (KeptLedger kept = new KeptLedger(folder, false)) {
                assertThat(isRefused(kept, cut(all, cut)))
                        .as("cut after byte %s", cut)
                        .isTrue();
                assertThat(kept.values()).isEmpty();
            }
        }
    }

    @Test
    void tls_is_rejected_wherever_it_is_split_and_whatever_its_content() throws Exception {
        byte[] hello = "\26\3\1\2\0\1\0\1\374\3\3\nincrement a 1000\nincrement a 1000\n".getBytes(ISO_8859_1);
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            for (int cut = 0; cut < hello.length; cut++) {
                assertThat(isRefused(kept, cut(hello, cut))).isTrue();
            }

            assertThat(kept.values()).isEmpty();
            assertThat(kept.counted("intake_rejected_lines_total{reason=\"tls\"}"))
                    .isEqualTo(hello.length);
        }
    }

    @Test
    void text_like_http_in_the_middle_of_a_line_is_not_http() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            String text = """
                    host:1|c
                    origin:1|c|#a:b
                    content-length:1|c|@0.5
                    get:1|c
                    increment get
                    x POST / HTTP/1.1
                    increment a
                    """;
            byte[] whole = text.getBytes(ISO_8859_1);
            for (int cut = 0; cut < whole.length; cut++) {
                assertThat(isRefused(kept, cut(whole, cut)))
                        .as("cut after byte %s", cut)
                        .isFalse();
            }

            assertThat(kept.value("a")).isEqualTo(whole.length);
            assertThat(kept.value("host")).isEqualTo(whole.length);
            assertThat(kept.value("content-length")).isEqualTo(2L * whole.length);
        }
    }
}
