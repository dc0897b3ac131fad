package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.DefaultSignals;
import io.counters.testsupport.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** collector.jar in its own process, killed and ended, with a server that fails. Its stdout shows what was ticked. */
class PublishIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern TCP = Pattern.compile("TCP 127\\.0\\.0\\.1:(\\d+)");
    private static final Pattern PRINTED = Pattern.compile("put (\\S+) (\\d+) (-?\\d+) src=counters");
    private static final int COUNTERS = 3000;

    @TempDir
    Path folder;

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void close() throws InterruptedException {
        for (Process process : started) {
            process.destroyForcibly();
            process.waitFor(10, TimeUnit.SECONDS);
        }
    }

    private Path out(int number) {
        return folder.resolve("out" + number);
    }

    /** Starts a collector that ticks once a second; returns its TCP port. */
    private int start(String... more) throws IOException {
        Path out = out(started.size());
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-jar",
                Path.of("target", "collector.jar").toAbsolutePath().toString(),
                "--bind=127.0.0.1",
                "--udp-port=0",
                "--http-port=0",
                "--interval=1s",
                "--data-dir=" + folder.resolve("data")));
        command.addAll(List.of(more));
        Process process = new ProcessBuilder(DefaultSignals.command("HUP,INT,TERM", command))
                .redirectOutput(out.toFile())
                .redirectError(folder.resolve("err" + started.size()).toFile())
                .start();
        started.add(process);
        await().atMost(PATIENCE).until(() -> Files.readString(out).contains("points:") || !process.isAlive());
        Matcher tcp = TCP.matcher(Files.readString(out));
        assertThat(tcp.find()).as(Files.readString(out)).isTrue();
        return Integer.parseInt(tcp.group(1));
    }

    private static void count(int tcp, int from, int to) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = from; i < to; i++) {
            lines.append("increment c").append(i).append(' ').append(i + 1).append('\n');
        }
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), tcp)) {
            socket.getOutputStream().write(lines.toString().getBytes(UTF_8));
        }
    }

    /** The values in the complete lines that a collector printed, by second and name. */
    private NavigableMap<Long, Map<String, Long>> printed(int number) throws IOException {
        NavigableMap<Long, Map<String, Long>> ticks = new TreeMap<>();
        for (String line : Files.readAllLines(out(number))) {
            Matcher point = PRINTED.matcher(line);
            if (point.matches()) {
                ticks.computeIfAbsent(Long.valueOf(point.group(2)), second -> new TreeMap<>())
                        .put(point.group(1), Long.valueOf(point.group(3)));
            }
        }
        return ticks;
    }

    private static Map<String, Long> stored(Tsd tsd, long second) {
        Map<String, Long> points = new TreeMap<>();
        for (Tsd.Point point : tsd.stored.values()) {
            if (point.second() == second) {
                points.put(point.metric(), point.value());
            }
        }
        return points;
    }

    /** The ticks of which at least one point was sent. */
    private static SortedSet<Long> seconds(Tsd tsd) {
        SortedSet<Long> seconds = new TreeSet<>();
        tsd.puts.forEach(put -> put.points().forEach(point -> seconds.add(point.second())));
        return seconds;
    }

    private List<Path> spooled() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("data/spool/opentsdb"))) {
            return files.toList();
        }
    }

    @Test
    void a_kill_in_the_middle_of_a_tick_loses_none_of_its_points_and_a_dead_sink_affects_no_other() throws Exception {
        AtomicBoolean sick = new AtomicBoolean(true);
        // Some bodies of each tick are accepted and some are not.
        try (Tsd tsd = new Tsd(put -> sick.get() && put.json().hashCode() % 2 == 0 ? 503 : 204)) {
            String[] sinks = {
                "--opentsdb=" + tsd.address(),
                "--opentsdb-body=1k",
                "--sink=stdout,opentsdb:http://127.0.0.1:" + Ports.reserve()
            };
            int tcp = start(sinks);
            count(tcp, 0, COUNTERS);
            await().atMost(PATIENCE).until(() -> seconds(tsd).size() >= 2);
            count(tcp, 0, 10);
            long newest = seconds(tsd).last();
            await().atMost(PATIENCE).until(() -> seconds(tsd).last() > newest);
            started.get(0).destroyForcibly();
            assertThat(started.get(0).waitFor(10, TimeUnit.SECONDS)).isTrue();
            SortedSet<Long> attempted = seconds(tsd);
            assertThat(attempted)
                    .anySatisfy(second -> assertThat(stored(tsd, second).size()).isBetween(1, COUNTERS - 1));

            sick.set(false);
            tcp = start(sinks);
            count(tcp, 10, 20);
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(attempted)
                            .allSatisfy(
                                    second -> assertThat(stored(tsd, second)).hasSize(COUNTERS)));
            started.get(1).destroy();
            assertThat(started.get(1).waitFor(40, TimeUnit.SECONDS)).isTrue();
            // What a busy machine did not send before this end is sent by the next one.
            List<Path> left = spooled();
            start(sinks);
            await().atMost(PATIENCE).until(() -> left.stream().noneMatch(Files::exists));

            NavigableMap<Long, Map<String, Long>> first = printed(0);
            // When it was killed, its last tick may have been printed in part, and either sink may have been a tick
            // behind.
            long whole = Math.min(attempted.last(), first.lastKey());
            assertThat(first.headMap(whole).keySet()).containsAll(attempted.headSet(whole));
            NavigableMap<Long, Map<String, Long>> second = printed(1);
            assertThat(second).isNotEmpty();
            if (Files.readString(folder.resolve("err1")).contains("did not finish the last tick in time")) {
                second.pollLastEntry();
            }
            second.putAll(first.headMap(whole));
            second.forEach((tick, points) ->
                    assertThat(stored(tsd, tick)).as("second " + tick).isEqualTo(points));
            assertThat(tsd.conflicts).isEmpty();
            assertThat(Files.readString(folder.resolve("err0"))).contains("503", "cannot be reached");
            assertThat(Files.readString(folder.resolve("err1")))
                    .contains("sending the points that an earlier run left");
        }
    }
}
