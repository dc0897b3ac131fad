package io.counters.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A started program, whose output is kept in two files. {@link #close} kills it and everything that it started. */
final class Program implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(2);

    /** A condition to wait for. */
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
     * Starts a program on the JDK of this JVM.
     *
     * @param folder its working directory; it must exist
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

    /** The java command of this JVM. */
    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** Sends SIGTERM. */
    void terminate() {
        process.toHandle().destroy();
    }

    /** Waits until it ends, and returns its exit status. */
    int awaitEnd() throws InterruptedException, IOException {
        if (!process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("the program did not end within " + DEADLINE.toSeconds() + " s\n" + this);
        }
        return process.exitValue();
    }

    /** Waits until the condition is true; returns false if the program ended first. */
    boolean await(Condition condition) throws InterruptedException, IOException {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        while (!condition.holds()) {
            if (process.waitFor(100, TimeUnit.MILLISECONDS)) {
                return false;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("the condition was not met within " + DEADLINE.toSeconds() + " s\n" + this);
            }
        }
        return true;
    }

    /** The lines of its standard output so far. */
    List<String> out() throws IOException {
        return Files.readString(out).lines().toList();
    }

    /** Whether a line of either stream contains this text. */
    boolean says(String text) throws IOException {
        return Stream.concat(out().stream(), err().stream()).anyMatch(line -> line.contains(text));
    }

    /** The lines of its standard error so far. */
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

    /** All of its output, for the message of a failing test. */
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
