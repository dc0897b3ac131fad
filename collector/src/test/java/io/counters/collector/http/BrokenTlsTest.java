package io.counters.collector.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.access.Certificate;
import io.counters.collector.http.Route.Work;
import io.counters.testsupport.Identity;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that send what is not TLS to a port for HTTP with TLS: real sockets, and a clock that stands still. */
@Timeout(180)
@Tag("slow")
class BrokenTlsTest {
    @TempDir
    Path folder;

    @SuppressWarnings("NullAway.Init")
    private Identity server;

    @SuppressWarnings("NullAway.Init")
    private ServedRoutes served;

    @BeforeEach
    void open() throws Exception {
        server = Identity.of("one");
        server.write(folder);
        Certificate certificate = Certificate.of(
                folder.resolve("cert.pem").toString(), folder.resolve("key.pem").toString(), "");
        served = new ServedRoutes(
                Listening.page(
                        InetAddress.getLoopbackAddress(),
                        0,
                        "none is",
                        HttpLimits.PAGE,
                        new Guard(Set.of(), Optional.empty(), Optional.of(certificate), Optional.empty())),
                Route.get("/value", Work.SOME, request -> Response.plain(200, "7\n")));
    }

    @AfterEach
    void close() throws Exception {
        served.close();
    }

    private Socket connected() throws IOException {
        Socket socket = new Socket(
                InetAddress.getLoopbackAddress(), served.port.address().getPort());
        socket.setSoTimeout(50_000);
        return socket;
    }

    private static void send(Socket to, String hex) throws IOException {
        to.getOutputStream().write(HexFormat.of().parseHex(hex));
    }

    private static void awaitClosed(Socket socket) throws IOException {
        try {
            InputStream in = socket.getInputStream();
            while (in.read() >= 0) {
                // An alert of TLS may come before the end.
            }
        } catch (SocketException closed) {
            // A reset also ends the connection.
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "160301ffff", // All that two bytes can say.
                "1603014801", // One more than RFC 5246 allows.
                "16feff0000", // DTLS has its length in bytes 11 and 12.
                "ffff010301" // SSL 2 has it in the first two.
            })
    void a_header_that_is_none_of_tls_ends_the_handshake_before_the_rest_has_arrived(String header) throws Exception {
        try (Socket stranger = connected()) {
            send(stranger, header.substring(0, 6));
            send(stranger, header.substring(6));
            awaitClosed(stranger);
        }
        await().until(() -> served.counted("http_failed_handshakes_total") == 1);
        await().until(() -> served.counted("http_handshakes") == 0);
        assertThat(served.said.lines())
                .singleElement()
                .asString()
                .contains("the handshake of 127.0.0.1 failed", "not a TLS record: " + header);
        assertThat(served.counted("http_errors_total")).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "170303ffff, not a TLS record: 170303ffff", // Too long.
        "1703030013000000000000000000000000000000000000ab, javax.net.ssl.SSL", // Not encrypted with the key.
        "474554202f, not a TLS record: 474554202f" // GET /
    })
    void what_is_not_tls_after_the_handshake_is_the_clients_fault(String sent, String told) throws Exception {
        try (Socket under = connected()) {
            SSLSocket tls = (SSLSocket)
                    server.client().getSocketFactory().createSocket(under, "localhost", under.getPort(), false);
            tls.getOutputStream().write("GET /value HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(ISO_8859_1));
            assertThat(new String(tls.getInputStream().readNBytes(15), ISO_8859_1))
                    .isEqualTo("HTTP/1.1 200 OK");
            send(under, sent);
            awaitClosed(under);
        }
        await().until(() -> served.counted("http_failed_handshakes_total") > 0);
        await().until(() -> served.counted("http_connections") == 0);
        assertThat(served.counted("http_failed_handshakes_total")).isEqualTo(1);
        assertThat(served.said.lines())
                .singleElement()
                .asString()
                .contains(
                        "the page closed the connection of 127.0.0.1, because its TLS failed after the handshake:",
                        told);
        assertThat(served.counted("http_errors_total")).isZero();
    }
}
