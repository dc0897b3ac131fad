package io.counters.testsupport;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A child process and its output. Keeps the last {@value #LINES_MAX} lines of each of its two streams. All methods may be
 * called from any thread. {@link #close} kills the process and all that it started.
 */
public final class Program implements AutoCloseable {
    private static final int LINES_MAX = 10_000;
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    private final List<String> command;
    private final Process process;
    private final Stream output = new Stream();
    private final Stream errors = new Stream();
    private final Thread outputReader;
    private final Thread errorReader;
    private int reading = 2;

    /** The last lines of a stream, and the number of lines before them. */
    private static final class Stream {
        final Deque<String> lines = new ArrayDeque<>();
        long forgotten;

        void add(String line) {
            if (lines.size() == LINES_MAX) {
                lines.removeFirst();
                forgotten++;
            }
            lines.add(line);
        }
    }

    /** A JVM that lives for seconds would spend them on compiling well; the options that a test gives come later, and win. */
    private static final List<String> SMALL = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto");

    private Program(ProcessBuilder builder) throws IOException {
        command = builder.command();
        process = builder.start();
        outputReader = reader(process.getInputStream(), output);
        errorReader = reader(process.getErrorStream(), errors);
    }

    /** Starts a program that is on the path. */
    public static Program start(List<String> command) throws IOException {
        return new Program(new ProcessBuilder(DefaultSignals.command("INT,TERM", command)));
    }

    /** Starts a program that is on the path. */
    public static Program start(String... command) throws IOException {
        return start(List.of(command));
    }

    /** Starts the {@code java} of this JVM, without options from the environment. */
    public static Program java(List<String> arguments) throws IOException {
        return java(Path.of(System.getProperty("java.home")), arguments);
    }

    /** Starts the {@code java} of this JVM, without options from the environment. */
    public static Program java(String... arguments) throws IOException {
        return java(List.of(arguments));
    }

    /** Starts the {@code java} of the JDK in this folder, without options from the environment. */
    public static Program java(Path jdk, List<String> arguments) throws IOException {
        return java(jdk, "INT,TERM", Map.of(), arguments);
    }

    /**
     * Starts the {@code java} of the JDK in this folder, without options from the environment.
     *
     * @param signals that it must not ignore
     * @param variables to add to its environment
     */
    static Program java(Path jdk, String signals, Map<String, String> variables, List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(jdk.resolve(Path.of("bin", "java")).toString());
        command.addAll(SMALL);
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(DefaultSignals.command(signals, command));
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
        builder.environment().putAll(variables);
        return new Program(builder);
    }

    public long pid() {
        return process.pid();
    }

    public boolean isRunning() {
        return process.isAlive();
    }

    /** All running processes that it, or its child processes, started. */
    public List<ProcessHandle> descendants() {
        return process.descendants().toList();
    }

    /** The lines of its standard output. */
    public List<String> output() {
        synchronized (output) {
            return List.copyOf(output.lines);
        }
    }

    /** The lines of its standard output after the first {@code lines} lines; these later lines must all still be kept. */
    public List<String> outputAfter(long lines) {
        return after(lines, output);
    }

    private List<String> after(long lines, Stream stream) {
        synchronized (output) {
            if (lines < stream.forgotten) {
                throw new IllegalStateException("lines " + lines + " to " + stream.forgotten + " are no longer kept");
            }
            return stream.lines.stream().skip(lines - stream.forgotten).toList();
        }
    }

    /** The lines of its standard error. */
    public List<String> errors() {
        synchronized (output) {
            return List.copyOf(errors.lines);
        }
    }

    /** How many lines it has written to its standard error so far. */
    public long errorLines() {
        synchronized (output) {
            return errors.forgotten + errors.lines.size();
        }
    }

    /** The lines of its standard error after the first {@code lines} lines; these later lines must all still be kept. */
    public List<String> errorsAfter(long lines) {
        return after(lines, errors);
    }

    /**
     * Waits up to 60 s for a line, on either stream, that contains the expression; returns the match in the first such
     * line.
     */
    public Matcher awaitLine(String regex) throws InterruptedException {
        return awaitLine(regex, DEADLINE);
    }

    /** As {@link #awaitLine(String)}, for programs that take longer. */
    public Matcher awaitLine(String regex, Duration atMost) throws InterruptedException {
        Pattern pattern = Pattern.compile(regex);
        long deadline = System.nanoTime() + atMost.toNanos();
        synchronized (output) {
            while (true) {
                for (Stream stream : List.of(output, errors)) {
                    for (String line : stream.lines) {
                        Matcher matcher = pattern.matcher(line);
                        if (matcher.find()) {
                            return matcher;
                        }
                    }
                }
                long leftMillis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (reading == 0 || leftMillis <= 0) {
                    throw new AssertionError("no line with \"" + regex + "\" " + this);
                }
                output.wait(leftMillis);
            }
        }
    }

    /** Waits up to 60 s for its end, then up to 10 s for its last lines, and returns its exit status. */
    public int awaitEnd() throws InterruptedException {
        return awaitEnd(DEADLINE);
    }

    /** As {@link #awaitEnd()}, for programs that must end sooner or may take longer. */
    public int awaitEnd(Duration atMost) throws InterruptedException {
        if (!process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new AssertionError("it did not end within " + atMost.toSeconds() + " s " + this);
        }
        // A child process of it may keep the streams open.
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        outputReader.join(10_000);
        errorReader.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime())));
        return process.exitValue();
    }

    /** Writes a line to its standard input. */
    public void tell(String line) throws IOException {
        OutputStream input = process.getOutputStream();
        input.write((line + "\n").getBytes(UTF_8));
        input.flush();
    }

    /** Sends SIGTERM. */
    public void terminate() {
        // Process.destroy() would close the streams, and its last lines would be lost.
        process.toHandle().destroy();
    }

    /** Sends SIGTERM, and returns the exit status, which is 143 if the signal ended it. */
    public int stop() throws InterruptedException {
        terminate();
        return awaitEnd();
    }

    /** Sends it a signal, such as {@code INT}. */
    public void signal(String name) throws IOException, InterruptedException {
        try (Program kill = start("kill", "-" + name, Long.toString(pid()))) {
            kill.awaitEnd();
        }
    }

    /** Sends SIGKILL, and waits for the end. */
    public void kill() throws InterruptedException {
        process.toHandle().destroyForcibly();
        awaitEnd();
    }

    @Override
    public void close() {
        List<ProcessHandle> started = descendants();
        process.destroyForcibly();
        started.forEach(ProcessHandle::destroyForcibly);
        try {
            awaitEnd();
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    /** The command, its state and its output, for the message of a failing test. */
    @Override
    public String toString() {
        return command
                + (isRunning() ? " runs" : " ended with " + process.exitValue())
                + "\n--- output\n" + String.join("\n", output())
                + "\n--- errors\n" + String.join("\n", errors());
    }

    private Thread reader(InputStream in, Stream stream) {
        Thread thread = new Thread(() -> read(in, stream), "program-reader-" + process.pid());
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void read(InputStream in, Stream stream) {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(in, UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                synchronized (output) {
                    stream.add(line);
                    output.notifyAll();
                }
            }
        } catch (IOException closed) {
            // The program has ended.
        } finally {
            synchronized (output) {
                reading--;
                output.notifyAll();
            }
        }
    }
}
