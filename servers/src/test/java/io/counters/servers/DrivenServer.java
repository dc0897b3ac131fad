package io.counters.servers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real server that is run twice, in the way its users do: without the agent, to record its normal output and exit
 * statuses, and with the agent, which must count exactly and change nothing else.
 */
abstract class DrivenServer {
    static final int REQUESTS = 3;

    private static final Pattern TROUBLE = Pattern.compile("(?i)warn|error|severe|fatal|exception|LogManager");

    /** Replaces the agent's option in the run without it; it is the JVM's default. */
    private static final String NO_AGENT = "-Xshare:auto";

    @TempDir
    private Path folder;

    private final List<Program> programs = new ArrayList<>();

    /** One run of the server: the exit statuses of its programs, their output, and what was logged to files. */
    private record Life(List<Integer> exits, List<String> out, List<String> err, List<String> logs) {}

    /**
     * Starts the server in the foreground, on ports of the loopback address.
     *
     * @param base a separate folder
     * @param options for every JVM that it starts, and for those that stop it
     */
    abstract Program start(Path base, List<String> options) throws Exception;

    /** Whether the server accepts requests; the check itself must not count. */
    abstract boolean isReady(Program server) throws IOException;

    /** Sends a request, numbered from 0. */
    abstract void request(int number) throws Exception;

    /** Stops the server. */
    abstract void stop(Program server, Path base, List<String> options) throws Exception;

    /** The agent's rules; empty for none. */
    String rules() {
        return "";
    }

    /** All counters that must be counted after {@value #REQUESTS} requests and the server's end. */
    abstract Map<String, Long> expected();

    /** The files that it logs to. */
    abstract List<Path> logs(Path base) throws IOException;

    /** Texts that its output must contain, as often as without the agent. */
    List<String> landmarks() {
        return List.of();
    }

    /** The options of its JVMs, including the agent's. */
    List<String> options(String agent) throws IOException {
        return List.of(agent);
    }

    @Test
    void the_agent_counts_exactly_and_changes_nothing_else() throws Exception {
        Life plain = live("plain", options(NO_AGENT));

        Life counted;
        try (Collector collector = Collector.start(folder.resolve("collector"))) {
            counted = live("counted", options(agent(collector)));

            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(collector.counters()).isEqualTo(expected()));
        }

        assertThat(counted.exits).isEqualTo(plain.exits);
        assertThat(counted.out).noneMatch(DrivenServer::isOurs);
        assertThat(counted.err.stream().filter(DrivenServer::isOurs))
                .isNotEmpty()
                .allMatch(line -> line.startsWith("counters: agent "));
        for (String landmark : landmarks()) {
            assertThat(saying(landmark, counted))
                    .as(landmark)
                    .isEqualTo(saying(landmark, plain))
                    .isPositive();
        }
        assertSameLogging(counted.out, plain.out);
        assertSameLogging(counted.err, plain.err);
        assertSameLogging(counted.logs, plain.logs);
    }

    private String agent(Collector collector) {
        return "-javaagent:" + System.getProperty("counters.agent") + "=collector=" + collector.address()
                + (rules().isEmpty() ? "" : ",methods=" + rules());
    }

    private Life live(String name, List<String> options) throws Exception {
        Path base = Files.createDirectories(folder.resolve(name));
        programs.clear();
        try {
            Program server = start(base, options);
            boolean ready = server.await(() -> isReady(server));
            assertThat(ready).as("the server is ready\n%s", server).isTrue();
            for (int i = 0; i < REQUESTS; i++) {
                request(i);
            }
            stop(server, base, options);
            Life life = new Life(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
            for (Program program : programs) {
                life.exits.add(program.awaitEnd());
                life.out.addAll(program.out());
                life.err.addAll(program.err());
            }
            for (Path log : logs(base)) {
                life.logs.addAll(Files.readString(log).lines().toList());
            }
            for (List<String> lines : List.of(life.out, life.err, life.logs)) {
                lines.replaceAll(line -> line.replace(base.toString(), "BASE"));
            }
            return life;
        } finally {
            programs.forEach(Program::close);
        }
    }

    /** Starts one of the server's programs. */
    final Program begin(Path base, Map<String, String> variables, List<String> command) throws IOException {
        Program program = Program.start(base, variables, command);
        programs.add(program);
        return program;
    }

    private static long saying(String text, Life life) {
        return Stream.concat(life.out.stream(), life.err.stream())
                .filter(line -> line.contains(text))
                .count();
    }

    /** Whether a line is from or about our agent; not if a server only prints its command line. */
    private static boolean isOurs(String line) {
        return line.contains("counters") && !line.contains("-javaagent:");
    }

    /**
     * Checks that the counted run logged no other problems than the plain one. Some of the other lines depend on races.
     */
    private static void assertSameLogging(List<String> counted, List<String> plain) {
        Set<String> more = shapes(counted);
        more.removeAll(shapes(plain));
        // Jetty's stop program prints this if the server's answer arrives before its end: a race even without the
        // agent.
        more.removeIf(line -> line.contains("Server reports itself as Stopped"));
        Set<String> less = shapes(plain);
        less.removeAll(shapes(counted));
        assertThat(more.stream().filter(line -> TROUBLE.matcher(line).find()))
                .as("problems that are logged only with the agent")
                .isEmpty();
        assertThat(less.size())
                .as("lines that are logged only without the agent: %s", less)
                .isLessThanOrEqualTo(shapes(plain).size() / 10);
    }

    /** The lines without those of our agent, and without what differs between any two runs. */
    private static Set<String> shapes(List<String> lines) {
        return lines.stream()
                .filter(line -> !isOurs(line))
                .map(line -> line.replaceAll("-javaagent:[^ ]*counters.jar[^ ]*", NO_AGENT))
                .map(line -> line.replaceAll("[0-9a-f]*[0-9][0-9a-f]*", "0").strip())
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
