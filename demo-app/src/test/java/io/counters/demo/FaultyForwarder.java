package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A bad network on the loopback address: of the datagrams it gets it loses some, doubles some and delays some. */
final class FaultyForwarder implements AutoCloseable {
    private static final double LOST = 0.3;
    private static final double DOUBLED = 0.1;
    private static final double LATE = 0.2;
    private static final int LATE_MILLIS_MAX = 2000;

    private final DatagramSocket in;
    private final DatagramSocket out;
    private final InetSocketAddress collector;
    private final Random random;
    private final ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
    private final AtomicLong got = new AtomicLong();
    private final AtomicLong lost = new AtomicLong();
    private final Thread thread = new Thread(this::forward, "faulty-forwarder");

    /** @param collectorPort on loopback, where it forwards to */
    FaultyForwarder(int collectorPort, Random random) throws IOException {
        this.random = random;
        collector = new InetSocketAddress(InetAddress.getLoopbackAddress(), collectorPort);
        in = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        in.setReceiveBufferSize(1 << 20);
        out = new DatagramSocket();
        thread.setDaemon(true);
        thread.start();
    }

    /** Where it listens, as the agent's {@code collector=} takes it. */
    String address() {
        return "127.0.0.1:" + in.getLocalPort();
    }

    /** How many datagrams it got, and how many of them it lost. */
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
        try {
            Future<?> onItsWay = later.schedule(() -> send(datagram), delay, TimeUnit.MILLISECONDS);
            assertThat(onItsWay).isNotNull();
        } catch (RejectedExecutionException closed) {
            // The test is over.
        }
    }

    private void send(byte[] datagram) {
        try {
            out.send(new DatagramPacket(datagram, datagram.length, collector));
        } catch (IOException nobodyListens) {
            // Like any other loss.
            lost.incrementAndGet();
        }
    }

    @Override
    public void close() {
        in.close();
        later.shutdownNow();
        out.close();
    }
}
