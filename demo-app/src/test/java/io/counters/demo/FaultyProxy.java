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
 * A bad HTTP proxy on the loopback address, in front of a server there: it fails in some way on some of the requests, and
 * forwards the others. Bodies have a Content-Length.
 */
final class FaultyProxy implements AutoCloseable {
    private static final Pattern LENGTH = Pattern.compile("(?im)^content-length:\\s*(\\d+)\\s*$");

    /** The kinds of faults; all are equally frequent. */
    enum Fault {
        /** Refuses the request, with an HTML page; so do the next three. */
        BAD_REQUEST,
        TOO_LARGE,
        INTERNAL_ERROR,
        UNAVAILABLE,
        /** Forwards half of the request, and closes. */
        HALF_REQUEST,
        /** Forwards the request, sends half of the answer, and closes. */
        HALF_ANSWER,
        /** Neither forwards the request nor answers. */
        NOTHING,
        /** Forwards the request, and never answers. */
        LOST_ANSWER,
        /** Forwards the request only after the client has given up, and has perhaps sent it again. */
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

    /** @param port the server's port on loopback */
    FaultyProxy(int port, Random random) throws IOException {
        this.port = port;
        this.random = random;
        daemon(this::listen, "faulty-proxy");
    }

    String address() {
        return "http://127.0.0.1:" + listening.getLocalPort();
    }

    /** Sets the share of requests that fail from now on, from 0 to 1; it is 0 at first. */
    synchronized void faulty(double shareOfRequests) {
        share = shareOfRequests;
    }

    /** How often each fault has happened. */
    synchronized Map<Fault, Long> faults() {
        return new EnumMap<>(faults);
    }

    /** How many requests it forwarded without a fault. */
    synchronized long passed() {
        return passed;
    }

    /** A request or an answer. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Message(String head, byte[] body) {
        /** @throws EOFException at the end of the stream, also within a message */
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

        /** Half of the body, with the same head, whose Content-Length is that of the whole body. */
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
                // Serve the next request on this connection.
            }
        } catch (IOException ended) {
            // Either side closed it; the client sees a closed connection.
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
                // A client that waits sends nothing.
            }
        } catch (IOException reset) {
            // The client has given up, too.
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
