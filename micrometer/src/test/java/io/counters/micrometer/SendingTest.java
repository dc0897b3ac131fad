package io.counters.micrometer;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.Counters;
import io.counters.emit.EmitterSettings;
import io.counters.testsupport.Program;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

    /**
     * A program whose function takes longer than the last sweep, and that ends without closing anything. It ends when told, so
     * that its last half second does not include the start of the JVM.
     */
    static final class Ends {
        private Ends() {}

        public static void main(String[] arguments) throws IOException {
            AtomicLong hits = new AtomicLong();
            FunctionCounter.builder("ends.hits", hits, of -> {
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(250));
                        return of.get();
                    })
                    .register(new CountersMeterRegistry());
            Counters.start(EmitterSettings.to("127.0.0.1:" + arguments[0]).totals(Boolean.parseBoolean(arguments[1])));
            Counters.increment("begun");
            System.in.read();
            hits.set(7);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("slow")
    void the_end_of_the_jvm_reads_functions_and_sends_what_they_have_counted(boolean totals) throws Exception {
        // On a busy machine half a second may not suffice for the function, either.
        String last = "";
        for (int tries = 0; tries < 3 && last.isEmpty(); tries++) {
            last = sentAtTheEnd(totals);
        }

        assertThat(last).containsPattern("increment ends\\.hits 7( 7)?(\n|$)");
    }

    /** The datagram that has the hits; empty if none came. */
    private static String sentAtTheEnd(boolean totals) throws Exception {
        try (DatagramSocket collector = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                Program ends = Program.java(
                        "-cp",
                        System.getProperty("java.class.path"),
                        Ends.class.getName(),
                        "" + collector.getLocalPort(),
                        "" + totals)) {
            collector.setSoTimeout(60_000);
            assertThat(received(collector)).contains("increment begun ").doesNotContain("ends.hits");

            ends.tell("end");
            assertThat(ends.awaitEnd()).as(ends.toString()).isZero();

            // What was sent is in the socket's buffer.
            collector.setSoTimeout(1);
            while (true) {
                String last = received(collector);
                if (last.contains("increment ends.hits ")) {
                    return last;
                }
            }
        } catch (SocketTimeoutException none) {
            return "";
        }
    }

    private static String received(DatagramSocket collector) throws Exception {
        DatagramPacket packet = new DatagramPacket(new byte[2000], 2000);
        collector.receive(packet);
        return new String(packet.getData(), 0, packet.getLength(), US_ASCII);
    }
}
