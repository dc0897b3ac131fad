package io.counters.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A program that was started, and what it prints, in two files. {@link #close} kills it and all that it started. */
final class Program implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(2);

    /** What may be waited for. */
    interface Condition {
        boolean holds() throws IOException;
    }

    private final Process process;
    private final Path out;
    private final Path err;

    private Program(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /**
     * Starts one on the JDK of this JVM.
     *
     * @param folder where it works; it must exist
     * @param variables to add to its environment
     */
    static Program start(Path folder, Map<String, String> variables, List<String> command) throws IOException {
        Path out = Files.createTempFile(folder, "program", ".out");
        Path err = Files.createTempFile(folder, "program", ".err");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("JAVA_") || name.startsWith("JDK_"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(variables);
        return new Program(builder.start(), out, err);
    }

    /** The java of this JVM. */
    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** Asks it to end, with SIGTERM. */
    void terminate() {
        process.toHandle().destroy();
    }

    /** Waits for its end, and returns its exit status. */
    int awaitEnd() throws InterruptedException, IOException {
        if (!process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("it did not end within " + DEADLINE.toSeconds() + " s\n" + this);
        }
        return process.exitValue();
    }

    /** Waits until something is so; false when the program ended first. */
    boolean await(Condition condition) throws InterruptedException, IOException {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        while (!condition.holds()) {
            if (process.waitFor(100, TimeUnit.MILLISECONDS)) {
                return false;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("nothing after " + DEADLINE.toSeconds() + " s\n" + this);
            }
        }
        return true;
    }

    /** What it printed on its standard output so far. */
    List<String> out() throws IOException {
        return Files.readString(out).lines().toList();
    }

    /** Whether it printed this text, within a line of either stream, so far. */
    boolean says(String text) throws IOException {
        return Stream.concat(out().stream(), err().stream()).anyMatch(line -> line.contains(text));
    }

    /** What it printed on its standard error so far. */
    List<String> err() throws IOException {
        return Files.readString(err).lines().toList();
    }

    @Override
    public void close() {
        List<ProcessHandle> started = process.descendants().toList();
        process.destroyForcibly();
        started.forEach(ProcessHandle::destroyForcibly);
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    /** All that was printed, for a failing test's message. */
    @Override
    public String toString() {
        try {
            return process.info().commandLine().orElse("ended") + "\n--- out\n" + String.join("\n", out())
                    + "\n--- err\n" + String.join("\n", err());
        } catch (IOException unreadable) {
            return unreadable.toString();
        }
    }
}
