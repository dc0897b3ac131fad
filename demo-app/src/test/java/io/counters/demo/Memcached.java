package io.counters.demo;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Ports;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A real memcached on the loopback address, read and written in its text protocol. */
final class Memcached implements AutoCloseable {
    private static final int TIMEOUT_MILLIS = 10_000;

    private final int port;
    private final Program program;

    private Memcached(int port) throws IOException {
        this.port = port;
        List<String> command = new ArrayList<>(
                List.of("memcached", "-l", "127.0.0.1", "-p", Integer.toString(port), "-U", "0", "-m", "64"));
        if ("root".equals(System.getProperty("user.name"))) {
            command.addAll(List.of("-u", "root"));
        }
        program = Program.start(command);
    }

    /** Starts one on a free port, and waits until it answers. */
    static Memcached start() throws IOException {
        return start(Ports.reserve());
    }

    /** Starts an empty one on this port, and waits until it answers. */
    static Memcached start(int port) throws IOException {
        Memcached memcached = new Memcached(port);
        await("memcached answers")
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> memcached.ask("version").get(0).startsWith("VERSION"));
        return memcached;
    }

    int port() {
        return port;
    }

    /** The address for the collector's {@code --store}. */
    String address() {
        return "memcached://127.0.0.1:" + port;
    }

    /** The text under a key, unchanged; null if there is none. */
    @Nullable
    String get(String key) throws IOException {
        List<String> reply = ask("get " + key);
        return reply.size() == 3 ? reply.get(1) : null;
    }

    /** The value of a counter: memcached's unsigned number, read as signed; null if there is none. */
    @Nullable
    Long counter(String name) throws IOException {
        String text = get(name);
        return text == null ? null : Long.parseUnsignedLong(text.trim());
    }

    /** Stores a text, like another program that uses the same memcached. */
    void set(String key, String text) throws IOException {
        List<String> reply = ask("set " + key + " 0 0 " + text.length() + "\r\n" + text);
        if (!reply.equals(List.of("STORED"))) {
            throw new IOException("memcached answered " + reply);
        }
    }

    /** Lets it hang: it keeps its connections, and answers nothing. */
    void pause() throws IOException, InterruptedException {
        program.signal("STOP");
    }

    /** Lets it continue, beginning with what it was sent while it hung. */
    void resume() throws IOException, InterruptedException {
        program.signal("CONT");
    }

    /** Kills it with SIGKILL; all its content is lost. */
    void kill() throws InterruptedException {
        program.kill();
    }

    @Override
    public void close() {
        program.close();
    }

    private List<String> ask(String command) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.getOutputStream().write((command + "\r\nquit\r\n").getBytes(US_ASCII));
            return new BufferedReader(new InputStreamReader(socket.getInputStream(), US_ASCII))
                    .lines()
                    .toList();
        }
    }
}
