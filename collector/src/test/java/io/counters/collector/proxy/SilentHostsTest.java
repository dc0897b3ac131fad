package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import jdk.net.ExtendedSocketOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Decides from invented rows of the kernel's table whether a server's host is gone; {@code VanishedHostTest} uses real ones. */
@Timeout(120)
class SilentHostsTest {
    @TempDir
    Path folder;

    private final Metrics metrics = new Metrics();
    private final SaidFaults said = new SaidFaults();
    private final AtomicLong nanos = new AtomicLong();
    private final Sink sink = new Sink();
    private final Selector selector = Selector.open();
    private final QueueRoom room = new QueueRoom(1 << 20, said.log(), metrics);
    private final TcpUpstream upstream = new TcpUpstream(
            Server.of(sink.address(), 1), () -> room.queue("it"), selector, nanos::get, new Random(1), metrics);

    SilentHostsTest() throws IOException {
        // Declares the exception of the fields that open something.
    }

    @BeforeEach
    void connect() throws Exception {
        upstream.maintain();
        await().until(() -> {
            selector.selectNow(SilentHostsTest::ready);
            return upstream.isUp();
        });
        byte[] line = "a:1|c\n".getBytes(ISO_8859_1);
        upstream.add(line, 0, line.length);
        upstream.flush();
    }

    private static void ready(SelectionKey key) {
        ((UpstreamConnection) key.attachment()).ready();
    }

    @AfterEach
    void close() throws Exception {
        upstream.close();
        selector.close();
        sink.close();
    }

    /** Moves the clock by a second, and evaluates this row. */
    private void look(long unacknowledged, int unanswered) {
        nanos.addAndGet(Duration.ofSeconds(1).toNanos());
        List<String> ends = new ArrayList<>();
        upstream.unacknowledged(ends::add);
        ends.forEach(each -> upstream.look(Map.of(each, new TcpTable.Row(unacknowledged, unanswered))));
    }

    @Test
    void a_host_that_acknowledges_nothing_for_6_s_and_3_attempts_is_gone() {
        look(6, 0);
        for (int second = 2; second < 6; second++) {
            look(6, 3);
            assertThat(upstream.isUp()).isTrue();
        }

        look(6, 4);

        assertThat(upstream.isUp()).isFalse();
        assertThat(metrics.values()).containsEntry("proxy_in_doubt_bytes_total{server=\"" + sink.address() + "\"}", 6L);
    }

    @Test
    void a_host_with_fewer_unanswered_attempts_is_not_gone() {
        for (int second = 0; second < 100; second++) {
            look(6, second % 3);
        }

        assertThat(upstream.isUp()).isTrue();
    }

    @Test
    void a_host_that_acknowledges_something_occasionally_is_not_gone() {
        look(6, 0);
        for (int left = 5; left > 0; left--) {
            for (int second = 0; second < 5; second++) {
                look(left, 9);
            }
        }

        assertThat(upstream.isUp()).isTrue();
    }

    @Test
    void silence_is_measured_from_when_data_waits_not_from_the_last_acknowledgment() {
        look(0, 0);
        nanos.addAndGet(Duration.ofHours(1).toNanos());
        byte[] line = "b:1|c\n".getBytes(ISO_8859_1);
        upstream.add(line, 0, line.length);
        upstream.flush();

        look(6, 9);

        assertThat(upstream.isUp()).isTrue();
    }

    @Test
    void a_connection_with_everything_acknowledged_is_not_looked_up() {
        List<String> ends = new ArrayList<>();
        upstream.unacknowledged(ends::add);
        assertThat(ends).hasSize(1);

        look(0, 0);

        ends.clear();
        upstream.unacknowledged(ends::add);
        assertThat(ends).as("connections for which the table is read").isEmpty();
    }

    @Test
    void an_unreadable_table_is_logged_and_changes_nothing() throws Exception {
        Files.createDirectory(folder.resolve("tcp6"));

        new SilentHosts(new TcpTable(folder), said.log()).look(List.of(upstream));

        assertThat(said.lines()).singleElement().asString().contains("/proc/net/tcp cannot be read");
        assertThat(upstream.isUp()).isTrue();
    }

    @Test
    void keepalive_detects_an_idle_server_that_is_gone_within_8_s() throws Exception {
        SocketChannel channel =
                (SocketChannel) selector.keys().iterator().next().channel();
        assumeTrue(channel.supportedOptions().contains(ExtendedSocketOptions.TCP_KEEPIDLE), "not on this system");

        int idle = channel.getOption(ExtendedSocketOptions.TCP_KEEPIDLE);
        int interval = channel.getOption(ExtendedSocketOptions.TCP_KEEPINTERVAL);
        int count = channel.getOption(ExtendedSocketOptions.TCP_KEEPCOUNT);

        assertThat(idle + count * interval).isLessThanOrEqualTo(8);
    }
}
