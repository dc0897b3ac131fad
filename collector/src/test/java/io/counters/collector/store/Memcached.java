package io.counters.collector.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A real memcached. */
final class Memcached extends ServerProcess {
    private final List<String> options;

    /** With 64 MB, and further options. */
    Memcached(String... options) throws IOException {
        this.options = List.of(options);
        start();
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
        // One that wants a login answers with an error, which says as much.
        return !ask("version", 1)[0].isEmpty();
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
