package io.counters.demo;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.testsupport.CollectorProgram;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** What strangers do to a collector that they can reach, each at full speed. For one thread. */
final class Attack implements AutoCloseable {
    private static final int DATAGRAM_BYTES = 1432;
    private static final int LARGEST_DATAGRAM_BYTES = 65_507;
    private static final int HOSTS = 200;
    private static final int HALF_OPEN = 1_500;
    private static final int SLOW_CLIENTS = 300;
    private static final int COLLIDING_BITS = 16;

    /** What is done. */
    enum Kind {
        RANDOM_BYTES("rejected", Attack::randomBytes),
        RANDOM_NAMES("were not counted under their names", Attack::randomNames),
        RANDOM_SENDERS("were not counted under their names", Attack::randomSenders),
        COLLIDING_NAMES_AND_IDS("were not counted under their names", Attack::colliding),
        FORGED_TOTALS("were not counted under their names", Attack::forgedTotals),
        REPLAYED_SIGNED_DATAGRAMS("(signed_mac)", Attack::replayed),
        LARGEST_DATAGRAMS("rejected", Attack::largestDatagrams),
        HALF_OPEN_TCP("TCP connection", Attack::halfOpen),
        SLOW_HTTP("", Attack::slowHttp);

        /** A part of the message that names the source; empty if a client that is only slow is counted, and not named. */
        final String message;

        /** The same for a collector that requires signatures. */
        final String refused;

        @SuppressWarnings("ImmutableEnumChecker") // A method.
        private final Step step;

        Kind(String message, Step step) {
            this.message = message;
            refused = message.contains("were not counted") ? "(unsigned)" : message;
            this.step = step;
        }
    }

    private interface Step {
        void run(Attack attack, long number) throws IOException;
    }

    private final CollectorProgram collector;
    private final Eavesdropper network;
    private final Random random;
    private final List<DatagramChannel> hosts = new ArrayList<>();
    private final Deque<Socket> connections = new ArrayDeque<>();
    private final ByteBuffer datagram = ByteBuffer.allocateDirect(LARGEST_DATAGRAM_BYTES);
    private final byte[] bytes = new byte[LARGEST_DATAGRAM_BYTES];

    /**
     * Opens the sockets.
     *
     * @param network where the honest service's datagrams can be heard
     * @param seed of what is random
     */
    Attack(CollectorProgram collector, Eavesdropper network, long seed) throws IOException {
        this.collector = collector;
        this.network = network;
        random = new Random(seed);
        for (int i = 0; i < HOSTS; i++) {
            DatagramChannel host = DatagramChannel.open();
            hosts.add(host);
            // All of 127.0.0.0/8 is this machine; 127.66 is in no other test's log.
            host.bind(new InetSocketAddress(
                    InetAddress.getByAddress(new byte[] {127, 66, (byte) random.nextInt(256), (byte) (i + 1)}), 0));
            host.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), collector.port()));
        }
    }

    /** Does this for so long, and returns how often. */
    long run(Kind kind, double seconds) throws IOException {
        long end = System.nanoTime() + (long) (seconds * TimeUnit.SECONDS.toNanos(1));
        long number = 0;
        while (System.nanoTime() - end < 0) {
            kind.step.run(this, number++);
        }
        return number;
    }

    private void send(long host, byte[] from, int length) throws IOException {
        datagram.clear().put(from, 0, length).flip();
        try {
            hosts.get((int) (host % HOSTS)).write(datagram);
        } catch (IOException refused) {
            // Its receive buffer is full, or the answer to an earlier one.
            if (!collector.runs()) {
                throw refused;
            }
        }
    }

    private void send(long host, String text) throws IOException {
        byte[] all = text.getBytes(ISO_8859_1);
        send(host, all, all.length);
    }

    private void randomBytes(long number) throws IOException {
        random.nextBytes(bytes);
        for (int i = 0; i < 20; i++) {
            send(number, bytes, 1 + random.nextInt(DATAGRAM_BYTES));
        }
    }

    private String name() {
        return Long.toString(random.nextLong(Long.MAX_VALUE), 36) + "x".repeat(random.nextInt(200));
    }

    private void randomNames(long number) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (String name = name(); lines.length() + name.length() < DATAGRAM_BYTES - 20; name = name()) {
            lines.append("increment ").append(name).append('\n');
        }
        send(number, lines.toString());
    }

    private String from(long age) {
        return String.format("from %016x%016x %d 1\n", random.nextLong(), random.nextLong(), age);
    }

    private void randomSenders(long number) throws IOException {
        send(number, from(random.nextInt(100_000)) + (number % 4 == 0 ? "" : "increment forged 1 1\n"));
    }

    /** A text that has the same {@link String#hashCode} as all others of this method. */
    private static String withEqualHash(long number) {
        StringBuilder text = new StringBuilder();
        for (int bit = 0; bit < COLLIDING_BITS; bit++) {
            text.append((number >> bit & 1) == 0 ? "Aa" : "BB");
        }
        return text.toString();
    }

    private void colliding(long number) throws IOException {
        StringBuilder lines = new StringBuilder("from " + withEqualHash(number) + " 1000 1\n");
        for (int i = 0; i < 15; i++) {
            long other = number * 15 + i;
            lines.append("increment ").append(withEqualHash(other)).append(" 1 1\n");
            lines.append("tagged:1|c|#k:").append(withEqualHash(other)).append('\n');
        }
        send(number, lines.toString());
    }

    /** Totals that jump, and fall, and are as large as they can be, in streams that are whole and in some that are not. */
    private void forgedTotals(long number) throws IOException {
        StringBuilder lines = new StringBuilder(from(number % 2 == 0 ? 1 : Long.MAX_VALUE));
        for (long total : new long[] {5, 1L << 53, 3, (1L << 53) + 1, Long.MAX_VALUE, 0, Long.MAX_VALUE - 1}) {
            lines.append("increment forged.")
                    .append(total % 3)
                    .append(" 0 ")
                    .append(total)
                    .append('\n');
            lines.append("decrement forged.")
                    .append(total % 5)
                    .append(" 0 ")
                    .append(total)
                    .append('\n');
        }
        send(number, lines.toString());
    }

    /** What the honest service sent, from other addresses, doubled and out of order, and each fourth with another last byte. */
    private void replayed(long number) throws IOException {
        List<byte[]> heard = network.heard();
        for (int i = 0; i < 1_000; i++) {
            byte[] datagram = heard.get(random.nextInt(heard.size()));
            if (i % 4 == 0) {
                datagram = datagram.clone();
                datagram[datagram.length - 2] ^= 1;
            }
            send(number, datagram, datagram.length);
        }
    }

    private void largestDatagrams(long number) throws IOException {
        switch ((int) (number % 4)) {
            case 0 -> random.nextBytes(bytes);
            case 1 -> Arrays.fill(bytes, (byte) 'x');
            case 2 -> Arrays.fill(bytes, (byte) '\n');
            default -> {
                byte[] line = "bad:1|cc\n".getBytes(ISO_8859_1);
                for (int at = 0; at < bytes.length; at++) {
                    bytes[at] = line[at % line.length];
                }
            }
        }
        send(number, bytes, bytes.length);
    }

    private void connect(int port, int max, String text) throws IOException {
        Socket socket = new Socket();
        try {
            socket.bind(new InetSocketAddress(
                    InetAddress.getByAddress(new byte[] {127, 66, 1, (byte) (1 + random.nextInt(250))}), 0));
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 2_000);
            socket.getOutputStream().write(text.getBytes(ISO_8859_1));
            connections.add(socket);
        } catch (IOException refused) {
            socket.close();
        }
        if (connections.size() > max) {
            connections.remove().close();
        }
    }

    private void halfOpen(long number) throws IOException {
        connect(collector.port(), HALF_OPEN, number % 2 == 0 ? "" : "increment half." + number % 100);
    }

    /** Heads that never end, bodies that come byte by byte, and large answers that nobody reads. */
    private void slowHttp(long number) throws IOException {
        String head = " HTTP/1.1\r\nHost: localhost\r\n";
        switch ((int) (number % 3)) {
            case 0 -> connect(collector.httpPort(), SLOW_CLIENTS, "GET /metrics" + head + "X-Slow: ");
            case 1 ->
                connect(
                        collector.httpPort(),
                        SLOW_CLIENTS,
                        "POST /api/history" + head + "Content-Length: 8000\r\n\r\n{");
            default -> connect(collector.httpPort(), SLOW_CLIENTS, "GET /api/counters" + head + "\r\n");
        }
        for (Socket socket : connections) {
            if (number % 50 == 0) {
                try {
                    socket.getOutputStream().write('x');
                } catch (IOException closed) {
                    // The collector has had enough of it.
                }
            }
        }
    }

    /** Leaves. */
    void disconnect() throws IOException {
        for (Socket socket : connections) {
            socket.close();
        }
        connections.clear();
    }

    @Override
    public void close() throws IOException {
        disconnect();
        for (DatagramChannel host : hosts) {
            host.close();
        }
    }
}
