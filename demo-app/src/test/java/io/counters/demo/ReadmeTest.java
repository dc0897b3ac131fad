package io.counters.demo;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.Counters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds the README to the code. */
class ReadmeTest {
    private static final Path ROOT = Path.of("..");

    @Test
    void the_api_sends_without_an_agent() throws Exception {
        try (DatagramSocket collector = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            collector.setSoTimeout(10_000);
            Counters.increment("readme.read");

            AutoCloseable sending = Counters.start("127.0.0.1:" + collector.getLocalPort());

            DatagramPacket first = new DatagramPacket(new byte[2000], 2000);
            collector.receive(first);
            assertThat(new String(first.getData(), 0, first.getLength(), US_ASCII))
                    .containsPattern("from [0-9a-f]{24} \\d+ 1\n")
                    .contains("increment readme.read 1 1\n");
            sending.close();
        }
    }

    @Test
    void every_java_example_is_a_piece_of_code_that_runs() throws IOException {
        String code = squeezed(String.join("\n", sources()));
        Matcher example = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(readme());

        int examples = 0;
        for (; example.find(); examples++) {
            assertThat(code).contains(squeezed(example.group(1)));
        }

        assertThat(examples).isGreaterThanOrEqualTo(5);
    }

    @Test
    void every_setting_of_agent_and_collector_has_its_row() throws IOException {
        String readme = readme();
        String key = Files.readString(ROOT.resolve("agent/src/main/java/io/counters/agent/settings/Key.java"));
        String setting =
                Files.readString(ROOT.resolve("collector/src/main/java/io/counters/collector/settings/Setting.java"));

        List<String> keys = Pattern.compile("^    ([A-Z_]+)(?:\\(.*\\))?[,;]$", Pattern.MULTILINE)
                .matcher(key)
                .results()
                .map(match -> "\n| `"
                        + Pattern.compile("_([a-z])")
                                .matcher(match.group(1).toLowerCase(java.util.Locale.ROOT))
                                .replaceAll(letter -> letter.group(1).toUpperCase(java.util.Locale.ROOT))
                        + "` |")
                .toList();
        List<String> flags = Pattern.compile("^    ([A-Z_]+)\\(\\s*\"(.*?)\",(?!.*true\\))", Pattern.MULTILINE)
                .matcher(setting)
                .results()
                .map(match -> "\n| `--"
                        + match.group(1).toLowerCase(java.util.Locale.ROOT).replace('_', '-') + "` | "
                        + (match.group(2).isEmpty() ? "" : "`" + match.group(2) + "`"))
                .toList();

        assertThat(keys).hasSizeGreaterThan(8).allMatch(readme::contains);
        assertThat(flags).hasSizeGreaterThan(8).allMatch(readme::contains);
    }

    private static String readme() throws IOException {
        return Files.readString(ROOT.resolve("README.md"));
    }

    private static List<String> sources() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src"))) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .map(ReadmeTest::read)
                    .toList();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static String squeezed(String code) {
        return code.replaceAll("\\s+", " ").strip();
    }
}
