package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A program that listens at a store's port by mistake: it answers the first request of each connection, but not as a
 * store does.
 */
final class Rubbish implements AutoCloseable {
    /** What it does with a connection. */
    enum Kind {
        HTTP("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        TEXT("ERROR\r\n"),
        CLOSES(""),
        LONG_STRING("$2000000000\r\n"),
        LONG_STRING_THAT_COMES("$500000000\r\n" + "x".repeat(16 << 20)),
        LONG_LINE("+" + "x".repeat(16 << 20)),
        MANY("*1000000000\r\n" + "$-1\r\n".repeat(1 << 20)),
        NESTED("*1\r\n".repeat(100_000)),
        LONG_BODY(header(540_000_000)),
        BODY_THAT_NEVER_COMES(header(1_000_000)),
        NEGATIVE_BODY(header(-1)),
        RANDOM(random()),
        SILENT("");

        private final String answer;

        Kind(String answer) {
            this.answer = answer;
        }

        /** A header of memcached, whose first byte is right. */
        private static String header(int length) {
            byte[] header = new byte[24];
            ByteBuffer.wrap(header).put(0, (byte) 0x81).putInt(8, length);
            return new String(header, ISO_8859_1);
        }

        private static String random() {
            byte[] some = new byte[100_000];
            new java.util.Random(7).nextBytes(some);
            return new String(some, ISO_8859_1);
        }
    }

    private volatile Kind kind = Kind.SILENT;
    private final ServerSocket listening;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final AtomicInteger answered = new AtomicInteger();

    Rubbish(int port) throws IOException {
        this("127.0.0.1", port);
    }

    Rubbish(String host, int port) throws IOException {
        listening = new ServerSocket();
        listening.setReuseAddress(true);
        listening.bind(new InetSocketAddress(InetAddress.getByName(host), port));
        daemon(this::accept);
    }

    private static void daemon(Runnable work) {
        Thread thread = new Thread(work, "rubbish");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = listening.accept();
                // Leaves no closed connection on the port.
                socket.setSoLinger(true, 0);
                sockets.add(socket);
                daemon(() -> serve(socket));
            }
        } catch (IOException closed) {
            // The test closed the socket.
        }
    }

    private void serve(Socket socket) {
        Kind doing = kind;
        try {
            if (doing == Kind.CLOSES) {
                answered.incrementAndGet();
                socket.close();
                return;
            }
            socket.getInputStream().read(new byte[65_536]);
            answered.incrementAndGet();
            socket.getOutputStream().write(doing.answer.getBytes(ISO_8859_1));
            if (doing == Kind.HTTP) {
                socket.close();
            }
            while (socket.getInputStream().read(new byte[65_536]) >= 0) {
                // Sends nothing else.
            }
        } catch (IOException gone) {
            // The other side gave up.
        }
    }

    /** Closes its connections, and treats later ones in this way. */
    void become(Kind next) throws IOException {
        kind = next;
        closeAll();
        answered.set(0);
    }

    /** How many connections were answered. */
    int answered() {
        return answered.get();
    }

    @Override
    public void close() throws IOException {
        listening.close();
        closeAll();
    }

    private void closeAll() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
        sockets.clear();
    }
}
