package io.counters.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A real collector.jar on free ports of the loopback address. */
final class Collector implements AutoCloseable {
    private static final Pattern COUNTER = Pattern.compile("\"name\": \"([^\"]+)\", \"value\": (-?\\d+)");

    private final Program program;
    private final String address;
    private final Web page;

    private Collector(Program program) throws IOException {
        this.program = program;
        String printed = String.join("\n", program.out());
        address = found("UDP (127\\.0\\.0\\.1:\\d+)", printed);
        page = new Web(Integer.parseInt(found("page: +http://127\\.0\\.0\\.1:(\\d+)/", printed)));
    }

    /** Starts a collector whose ledger is in this folder. */
    static Collector start(Path folder) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        Program program = Program.start(
                folder,
                Map.of(),
                List.of(
                        Program.java(),
                        "-Xmx128m",
                        "-jar",
                        System.getProperty("counters.collector"),
                        "--bind=127.0.0.1",
                        "--udp-port=0",
                        "--http-port=0",
                        "--data-dir=" + folder.resolve("ledger")));
        if (!program.await(() -> program.says("points: "))) {
            throw new IOException("the collector ended\n" + program);
        }
        return new Collector(program);
    }

    /** The address to which agents send. */
    String address() {
        return address;
    }

    /** All counters that are not 0, with their committed values. */
    SortedMap<String, Long> counters() throws IOException {
        SortedMap<String, Long> counters = new TreeMap<>();
        Matcher counter = COUNTER.matcher(page.get("/api/counters"));
        while (counter.find()) {
            counters.put(counter.group(1), Long.valueOf(counter.group(2)));
        }
        counters.values().removeIf(value -> value == 0);
        return counters;
    }

    private static String found(String regex, String text) throws IOException {
        Matcher matcher = Pattern.compile(regex).matcher(text);
        if (!matcher.find()) {
            throw new IOException("no " + regex + " in " + text);
        }
        return matcher.group(1);
    }

    @Override
    public void close() {
        program.close();
    }
}
