package io.counters.demo;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A bad network on the loopback address: it loses, duplicates and delays some of the datagrams. If it leads to several
 * collectors, it hands each datagram to any of them, like a load balancer that does not know which of them run.
 */
final class FaultyForwarder implements AutoCloseable {
    private static final double LOST = 0.3;
    private static final double DOUBLED = 0.1;
    private static final double LATE = 0.2;
    private static final int LATE_MILLIS_MAX = 2000;

    private final DatagramSocket in;
    private final DatagramSocket out;
    private final List<InetSocketAddress> collectors;
    private final Random random;
    private final ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
    private final Map<Line, Long> totals = new HashMap<>();
    private final AtomicLong got = new AtomicLong();
    private final AtomicLong lost = new AtomicLong();
    private final Thread thread = new Thread(this::forward, "faulty-forwarder");

    /** @param collectorPort the port on loopback to which it forwards */
    FaultyForwarder(int collectorPort, Random random) throws IOException {
        this(List.of(collectorPort), random);
    }

    /** @param collectorPorts the ports on loopback to which it forwards */
    FaultyForwarder(List<Integer> collectorPorts, Random random) throws IOException {
        this.random = random;
        collectors = collectorPorts.stream()
                .map(port -> new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .toList();
        in = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        in.setReceiveBufferSize(1 << 20);
        out = new DatagramSocket();
        thread.setDaemon(true);
        thread.start();
    }

    /** The address on which it listens, for the agent's {@code collector=}. */
    String address() {
        return "127.0.0.1:" + in.getLocalPort();
    }

    /** How many datagrams it received; {@link #lost} counts those of them that it lost. */
    long got() {
        return got.get();
    }

    long lost() {
        return lost.get();
    }

    private void forward() {
        byte[] bytes = new byte[65_536];
        try {
            while (true) {
                DatagramPacket packet = new DatagramPacket(bytes, bytes.length);
                in.receive(packet);
                got.incrementAndGet();
                byte[] copy = java.util.Arrays.copyOf(bytes, packet.getLength());
                if (random.nextDouble() < LOST) {
                    lost.incrementAndGet();
                    continue;
                }
                post(copy);
                if (random.nextDouble() < DOUBLED) {
                    post(copy);
                }
            }
        } catch (SocketException closed) {
            return;
        } catch (IOException broken) {
            throw new IllegalStateException(broken);
        }
    }

    private void post(byte[] datagram) {
        int delay = random.nextDouble() < LATE ? random.nextInt(LATE_MILLIS_MAX) : 0;
        InetSocketAddress to = collectors.get(random.nextInt(collectors.size()));
        try {
            Future<?> onItsWay = later.schedule(() -> send(datagram, to), delay, TimeUnit.MILLISECONDS);
            assertThat(onItsWay).isNotNull();
        } catch (RejectedExecutionException closed) {
            // The test is over.
        }
    }

    /** The value of each counter by the delivered datagrams: the highest totals of increments minus those of decrements. */
    Map<String, Long> carried() {
        synchronized (totals) {
            Map<String, Long> sums = new TreeMap<>();
            totals.forEach((line, total) -> sums.merge(line.name, line.verb.signed(total), Long::sum));
            return sums;
        }
    }

    private void send(byte[] datagram, InetSocketAddress to) {
        try {
            out.send(new DatagramPacket(datagram, datagram.length, to));
            synchronized (totals) {
                new CommandReader(new Totals()).datagram(datagram, 0, datagram.length);
            }
        } catch (IOException nobodyListens) {
            // Counted as a loss, like any other.
            lost.incrementAndGet();
        }
    }

    private record Line(String sender, String name, Verb verb) {}

    /** Records the highest total of each line. */
    private final class Totals implements Commands {
        private String sender = "";

        @Override
        public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
            sender = new String(bytes, begin, end - begin, ISO_8859_1);
        }

        @Override
        public void fromNobody() {
            sender = "";
        }

        @Override
        public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
            Line line = new Line(sender, new String(bytes, begin, end - begin, ISO_8859_1), verb);
            totals.merge(line, total, Math::max);
        }

        @Override
        public void rejected(Rejection why, byte[] bytes, int begin, int end) {
            throw new IllegalStateException("an agent sent a line that was rejected: " + why);
        }
    }

    @Override
    public void close() {
        in.close();
        later.shutdownNow();
        out.close();
    }
}
