package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.settings.CommandErrors;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProxyCommandTest {
    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<ProxyIni> started = new ArrayList<>();

    private int run(String keys, String... args) {
        PrintStream said = new PrintStream(out, true, UTF_8);
        PrintStream complained = new PrintStream(err, true, UTF_8);
        return ProxyCommand.line(
                        1L << 30, new ByteArrayInputStream(keys.getBytes(UTF_8)), said, complained, started::add)
                .setOut(new PrintWriter(said, true, UTF_8))
                .setErr(new PrintWriter(complained, true, UTF_8))
                .setExecutionExceptionHandler(new CommandErrors(complained))
                .execute(args);
    }

    private String servers(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }

    private String proxy(String text) throws IOException {
        return Files.writeString(folder.resolve("proxy.conf"), text).toString();
    }

    @Test
    void a_file_without_errors_starts_the_proxy() throws Exception {
        String file = proxy("[statsite]\nservers = " + servers("s", "h:1\t1\n"));

        assertThat(run("", "-f", file)).isZero();

        assertThat(started)
                .singleElement()
                .satisfies(settings -> assertThat(settings.tcpPort()).isEqualTo(8150));
        assertThat(err.toString(UTF_8)).isEmpty();
    }

    @Test
    void check_starts_nothing() throws Exception {
        String file = proxy("[statsite]\nservers = " + servers("s", "h:1\t1\n"));

        assertThat(run("", "--check", "-f", file)).isZero();

        assertThat(started).isEmpty();
        assertThat(out.toString(UTF_8)).contains("have no errors; servers: 1");
    }

    @Test
    void check_exits_with_2_and_prints_every_error() throws Exception {
        String file = proxy("[statsite]\nport = x\nservers = " + servers("s", "h:1\n"));

        assertThat(run("", "--check", "-f", file)).isEqualTo(2);

        assertThat(err.toString(UTF_8).lines()).hasSize(2).allMatch(line -> line.startsWith("counters proxy: "));
    }

    @Test
    void a_missing_file_option_exits_with_2_and_prints_the_option() {
        assertThat(run("")).isEqualTo(2);

        assertThat(err.toString(UTF_8)).contains("-f FILE");
    }

    @Test
    void ring_prints_the_same_owners_as_statsite_proxy_and_the_shares() throws Exception {
        String file = servers("s", "10.0.0.1:8125\t900\nudp://10.0.0.2:8125\t300\n10.0.0.3:8125\t1500\n");
        List<String> table;
        try (var in = ProxyCommandTest.class.getResourceAsStream("keys-3w.tsv")) {
            table = new String(Objects.requireNonNull(in).readAllBytes(), UTF_8)
                    .lines()
                    .toList();
        }
        List<String> args = new ArrayList<>(List.of("ring", "-f", file));
        table.forEach(line -> args.add(line.split("\t", 2)[0]));

        assertThat(run("", args.toArray(String[]::new))).isZero();

        List<String> said = out.toString(UTF_8).replace("udp://", "").lines().toList();
        assertThat(said.subList(3, said.size())).containsExactlyElementsOf(table);
        assertThat(said.subList(0, 3)).allMatch(line -> line.endsWith(" %"));
        double sum = said.subList(0, 3).stream()
                .mapToDouble(line -> Double.parseDouble(line.replaceAll(".*\t| %", "")))
                .sum();
        assertThat(sum).isBetween(99.98, 100.02);
    }

    @Test
    void ring_also_prints_the_owner_of_a_name_in_canonical_form() throws Exception {
        String file = servers("s", "h:1\t1\nh:2\t1\n");

        assertThat(run("", "ring", "-f", file, "a,y=1,x=2")).isZero();

        assertThat(out.toString(UTF_8)).contains("a,y=1,x=2\th:").contains("a,x=2,y=1\th:");
    }

    @Test
    void ring_prints_the_owner_of_a_line_and_of_a_counter_with_tags_in_any_form() throws Exception {
        StringBuilder many = new StringBuilder();
        for (int i = 1; i <= 200; i++) {
            many.append("h:").append(i).append("\t1\n");
        }
        String file = servers("s", many.toString());
        String[] same = {
            "n,a=1,b=2",
            "n;b=2;a=1",
            "n#b=2,a=1",
            "n[b=2,a=1]",
            "n:1|c|#b:2,a:1",
            "n;pod=x;b=2;a=1:1|c",
            "increment n,b=2,a=1",
            "decrement n,a=1,b=2 3"
        };
        List<String> args = new ArrayList<>(List.of("ring", "-f", file, "--drop-tags", "pod"));
        args.addAll(List.of(same));
        args.addAll(List.of("n", "n:1|c", "n:1|g|#b:2,a:1"));

        assertThat(run("", args.toArray(String[]::new))).isZero();

        Map<String, String> owners = new HashMap<>();
        out.toString(UTF_8).lines().map(line -> line.split("\t")).forEach(parts -> owners.put(parts[0], parts[1]));
        assertThat(owners).containsKeys(same);
        assertThat(Arrays.stream(same).map(owners::get).distinct()).hasSize(1);
        assertThat(owners.get("n")).isNotEqualTo(owners.get(same[0]));
        assertThat(owners.get("n:1|c")).isEqualTo(owners.get("n"));
        assertThat(owners.get("n:1|g|#b:2,a:1")).isEqualTo(owners.get("n"));
    }

    @Test
    void diff_prints_the_share_that_moves_and_the_keys_that_move() throws Exception {
        String before = servers("a", "h:1\t1\nh:2\t1\nh:3\t1\n");
        String after = servers("b", "h:1\t1\nh:2\t1\n");
        StringBuilder keys = new StringBuilder();
        for (int i = 0; i < 3000; i++) {
            keys.append("key").append(i).append('\n');
        }

        assertThat(run(keys.toString(), "ring", "diff", before, after)).isZero();

        List<String> said = out.toString(UTF_8).lines().toList();
        double share = Double.parseDouble(said.get(0).replaceAll(" %.*", ""));
        assertThat(said.get(0)).endsWith(" % of all keys move");
        assertThat(said.subList(1, said.size())).allMatch(line -> line.matches("key\\d+\th:3\th:[12]"));
        assertThat((said.size() - 1) / 30.0).isBetween(share - 3, share + 3);
    }
}
