package io.counters.collector.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Program;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** collector.jar in a folder of its own, without Couchbase's client, and then with it. */
@Tag("once")
class CouchbaseJarIT {
    @TempDir
    Path folder;

    @Test
    void it_says_which_file_is_missing_and_pushes_once_the_file_is_there() throws Exception {
        Files.copy(Path.of("target/collector.jar"), folder.resolve("collector.jar"));
        Files.writeString(folder.resolve("password"), CouchbaseMockServer.LOGIN.password());

        try (CouchbaseMockServer mock = new CouchbaseMockServer()) {
            try (Program collector = start(mock.port())) {
                assertThat(collector.awaitEnd()).isEqualTo(2);
                assertThat(String.join("\n", collector.errors()))
                        .contains(
                                "--store is couchbase://127.0.0.1:" + mock.port() + "/counters, whose client is not in"
                                        + " collector.jar; put collector-couchbase.jar, of the same version, into the folder of"
                                        + " collector.jar");
            }

            Files.copy(
                    Path.of("../couchbase/target/collector-couchbase.jar"), folder.resolve("collector-couchbase.jar"));
            try (Program collector = start(mock.port())) {
                int port = Integer.parseInt(
                        collector.awaitLine(".*UDP 127\\.0\\.0\\.1:(\\d+).*").group(1));
                byte[] line = "increment beside 7".getBytes(StandardCharsets.US_ASCII);
                try (DatagramSocket socket = new DatagramSocket()) {
                    socket.send(new DatagramPacket(line, line.length, InetAddress.getLoopbackAddress(), port));
                }

                await().untilAsserted(() -> assertThat(mock.get("beside")).isEqualTo("7"));
            }
        }
    }

    private Program start(int port) throws Exception {
        return Program.java(List.of(
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-jar",
                folder.resolve("collector.jar").toString(),
                "--bind=127.0.0.1",
                "--udp-port=0",
                "--http-port=0",
                "--data-dir=" + folder.resolve("data"),
                "--store=couchbase://127.0.0.1:" + port + "/" + CouchbaseMockServer.BUCKET,
                "--store-user=" + CouchbaseMockServer.LOGIN.user(),
                "--store-password-file=" + folder.resolve("password")));
    }
}
