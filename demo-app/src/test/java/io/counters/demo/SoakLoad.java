package io.counters.demo;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.wire.DatagramWriter;
import io.counters.wire.Verb;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Many senders with totals in one process, as fast as is wanted: each datagram is of one of them, and counts some of its names.
 * Each thread has senders of its own.
 */
final class SoakLoad implements AutoCloseable {
    static final String METRIC = "soak.sold";

    private static final int THREADS = 2;
    private static final int SENDERS = 50;
    private static final int NAMES = 20;
    private static final int LINES = 3;
    private static final int RATE_MAX_MILLIS = 100;

    private final int port;
    private final int datagramsASecond;
    private final AtomicLong datagrams = new AtomicLong();
    private final AtomicLong skipped = new AtomicLong();
    private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    private final List<Sending> threads = new ArrayList<>();
    private volatile boolean counts = true;
    private volatile boolean over;

    SoakLoad(int port, int datagramsASecond) {
        this.port = port;
        this.datagramsASecond = datagramsASecond;
        for (int i = 0; i < THREADS; i++) {
            Sending sending = new Sending(i);
            threads.add(sending);
            sending.setDaemon(true);
            sending.start();
        }
    }

    /** One sender: its totals, and which lines it sent last. */
    private static final class Sender {
        final byte[] id;
        final byte[][] names = new byte[NAMES][];
        final long[] increments = new long[NAMES];
        final long[] decrements = new long[NAMES];
        long seq;
        int next;

        Sender(String id, int number) {
            this.id = id.getBytes(US_ASCII);
            for (int i = 0; i < NAMES; i++) {
                // Two senders each count under the same names.
                names[i] = (METRIC + ",article=" + i + ",shop=" + number / 2).getBytes(US_ASCII);
            }
        }
    }

    private final class Sending extends Thread {
        private final Random random;
        private final List<Sender> senders = new ArrayList<>();
        private final long bornNanos = System.nanoTime();

        Sending(int number) {
            super("soak-" + number);
            random = new Random(number);
            for (int i = 0; i < SENDERS; i++) {
                senders.add(new Sender(
                        String.format("%016x%016x", random.nextLong(), System.nanoTime() + i), i * THREADS + number));
            }
        }

        @Override
        public void run() {
            DatagramWriter writer = new DatagramWriter(DatagramWriter.BYTES_DEFAULT);
            try (DatagramChannel channel = DatagramChannel.open()) {
                channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                long begun = System.nanoTime();
                long sent = 0;
                while (!over) {
                    long due = (System.nanoTime() - begun) * datagramsASecond / THREADS / TimeUnit.SECONDS.toNanos(1);
                    long most = sent + datagramsASecond / (1000L / RATE_MAX_MILLIS);
                    for (; sent < Math.min(due, most); sent++) {
                        send(channel, writer, senders.get((int) (sent % SENDERS)));
                    }
                    if (due > most) {
                        // It was paused, and does not make up for that at once.
                        skipped.addAndGet(due - sent);
                        begun = System.nanoTime() - sent * THREADS * TimeUnit.SECONDS.toNanos(1) / datagramsASecond;
                    }
                    LockSupport.parkNanos(500_000);
                }
            } catch (IOException | RuntimeException broken) {
                failure.compareAndSet(null, broken);
            }
        }

        /** The lock is for those who ask for the sums. */
        private synchronized void send(DatagramChannel channel, DatagramWriter writer, Sender sender)
                throws IOException {
            writer.clear();
            writer.from(sender.id, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - bornNanos), ++sender.seq);
            for (int line = 0; line < LINES; line++) {
                int name = sender.next++ % NAMES;
                long amount = counts ? 1 + (sender.seq & 7) : 0;
                sender.increments[name] += amount;
                writer.command(Verb.INCREMENT, sender.names[name], amount, sender.increments[name]);
                long less = amount / 4;
                sender.decrements[name] += less;
                writer.command(Verb.DECREMENT, sender.names[name], less, sender.decrements[name]);
            }
            channel.write(ByteBuffer.wrap(writer.buffer(), 0, writer.length()));
            datagrams.incrementAndGet();
        }

        private synchronized void addTo(SortedMap<String, Long> sums) {
            for (Sender sender : senders) {
                for (int name = 0; name < NAMES; name++) {
                    sums.merge(
                            new String(sender.names[name], US_ASCII),
                            sender.increments[name] - sender.decrements[name],
                            Long::sum);
                }
            }
        }
    }

    /** How many datagrams were sent so far. */
    long datagrams() {
        Exception broken = failure.get();
        if (broken != null) {
            throw new AssertionError("the load has ended", broken);
        }
        return datagrams.get();
    }

    /** How many datagrams were not sent at their time or later, because this machine was too busy. */
    long skipped() {
        return skipped.get();
    }

    /** Stops counting, but goes on repeating totals; returns the sum of each name. */
    SortedMap<String, Long> enough() {
        counts = false;
        SortedMap<String, Long> sums = new TreeMap<>();
        threads.forEach(sending -> sending.addTo(sums));
        return sums;
    }

    @Override
    public void close() {
        over = true;
        for (Sending sending : threads) {
            try {
                sending.join();
            } catch (InterruptedException hurried) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
