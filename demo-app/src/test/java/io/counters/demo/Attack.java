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
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** What strangers do to a collector that they can reach, each at full speed. For one thread. */
final class Attack implements AutoCloseable {
    private static final int DATAGRAM_BYTES = 1432;
    private static final int LARGEST_DATAGRAM_BYTES = 65_507;
    private static final int HOSTS = 200;
    private static final int HALF_OPEN = 1_500;
    private static final int HTTP_CLIENTS = 300;

    /** Fewer than the page may have, so that none of them has to give way. */
    private static final int SLOW_HTTP_CLIENTS = 150;

    private static final int COLLIDING_BITS = 16;

    /** How many streams whose totals jump are known before. */
    private static final int FORGING = 16;

    /** How many lines a datagram has that brings many watermarks, and how often one stream sends such. */
    private static final int WATERMARK_LINES = 400;

    private static final int WATERMARK_DATAGRAMS = 3;

    /** Honest streams must have sent more often than this before, because those that sent least are dropped first. */
    static final int SELDOM = 20;

    private static final String TURNED_AWAY = "were not counted under their names";
    private static final String REJECTED = "was rejected";

    /**
     * What is done. If each fills what it attacks, none takes the room from a later one: what needs new names comes before
     * there is no room for names.
     */
    enum Kind {
        COLLIDING_NAMES_AND_IDS(TURNED_AWAY, Attack::colliding, "ledger_counters", "ledger_streams"),
        FORGED_TOTALS(TURNED_AWAY, Attack::forgedTotals, "ledger_quarantined_streams_total"),
        RANDOM_SENDERS(TURNED_AWAY, Attack::randomSenders, "ledger_deferred_lines_total"),
        MANY_WATERMARKS(
                TURNED_AWAY, Attack::manyWatermarks, "ledger_no_room_lines_total", "ledger_crowded_out_streams_total"),
        RANDOM_NAMES(TURNED_AWAY, Attack::randomNames, "ledger_overflow_lines_total"),
        RANDOM_BYTES(REJECTED, Attack::randomBytes, "intake_rejected_lines_total"),
        REPLAYED_SIGNED_DATAGRAMS("(signed_mac)", Attack::replayed, "ledger_datagrams_repeated"),
        FORGED_SIGNED_DATAGRAMS("(signed_mac)", Attack::forgedSigned, "intake_refused_datagrams_total"),
        LARGEST_DATAGRAMS(REJECTED, Attack::largestDatagrams, "intake_rejected_lines_total"),
        HALF_OPEN_TCP("TCP connections are in use", Attack::halfOpen, "intake_refused_connections_total"),
        MANY_HTTP("connections of the page are in use", Attack::manyHttp, "http_ended_connections_total"),
        SLOW_HTTP("its client is too slow", Attack::slowHttp, "http_timeouts_total");

        private final String message;

        @SuppressWarnings("ImmutableEnumChecker") // A method.
        private final Step step;

        @SuppressWarnings("ImmutableEnumChecker") // It is.
        private final List<String> effects;

        Kind(String message, Step step, String... effects) {
            this.message = message;
            this.step = step;
            this.effects = List.of(effects);
        }

        /** Whether a collector that requires signatures refuses all of it unread. */
        boolean isUnsigned() {
            return message.equals(TURNED_AWAY) || message.equals(REJECTED);
        }

        /** A part of the message that names the source. */
        String message(boolean requiresSignatures) {
            return requiresSignatures && isUnsigned() ? "(unsigned)" : message;
        }

        /** The metrics that grow by it; otherwise it attacks nothing. */
        List<String> effects(boolean requiresSignatures) {
            return requiresSignatures && isUnsigned() ? List.of("intake_refused_datagrams_total") : effects;
        }

        /** The metric that it brings near its maximum, unless signatures are required; empty if there is none. */
        String fills() {
            return switch (this) {
                case MANY_WATERMARKS -> "ledger_watermarks";
                case RANDOM_NAMES -> "ledger_names_bytes";
                default -> "";
            };
        }
    }

    private interface Step {
        void run(Attack attack, long number) throws IOException;
    }

    private final CollectorProgram collector;
    private final Eavesdropper network;
    private final boolean requiresSignatures;
    private final Random random;
    private final List<DatagramChannel> hosts = new ArrayList<>();
    private final Deque<Socket> connections = new ArrayDeque<>();
    private final ByteBuffer datagram = ByteBuffer.allocateDirect(LARGEST_DATAGRAM_BYTES);
    private final byte[] bytes = new byte[LARGEST_DATAGRAM_BYTES];
    private final Map<Kind, Long> steps = new EnumMap<>(Kind.class);

    /** The IDs of {@link #FORGING} streams, and of those that have many watermarks. */
    private final List<String> forging = new ArrayList<>();

    private final List<String> greedy = new ArrayList<>();

    /**
     * Opens the sockets.
     *
     * @param network where the honest service's datagrams can be heard
     * @param requiresSignatures whether the collector does
     * @param seed of what is random
     */
    Attack(CollectorProgram collector, Eavesdropper network, boolean requiresSignatures, long seed) throws IOException {
        this.collector = collector;
        this.network = network;
        this.requiresSignatures = requiresSignatures;
        random = new Random(seed);
        for (int i = 0; i < HOSTS; i++) {
            DatagramChannel host = DatagramChannel.open();
            hosts.add(host);
            // All of 127.0.0.0/8 is this machine; 127.66 is in no other test's log.
            host.bind(new InetSocketAddress(
                    InetAddress.getByAddress(new byte[] {127, 66, (byte) random.nextInt(256), (byte) (i + 1)}), 0));
            host.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), collector.port()));
        }
        // One in ten streams may be new in a minute, and others must be able to begin in the same minute.
        long greedyMax = collector.metric("ledger_streams_max") / 10 * 3 / 4;
        for (long i = 0; i < greedyMax; i++) {
            greedy.add(id());
        }
        for (int i = 0; i < FORGING; i++) {
            forging.add(id());
        }
    }

    /** The number of streams that {@link #begin} begins. */
    int streams() {
        return forging.size() + greedy.size();
    }

    /**
     * Begins the streams with which {@link Kind#FORGED_TOTALS} and {@link Kind#MANY_WATERMARKS} go on, as their senders would
     * before an attack. Some datagrams may be lost; it may be called again.
     */
    void begin() throws IOException {
        long host = 0;
        for (List<String> ids : List.of(forging, greedy)) {
            for (String id : ids) {
                send(host++, "from " + id + " 1 1\nincrement begun 1 1\n");
            }
        }
    }

    /** Does this for so long, and returns how often. */
    long run(Kind kind, double seconds) throws IOException {
        long end = System.nanoTime() + (long) (seconds * TimeUnit.SECONDS.toNanos(1));
        long begun = steps.getOrDefault(kind, 0L);
        long number = begun;
        while (System.nanoTime() - end < 0) {
            kind.step.run(this, number++);
        }
        steps.put(kind, number);
        return number - begun;
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

    private String id() {
        return String.format("%016x%016x", random.nextLong(), random.nextLong());
    }

    private String from(String id, long age) {
        return "from " + id + " " + age + " 1\n";
    }

    private void randomSenders(long number) throws IOException {
        send(number, from(id(), random.nextInt(100_000)) + (number % 4 == 0 ? "" : "increment forged 1 1\n"));
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

    /** Totals that jump, and fall, and are as large as they can be, in known streams, in whole ones and in some that are not. */
    private void forgedTotals(long number) throws IOException {
        String id = number % 2 == 0 ? forging.get((int) (number / 2 % FORGING)) : id();
        StringBuilder lines = new StringBuilder(from(id, number % 4 == 3 ? Long.MAX_VALUE : 1));
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

    /**
     * Streams that have a thousand totals each. First those that are known, until there is no room for watermarks; none sends
     * often, because a stream that sends often may displace honest ones if signatures are not required. Then new streams.
     */
    private void manyWatermarks(long number) throws IOException {
        long round = number / greedy.size();
        int index = (int) (number % greedy.size());
        String id = round < SELDOM - 1 ? greedy.get(index) : id();
        long first = index * 7L + round % WATERMARK_DATAGRAMS * WATERMARK_LINES;
        StringBuilder lines = new StringBuilder(from(id, 1));
        for (long name = first; name < first + WATERMARK_LINES; name++) {
            lines.append("increment w").append(name).append(" 1 1\n");
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

    /**
     * What the honest service sent, with larger totals: with its signature, with another one of the same service, and, where
     * that must not count, without a signature.
     */
    private void forgedSigned(long number) throws IOException {
        List<byte[]> heard = network.heard();
        for (int i = 0; i < 1_000; i++) {
            String honest = new String(heard.get(random.nextInt(heard.size())), ISO_8859_1);
            String other = new String(heard.get(random.nextInt(heard.size())), ISO_8859_1);
            String signature = switch (requiresSignatures ? i % 3 : i % 2) {
                case 0 -> signedLine(honest);
                case 1 -> signedLine(other);
                default -> "";
            };
            String raised = honest.substring(signedLine(honest).length())
                    .replaceAll("(?m)^((?:in|de)crement \\S+ \\d+ )(\\d+)$", "$11$2");
            send(number, signature + raised);
        }
    }

    private static String signedLine(String datagram) {
        return datagram.substring(0, datagram.indexOf('\n') + 1);
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
            // So that an answer that is not read is soon in the collector's memory.
            socket.setReceiveBufferSize(4096);
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
    private static String slowRequest(long number) {
        String head = " HTTP/1.1\r\nHost: localhost\r\n";
        return switch ((int) (number % 4)) {
            case 0 -> "GET /metrics" + head + "X-Slow: ";
            case 1 -> "POST /api/history" + head + "Content-Length: 8000\r\n\r\n{";
            case 2 -> ("GET /uplot.js" + head + "\r\n").repeat(40);
            default -> "GET /api/counters" + head + "\r\n";
        };
    }

    /** New clients without end. */
    private void manyHttp(long number) throws IOException {
        connect(collector.httpPort(), HTTP_CLIENTS, slowRequest(number));
        if (number % 50 == 0) {
            drip();
        }
    }

    /** Clients that stay as long as they may. */
    private void slowHttp(long number) throws IOException {
        if (connections.size() < SLOW_HTTP_CLIENTS) {
            connect(collector.httpPort(), SLOW_HTTP_CLIENTS, slowRequest(number));
        } else {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            drip();
        }
    }

    /** Sends one byte on each connection, and forgets those that the collector has closed. */
    private void drip() throws IOException {
        for (Iterator<Socket> all = connections.iterator(); all.hasNext(); ) {
            Socket socket = all.next();
            try {
                socket.getOutputStream().write('x');
            } catch (IOException closed) {
                // The collector has had enough of it.
                all.remove();
                socket.close();
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
