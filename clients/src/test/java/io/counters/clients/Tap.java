package io.counters.clients;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jnr.unixsocket.UnixDatagramChannel;
import jnr.unixsocket.UnixSocketAddress;

/**
 * Forwards every byte from a client to a server, and records what the client really sent, and which lines must be rejected by
 * the wire protocol: lines of other types, joined lines (without line breaks between them), and on TCP what follows the last
 * line break. Parses lines independently of the collector.
 */
abstract sealed class Tap implements AutoCloseable {
    private static final int DATAGRAM_BYTES_MAX = 65_535;
    private static final int RECEIVE_BUFFER_BYTES = 4 << 20;
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    /**
     * Value, type and rate, anywhere in a line. A set's value is any text; DogStatsD's fields c, e, and card are not types.
     */
    private static final Pattern ENTRY = Pattern.compile(":([^:|]+)\\|(?!(?:c|e|card):)([a-z]+)(?:\\|@([0-9.]+))?");

    private final Pattern ofRow;
    private BigDecimal sent = BigDecimal.ZERO;
    private BigDecimal rejected = BigDecimal.ZERO;
    private final Map<String, Long> rejectedLines = new HashMap<>();
    private boolean used;
    private final List<String> examples = new ArrayList<>();

    private Tap(Row row) {
        ofRow = Pattern.compile("(?s)" + row.beginning() + "\\D.*");
    }

    /** Starts one for this row's client, which forwards to this port or socket file. */
    static Tap start(Row row, int port, Path unixSocket, Path folder) throws IOException {
        Tap tap = switch (row.transport()) {
            case UDP -> new Udp(row, port);
            case TCP -> new Tcp(row, port);
            case UNIX -> new Unix(row, unixSocket, folder);
        };
        tap.start();
        return tap;
    }

    /** The address to which the client sends, in the form that its driver expects. */
    abstract String address();

    abstract void run() throws IOException;

    private void start() {
        background("tap", this::run);
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void background(String name, Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException closed) {
                        // A socket was closed, so this thread ends.
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    private void noteDatagram(String datagram) {
        datagram.lines().forEach(line -> note(line, false));
    }

    private synchronized void noteUse() {
        used = true;
    }

    /**
     * Records a line.
     *
     * @param isCut whether it is the last line of a TCP stream and has no line break
     */
    private synchronized void note(String line, boolean isCut) {
        used = true;
        if (examples.size() < 3) {
            examples.add(line.length() > 200 ? line.substring(0, 200) + "..." : line);
        }
        BigDecimal value = BigDecimal.ZERO;
        int entries = 0;
        int counts = 0;
        for (Matcher entry = ENTRY.matcher(line); entry.find(); entries++) {
            if (entry.group(2).startsWith("c")) {
                counts++;
                BigDecimal rate = new BigDecimal(entry.group(3) == null ? "1" : entry.group(3));
                value = value.add(new BigDecimal(entry.group(1)).divide(rate, MathContext.DECIMAL128));
            }
        }
        boolean isJoined = entries > 1;
        if (isJoined || ofRow.matcher(line).matches()) {
            sent = sent.add(value);
            if (isJoined || isCut || counts == 0) {
                rejected = rejected.add(value);
                rejectedLines.merge(isJoined ? "lines_joined" : isCut ? "line_cut" : "statsd_type", 1L, Long::sum);
                if (isJoined && counts > 0) { // the collector and the proxy estimate this number
                    rejectedLines.merge("joined", (long) counts, Long::sum);
                }
            }
        }
    }

    /** The sum of the lines of this row's counter; each value is divided by its sample rate. */
    synchronized BigDecimal sent() {
        return sent;
    }

    /** The part of {@link #sent} that must be counted. */
    synchronized BigDecimal countable() {
        return sent.subtract(rejected);
    }

    /**
     * How many lines must be rejected by the wire protocol, by reason, and as {@code joined} the number of counts in joined
     * lines.
     */
    synchronized Map<String, Long> rejected() {
        return Map.copyOf(rejectedLines);
    }

    /** Whether anything has arrived yet. */
    synchronized boolean isUsed() {
        return used;
    }

    /** The first lines, for a message. */
    synchronized List<String> examples() {
        return List.copyOf(examples);
    }

    @Override
    public abstract void close() throws IOException;

    private static final class Udp extends Tap {
        private final DatagramSocket in = new DatagramSocket(new InetSocketAddress(LOOPBACK, 0));
        private final DatagramSocket out = new DatagramSocket();
        private final int port;

        Udp(Row row, int port) throws IOException {
            super(row);
            this.port = port;
            in.setReceiveBufferSize(RECEIVE_BUFFER_BYTES);
        }

        @Override
        String address() {
            return "127.0.0.1:" + in.getLocalPort();
        }

        @Override
        void run() throws IOException {
            DatagramPacket datagram = new DatagramPacket(new byte[DATAGRAM_BYTES_MAX], DATAGRAM_BYTES_MAX);
            while (true) {
                datagram.setLength(DATAGRAM_BYTES_MAX);
                in.receive(datagram);
                super.noteDatagram(new String(datagram.getData(), 0, datagram.getLength(), ISO_8859_1));
                out.send(new DatagramPacket(datagram.getData(), datagram.getLength(), LOOPBACK, port));
            }
        }

        @Override
        public void close() {
            in.close();
            out.close();
        }
    }

    private static final class Tcp extends Tap {
        private final ServerSocket in = new ServerSocket(0, 50, LOOPBACK);
        private final List<Closeable> connections = new ArrayList<>();
        private final int port;

        Tcp(Row row, int port) throws IOException {
            super(row);
            this.port = port;
        }

        @Override
        String address() {
            return "127.0.0.1:" + in.getLocalPort();
        }

        @Override
        void run() throws IOException {
            while (true) {
                Socket client = in.accept();
                synchronized (connections) {
                    connections.add(client);
                }
                background("tap-connection", () -> handOn(client));
            }
        }

        private void handOn(Socket client) throws IOException {
            byte[] bytes = new byte[64 * 1024];
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            try (client;
                    InputStream from = client.getInputStream();
                    Socket server = new Socket(LOOPBACK, port);
                    OutputStream to = server.getOutputStream()) {
                for (int length = from.read(bytes); length >= 0; length = from.read(bytes)) {
                    super.noteUse();
                    for (int i = 0; i < length; i++) {
                        if (bytes[i] == '\n') {
                            super.note(line.toString(ISO_8859_1), false);
                            line.reset();
                        } else {
                            line.write(bytes[i]);
                        }
                    }
                    to.write(bytes, 0, length);
                }
            } finally {
                if (line.size() > 0) {
                    super.note(line.toString(ISO_8859_1), true);
                }
            }
        }

        @Override
        public void close() throws IOException {
            in.close();
            synchronized (connections) {
                for (Closeable connection : connections) {
                    connection.close();
                }
            }
        }
    }

    private static final class Unix extends Tap {
        private final Path file;
        private final UnixSocketAddress server;
        private final UnixDatagramChannel in = UnixDatagramChannel.open();
        private final UnixDatagramChannel out = UnixDatagramChannel.open();

        Unix(Row row, Path unixSocket, Path folder) throws IOException {
            super(row);
            file = folder.resolve(row.beginning());
            server = new UnixSocketAddress(unixSocket.toFile());
            in.bind(new UnixSocketAddress(file.toFile()));
        }

        @Override
        String address() {
            return file.toString();
        }

        @Override
        void run() throws IOException {
            ByteBuffer datagram = ByteBuffer.allocate(DATAGRAM_BYTES_MAX);
            while (true) {
                datagram.clear();
                in.receive(datagram);
                datagram.flip();
                super.noteDatagram(new String(datagram.array(), 0, datagram.limit(), ISO_8859_1));
                out.send(datagram, server);
            }
        }

        @Override
        public void close() throws IOException {
            in.close();
            out.close();
        }
    }
}
