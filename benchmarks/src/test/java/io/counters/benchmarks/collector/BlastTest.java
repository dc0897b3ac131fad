package io.counters.benchmarks.collector;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.benchmarks.collector.Blast.Pace;
import java.io.IOException;
import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlastTest {
    @Test
    void statsd_lines_cycle_through_the_names_and_the_cycle_closes_with_the_last_datagram() {
        Datagrams all = Datagrams.statsd(6, 4);

        assertThat(texts(all))
                .containsExactly(
                        "c0:1|c\nc1:1|c\nc2:1|c\nc3:1|c\n",
                        "c4:1|c\nc5:1|c\nc0:1|c\nc1:1|c\n",
                        "c2:1|c\nc3:1|c\nc4:1|c\nc5:1|c\n");
    }

    @Test
    void an_agents_totals_and_sequence_numbers_continue_from_one_rendering_to_the_next() {
        Datagrams.Agent agent = new Datagrams.Agent("0123456789abcdef", 2, 3, 2);

        List<String> first = texts(agent.next());
        List<String> second = texts(agent.next());

        assertThat(first)
                .containsExactly(
                        "from 0123456789abcdef 60000 1\nincrement c0 1 1\nincrement c1 1 1\nincrement c0 1 2\n",
                        "from 0123456789abcdef 60001 2\nincrement c1 1 2\nincrement c0 1 3\nincrement c1 1 3\n");
        assertThat(second.get(0))
                .isEqualTo("from 0123456789abcdef 60002 3\nincrement c0 1 4\nincrement c1 1 4\nincrement c0 1 5\n");
    }

    @Test
    void the_datagrams_are_sent_repeatedly_from_each_source_in_turn() throws IOException {
        Datagrams ring = Datagrams.statsd(3, 1);
        try (DatagramSocket receiver = new DatagramSocket(loopback())) {
            receiver.setSoTimeout(10_000);
            Blast.Sent sent;
            try (Blast blast = new Blast(receiver.getLocalPort(), 2)) {
                // More than one socket sends in a turn.
                sent = blast.atRate(ring, 40, 100_000);
            }

            assertThat(sent.datagrams()).isEqualTo(40);
            assertThat(sent.lines()).isEqualTo(40);
            List<String> came = new ArrayList<>();
            Set<Integer> sources = new HashSet<>();
            for (int i = 0; i < 40; i++) {
                DatagramPacket packet = new DatagramPacket(new byte[100], 100);
                receiver.receive(packet);
                came.add(new String(packet.getData(), 0, packet.getLength(), US_ASCII));
                sources.add(packet.getPort());
            }
            assertThat(came)
                    .containsExactlyInAnyOrderElementsOf(IntStream.range(0, 40)
                            .mapToObj(i -> "c" + i % 3 + ":1|c\n")
                            .toList());
            assertThat(sources).hasSize(2);
        }
    }

    @Test
    void a_tcp_stream_contains_all_writes_in_order() throws IOException {
        try (ServerSocket receiver = new ServerSocket()) {
            receiver.bind(loopback());
            CompletableFuture<String> came = CompletableFuture.supplyAsync(() -> {
                try (Socket stream = receiver.accept();
                        InputStream bytes = stream.getInputStream()) {
                    return new String(bytes.readAllBytes(), US_ASCII);
                } catch (IOException failure) {
                    throw new AssertionError(failure);
                }
            });

            Blast.Sent sent = Blast.tcp(receiver.getLocalPort(), Datagrams.statsd(4, 2), 3);

            assertThat(came.join()).isEqualTo("c0:1|c\nc1:1|c\nc2:1|c\nc3:1|c\nc0:1|c\nc1:1|c\n");
            assertThat(sent.lines()).isEqualTo(6);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 1_000, 300_000, 999_999_999})
    void no_datagram_is_sent_before_it_is_due_and_none_is_left_out(long perSecond) {
        Random random = new Random(perSecond);
        AtomicLong now = new AtomicLong(random.nextLong());
        long begun = now.get();
        // A sleep may end too early or too late.
        Pace pace =
                new Pace(perSecond, now::get, nanos -> now.addAndGet(1 + (long) (nanos * 1.5 * random.nextDouble())));

        long sent = 0;
        for (int turn = 0; turn < 10_000; turn++) {
            long due = pace.due(sent, 32);

            assertThat(due).isBetween(1L, 32L);
            sent += due;
            double lastIsDueAt = (sent - 1) * 1e9 / perSecond;
            assertThat((double) (now.get() - begun)).isGreaterThanOrEqualTo(lastIsDueAt - 1);
            double nextIsDueAt = sent * 1e9 / perSecond;
            if (due < 32) {
                assertThat((double) (now.get() - begun)).isLessThanOrEqualTo(nextIsDueAt + 1);
            }
            now.addAndGet(random.nextInt(1_000));
        }
    }

    private static List<String> texts(Datagrams all) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < all.count(); i++) {
            texts.add(US_ASCII.decode(all.get(i)).toString());
        }
        return texts;
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }
}
