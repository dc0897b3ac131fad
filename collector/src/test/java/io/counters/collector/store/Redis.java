package io.counters.collector.store;

import io.counters.testsupport.ServerProcess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A real Redis that keeps nothing on disk. */
final class Redis extends ServerProcess {
    private final List<String> options;

    Redis(String... options) throws IOException {
        this.options = List.of(options);
        start();
    }

    @Override
    protected List<String> command(int port) {
        List<String> command = new ArrayList<>(
                List.of("redis-server", "--bind", "127.0.0.1", "--save", "", "--port", String.valueOf(port)));
        command.addAll(options);
        return command;
    }

    @Override
    protected boolean answers() throws IOException {
        String answer = ask("PING", 1)[0];
        return answer.equals("+PONG") || answer.startsWith("-NOAUTH");
    }

    @Override
    public String get(String key) throws IOException {
        String[] answer = ask("GET " + key, 2);
        return answer[0].equals("$-1") ? "" : answer[1];
    }

    @Override
    public void set(String key, String value) throws IOException {
        ask("SET " + key + " " + value, 1);
    }

    @Override
    public void delete(String key) throws IOException {
        ask("DEL " + key, 1);
    }
}
