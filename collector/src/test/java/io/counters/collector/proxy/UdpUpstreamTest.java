package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class UdpUpstreamTest {
    private static final String LINE = "line:1|c\n";
    private static final String FRAME = new String(StatsiteTest.frame("frame"), ISO_8859_1);

    private final Metrics metrics = new Metrics();
    private long nanos;

    private static void add(UdpUpstream upstream, String message) {
        upstream.add(message.getBytes(ISO_8859_1), 0, message.length());
    }

    private static void awaitDatagram(DatagramChannel server, String datagram) {
        await().until(() -> received(server), List.of(datagram)::equals);
    }

    private static List<String> received(DatagramChannel server) throws IOException {
        List<String> datagrams = new ArrayList<>();
        ByteBuffer bytes = ByteBuffer.allocate(2000);
        while (server.receive(bytes) != null) {
            datagrams.add(new String(bytes.array(), 0, bytes.position(), ISO_8859_1));
            bytes.clear();
        }
        return datagrams;
    }

    @Test
    void
            lines_and_frames_never_share_a_datagram_and_ten_milliseconds_pass_between_the_last_of_one_and_the_first_of_the_other()
                    throws Exception {
        QueueRoom room = new QueueRoom(1 << 20, new SaidFaults().log(), metrics);
        try (DatagramChannel server =
                DatagramChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            server.configureBlocking(false);
            String address = "udp://127.0.0.1:" + ((InetSocketAddress) server.getLocalAddress()).getPort();
            try (UdpUpstream upstream = new UdpUpstream(
                    Server.of(address, 1), () -> room.queue(address), new byte[65_536], () -> nanos, metrics)) {
                await().until(() -> {
                    upstream.maintain();
                    return upstream.isUp();
                });
                add(upstream, LINE);
                add(upstream, FRAME);
                add(upstream, LINE);
                add(upstream, FRAME);
                upstream.flush();
                awaitDatagram(server, LINE + LINE);

                nanos += TimeUnit.MILLISECONDS.toNanos(10) - 1;
                upstream.flush();
                assertThat(received(server)).isEmpty();
                assertThat(upstream.waiting()).isEqualTo(2L * FRAME.length());

                nanos++;
                upstream.flush();
                awaitDatagram(server, FRAME + FRAME);

                add(upstream, LINE);
                upstream.flush();
                assertThat(received(server)).isEmpty();
                nanos += TimeUnit.MILLISECONDS.toNanos(10);
                upstream.flush();
                awaitDatagram(server, LINE);
            }
        }
    }
}
