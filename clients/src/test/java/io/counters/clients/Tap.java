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
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jnr.unixsocket.UnixDatagramChannel;
import jnr.unixsocket.UnixSocketAddress;

/**
 * Stands between a client and a server: hands on every byte as it comes, and knows afterwards what the client really
 * sent. Reads lines by rules of its own, which know nothing but the counters of one row.
 */
abstract sealed class Tap implements AutoCloseable {
    private static final int DATAGRAM_BYTES_MAX = 65_535;
    private static final int RECEIVE_BUFFER_BYTES = 4 << 20;
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private final Pattern count;
    private final Pattern other;
    private BigDecimal sent = BigDecimal.ZERO;
    private long countLines;
    private long otherLines;
    private boolean used;
    private final List<String> examples = new ArrayList<>();

    private Tap(Row row) {
        String name = "(?s)" + row.beginning() + "\\D.*?";
        count = Pattern.compile(name + ":([-+0-9.eE]+)\\|c(?:\\|@([0-9.eE-]+))?(?:\\|.*)?");
        other = Pattern.compile(name + ":[^|]*\\|(?!c).*");
    }

    /** Starts one for what this row's client sends, which hands it on to this port or file. */
    static Tap start(Row row, int port, Path unixSocket, Path folder) throws IOException {
        Tap tap = switch (row.transport()) {
            case UDP -> new Udp(row, port);
            case TCP -> new Tcp(row, port);
            case UNIX -> new Unix(row, unixSocket, folder);
        };
        tap.start();
        return tap;
    }

    /** Where the client is to send, as its driver is told. */
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
                        // Its end.
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    private synchronized void noteUse() {
        used = true;
    }

    /** Takes down what was sent: whole lines, and perhaps one without its end. */
    private synchronized void note(String text) {
        used = true;
        for (String line : text.split("\n")) {
            Matcher counted = count.matcher(line);
            if (counted.matches()) {
                BigDecimal value = new BigDecimal(counted.group(1));
                sent = sent.add(
                        counted.group(2) == null
                                ? value
                                : value.divide(new BigDecimal(counted.group(2)), MathContext.DECIMAL128));
                countLines++;
            } else if (other.matcher(line).matches()) {
                otherLines++;
            }
            if (examples.size() < 3 && !line.isEmpty()) {
                examples.add(line);
            }
        }
    }

    /** What the lines come to that count this row's counter; a sampled line counts the inverse of its rate. */
    synchronized BigDecimal sent() {
        return sent;
    }

    /** How many lines count. */
    synchronized long countLines() {
        return countLines;
    }

    /** How many lines are of another type: gauges, timers. */
    synchronized long otherLines() {
        return otherLines;
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
                super.note(new String(datagram.getData(), 0, datagram.getLength(), ISO_8859_1));
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
                        line.write(bytes[i]);
                        if (bytes[i] == '\n') {
                            super.note(line.toString(ISO_8859_1));
                            line.reset();
                        }
                    }
                    to.write(bytes, 0, length);
                }
            } finally {
                super.note(line.toString(ISO_8859_1));
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
                super.note(new String(datagram.array(), 0, datagram.limit(), ISO_8859_1));
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
