package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Program;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A {@link HonestService} under the agent, which signs what it sends. For one thread. */
final class HonestProcess implements AutoCloseable {
    private static final String KEY = "honest";
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final Pattern COUNTED = Pattern.compile("counted (\\d+)");
    private static final Pattern VALUE = Pattern.compile("\"value\": (-?\\d+)");

    private final String name;
    private final Program program;
    private int asked;
    private long counted;

    /**
     * Starts one; it counts soon.
     *
     * @param name of its counter
     * @param collector to which it sends, HOST:PORT
     * @param keys the file of {@link #keys}
     */
    HonestProcess(String name, String collector, Path keys) throws IOException {
        this.name = name;
        program = Program.java(List.of(
                "-javaagent:" + Jars.agent() + "=collector=" + collector + ",sweep=100ms,key=" + KEY + ":" + keys,
                "-cp",
                Path.of("target", "test-classes") + File.pathSeparator + Jars.shop(),
                HonestService.class.getName(),
                name));
    }

    /** Writes the file with the key of all of them into this folder, for {@code --keys}. */
    static Path keys(Path folder) throws IOException {
        Path keys = Files.writeString(folder.resolve("keys"), KEY + " " + "0123456789abcdef".repeat(4) + "\n");
        return Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rw-------"));
    }

    /** Waits until this collector has received so many of the signed datagrams. */
    static void awaitDatagrams(CollectorProgram collector, int more) {
        collector.awaitMetric("intake_signed_datagrams_total{key=\"" + KEY + "\"}", more);
    }

    String name() {
        return name;
    }

    /** How much it has counted so far, which is more than the last time; it pauses until {@link #goOn}. */
    long counted() throws IOException {
        program.tell("how much?");
        asked++;
        await("the count of " + name)
                .atMost(PATIENCE)
                .until(() -> program.output().stream().filter(this::isCount).count() == asked);
        Matcher last = COUNTED.matcher(program.output().get(program.output().size() - 1));
        assertThat(last.matches()).as(program::toString).isTrue();
        long now = Long.parseLong(last.group(1));
        assertThat(now).as("the count of " + name).isGreaterThan(counted);
        counted = now;
        return now;
    }

    private boolean isCount(String line) {
        return COUNTED.matcher(line).matches();
    }

    void goOn() throws IOException {
        program.tell("go on");
    }

    /** The value of its counter, as committed; 0 if the collector has no such counter. */
    long valueAt(CollectorProgram collector) throws IOException {
        Matcher value = VALUE.matcher(collector.get("/api/counters/" + name));
        return value.find() ? Long.parseLong(value.group(1)) : 0;
    }

    /** Waits until the collector's value is this one. */
    void awaitValue(CollectorProgram collector, long value, String when) {
        await(name + " is exact " + when)
                .atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(valueAt(collector)).as(collector::log).isEqualTo(value));
    }

    @Override
    public void close() {
        program.close();
    }
}
