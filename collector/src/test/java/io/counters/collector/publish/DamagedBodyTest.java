package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.counters.collector.common.MetricSum;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.settings.Settings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bodies that a disk has changed: the names of files that an earlier version wrote do not show it. */
class DamagedBodyTest {
    private static final long SECOND = 1_700_000_010;
    private static final Series SERIES = new Series("", List.of());
    private static final Snapshot VALUES =
            new Snapshot(new String[] {"a", "b,k=v", "c", "d"}, new long[] {1, 2, 3, 4}, 4);

    @TempDir
    Path folder;

    static Stream<PointFormat> formats() {
        return Stream.of(new PutBodies(SERIES), new OtlpFormat(SERIES), new RemoteWriteFormat(SERIES));
    }

    @ParameterizedTest
    @MethodSource("formats")
    void a_changed_body_is_read_or_found_to_be_damaged(PointFormat format) {
        byte[] sound = format.pack(SECOND, VALUES, 0, 4);
        int found = 0;
        for (int at = 0; at < sound.length; at++) {
            for (int bit = 0; bit < 8; bit++) {
                byte[] changed = sound.clone();
                changed[at] ^= (byte) (1 << bit);
                found += isDamaged(format, changed) ? 1 : 0;
            }
        }

        assertThat(found).isGreaterThan(sound.length);
        assertThat(isDamaged(format, sound)).isFalse();
        assertThat(isDamaged(format, new byte[0])).isTrue();
        assertThat(isDamaged(format, Arrays.copyOf(sound, sound.length / 2))).isTrue();
    }

    /** Any other exception than this one means that the body is sent again, for ever. */
    private static boolean isDamaged(PointFormat format, byte[] body) {
        boolean isDamaged = false;
        try {
            assertThat(format.first(body)).isNotEmpty();
        } catch (TickFile.DamagedFile damaged) {
            isDamaged = true;
        }
        try {
            assertThat(format.halves(body)).hasSize(2);
        } catch (TickFile.DamagedFile damaged) {
            isDamaged = true;
        }
        return isDamaged;
    }

    @Test
    void a_body_that_gives_a_large_size_is_not_believed() {
        byte[] body = HexFormat.of().parseHex("ffffff7f00610061");

        assertThatThrownBy(() -> RemoteWriteFormat.unpacked(body))
                .isInstanceOf(TickFile.DamagedFile.class)
                .hasMessageContaining("it has not the length that it gives");
    }

    /** Two of them, of which one lacks a point and the other has one too many. */
    @Test
    void a_body_with_another_number_of_points_than_its_file_gives_is_damaged() {
        byte[] body = PutBodies.pack(List.of("{\"metric\":\"a\",\"tags\":{}}", "{\"metric\":\"b\",\"tags\":{}}"));
        ResponsePolicy policy = new ResponsePolicy(
                "OpenTSDB", new PutBodies(SERIES), () -> 0, 1 << 20, () -> 1, new SaidFaults().log());
        Piece piece = new Piece(
                new PendingTick(new TickFile(folder, SECOND, 3, 4096), 1), new TickBodies.Place(8, 9, 3), body, 3);

        assertThatThrownBy(() -> policy.judge(piece, new Answer.TooLarge()))
                .isInstanceOf(TickFile.DamagedFile.class)
                .hasMessageContaining("points in it: 2, by its file: 3");
        assertThatThrownBy(() -> policy.judge(piece, new Answer.Counted(Map.of(), 1, 0)))
                .isInstanceOf(TickFile.DamagedFile.class)
                .hasMessageContaining("points in it: 2, by its file: 3");
    }

    /** A sink sends one tick after the other, so later ones would wait for it for ever. */
    @Test
    void a_tick_whose_body_cannot_be_halved_is_lost_and_the_next_one_is_sent() throws Exception {
        byte[] damaged = new RemoteWriteFormat(SERIES).pack(SECOND, VALUES, 0, 4);
        damaged[0]++;
        ByteBuffer file = ByteBuffer.allocate(TickFile.HEADER_BYTES + damaged.length)
                .putInt(damaged.length)
                .putInt(4)
                .put(damaged);
        Files.write(folder.resolve(SECOND + "-4.tick"), file.array());
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            try (exchange) {
                boolean isDamaged = Arrays.equals(exchange.getRequestBody().readAllBytes(), damaged);
                exchange.sendResponseHeaders(isDamaged ? 413 : 204, -1);
            }
        });
        server.start();
        Metrics metrics = new Metrics();
        SaidFaults said = new SaidFaults();
        HttpSink sink = new HttpSink(
                SinkAddress.Kind.PROMETHEUS.address(
                        "http://127.0.0.1:" + server.getAddress().getPort() + "/write"),
                folder,
                PublishSettings.from(new Settings(Map.of(), Map.of())),
                1L << 30,
                InstantSource.system(),
                System::nanoTime,
                new Random(1),
                Thread::new,
                said.log(),
                metrics);
        try {
            sink.put(SECOND + 10, VALUES);

            await().until(() -> MetricSum.of(metrics.values(), "publish_points_total") == 4);
            assertThat(MetricSum.of(metrics.values(), "publish_lost_points_total"))
                    .isEqualTo(4);
            assertThat(said.lines()).anyMatch(line -> line.contains("points of the spool are lost (points: 4)"));
            await().untilAsserted(() -> assertThat(folder).isEmptyDirectory());
        } finally {
            sink.close();
            server.stop(0);
        }
    }
}
