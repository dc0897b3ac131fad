package io.counters.collector.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Program;
import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** collector.jar in a folder of its own, without Couchbase's client, with that of another version, and then with its own. */
@Tag("once")
class CouchbaseJarIT {
    private static final Path CLIENT = Path.of("../couchbase/target/collector-couchbase.jar");

    @TempDir
    Path folder;

    @Test
    void it_says_which_file_is_missing_or_of_another_version_and_pushes_once_the_right_one_is_there() throws Exception {
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

            leaveOlderClient();
            try (Program collector = start(mock.port())) {
                assertThat(collector.awaitEnd()).isEqualTo(2);
                assertThat(String.join("\n", collector.errors()))
                        .contains("collector-couchbase.jar beside collector.jar, has version 0.0.9, and collector.jar ")
                        .contains("; replace it with the one of the same version");
            }

            Files.copy(CLIENT, folder.resolve("collector-couchbase.jar"), StandardCopyOption.REPLACE_EXISTING);
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

    /** As an upgrade leaves it that replaces only collector.jar; one class is enough to be found. */
    private void leaveOlderClient() throws Exception {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.IMPLEMENTATION_VERSION, "0.0.9");
        String found = "com/couchbase/client/java/AsyncCluster.class";
        try (JarFile client = new JarFile(CLIENT.toFile());
                InputStream in = client.getInputStream(client.getEntry(found));
                JarOutputStream older = new JarOutputStream(
                        Files.newOutputStream(folder.resolve("collector-couchbase.jar")), manifest)) {
            older.putNextEntry(new JarEntry(found));
            in.transferTo(older);
        }
    }

    private Program start(int port) throws Exception {
        return Program.java(List.of(
                "-Xmx256m",
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
