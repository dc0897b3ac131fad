package io.counters.benchmarks.collector;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The collector, started the way users start it: {@code java -Xmx512m -jar collector.jar}, on free ports of this machine.
 */
final class CollectorProcess implements Receiver {
    private static final int SETTLED_MILLIS = 150;
    private static final int POLL_MILLIS = 50;
    private static final int REST_MILLIS = 1000;
    private static final double RESTS_SECONDS = 0.1;
    private static final long WAIT_NANOS = 120_000_000_000L;
    private static final Pattern PORTS = Pattern.compile("UDP \\S+:(\\d+) and TCP \\S+:(\\d+);");
    private static final Pattern PAGE = Pattern.compile("page: +(http://\\S+)/");
    private static final Pattern OTLP = Pattern.compile("otlp: +(http://\\S+?/\\S+)");
    private static final Pattern NUMBER = Pattern.compile("counters_(\\S+) (\\S+)");
    private static final Pattern TOTAL = Pattern.compile("Total +\\d+ +(\\d+).*");

    private final HttpClient http = HttpClient.newHttpClient();
    private final Child child;
    private final String said;
    private final int udpPort;
    private final int tcpPort;
    private final URI metrics;
    private final double startSeconds;

    /** @param flags in addition to those for its folder and its ports */
    CollectorProcess(Path jar, Path folder, String... flags) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("-Xmx512m", "-jar", jar.toString()));
        arguments.addAll(List.of("--bind", "127.0.0.1", "--udp-port", "0", "--http-port", "0"));
        arguments.addAll(List.of("--data-dir", folder.toString(), "--new-names", "100%"));
        arguments.addAll(List.of(flags));
        long begun = System.nanoTime();
        child = Child.java(arguments);
        StringBuilder all = new StringBuilder(child.line("listens on"));
        for (String line = ""; !line.contains("points:"); ) {
            line = child.line();
            all.append('\n').append(line);
        }
        startSeconds = (System.nanoTime() - begun) / 1e9;
        said = all.toString();
        Matcher ports = found(PORTS, said);
        Matcher page = found(PAGE, said);
        udpPort = Integer.parseInt(ports.group(1));
        tcpPort = Integer.parseInt(ports.group(2));
        metrics = URI.create(page.group(1) + "/metrics");
    }

    private static Matcher found(Pattern pattern, String line) throws IOException {
        Matcher matcher = pattern.matcher(line);
        if (!matcher.find()) {
            throw new IOException("the collector printed \"" + line + "\"; expected was " + pattern);
        }
        return matcher;
    }

    @Override
    public int port() {
        return udpPort;
    }

    /** The address of its page. */
    URI page() {
        return metrics.resolve("/");
    }

    /** The address that takes requests of OTLP, which the flag {@code --otlp-port} has opened. */
    URI otlp() throws IOException {
        return URI.create(found(OTLP, said).group(1));
    }

    int tcpPort() {
        return tcpPort;
    }

    /** The time from the start of its process until it logged where it listens. */
    double startSeconds() {
        return startSeconds;
    }

    @Override
    public Child child() {
        return child;
    }

    /** Its current metrics, without the prefix {@code counters_}. */
    Map<String, Long> metrics() throws IOException, InterruptedException {
        String page = http.send(HttpRequest.newBuilder(metrics).build(), HttpResponse.BodyHandlers.ofString())
                .body();
        Map<String, Long> all = new HashMap<>();
        page.lines()
                .map(NUMBER::matcher)
                .filter(Matcher::matches)
                .forEach(line -> all.put(line.group(1), (long) Double.parseDouble(line.group(2))));
        return all;
    }

    /** The time of a complete answer of /metrics/counters, in OpenMetrics. */
    double counterMetricsSeconds() throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(metrics + "/counters"))
                .header("Accept", "application/openmetrics-text")
                .build();
        long begun = System.nanoTime();
        HttpResponse<Void> answer = http.send(request, HttpResponse.BodyHandlers.discarding());
        if (answer.statusCode() != 200) {
            throw new IOException(request.uri() + " answered " + answer.statusCode());
        }
        return (System.nanoTime() - begun) / 1e9;
    }

    /** One of {@link #metrics}; 0 if it has not been counted yet. */
    long metric(String name) throws IOException, InterruptedException {
        return metrics().getOrDefault(name, 0L);
    }

    /** Waits until its metrics meet a condition, for at most two minutes. */
    Map<String, Long> await(String what, Predicate<Map<String, Long>> isSo) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        while (System.nanoTime() - begun < WAIT_NANOS) {
            Map<String, Long> now = metrics();
            if (isSo.test(now)) {
                return now;
            }
            Thread.sleep(POLL_MILLIS);
        }
        throw new IOException("waited two minutes for " + what + "; the collector's metrics are " + metrics());
    }

    @Override
    public long datagrams() throws IOException, InterruptedException {
        return settled("intake_datagrams_total");
    }

    /** The number of lines that it has applied. Call this only while nothing is sent. */
    long lines() throws IOException, InterruptedException {
        return settled("ledger_applied_lines_total");
    }

    private long settled(String name) throws IOException, InterruptedException {
        long before = -1;
        for (long now = metric(name); now != before; now = metric(name)) {
            before = now;
            Thread.sleep(SETTLED_MILLIS);
        }
        return before;
    }

    /**
     * The bytes of all live objects on its heap, after a full GC. First waits until it has committed everything and is
     * idle.
     */
    long heapBytes() throws IOException, InterruptedException {
        double before = -RESTS_SECONDS;
        for (double now = child.cpuSeconds(); now - before >= RESTS_SECONDS; now = child.cpuSeconds()) {
            before = now;
            Thread.sleep(REST_MILLIS);
        }
        Process jcmd = new ProcessBuilder(Child.jdk("jcmd"), Long.toString(child.pid()), "GC.class_histogram")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(jcmd.getInputStream(), StandardCharsets.UTF_8))) {
            List<String> all = lines.lines().toList();
            return Long.parseLong(found(TOTAL, all.get(all.size() - 1)).group(1));
        }
    }
}
