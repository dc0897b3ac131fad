package io.counters.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class SpreaderTest {
    private static final int DATAGRAMS = 20;

    private static DatagramSocket socket() throws IOException {
        DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        socket.setSoTimeout(60_000);
        return socket;
    }

    @Test
    void each_datagram_reaches_one_collector_as_it_was_sent() throws Exception {
        Thread spreader;
        try (DatagramSocket first = socket();
                DatagramSocket second = socket();
                DatagramSocket spreading = socket();
                DatagramSocket sender = socket()) {
            List<InetSocketAddress> collectors =
                    List.of((InetSocketAddress) first.getLocalSocketAddress(), (InetSocketAddress)
                            second.getLocalSocketAddress());
            long seed = 1;
            spreader = new Thread(() -> {
                try {
                    Spreader.spread(spreading, collectors, new Random(seed));
                } catch (IOException closed) {
                    // The end of the test.
                }
            });
            spreader.start();
            Random same = new Random(seed);
            Set<Integer> chosen = new TreeSet<>();

            for (int i = 0; i < DATAGRAMS; i++) {
                byte[] sent = ("increment hello " + i + "\n").repeat(1 + i).getBytes(UTF_8);
                sender.send(new DatagramPacket(sent, sent.length, spreading.getLocalSocketAddress()));

                int collector = same.nextInt(2);
                chosen.add(collector);
                DatagramPacket received = new DatagramPacket(new byte[65_535], 65_535);
                (collector == 0 ? first : second).receive(received);
                assertThat(received.getData()).startsWith(sent);
                assertThat(received.getLength()).isEqualTo(sent.length);
            }
            assertThat(chosen).hasSize(2);
        }
        spreader.join();
    }
}
