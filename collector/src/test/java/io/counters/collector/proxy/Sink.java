package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/** A server that keeps what it receives, connection by connection, and stops reading or breaks connections on request. */
final class Sink implements AutoCloseable {
    private static final int RECEIVE_BUFFER_BYTES = 8 * 1024;

    private final ServerSocket server = new ServerSocket();
    private final List<Connection> connections = new CopyOnWriteArrayList<>();
    private volatile boolean reads = true;
    private volatile boolean closed;

    private static final class Connection {
        final Socket socket;
        private final StringBuilder received = new StringBuilder();

        Connection(Socket socket) {
            this.socket = socket;
        }

        synchronized void take(String text) {
            received.append(text);
        }

        synchronized String received() {
            return received.toString();
        }
    }

    Sink() throws IOException {
        this(0);
    }

    Sink(int port) throws IOException {
        server.setReuseAddress(true);
        server.setReceiveBufferSize(RECEIVE_BUFFER_BYTES);
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        start(this::accept);
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "sink");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (!closed) {
            try {
                Connection connection = new Connection(server.accept());
                if (closed) {
                    connection.socket.close();
                    return;
                }
                connections.add(connection);
                start(() -> read(connection));
            } catch (IOException ended) {
                return;
            }
        }
    }

    private void read(Connection connection) {
        byte[] bytes = new byte[8192];
        try {
            for (int count = 0; count >= 0; ) {
                while (!reads) {
                    LockSupport.parkNanos(1_000_000);
                }
                count = connection.socket.getInputStream().read(bytes);
                connection.take(new String(bytes, 0, Math.max(0, count), ISO_8859_1));
            }
        } catch (IOException reset) {
            // By reset() or close().
        }
    }

    String address() {
        return "127.0.0.1:" + port();
    }

    int port() {
        return server.getLocalPort();
    }

    int connections() {
        return connections.size();
    }

    /** What arrived over the connection with this number, from 0. */
    String received(int connection) {
        return connections.get(connection).received();
    }

    /** What arrived over each connection that brought something. */
    List<String> kinds() {
        return connections.stream()
                .map(Connection::received)
                .filter(text -> !text.isEmpty())
                .toList();
    }

    /** What arrived over all connections. */
    String received() {
        StringBuilder all = new StringBuilder();
        connections.forEach(connection -> all.append(connection.received()));
        return all.toString();
    }

    void stopReading() {
        reads = false;
    }

    void goOnReading() {
        reads = true;
    }

    /** Resets all connections, and discards what was not read. */
    void reset() throws IOException {
        for (Connection connection : connections) {
            if (!connection.socket.isClosed()) {
                connection.socket.setSoLinger(true, 0);
                connection.socket.close();
            }
        }
    }

    @Override
    public void close() throws IOException {
        closed = true;
        server.close();
        reset();
    }
}
