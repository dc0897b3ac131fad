package io.counters.collector;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.supervisor.Supervisor;
import io.counters.testsupport.Ports;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands, by the program's own command line, against a running collector. docs/commands.md shows their output. */
@Tag("slow")
class CommandsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b";

    @TempDir
    Path folder;

    private final List<Collector> started = new ArrayList<>();
    private Collector collector;

    @BeforeEach
    void start() throws Exception {
        collector = collector("one");
    }

    @AfterEach
    void close() {
        started.forEach(Collector::close);
    }

    private Collector collector(String name) throws Exception {
        Collector fresh = new Collector(
                new Settings(
                        Map.of(
                                CollectorFlag.BIND, "127.0.0.1",
                                CollectorFlag.UDP_PORT, "0",
                                CollectorFlag.HTTP_PORT, "0",
                                CollectorFlag.DATA_DIR, folder.resolve(name).toString()),
                        Map.of()),
                Supervisor.none(),
                new PrintStream(OutputStream.nullOutputStream()));
        started.add(fresh);
        return fresh;
    }

    /** One run of a command, which may still be running. */
    private static final class Run {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final ByteArrayOutputStream err = new ByteArrayOutputStream();
        private final CompletableFuture<Integer> status;

        Run(String... args) {
            status = CompletableFuture.supplyAsync(() ->
                    Main.run(args, Map.of(), new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8)));
        }

        int status() throws Exception {
            return status.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }

        String out() {
            return out.toString(UTF_8);
        }

        String err() {
            return err.toString(UTF_8);
        }

        Run awaitErr(String text) {
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(err()).contains(text));
            return this;
        }
    }

    /** Runs a command against a collector; the arguments that follow its name come last. */
    private static Run at(Collector which, String command, String... args) {
        List<String> all = new ArrayList<>(List.of(
                command, "--at", "http://127.0.0.1:" + which.httpAddress().getPort()));
        all.addAll(List.of(args));
        return new Run(all.toArray(String[]::new));
    }

    private Run run(String command, String... args) {
        return at(collector, command, args);
    }

    private void datagram(String text) throws IOException {
        byte[] bytes = text.getBytes(ISO_8859_1);
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.send(new DatagramPacket(
                    bytes,
                    bytes.length,
                    InetAddress.getLoopbackAddress(),
                    collector.udpAddress().getPort()));
        }
    }

    private void awaitCounters(Collector which, String lines) {
        await().atMost(PATIENCE).untilAsserted(() -> {
            Run get = at(which, "get", "*");
            get.status();
            assertThat(get.out()).isEqualTo(lines);
        });
    }

    @Test
    void get_prints_values_in_the_order_of_the_names() throws Exception {
        datagram("increment orders.placed 17\nincrement stock,sku=7 2\ndecrement stock,sku=8 5");
        awaitCounters(collector, "orders.placed 17\nstock,sku=7 2\nstock,sku=8 -5\n");

        Run get = run("get", "stock,sku=8", "orders.placed");

        assertThat(get.status()).isZero();
        assertThat(get.out()).isEqualTo("stock,sku=8 -5\norders.placed 17\n");
        assertThat(get.err()).isEmpty();
    }

    @Test
    void get_takes_patterns_and_prints_json() throws Exception {
        datagram("increment a/b,x=1\nincrement a.c\nincrement b\ndecrement b");
        awaitCounters(collector, "a.c 1\na/b,x=1 1\nb 0\n");

        Run get = run("get", "--json", "?/*");
        assertThat(get.status()).isZero();
        assertThat(get.out()).isEqualTo("{\"counters\":[{\"name\":\"a/b,x=1\",\"value\":1}]}\n");

        Run none = run("get", "c*", "b");
        assertThat(none.status()).isEqualTo(1);
        assertThat(none.out()).isEqualTo("b 0\n");
        assertThat(none.err()).isEqualTo("counters get: no counter matches c*\n");
    }

    @Test
    void an_unknown_counter_exits_with_1_and_names_similar_ones() throws Exception {
        datagram("increment orders.placed 17");
        awaitCounters(collector, "orders.placed 17\n");

        Run get = run("get", "orders.place", "orders.placed");

        assertThat(get.status()).isEqualTo(1);
        assertThat(get.out()).isEqualTo("orders.placed 17\n");
        assertThat(get.err())
                .isEqualTo("counters get: there is no counter orders.place here; similar names: orders.placed;"
                        + " get '*PART*' lists names\n");
    }

    @Test
    void rm_prints_what_it_did_and_repeated_totals_count_nothing() throws Exception {
        datagram(S1 + " 1000 1\nincrement typo 5 5\nincrement kept");
        awaitCounters(collector, "kept 1\ntypo 5\n");

        Run rm = run("rm", "typo", "nowhere");
        assertThat(rm.status()).isEqualTo(1);
        assertThat(rm.out()).isEqualTo("removed typo: its value was 5 and is now 0; watermarks that stay: 1\n");
        assertThat(rm.err()).contains("counters rm: there is no counter nowhere here");

        datagram(S1 + " 2000 2\nincrement typo 0 5\nincrement kept");
        awaitCounters(collector, "kept 2\n");
        datagram(S1 + " 3000 3\nincrement typo 1 6");
        awaitCounters(collector, "kept 2\ntypo 1\n");
        Run json = run("rm", "--json", "typo");
        assertThat(json.status()).isZero();
        assertThat(json.out()).isEqualTo("{\"name\":\"typo\",\"value\":1,\"pushed\":false,\"watermarks\":1}\n");
    }

    @ParameterizedTest
    @CsvSource({
        "get x, counters get",
        "top --once, counters top",
        "tap, counters tap",
        "rm x, counters rm",
        "record NEW, counters record",
    })
    void without_a_collector_every_command_exits_with_1_and_the_remedy(String command, String prefix) throws Exception {
        List<String> args = new ArrayList<>(
                List.of(command.replace("NEW", folder.resolve("r").toString()).split(" ", -1)));
        args.addAll(List.of("--at", "127.0.0.1:1"));

        Run run = new Run(args.toArray(String[]::new));

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err())
                .contains(prefix + ": no collector answers at http://127.0.0.1:1 (")
                .contains("); start one, or give the address of its page with --at http://HOST:PORT");
        assertThat(run.out()).isEmpty();
    }

    @Test
    void top_with_once_prints_one_table_in_the_requested_order() throws Exception {
        datagram("increment a 5\nincrement b 7\nincrement c 6");
        awaitCounters(collector, "a 5\nb 7\nc 6\n");

        Run table = run("top", "--once", "--sort", "value", "--rows", "2");
        assertThat(table.status()).isZero();
        assertThat(table.out().lines())
                .satisfiesExactly(
                        head -> assertThat(head).matches("NAME +VALUE +PER SECOND"),
                        first -> assertThat(first).matches("b +7 +0\\.0"),
                        second -> assertThat(second).matches("c +6 +0\\.0"),
                        end -> assertThat(end).isEmpty());

        Run json = run("top", "--once", "--json", "c");
        assertThat(json.status()).isZero();
        assertThat(json.out()).isEqualTo("{\"counters\":[{\"name\":\"c\",\"value\":6,\"rate\":0.0}]}\n");
    }

    @Test
    void tap_shows_lines_as_they_arrive_and_escapes_control_characters() throws Exception {
        Run tap = run("tap", "--count", "5").awaitErr("shows what arrives from now on");

        datagram(S1 + " 1000 1\nincrement orders.placed 2 17");
        datagram("decrement stock,sku=7 3\nparts:0.25|c");
        try (Socket tcp = new Socket(
                InetAddress.getLoopbackAddress(), collector.tcpAddress().getPort())) {
            tcp.getOutputStream().write("b@d\u001b[31m\u0007\n".getBytes(ISO_8859_1));
            tcp.getOutputStream().write("increment last\n".getBytes(ISO_8859_1));
            assertThat(tap.status()).isZero();
        }

        String from = "\\d\\d:\\d\\d:\\d\\d\\.\\d{3} UDP 127\\.0\\.0\\.1:\\d+  ";
        assertThat(tap.out().lines())
                .satisfiesExactlyInAnyOrder(
                        line -> assertThat(line).matches(from + "\\+2 orders\\.placed  total 17  stream 8f2c6a1e #1"),
                        line -> assertThat(line).matches(from + "-3 stock,sku=7"),
                        line -> assertThat(line).matches(from + "\\+0\\.25 parts"),
                        line -> assertThat(line)
                                .endsWith("  rejected (unknown_verb) \"b@d\\u001b[31m\\u0007\"")
                                .contains(" TCP "),
                        line -> assertThat(line).endsWith("  +1 last"));
    }

    @Test
    void tap_with_json_prints_the_lines_that_match() throws Exception {
        Run tap = run("tap", "--count", "2", "--json", "*,sku=*").awaitErr("shows what arrives");

        datagram("increment stock\nincrement stock,sku=7 2");
        datagram("increment stock,sku=8 9007199254740992");

        assertThat(tap.status()).isZero();
        assertThat(tap.out().lines())
                .satisfiesExactly(
                        line -> assertThat(line)
                                .matches("\\{\"at\":\\d+,\"protocol\":\"UDP\",\"from\":\"127.0.0.1:\\d+\","
                                        + "\"name\":\"stock,sku=7\",\"amount\":2}"),
                        line -> assertThat(line).endsWith("\"name\":\"stock,sku=8\",\"amount\":9007199254740992}"));
    }

    @Test
    void tap_prints_how_many_lines_it_left_out() throws Exception {
        Run tap = run("tap", "--lines", "5", "--seconds", "600").awaitErr("shows what arrives");

        datagram("increment a\n".repeat(100));

        tap.awaitErr(" of 100 lines shown; give a narrower PATTERN, or more --lines");
        assertThat(tap.out().lines().count()).isBetween(5L, 10L);
    }

    @Test
    void a_replayed_recording_gives_another_collector_the_same_values() throws Exception {
        Path file = folder.resolve("some.recording");
        Run record = run("record", "--seconds", "600", "--bytes", "4k", file.toString())
                .awaitErr("records for 600 s");

        for (int i = 1; i <= 20; i++) {
            datagram(S1 + " " + i * 1000 + " " + i + "\nincrement orders.placed 2 " + 2 * i);
            datagram("increment raw,x=" + i % 3 + "\nparts:0.25|c\nb@d\u0000\r");
        }
        awaitCounters(collector, "orders.placed 40\nparts 5\nraw,x=0 6\nraw,x=1 7\nraw,x=2 7\n");
        datagram("x".repeat(3000));
        assertThat(record.status()).isZero();
        assertThat(record.err()).contains(file + " has 41 datagrams, ");

        Collector other = collector("two");
        String to = "127.0.0.1:" + other.udpAddress().getPort();
        Run replay = new Run("replay", "--to", to, "--speed", "1000", file.toString());

        assertThat(replay.status()).isZero();
        assertThat(replay.out()).isEqualTo("sent 41 datagrams to " + to + "\n");
        assertThat(replay.err()).contains("lines without totals count again there");
        awaitCounters(other, "orders.placed 40\nparts 5\nraw,x=0 6\nraw,x=1 7\nraw,x=2 7\n");

        // Once more: lines with totals change nothing, the others count again.
        assertThat(new Run("replay", "--to", to, "--speed", "1000", file.toString()).status())
                .isZero();
        awaitCounters(other, "orders.placed 40\nparts 10\nraw,x=0 12\nraw,x=1 14\nraw,x=2 14\n");
    }

    @Test
    void record_ends_in_time_even_if_nothing_arrives_and_does_not_overwrite() throws Exception {
        Path file = folder.resolve("empty.recording");

        Run record = run("record", "--seconds", "1", file.toString());
        assertThat(record.status()).isZero();
        assertThat(record.err()).contains(file + " has 0 datagrams, 21 bytes");
        assertThat(file).hasContent("counters-recording 1\n");

        Run again = run("record", "--seconds", "1", file.toString());
        assertThat(again.status()).isEqualTo(1);
        assertThat(again.err()).contains("counters record: " + file + " exists already");
    }

    @ParameterizedTest
    @CsvSource({
        "--to 10.0.0.1:11212, which is not on this machine's loopback; to send there",
        "--to 11212, write HOST:PORT",
        "--to 127.0.0.1:70000, write HOST:PORT",
        "--speed 0, it must be from 0.001 to 1000000",
        "--speed NaN, it must be from 0.001 to 1000000",
    })
    void replay_refuses_flags_that_make_no_sense(String flags, String said) throws Exception {
        List<String> args = new ArrayList<>(List.of("replay"));
        args.addAll(List.of(flags.split(" ", -1)));
        args.add(
                Files.writeString(folder.resolve("r"), "counters-recording 1\n").toString());

        Run replay = new Run(args.toArray(String[]::new));

        assertThat(replay.status()).isEqualTo(2);
        assertThat(replay.err()).startsWith("counters replay: --").contains(said);
    }

    @ParameterizedTest
    @CsvSource({
        "top --once --rows 0, '--rows is 0; it must be at least 1'",
        "top --once --rows -1, '--rows is -1; it must be at least 1'",
        "tap --lines 0, --lines must be from 1 to 10000",
        "tap --lines 10001, --lines must be from 1 to 10000",
        "tap --count 0, --count and --seconds at least 1",
        "tap --seconds -5, --count and --seconds at least 1",
        "record --seconds 0 r, --seconds of at least 1",
    })
    void a_number_that_makes_no_sense_is_an_error_in_the_command_line(String command, String said) throws Exception {
        Run run = new Run(command.split(" ", -1));

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err())
                .startsWith("counters " + command.substring(0, command.indexOf(' ')) + ": ")
                .contains(said);
        assertThat(run.out()).isEmpty();
    }

    @Test
    void a_replay_of_one_datagram_also_says_that_nobody_listens() throws Exception {
        Path file = Files.writeString(folder.resolve("r"), "counters-recording 1\n0 11\nincrement a\n");
        String to = "127.0.0.1:" + Ports.reserve();

        Run replay = new Run("replay", "--to", to, file.toString());

        assertThat(replay.status()).isEqualTo(1);
        assertThat(replay.out())
                .isEqualTo("sent 1 datagrams to " + to
                        + "; no program listened there (refused datagrams: 1); start a collector\n");
    }

    @Test
    void doctor_finds_the_running_collector_by_its_ports() throws Exception {
        Run doctor = new Run(
                "doctor",
                "--json",
                "--bind=127.0.0.1",
                "--udp-port=" + collector.udpAddress().getPort(),
                "--tcp-port=" + collector.tcpAddress().getPort(),
                "--http-port=" + collector.httpAddress().getPort(),
                "--data-dir=" + folder.resolve("one"));

        assertThat(doctor.status()).isLessThan(2);
        assertThat(doctor.out())
                .contains(":" + collector.httpAddress().getPort() + " is ready")
                .contains(collector.udpAddress().getPort() + " is held by the running collector")
                .contains("is in use by a running collector");
    }
}
