package io.counters.demo;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A bad HTTP proxy on the loopback address, before a server there: with some of the requests it does what no client hopes
 * for, and passes the others on. Bodies have a Content-Length.
 */
final class FaultyProxy implements AutoCloseable {
    private static final Pattern LENGTH = Pattern.compile("(?im)^content-length:\\s*(\\d+)\\s*$");

    /** What it may do; each as often as the others. */
    enum Fault {
        /** Refuses, and says so with a page for people. */
        BAD_REQUEST,
        TOO_LARGE,
        INTERNAL_ERROR,
        UNAVAILABLE,
        /** Passes half of the request on, and closes. */
        HALF_REQUEST,
        /** Passes the request on, answers with half of the answer, and closes. */
        HALF_ANSWER,
        /** Neither answers nor passes the request on. */
        NOTHING,
        /** Passes the request on, and never answers. */
        LOST_ANSWER,
        /** Passes the request on when the client has given it up, and has perhaps sent it again. */
        TOO_LATE
    }

    private final ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final int port;
    private final Random random;
    private final Deque<Fault> dealt = new ArrayDeque<>();
    private final Map<Fault, Long> faults = new EnumMap<>(Fault.class);
    private double share;
    private long passed;

    /** @param port of the server, on loopback */
    FaultyProxy(int port, Random random) throws IOException {
        this.port = port;
        this.random = random;
        daemon(this::listen, "faulty-proxy");
    }

    String address() {
        return "http://127.0.0.1:" + listening.getLocalPort();
    }

    /** The share of the requests, 0 to 1, that meet with a fault from now on; none unless set. */
    synchronized void faulty(double shareOfRequests) {
        share = shareOfRequests;
    }

    /** How often it did what. */
    synchronized Map<Fault, Long> faults() {
        return new EnumMap<>(faults);
    }

    /** How many requests it passed on as they are. */
    synchronized long passed() {
        return passed;
    }

    /** A request or an answer. */
    @SuppressWarnings("ArrayRecordComponent") // Passed on once, never compared.
    private record Message(String head, byte[] body) {
        /** @throws EOFException where there is no more, or not all of it */
        static Message read(InputStream in) throws IOException {
            ByteArrayOutputStream head = new ByteArrayOutputStream();
            while (!head.toString(ISO_8859_1).endsWith("\r\n\r\n")) {
                int letter = in.read();
                if (letter < 0) {
                    throw new EOFException();
                }
                head.write(letter);
            }
            Matcher length = LENGTH.matcher(head.toString(ISO_8859_1));
            byte[] body = in.readNBytes(length.find() ? Integer.parseInt(length.group(1)) : 0);
            return new Message(head.toString(ISO_8859_1), body);
        }

        void write(OutputStream out) throws IOException {
            out.write(head.getBytes(ISO_8859_1));
            out.write(body);
            out.flush();
        }

        /** With the same head, which promises the whole. */
        Message half() {
            return new Message(head, Arrays.copyOf(body, body.length / 2));
        }

        static Message page(String status) {
            byte[] page = ("<html><body><h1>" + status + "</h1></body></html>").getBytes(ISO_8859_1);
            return new Message(
                    "HTTP/1.1 " + status + "\r\nContent-Type: text/html\r\nContent-Length: " + page.length + "\r\n\r\n",
                    page);
        }
    }

    private void listen() {
        try {
            while (true) {
                Socket client = listening.accept();
                open.add(client);
                daemon(() -> serve(client), "faulty-proxy-connection");
            }
        } catch (SocketException closed) {
            return;
        } catch (IOException broken) {
            throw new IllegalStateException(broken);
        }
    }

    private void serve(Socket client) {
        try (client) {
            InputStream in = new BufferedInputStream(client.getInputStream());
            while (serve(Message.read(in), in, client.getOutputStream())) {
                // The next one on this connection.
            }
        } catch (IOException ended) {
            // By either side; the client sees a connection that is closed.
        } finally {
            open.remove(client);
        }
    }

    /** @return whether the connection may be used again */
    private boolean serve(Message request, InputStream in, OutputStream out) throws IOException {
        Fault fault = next();
        if (fault == null) {
            passOn(request).write(out);
            return true;
        }
        switch (fault) {
            case BAD_REQUEST -> Message.page("400 Bad Request").write(out);
            case TOO_LARGE -> Message.page("413 Request Entity Too Large").write(out);
            case INTERNAL_ERROR -> Message.page("500 Internal Server Error").write(out);
            case UNAVAILABLE -> Message.page("503 Service Unavailable").write(out);
            case HALF_REQUEST -> {
                try (Socket server = new Socket(InetAddress.getLoopbackAddress(), port)) {
                    request.half().write(server.getOutputStream());
                }
                return false;
            }
            case HALF_ANSWER -> {
                passOn(request).half().write(out);
                return false;
            }
            case NOTHING -> awaitEnd(in);
            case LOST_ANSWER -> {
                passOn(request);
                awaitEnd(in);
            }
            case TOO_LATE -> {
                awaitEnd(in);
                passOn(request);
            }
        }
        return true;
    }

    private synchronized @Nullable Fault next() {
        if (random.nextDouble() >= share) {
            passed++;
            return null;
        }
        if (dealt.isEmpty()) {
            List<Fault> all = new ArrayList<>(List.of(Fault.values()));
            Collections.shuffle(all, random);
            dealt.addAll(all);
        }
        Fault fault = dealt.remove();
        faults.merge(fault, 1L, Long::sum);
        return fault;
    }

    private Message passOn(Message request) throws IOException {
        try (Socket server = new Socket(InetAddress.getLoopbackAddress(), port)) {
            request.write(server.getOutputStream());
            return Message.read(new BufferedInputStream(server.getInputStream()));
        }
    }

    private static void awaitEnd(InputStream in) {
        try {
            while (in.read() >= 0) {
                // A client that waits says nothing.
            }
        } catch (IOException reset) {
            // Given up all the same.
        }
    }

    private static void daemon(Runnable work, String name) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
