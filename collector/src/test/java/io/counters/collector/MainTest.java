package io.counters.collector;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.settings.CollectorFlag;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line's output when no collector starts; in CollectorIT one does. */
class MainTest {
    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(String... args) {
        return Main.run(args, Map.of(), new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8));
    }

    private String said() {
        return err.toString(UTF_8);
    }

    @Test
    void help_lists_every_setting_with_its_default() {
        assertThat(run("--help")).isZero();

        for (CollectorFlag setting : CollectorFlag.values()) {
            String flag = "--" + setting.flag() + "=";
            assertThat(out.toString(UTF_8).contains(flag)).as(flag).isNotEqualTo(setting.isSecret());
        }
        assertThat(out.toString(UTF_8)).contains("(default 11212)", "COUNTERS_UDP_PORT", "udp_port");
        assertThat(said()).isEmpty();
    }

    @Test
    void version_prints_program_and_version() {
        assertThat(run("--version")).isZero();

        assertThat(out.toString(UTF_8)).startsWith("counters collector ");
    }

    /** So that a script can tell it from one that failed: old backups may be deleted after it. */
    @Test
    void a_backup_without_the_history_has_a_status_of_its_own() throws Exception {
        Path data = folder.resolve("data");
        try (KeptLedger kept = new KeptLedger(data, false)) {
            kept.datagram("increment a 5");
            kept.commit.run();
        }
        String backup = folder.resolve("backup").toString();
        assertThat(run(
                        "backup",
                        "--data-dir",
                        data.toString(),
                        folder.resolve("first").toString()))
                .isZero();

        Files.writeString(data.resolve("history.db"), "is no database".repeat(1000));
        assertThat(run("backup", "--data-dir", data.toString(), backup)).isEqualTo(3);
        assertThat(said()).contains("the backup is complete but for the history");

        assertThat(run("restore", "--data-dir", folder.resolve("new").toString(), backup))
                .isZero();
        assertThat(run("backup", "--data-dir", data.toString(), backup))
                .as("there is one")
                .isEqualTo(1);
    }

    @Test
    void an_unknown_flag_exits_with_2_and_names_the_nearest() {
        assertThat(run("--udp-prot", "1")).isEqualTo(2);

        assertThat(said()).contains("--udp-prot").contains("--udp-port").contains("--help");
        assertThat(out.size()).isZero();
    }

    @Test
    void a_password_given_as_a_flag_is_refused_and_not_shown() {
        assertThat(run("--store-password=hunter2")).isEqualTo(2);
        assertThat(run("--store-password", "hunter2")).isEqualTo(2);

        assertThat(said())
                .contains("--store-password", "COUNTERS_STORE_PASSWORD")
                .doesNotContain("hunter2");
    }

    @ParameterizedTest
    @CsvSource({
        "udp-port, 65536",
        "tcp-port, -2",
        "http-port, x",
        "bind, not an address",
        "bind, ''",
        "names-memory, 101%",
        "names-memory, 100%",
        "new-names, 0%",
        "streams-memory, 12",
        "udp-port, ''",
        "data-dir, ''",
        "store, redis:/h",
        "store, memcached://",
        "store, memcached://h:0",
        "'store', 'memcached://h:1,,g:2'",
        "opentsdb, h:4242",
        "opentsdb, ftp://h",
        "sink, stderr",
        "sink, 'stdout,stderr'",
        "sink, opentsdb:h:4242",
        "sink, 'opentsdb:http://h,opentsdb:http://h/'",
        "opentsdb-mode, slow",
        "opentsdb-body, 8192",
        "opentsdb-body, 512k0",
        "spool, 1k",
        "idle, 0s",
        "prefix, 'a,b'",
        "tags, src",
        "tags, ''",
        "tags, 'a=1,a=2'",
        "tags, 'a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1'",
        "interval, 0s",
        "interval, 61m",
        "interval, 10",
        "config, no-such-file.ini",
    })
    void a_bad_value_exits_with_2_and_names_its_place(String flag, String value) {
        assertThat(run("--" + flag, value)).isEqualTo(2);

        String wrong = value.isEmpty() ? "empty; " : value + ", ";
        assertThat(said()).startsWith("counters collector: --" + flag + " is " + wrong);
        assertThat(said().lines()).hasSize(1);
    }

    @Test
    void a_flag_of_an_earlier_version_is_told_with_what_took_its_place() {
        assertThat(run("--peers=a:1;b:1", "--self=a:1")).isEqualTo(2);

        assertThat(said()).contains("there is no flag --peers, --self any more; ", "docs/several-collectors.md");
    }

    @Test
    void one_start_reports_every_error() throws Exception {
        Path ini = Files.writeString(folder.resolve("c.ini"), "interval = soon\nstroe = embedded");

        assertThat(run("--udp-port=x", "--http-port=y", "--sink=z", "--config=" + ini))
                .isEqualTo(2);

        assertThat(said().lines())
                .hasSize(5)
                .allMatch(line -> line.startsWith("counters collector: "))
                .anyMatch(line -> line.contains("--udp-port is x"))
                .anyMatch(line -> line.contains("--http-port is y"))
                .anyMatch(line -> line.contains("--sink is z"))
                .anyMatch(line -> line.contains("c.ini line 1: interval is soon"))
                .anyMatch(line -> line.contains("stroe is not a setting; did you mean store?"));
    }

    @Test
    void a_port_in_use_exits_with_1_and_the_remedy() throws Exception {
        try (DatagramSocket taken = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            assertThat(run(
                            "--bind=127.0.0.1",
                            "--udp-port=" + taken.getLocalPort(),
                            "--http-port=0",
                            "--data-dir=" + folder))
                    .isEqualTo(1);
            assertThat(said()).contains("port " + taken.getLocalPort()).contains("use --udp-port for another");
        }
    }

    @Test
    void a_page_port_in_use_exits_with_1_and_releases_the_folder() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            for (int again = 0; again < 2; again++) {
                err.reset();
                assertThat(run(
                                "--bind=127.0.0.1",
                                "--udp-port=0",
                                "--http-port=" + taken.getLocalPort(),
                                "--data-dir=" + folder))
                        .isEqualTo(1);
                assertThat(said())
                        .contains("port " + taken.getLocalPort())
                        .contains("use --http-port for another")
                        .doesNotContain("in use by another");
            }
        }
    }

    @Test
    void help_lists_every_command_and_no_clutter() {
        assertThat(run("--help")).isZero();

        assertThat(out.toString(UTF_8).lines().filter(line -> line.matches("  [a-z-]+ +[A-Z].*")))
                .extracting(line -> line.strip().split(" ", 2)[0])
                .containsExactly(
                        "get",
                        "top",
                        "tap",
                        "rm",
                        "record",
                        "replay",
                        "import",
                        "backup",
                        "restore",
                        "doctor",
                        "proxy",
                        "simulate");
        assertThat(out.toString(UTF_8)).doesNotContain("generate-completion");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "get",
                "top",
                "tap",
                "rm",
                "record",
                "replay",
                "import",
                "backup",
                "restore",
                "doctor",
                "proxy",
                "simulate",
                "generate-completion"
            })
    void every_command_has_help(String command) {
        assertThat(run(command, "--help")).isZero();

        assertThat(out.toString(UTF_8)).startsWith("Usage: java -jar collector.jar " + command);
        assertThat(said()).isEmpty();
    }

    @Test
    void the_help_of_import_says_that_it_needs_a_fleet() {
        assertThat(run("import", "--help")).isZero();

        assertThat(out.toString(UTF_8).replaceAll("\\s+", " "))
                .contains("--ledger=LEDGER the fleet's Kafka, kafka://HOST:PORT,HOST:PORT (required)")
                .doesNotContain("embedded");
    }

    @Test
    void a_word_that_is_no_command_is_not_shown_because_it_may_be_a_password() {
        assertThat(run("hunter2")).isEqualTo(2);

        assertThat(said())
                .isEqualTo(
                        "counters collector: there are arguments that are neither flags nor a command; the commands are"
                                + " get, top, tap, rm, record, replay, import, backup, restore, doctor, proxy, simulate\n"
                                + "--help lists all settings and commands\n");
    }

    @Test
    void settings_before_a_command_are_refused() {
        assertThat(run("--udp-port=1", "get", "a")).isEqualTo(2);

        assertThat(said())
                .startsWith("counters collector: --udp-port comes before the command get, which would ignore it; write"
                        + " the flags of get after its name\n");
    }

    @Test
    void a_password_given_to_doctor_as_a_flag_is_refused_and_not_shown() {
        assertThat(run("doctor", "--store-password=hunter2")).isEqualTo(2);

        assertThat(said())
                .contains("counters doctor: there is no flag --store-password", "COUNTERS_STORE_PASSWORD")
                .doesNotContain("hunter2");
    }

    @Test
    void doctor_reports_every_mistake_in_the_settings() {
        assertThat(run("doctor", "--udp-port=x", "--interval=soon")).isEqualTo(2);

        assertThat(out.toString(UTF_8).lines())
                .hasSize(2)
                .allMatch(line -> line.startsWith("FAIL  settings "))
                .anyMatch(line -> line.contains("--udp-port is x"))
                .anyMatch(line -> line.contains("--interval is soon"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--keys=/missing/keys | --keys is not shown, which does not exist",
                "--signing=acepted | --signing is acepted, allowed are required and accepted",
                "--signing=accepted | --signing is accepted, which has an effect only with keys",
                "--prefix=a/b! | --prefix is a/b!",
                "--config= | --config is empty",
            })
    void doctor_refuses_what_the_collector_refuses(String flag, String rule) {
        assertThat(run("doctor", flag)).isEqualTo(2);
        assertThat(out.toString(UTF_8)).startsWith("FAIL  settings ").contains(rule);

        assertThat(run(flag)).isEqualTo(2);
        assertThat(said()).contains(rule);
    }

    @Test
    void doctor_warns_of_keys_that_others_can_read() throws Exception {
        Path keys = Files.writeString(folder.resolve("keys"), "shop-1 " + "0f".repeat(32) + "\n");
        Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rw-r--r--"));

        run("doctor", "--udp-port=0", "--http-port=0", "--data-dir=" + folder.resolve("new"), "--keys=" + keys);

        assertThat(out.toString(UTF_8).lines())
                .anyMatch(line -> line.startsWith("warn  keys ")
                        && line.contains("(rw-r--r--), and sign counts with them; remedy: chmod 600 " + keys));
    }

    @Test
    void doctor_checks_a_place_where_no_collector_has_run() {
        assertThat(run("doctor", "--udp-port=0", "--http-port=0", "--data-dir=" + folder.resolve("new")))
                .isLessThan(2);

        assertThat(out.toString(UTF_8).lines())
                .hasSizeGreaterThan(12)
                .allMatch(line -> line.matches("(ok  |warn)  [A-Za-z ]{17}  .*"))
                .filteredOn(line -> line.startsWith("warn"))
                .allMatch(line -> line.contains("; remedy: "));
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    @Tag("slow")
    void bash_completes_commands_and_flags() throws Exception {
        assertThat(run("generate-completion")).isZero();
        Path script = Files.writeString(folder.resolve("completion"), out.toString(UTF_8));

        assertThat(completed(script, "counters", "re")).contains("record", "replay");
        assertThat(completed(script, "counters", "get", "--j")).isEqualTo("--json");
        assertThat(completed(script, "counters", "--udp")).isEqualTo("--udp-port");
    }

    private static String completed(Path script, String... words) throws Exception {
        Process bash = new ProcessBuilder(
                        "bash",
                        "-c",
                        "source " + script + "; COMP_WORDS=(" + String.join(" ", words) + "); COMP_CWORD="
                                + (words.length - 1) + "; _complete_counters; echo ${COMPREPLY[*]}")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        bash.getOutputStream().close();
        return new String(bash.getInputStream().readAllBytes(), UTF_8).strip();
    }
}
