package io.counters.demo;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Applications that count and send their totals in datagrams, and now and then all totals once more; new ones begin all the
 * time, and use more names the older they are. Another one sends lines without totals over TCP. Methods may be called from any
 * thread.
 */
final class RawSenders implements AutoCloseable {
    /** Counters whose names begin so are only incremented. */
    static final String RISING = "chaos.rising";

    private static final String MOVING = "chaos.moving";
    private static final int RISING_NAMES = 60;
    private static final int MOVING_NAMES = 20;
    private static final int LINES = 15;
    private static final int REPEATED_LINES = 30;
    private static final int ROUND_MILLIS = 10;
    private static final int PLAIN_MILLIS = 20;
    private static final int PLAIN_LINES = 5;
    /** Rounds after which another sender begins, and how many of the newest count. */
    private static final int BEGINS_ROUNDS = 500;

    private static final int COUNTING = 8;

    private final Random random;
    private final int port;
    private final DatagramSocket udp = new DatagramSocket();
    private final Socket tcp;
    private final List<Sender> senders = new ArrayList<>();
    private final Map<String, Long> plain = new TreeMap<>();
    private final ScheduledExecutorService totals = new ScheduledThreadPoolExecutor(1);
    private final ScheduledExecutorService amounts = new ScheduledThreadPoolExecutor(1);
    private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    private long rounds;
    private long lines;
    private boolean enough;

    /**
     * Begins to count.
     *
     * @param udpPort on loopback, for totals
     * @param tcpPort on loopback, for lines without totals
     */
    RawSenders(int udpPort, int tcpPort, Random random) throws IOException {
        this.random = random;
        port = udpPort;
        tcp = new Socket(InetAddress.getLoopbackAddress(), tcpPort);
        var unusedTotals = totals.scheduleAtFixedRate(this::round, 0, ROUND_MILLIS, TimeUnit.MILLISECONDS);
        var unusedAmounts = amounts.scheduleWithFixedDelay(this::plain, 0, PLAIN_MILLIS, TimeUnit.MILLISECONDS);
    }

    private final class Sender {
        final String id = String.format("%016x%08x", random.nextLong(), random.nextInt());
        final long bornNanos = System.nanoTime();
        final Map<String, Long> totals = new TreeMap<>();
        long datagrams;

        void count() throws IOException {
            StringBuilder text = begin();
            for (int i = 0; i < LINES; i++) {
                boolean rises = random.nextInt(4) > 0;
                int names = rises ? RISING_NAMES : MOVING_NAMES;
                String name =
                        (rises ? RISING : MOVING) + ",n=" + random.nextInt((int) Math.min(names, 2 + datagrams / 10));
                long amount = random.nextLong(1L << random.nextInt(1, 30));
                long up = totals.getOrDefault("increment " + name, 0L);
                long down = totals.getOrDefault("decrement " + name, 0L) + amount;
                // Never below zero: memcached's own increments fail there, if the memory behind the value contains a
                // minus sign.
                String counter = (rises || down > up / 8 ? "increment " : "decrement ") + name;
                long total = totals.merge(counter, amount, Long::sum);
                line(text, counter, amount, total);
            }
            send(text);
        }

        void repeat() throws IOException {
            StringBuilder text = begin();
            int inDatagram = 0;
            for (Map.Entry<String, Long> one : totals.entrySet()) {
                if (++inDatagram % REPEATED_LINES == 0) {
                    send(text);
                    text = begin();
                }
                line(text, one.getKey(), 0, one.getValue());
            }
            send(text);
        }

        private StringBuilder begin() {
            long age = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - bornNanos);
            return new StringBuilder("from " + id + " " + age + " " + ++datagrams + "\n");
        }

        private void line(StringBuilder text, String counter, long amount, long total) {
            text.append(counter)
                    .append(' ')
                    .append(amount)
                    .append(' ')
                    .append(total)
                    .append('\n');
            lines++;
        }
    }

    private void send(StringBuilder text) throws IOException {
        byte[] bytes = text.toString().getBytes(US_ASCII);
        udp.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
    }

    private synchronized void round() {
        try {
            if ((!enough && rounds % BEGINS_ROUNDS == 0) || senders.isEmpty()) {
                senders.add(new Sender());
            }
            rounds++;
            if (!enough) {
                int newest = random.nextInt(Math.min(COUNTING, senders.size()));
                senders.get(senders.size() - 1 - newest).count();
            }
            if (enough || random.nextInt(20) == 0) {
                senders.get((int) (rounds % senders.size())).repeat();
            }
        } catch (IOException | RuntimeException broken) {
            failure.compareAndSet(null, broken);
        }
    }

    /** Waits while the collector hangs. */
    private void plain() {
        try {
            StringBuilder text = new StringBuilder();
            Map<String, Long> now = new TreeMap<>();
            for (int i = 0; i < PLAIN_LINES; i++) {
                String counter = RISING + ".plain,n=" + random.nextInt(RISING_NAMES);
                long amount = 1L + random.nextInt(1000);
                now.merge(counter, amount, Long::sum);
                text.append("increment ")
                        .append(counter)
                        .append(' ')
                        .append(amount)
                        .append('\n');
            }
            tcp.getOutputStream().write(text.toString().getBytes(US_ASCII));
            synchronized (this) {
                lines += PLAIN_LINES;
                now.forEach((counter, amount) -> plain.merge(counter, amount, Long::sum));
            }
        } catch (IOException | RuntimeException broken) {
            failure.compareAndSet(null, broken);
        }
    }

    /** Stops counting, but continues to repeat totals; returns each counter's value. Every collector must run. */
    Map<String, Long> enough() throws InterruptedException {
        amounts.shutdown();
        if (!amounts.awaitTermination(60, TimeUnit.SECONDS)) {
            throw new AssertionError("the collector at port " + tcp.getPort() + " takes no lines by TCP");
        }
        check();
        synchronized (this) {
            enough = true;
            Map<String, Long> values = new TreeMap<>(plain);
            for (Sender sender : senders) {
                sender.totals.forEach((counter, total) -> {
                    String[] words = counter.split(" ", 2);
                    values.merge(words[1], words[0].equals("decrement") ? -total : total, Long::sum);
                });
            }
            return values;
        }
    }

    /** Throws if something could not be sent. */
    void check() {
        Exception broken = failure.get();
        if (broken != null) {
            throw new AssertionError("lines cannot be sent", broken);
        }
    }

    synchronized long lines() {
        return lines;
    }

    synchronized int senders() {
        return senders.size();
    }

    @Override
    public void close() throws IOException {
        totals.shutdownNow();
        amounts.shutdownNow();
        udp.close();
        tcp.close();
    }
}
