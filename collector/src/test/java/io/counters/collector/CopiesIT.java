package io.counters.collector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.simulate.Copies;
import io.counters.emit.Transport;
import io.counters.testsupport.CollectorProgram;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A collector shows that two copies of a running program send to it. */
@Timeout(120)
class CopiesIT {
    private static final String COPIED = "c09ed0000000000000000001";
    private static final String OTHER = "c09ed0000000000000000002";

    @TempDir
    Path folder;

    @Test
    void two_copies_of_a_program_are_marked_on_the_page_in_the_api_in_the_metrics_and_in_the_log() throws Exception {
        try (CollectorProgram collector = CollectorProgram.start(folder);
                DatagramSocket socket = new DatagramSocket()) {
            Transport udp = (bytes, length) -> {
                try {
                    socket.send(new DatagramPacket(bytes, length, InetAddress.getLoopbackAddress(), collector.port()));
                    return true;
                } catch (IOException cannot) {
                    throw new UncheckedIOException(cannot);
                }
            };
            collector.send("from " + OTHER + " 1000 1\nincrement other 1 1");
            Copies copies = new Copies(COPIED, udp);
            collector.awaitCounter("copied.c0", 5);
            assertThat(collector.get("/api/streams")).doesNotContain("\"cloned\": true");
            assertThat(collector.metric("ledger_cloned_streams_total")).isZero();

            await().until(() -> {
                copies.count(udp);
                return collector.metric("ledger_cloned_streams_total") > 0;
            });

            assertThat(collector.metric("ledger_cloned_streams_total")).isEqualTo(1);
            assertThat(collector.get("/api/streams").lines().filter(line -> line.contains("\"cloned\": true")))
                    .singleElement()
                    .asString()
                    .contains(COPIED);
            assertThat(panel(collector)).containsPattern("\"sender\":\"" + COPIED + "\"[^}]*\"cloned\":true");
            collector.awaitLog("the totals of stream " + COPIED + " from 127.0.0.1 go back and forth");
        }
    }

    /** The first event for the panel of the page. */
    private static String panel(CollectorProgram collector) throws Exception {
        HttpResponse<Stream<String>> live = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(collector.httpAddress() + "/api/live?panel=1"))
                                .build(),
                        HttpResponse.BodyHandlers.ofLines());
        try (Stream<String> lines = live.body()) {
            return lines.filter(line -> line.startsWith("data: ") && line.contains("\"senders\""))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
