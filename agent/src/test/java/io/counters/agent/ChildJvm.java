package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.testsupport.DefaultSignals;
import io.counters.testsupport.PatientEnd;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A child JVM of the JDK that runs the test; {@link #await} ends it. */
final class ChildJvm {
    static final String AGENT = "-javaagent:" + System.getProperty("counters.jar");
    static final Path FIXTURES = Path.of("target", "test-classes");
    static final Path CORE = Path.of(System.getProperty("counters.core"));

    private static final long SECONDS_MAX = 60;

    private final Process process;
    private final Path out;
    private final Path err;

    private ChildJvm(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /** The exit status and the output of a JVM that has ended. */
    record Ended(int status, String out, String err) {
        Ended well() {
            assertThat(status).as(err).isZero();
            return this;
        }
    }

    /** Runs a main class under the agent, with these agent arguments, until it ends. */
    static Ended run(String agentArguments, List<Path> classPath, Class<?> main, String... options) throws Exception {
        List<String> all = new ArrayList<>(List.of(options));
        all.add(AGENT + "=" + agentArguments);
        return start(all, classPath, main.getName()).await();
    }

    /** Starts a main class with these options. It ends when its last sweep has been made. */
    static ChildJvm start(List<String> options, List<Path> classPath, String main, String... mains) throws IOException {
        // PatientEnd comes first: rules would count what Java does to start an agent after ours.
        List<String> arguments = new ArrayList<>(List.of(PatientEnd.option()));
        arguments.addAll(options);
        arguments.add("-cp");
        arguments.add(Stream.of(classPath)
                .flatMap(List::stream)
                .map(Path::toString)
                .collect(Collectors.joining(File.pathSeparator)));
        arguments.add(main);
        arguments.addAll(List.of(mains));
        return start("java", arguments, Map.of());
    }

    /** Starts a program of the JDK that runs the test, with these environment variables in addition to its own. */
    static ChildJvm start(String program, List<String> arguments, Map<String, String> environment) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", program).toString());
        if (program.equals("java")) {
            // It lives for seconds, and would spend them on compiling well.
            command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
            String hosts = System.getProperty("jdk.net.hosts.file");
            if (hosts != null) {
                // Names resolve as they do in this JVM: without a name server.
                command.add("-Djdk.net.hosts.file=" + hosts);
            }
        }
        command.addAll(arguments);
        Path out = Files.createTempFile("child", ".out");
        Path err = Files.createTempFile("child", ".err");
        ProcessBuilder builder = new ProcessBuilder(DefaultSignals.command("INT,TERM", command))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().putAll(environment);
        return new ChildJvm(builder.start(), out, err);
    }

    long pid() {
        return process.pid();
    }

    String outSoFar() throws IOException {
        return Files.readString(out);
    }

    String errSoFar() throws IOException {
        return Files.readString(err);
    }

    /** Writes a line to its stdin. */
    void tell(String line) throws IOException {
        process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.US_ASCII));
        process.getOutputStream().flush();
    }

    /** Sends it SIGTERM. Its stdin stays open, because closing it would end the program, too. */
    void end() {
        process.toHandle().destroy();
    }

    /** Closes its stdin. */
    ChildJvm hangUp() throws IOException {
        process.getOutputStream().close();
        return this;
    }

    Ended await() throws Exception {
        try {
            assertThat(process.waitFor(SECONDS_MAX, TimeUnit.SECONDS))
                    .as("it ends")
                    .isTrue();
            return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
        } finally {
            process.destroyForcibly();
            Files.delete(out);
            Files.delete(err);
        }
    }
}
