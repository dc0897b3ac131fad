package stranger;

import static io.counters.junit.CountedAssert.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.counters.junit.Counted;
import io.counters.junit.CountersExtension;
import io.counters.micrometer.CountersMeterRegistry;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What a stranger does with the jars that are deployed. */
@ExtendWith(CountersExtension.class)
class StrangerTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Path PROGRAMS = Path.of(System.getProperty("programs"));
    private static final String VERSION = System.getProperty("counters");

    @TempDir
    Path data;

    @Test
    void a_woven_class_counts_and_a_test_sees_it(Counted counters) {
        new Orders().place(1);

        assertThat(counters).counted("orders.placed", 1);
    }

    @Test
    void micrometer_counts(Counted counters) {
        new CountersMeterRegistry().counter("orders.seen", "method", "card").increment(3);

        assertThat(counters).counted("orders.seen,method=card", 3);
    }

    @Test
    void the_starter_is_there_for_spring_boot() {
        assertTrue(getClass().getResource("/META-INF/spring/"
                        + "org.springframework.boot.autoconfigure.AutoConfiguration.imports")
                != null);
    }

    @Test
    void the_collector_names_the_file_of_its_couchbase_client() throws Exception {
        try (JarFile collector = new JarFile(program("collector").toFile())) {
            List<String> beside = List.of(collector
                    .getManifest()
                    .getMainAttributes()
                    .getValue(Attributes.Name.CLASS_PATH)
                    .split(" "));

            assertTrue(beside.stream().anyMatch(name -> Files.exists(PROGRAMS.resolve(name))), beside.toString());
        }
    }

    @Test
    void a_program_with_the_agent_counts_at_a_collector() throws Exception {
        Process collector = java(
                "-jar",
                program("collector").toString(),
                "--bind=127.0.0.1",
                "--udp-port=0",
                "--http-port=0",
                "--data-dir=" + data);
        try {
            String said = awaitLine(collector, "points:");
            String counts = found("UDP (127\\.0\\.0\\.1:\\d+)", said);
            String page = found("page: +(http://127\\.0\\.0\\.1:\\d+)/", said);

            Process shop = java(
                    "-javaagent:" + program("agent") + "=collector=" + counts,
                    "-cp",
                    System.getProperty("java.class.path"),
                    Shop.class.getName());
            assertTrue(shop.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
            assertEquals(0, shop.exitValue());

            HttpRequest all = HttpRequest.newBuilder(URI.create(page + "/api/counters")).build();
            await().atMost(PATIENCE)
                    .until(() -> HttpClient.newHttpClient().send(all, BodyHandlers.ofString()).body(), counters ->
                            counters.contains("\"name\": \"orders.placed\", \"value\": 10}")
                                    && counters.contains("\"name\": \"orders.shipped\", \"value\": 10}")
                                    && counters.contains("\"name\": \"orders.cents,currency=eur\", \"value\": 1999}"));
        } finally {
            collector.destroy();
            assertTrue(collector.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        }
    }

    private static Path program(String name) {
        return PROGRAMS.resolve("counters-" + name + "-" + VERSION + ".jar");
    }

    private static Process java(String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static String awaitLine(Process program, String text) throws Exception {
        StringBuilder said = new StringBuilder();
        BufferedReader out = new BufferedReader(new InputStreamReader(program.getInputStream()));
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            said.append(line).append('\n');
            if (line.contains(text)) {
                return said.toString();
            }
        }
        throw new AssertionError("it ended without \"" + text + "\":\n" + said);
    }

    private static String found(String pattern, String in) {
        Matcher matcher = Pattern.compile(pattern).matcher(in);
        assertTrue(matcher.find(), in);
        return matcher.group(1);
    }
}
