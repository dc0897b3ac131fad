package io.counters.micrometer;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.Counters;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SendingTest {
    @Test
    void counts_of_a_composite_are_sent_and_functions_are_read_for_the_last_sweep() throws Exception {
        try (DatagramSocket collector = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            collector.setSoTimeout(10_000);
            CompositeMeterRegistry meters = new CompositeMeterRegistry();
            meters.add(new CountersMeterRegistry());
            AutoCloseable sending = Counters.start("127.0.0.1:" + collector.getLocalPort());

            meters.counter("orders.placed", "method", "card").increment();
            AtomicLong hits = new AtomicLong();
            FunctionCounter.builder("cache.hits", hits, AtomicLong::get).register(meters);
            assertThat(received(collector)).contains("increment orders.placed,method=card 1 1\n");

            hits.set(3);
            meters.close();
            meters.getRegistries().forEach(registry -> registry.close());
            sending.close();

            String last = received(collector);
            while (!last.contains("increment cache.hits ")) {
                last = received(collector);
            }
            assertThat(last).contains("increment cache.hits 3 3\n");
        }
    }

    private static String received(DatagramSocket collector) throws Exception {
        DatagramPacket packet = new DatagramPacket(new byte[2000], 2000);
        collector.receive(packet);
        return new String(packet.getData(), 0, packet.getLength(), US_ASCII);
    }
}
