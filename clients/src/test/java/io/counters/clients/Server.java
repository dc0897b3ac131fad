package io.counters.clients;

import io.counters.testsupport.Ports;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A real collector.jar, as a collector or as a proxy, on free ports of the loopback address. */
final class Server implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final Pattern COUNTER = Pattern.compile("\"name\": \"([^\"]+)\", \"value\": (-?\\d+)");
    private static final Pattern NUMBER = Pattern.compile("(?m)^counters_(\\S+) (\\S+)$");

    private final Process process;
    private final Path output;
    private final int port;
    private final int httpPort;
    private final HttpClient web = HttpClient.newHttpClient();

    private Server(Path folder, List<String> arguments, int port, int httpPort)
            throws IOException, InterruptedException {
        this.port = port;
        this.httpPort = httpPort;
        output = folder.resolve("output");
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(List.of("-Xmx256m", "-jar", System.getProperty("counters.collector")));
        command.addAll(arguments);
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
        process = builder.start();
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        while (!printed().contains("127.0.0.1:" + port)) {
            if (process.waitFor(50, TimeUnit.MILLISECONDS) || System.nanoTime() - deadline > 0) {
                close();
                throw new IOException(command + " does not listen\n" + printed());
            }
        }
    }

    /** Starts a collector that also listens on a Unix datagram socket in its folder. */
    static Server collector(Path folder) throws IOException, InterruptedException {
        return collector(folder, Ports.reserve());
    }

    /** The same, on this port; with the ledger that an earlier one has left in the folder. */
    static Server collector(Path folder, int port) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        int httpPort = Ports.reserve();
        return new Server(
                folder,
                List.of(
                        "--bind=127.0.0.1",
                        "--udp-port=" + port,
                        "--http-port=" + httpPort,
                        "--data-dir=" + folder.resolve("ledger"),
                        "--unix=" + unixSocket(folder)),
                port,
                httpPort);
    }

    /** Starts a proxy in front of these collectors. */
    static Server proxy(Path folder, List<Server> collectors) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        int port = Ports.reserve();
        int httpPort = Ports.reserve();
        Path servers = Files.write(
                folder.resolve("servers.conf"),
                collectors.stream()
                        .map(server -> "127.0.0.1:" + server.port + "\t1")
                        .toList());
        Path ini = Files.writeString(folder.resolve("proxy.conf"), """
                [statsite-proxy]
                bind_address = 127.0.0.1
                port = %d
                udp_port = %d
                http_port = %d
                log_level = INFO
                servers = %s
                """.formatted(port, port, httpPort, servers));
        return new Server(folder, List.of("proxy", "-f", ini.toString()), port, httpPort);
    }

    /** The Unix socket of a collector that was started in this folder. */
    static Path unixSocket(Path folder) {
        return folder.resolve("socket");
    }

    /** The port on which it receives lines over UDP and TCP. */
    int port() {
        return port;
    }

    /** A collector's counters, with their committed values. */
    SortedMap<String, Long> counters() throws IOException, InterruptedException {
        SortedMap<String, Long> counters = new TreeMap<>();
        Matcher counter = COUNTER.matcher(read("api/counters"));
        while (counter.find()) {
            counters.put(counter.group(1), Long.valueOf(counter.group(2)));
        }
        return counters;
    }

    /** How many lines were rejected so far, by reason, and as {@code joined} an estimate of the counts in joined lines. */
    SortedMap<String, Long> rejected() throws IOException, InterruptedException {
        SortedMap<String, Long> rejected = new TreeMap<>();
        Matcher number = NUMBER.matcher(read("metrics"));
        while (number.find()) {
            if (number.group(1).matches("(intake_rejected_lines|proxy_rejected)_total\\{.*")) {
                rejected.put(number.group(1).replaceAll(".*\"(.*)\".*", "$1"), whole(number.group(2)));
            } else if (number.group(1).matches("(intake|proxy)_joined_counts_total")) {
                rejected.put("joined", whole(number.group(2)));
            }
        }
        rejected.values().removeIf(lines -> lines == 0);
        return rejected;
    }

    /** A number as Prometheus' library writes it, such as 200.0. */
    private static long whole(String number) {
        return new BigDecimal(number).longValueExact();
    }

    /** The sum of these servers' rejected lines, by reason. */
    static SortedMap<String, Long> rejected(Collection<Server> servers) throws IOException, InterruptedException {
        SortedMap<String, Long> sum = new TreeMap<>();
        for (Server server : servers) {
            server.rejected().forEach((reason, lines) -> sum.merge(reason, lines, Long::sum));
        }
        return sum;
    }

    private String read(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + "/" + path))
                .timeout(DEADLINE)
                .build();
        return web.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** Its output so far. */
    String printed() throws IOException {
        return Files.readString(output);
    }

    /** Ends it by SIGTERM, so that everything is committed. */
    void terminate() throws InterruptedException {
        process.destroy();
        process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }
}
