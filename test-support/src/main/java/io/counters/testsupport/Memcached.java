package io.counters.testsupport;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A real memcached. */
public final class Memcached extends ServerProcess {
    private final List<String> options;
    private final Map<String, String> environment;

    /** With 64 MB and further options. */
    public Memcached(String... options) throws IOException {
        this(Map.of(), options);
    }

    public Memcached(Map<String, String> environment, String... options) throws IOException {
        this.environment = environment;
        this.options = List.of(options);
        start();
    }

    @Override
    protected Map<String, String> environment() {
        return environment;
    }

    @Override
    protected List<String> command(int port) {
        List<String> command = new ArrayList<>(
                List.of("memcached", "-l", "127.0.0.1", "-U", "0", "-m", "64", "-p", String.valueOf(port)));
        if (System.getProperty("user.name").equals("root")) {
            command.addAll(List.of("-u", "root"));
        }
        command.addAll(options);
        return command;
    }

    @Override
    protected boolean answers() throws IOException {
        if (options.contains("-S")) {
            // With SASL it does not support the text protocol.
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port())) {
                return socket.isConnected();
            }
        }
        return ask("version", 1)[0].startsWith("VERSION");
    }

    @Override
    public String get(String key) throws IOException {
        String[] answer = ask("get " + key, 2);
        return answer[0].startsWith("VALUE") ? answer[1] : "";
    }

    /** The value of a counter: memcached's unsigned number, read as signed; null if there is none. */
    public @Nullable Long counter(String name) throws IOException {
        String text = get(name);
        return text.isEmpty() ? null : Long.parseUnsignedLong(text.strip());
    }

    /** Its address as a setting of the collector. */
    public String url() {
        return "memcached://127.0.0.1:" + port();
    }

    @Override
    public void set(String key, String value) throws IOException {
        ask("set " + key + " 0 0 " + value.length() + "\r\n" + value, 1);
    }

    @Override
    public void delete(String key) throws IOException {
        ask("delete " + key, 1);
    }
}
