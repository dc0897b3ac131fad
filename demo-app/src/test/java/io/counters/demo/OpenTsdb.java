package io.counters.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * A real OpenTSDB on a real HBase: two JVMs of the module {@code opentsdb}, on loopback ports. They end with the JVM that
 * started them, even if that is killed.
 */
final class OpenTsdb implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final Pattern SERIES = Pattern.compile(
            "\\{\"metric\":\"([^\"]+)\",\"tags\":\\{([^}]*)},\"aggregateTags\":\\[],\"dps\":\\{([^}]*)}}");
    private static final Pattern POINT = Pattern.compile("\"(\\d+)\":(-?\\d+)");

    private final Path built;
    private final Path jdk;
    private final Path settings;
    private final int port = Ports.reserve();
    private final Program hbase;
    private final HttpClient web =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private Program tsd;

    private OpenTsdb(Path built, Path jdk, Path folder, List<String> set) throws IOException, InterruptedException {
        this.built = built;
        this.jdk = jdk;
        hbase = java(
                "-Xmx768m",
                "io.counters.opentsdb.HBase",
                folder.resolve("hbase").toString());
        try {
            List<String> lines = new ArrayList<>(List.of(
                    "tsd.network.port = " + port,
                    "tsd.network.bind = 127.0.0.1",
                    "tsd.core.auto_create_metrics = true",
                    "tsd.http.staticroot = " + Files.createDirectories(folder.resolve("static")),
                    "tsd.http.cachedir = " + Files.createDirectories(folder.resolve("cache")),
                    "tsd.storage.hbase.zk_quorum = "
                            + hbase.awaitLine("^zookeeper (.*)$", DEADLINE).group(1)));
            lines.addAll(set);
            settings = Files.write(folder.resolve("opentsdb.conf"), lines);
            tsd = tsd();
        } catch (AssertionError | Exception notReady) {
            hbase.close();
            throw notReady;
        }
    }

    /**
     * Starts one on free ports, and waits until it has stored a point. Skips the test if the build has left it out, or if
     * there is no JDK on which it runs.
     *
     * @param folder an empty folder for its data
     * @param set settings of the TSD, each as {@code key = value}
     */
    static OpenTsdb start(Path folder, String... set) throws IOException, InterruptedException {
        String built = System.getProperty("counters.opentsdb");
        Assumptions.assumeTrue(
                built != null,
                "OpenTSDB and HBase are only fetched in the profile opentsdb; run with -Popentsdb, as bin/test does");
        OpenTsdb started = new OpenTsdb(Path.of(Objects.requireNonNull(built)), jdk(), folder, List.of(set));
        started.awaitReady();
        return started;
    }

    /** A JDK on which HBase runs: the one in {@code -Dopentsdb.jdk}, this JVM's own, or any in Debian's folder. */
    private static Path jdk() throws IOException {
        List<Path> candidates = new ArrayList<>();
        String named = System.getProperty("opentsdb.jdk");
        if (named != null) {
            candidates.add(Path.of(named));
        }
        candidates.add(Path.of(System.getProperty("java.home")));
        Path installed = Path.of("/usr/lib/jvm");
        if (Files.isDirectory(installed)) {
            try (Stream<Path> folders = Files.list(installed)) {
                folders.sorted().forEach(candidates::add);
            }
        }
        for (Path candidate : candidates) {
            Path release = candidate.resolve("release");
            if (Files.isRegularFile(release) && Files.isExecutable(candidate.resolve(Path.of("bin", "java")))) {
                Matcher version = Pattern.compile("JAVA_VERSION=\"(\\d+)").matcher(Files.readString(release));
                int number = version.find() ? Integer.parseInt(version.group(1)) : 0;
                if (number >= 11 && number <= 23) {
                    return candidate;
                }
            }
        }
        return Assumptions.abort("HBase runs on JDK 11 to 23, and none of " + candidates
                + " is one; give one with -Dopentsdb.jdk=FOLDER");
    }

    private Program java(String heap, String main, String argument) throws IOException {
        // It runs for a short time on a busy machine, so a fast start is more important than speed later.
        return Program.java(
                jdk,
                List.of(
                        heap,
                        "-XX:+ExitOnOutOfMemoryError",
                        "--add-opens=java.base/java.lang=ALL-UNNAMED",
                        "--add-opens=java.base/java.nio=ALL-UNNAMED",
                        "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                        "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                        "-Dorg.slf4j.simpleLogger.log.net.opentsdb.tsd=error",
                        "-cp",
                        built.resolve("classes") + File.pathSeparator + Files.readString(built.resolve("class-path")),
                        "io.counters.opentsdb.Leash",
                        main,
                        argument));
    }

    private Program tsd() throws IOException {
        return java("-Xmx512m", "net.opentsdb.tools.TSDMain", "--config=" + settings);
    }

    /** Waits until a point was written to HBase and read back. */
    private void awaitReady() {
        long second = Instant.now().getEpochSecond();
        try {
            await("OpenTSDB stores a point")
                    .atMost(DEADLINE)
                    .ignoreExceptionsInstanceOf(IOException.class)
                    .failFast("HBase or the TSD ended", () -> !hbase.isRunning() || !tsd.isRunning())
                    .untilAsserted(() -> {
                        HttpResponse<String> answer = put("?sync", point("opentsdb.ready", second, "1"));
                        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(204);
                        assertThat(points("opentsdb.ready", second, second)).isNotEmpty();
                    });
        } catch (RuntimeException notReady) {
            String printed = "\n" + hbase + "\n" + tsd;
            close();
            throw new AssertionError(notReady.getMessage() + printed, notReady);
        }
    }

    /** A point's JSON, with the tag {@code src=test}. */
    static String point(String metric, long second, String value) {
        return String.format(
                "[{\"metric\":\"%s\",\"timestamp\":%d,\"value\":%s,\"tags\":{\"src\":\"test\"}}]",
                metric, second, value);
    }

    /** The address for the collector's {@code --opentsdb}; {@code /api/put} there accepts points. */
    String address() {
        return "http://127.0.0.1:" + port;
    }

    int port() {
        return port;
    }

    /** Puts points. */
    HttpResponse<String> put(String parameters, String json) throws IOException, InterruptedException {
        return web.send(
                request("api/put" + parameters)
                        .POST(HttpRequest.BodyPublishers.ofString(json))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** Gives names their numbers in this order, by which series are sorted; {@code tagk=host,method} for example. */
    void assign(String names) throws IOException, InterruptedException {
        HttpResponse<String> answer =
                web.send(request("api/uid/assign?" + names).build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException("/api/uid/assign answers " + answer.statusCode() + ": " + answer.body());
        }
    }

    /** Queries all points of a metric, by series, like a program that draws graphs. */
    HttpResponse<String> query(String metric, long first, long last) throws IOException, InterruptedException {
        return web.send(
                request("api/query?start=" + first + "&end=" + (last + 1) + "&m="
                                + URLEncoder.encode("none:" + metric, UTF_8))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /**
     * The points of a metric within these seconds, by series, such as {@code payments.tried,method=card,src=counters}.
     *
     * @throws IOException if the query fails, or if the answer is not a list of series with a whole number for each second
     */
    Map<String, NavigableMap<Long, Long>> points(String metric, long first, long last)
            throws IOException, InterruptedException {
        HttpResponse<String> answer = query(metric, first, last);
        if (answer.statusCode() != 200) {
            throw new IOException(
                    "the answer to a query of " + metric + " is " + answer.statusCode() + ": " + answer.body());
        }
        Map<String, NavigableMap<Long, Long>> series = new TreeMap<>();
        Matcher one = SERIES.matcher(answer.body());
        int end = 1;
        while (one.find()) {
            String tags = Stream.of(
                            one.group(2).replace("\"", "").replace(':', '=').split(","))
                    .sorted()
                    .reduce(one.group(1), (name, tag) -> name + "," + tag);
            NavigableMap<Long, Long> points = new TreeMap<>();
            Matcher point = POINT.matcher(one.group(3));
            int pointsEnd = 0;
            while (point.find()) {
                long second = Long.parseLong(point.group(1));
                Long twice = points.put(second, Long.valueOf(point.group(2)));
                check(twice == null, tags + " contains second " + second + " twice", one.group());
                pointsEnd = point.end() + 1;
            }
            check(
                    pointsEnd >= one.group(3).length(),
                    tags + " contains a value that is not a whole number",
                    one.group());
            points.headMap(first, false).clear();
            points.tailMap(last, false).clear();
            check(series.put(tags, points) == null, tags + " appears twice", answer.body());
            end = one.end() + 1;
        }
        check(end >= answer.body().length() - 1, "the answer contains more than series", answer.body());
        return series;
    }

    private static void check(boolean right, String what, String text) throws IOException {
        if (!right) {
            throw new IOException(what + ": " + text.substring(0, Math.min(text.length(), 2000)));
        }
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(address() + "/" + path)).timeout(Duration.ofSeconds(20));
    }

    /** Lets HBase hang for this time, even if this JVM ends before: it keeps its connections and answers nothing. */
    Program hangHBase(Duration time) throws IOException {
        String pid = Long.toString(hbase.pid());
        return Program.start(
                "sh", "-c", "kill -STOP $0; sleep $1; kill -CONT $0", pid, Long.toString(time.toSeconds()));
    }

    /** Kills the TSD with SIGKILL; HBase keeps running. */
    void killTsd() throws InterruptedException {
        tsd.kill();
    }

    /** Starts the TSD that was killed, and waits until it answers. */
    void startTsd() throws IOException {
        tsd = tsd();
        awaitReady();
    }

    /** The output of both, for the message of a failing test. */
    @Override
    public String toString() {
        return hbase + "\n" + tsd;
    }

    @Override
    public void close() {
        tsd.close();
        hbase.close();
    }
}
