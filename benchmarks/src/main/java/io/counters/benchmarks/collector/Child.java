package io.counters.benchmarks.collector;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A child process, which ends with this process, and its CPU time. */
final class Child implements AutoCloseable {
    private static final int TICKS_A_SECOND = 100;
    private static final int END_SECONDS = 20;

    private final Process process;
    private final BufferedReader out;
    private final BufferedWriter in;

    private Child(Process process) {
        this.process = process;
        out = process.inputReader(US_ASCII);
        in = process.outputWriter(US_ASCII);
        // For the case that this program is ended from outside.
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
    }

    /** Starts a program; its stderr is shown. */
    static Child start(List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
        return new Child(builder.start());
    }

    /** Starts a Java program on this program's JDK. */
    static Child java(List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(jdk("java"));
        // A compiler's thread that ends would take its CPU time along; see steadyCpuSeconds.
        command.add("-XX:-UseDynamicNumberOfCompilerThreads");
        command.addAll(arguments);
        return start(command);
    }

    /** The path of a program of this JDK. */
    static String jdk(String name) {
        return Path.of(System.getProperty("java.home"), "bin", name).toString();
    }

    /** The next line that it prints; waits for it. */
    String line() throws IOException {
        String line = out.readLine();
        if (line == null) {
            throw new IOException(process.info().commandLine().orElse("a child process") + " ended too early");
        }
        return line;
    }

    /** The next line that it prints and that contains {@code part}. */
    String line(String part) throws IOException {
        String line = line();
        while (!line.contains(part)) {
            line = line();
        }
        return line;
    }

    /** Sends it an empty line, and waits for its answer. */
    String ask() throws IOException {
        in.newLine();
        in.flush();
        return line();
    }

    long pid() {
        return process.pid();
    }

    /** The CPU time of all its threads so far, user and system; the kernel counts it in hundredths. */
    double cpuSeconds() {
        return process.info().totalCpuDuration().map(Duration::toNanos).orElseThrow() / 1e9;
    }

    /**
     * The CPU time so far without that of the JVM's compilers, which on a busy machine are not done for minutes, and then
     * need nothing more.
     */
    double steadyCpuSeconds() throws IOException {
        double all = cpuSeconds();
        double compilers = cpuSeconds("C1 Comp") + cpuSeconds("C2 Comp");
        return Double.isNaN(compilers) ? all : all - compilers;
    }

    /**
     * The CPU time so far of its threads whose names begin so; NaN if the system has no /proc, or if there is no such
     * thread.
     */
    double cpuSeconds(String thread) throws IOException {
        Path tasks = Path.of("/proc", Long.toString(pid()), "task");
        if (!Files.isDirectory(tasks)) {
            return Double.NaN;
        }
        List<Path> all;
        try (Stream<Path> listed = Files.list(tasks)) {
            all = listed.toList();
        }
        double seconds = Double.NaN;
        for (Path task : all) {
            try {
                // "41 (counters-udp) S", then numbers; the 11th and the 12th number after the S are its ticks.
                String stat = Files.readString(task.resolve("stat"));
                if (stat.contains("(" + thread)) {
                    String[] behind = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
                    double here = (Long.parseLong(behind[11]) + Long.parseLong(behind[12])) / (double) TICKS_A_SECOND;
                    seconds = Double.isNaN(seconds) ? here : seconds + here;
                }
            } catch (NoSuchFileException ended) {
                // The threads that are measured do not end.
            }
        }
        return seconds;
    }

    /** The bytes that it has written to files and TCP connections so far; 0 if the system has no /proc. */
    long writtenBytes() throws IOException {
        Path io = Path.of("/proc", Long.toString(pid()), "io");
        return !Files.isReadable(io)
                ? 0
                : Files.readAllLines(io).stream()
                        .filter(line -> line.startsWith("wchar: "))
                        .mapToLong(line -> Long.parseLong(line.substring("wchar: ".length())))
                        .sum();
    }

    /** Sends SIGKILL, and waits for its end. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** Ends the process, and waits for its end. */
    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException hurried) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
