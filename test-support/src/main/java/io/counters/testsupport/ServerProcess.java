package io.counters.testsupport;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A real store in its own process. It can be killed, restarted empty on its port, and stopped. */
public abstract class ServerProcess implements AutoCloseable {
    private static final int STARTS_MAX = 5;

    private int port;
    private @Nullable Process process;

    /** The command that runs it in the foreground. */
    protected abstract List<String> command(int port) throws IOException;

    /** Additional environment variables. */
    protected Map<String, String> environment() {
        return Map.of();
    }

    /** Whether it answers. */
    protected abstract boolean answers() throws IOException;

    /** The value of a key as any client reads it; empty if there is none. */
    public abstract String get(String key) throws IOException;

    public abstract void set(String key, String value) throws IOException;

    public abstract void delete(String key) throws IOException;

    public InetSocketAddress address() {
        return InetSocketAddress.createUnresolved("127.0.0.1", port);
    }

    public int port() {
        return port;
    }

    /**
     * Starts it: the first time on a reserved port, because memcached and Redis cannot be restarted on a port that the kernel
     * chose and may have given to another program meanwhile; later on the same port.
     */
    public final void start() throws IOException {
        boolean isFirst = port == 0;
        for (int left = STARTS_MAX; left > 0; left--) {
            port = isFirst ? Ports.reserve() : port;
            ProcessBuilder building = new ProcessBuilder(command(port))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD);
            building.environment().putAll(environment());
            Process started = building.start();
            process = started;
            await().atMost(Duration.ofSeconds(60)).ignoreExceptions().until(() -> !started.isAlive() || answers());
            if (started.isAlive()) {
                return;
            }
        }
        throw new IOException("it ends by itself: " + command(port));
    }

    /** Kills it; its data is lost. */
    public void kill() {
        Process running = requireNonNull(process);
        running.destroyForcibly();
        running.onExit().orTimeout(10, TimeUnit.SECONDS).join();
    }

    /** Makes it hang: connections stay open, nothing is answered. */
    public void hang() throws Exception {
        signal("STOP");
        await().atMost(Duration.ofSeconds(60)).until(this::isStopped);
    }

    /** Ends a hang: requests that arrived meanwhile are answered now. */
    public void goOn() throws Exception {
        signal("CONT");
    }

    /** Whether all of its threads have stopped, which takes a moment. */
    private boolean isStopped() throws Exception {
        Process states = new ProcessBuilder(
                        "ps",
                        "-L",
                        "-o",
                        "state=",
                        "-p",
                        String.valueOf(requireNonNull(process).pid()))
                .start();
        String text = new String(states.getInputStream().readAllBytes(), ISO_8859_1);
        return states.waitFor() == 0 && text.replaceAll("[T\\s]", "").isEmpty();
    }

    private void signal(String name) throws Exception {
        Process kill = new ProcessBuilder(
                        "kill",
                        "-" + name,
                        String.valueOf(requireNonNull(process).pid()))
                .inheritIO()
                .start();
        if (kill.waitFor() != 0) {
            throw new IllegalStateException("kill -" + name + " failed");
        }
    }

    /** Sends one line of text, and returns the lines of the answer up to this number. */
    public String[] ask(String line, int lines) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write((line + "\r\n").getBytes(ISO_8859_1));
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1));
            String[] answer = new String[lines];
            for (int i = 0; i < lines; i++) {
                answer[i] = requireNonNull(in.readLine());
                if (answer[i].equals("END") || answer[i].equals("$-1")) {
                    break;
                }
            }
            return answer;
        }
    }

    @Override
    public void close() {
        kill();
    }
}
