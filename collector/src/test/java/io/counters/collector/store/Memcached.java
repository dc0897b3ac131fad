package io.counters.collector.store;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A real memcached. */
final class Memcached extends ServerProcess {
    private final List<String> options;
    private final Map<String, String> environment;

    /** With 64 MB and further options. */
    Memcached(String... options) throws IOException {
        this(Map.of(), options);
    }

    Memcached(Map<String, String> environment, String... options) throws IOException {
        this.environment = environment;
        this.options = List.of(options);
        start();
    }

    @Override
    Map<String, String> environment() {
        return environment;
    }

    @Override
    List<String> command(int port) {
        List<String> command = new ArrayList<>(
                List.of("memcached", "-l", "127.0.0.1", "-U", "0", "-m", "64", "-p", String.valueOf(port)));
        if (System.getProperty("user.name").equals("root")) {
            command.addAll(List.of("-u", "root"));
        }
        command.addAll(options);
        return command;
    }

    @Override
    boolean answers() throws IOException {
        if (options.contains("-S")) {
            // With SASL it does not support the text protocol.
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port())) {
                return socket.isConnected();
            }
        }
        return ask("version", 1)[0].startsWith("VERSION");
    }

    @Override
    String get(String key) throws IOException {
        String[] answer = ask("get " + key, 2);
        return answer[0].startsWith("VALUE") ? answer[1] : "";
    }

    @Override
    void set(String key, String value) throws IOException {
        ask("set " + key + " 0 0 " + value.length() + "\r\n" + value, 1);
    }

    @Override
    void delete(String key) throws IOException {
        ask("delete " + key, 1);
    }
}
