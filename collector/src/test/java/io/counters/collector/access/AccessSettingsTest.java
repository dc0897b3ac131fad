package io.counters.collector.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import io.counters.testsupport.Identity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccessSettingsTest {
    private static final String TOKEN = "0123456789abcdef0123456789abcdef";

    @TempDir
    Path folder;

    /** All errors, in one text. */
    private static String mistakes(Map<CollectorFlag, String> flags, Map<String, String> environment) {
        Settings settings = new Settings(flags, environment);
        AccessSettings access = AccessSettings.from(settings);
        access.bind(settings, CollectorFlag.HTTP_BIND, Port.HTTP);
        access.bind(settings, CollectorFlag.OTLP_BIND, Port.OTLP);
        try {
            settings.check();
            return "";
        } catch (SettingsException wrong) {
            return String.join("\n", wrong.mistakes());
        }
    }

    private static void assertRefused(
            Map<CollectorFlag, String> flags, Map<String, String> environment, String... said) {
        assertThat(mistakes(flags, environment)).contains(said).doesNotContain(TOKEN.substring(0, 10));
    }

    @Test
    void beyond_this_machine_a_port_for_http_needs_something_that_strangers_do_not_have() {
        for (CollectorFlag bind : new CollectorFlag[] {CollectorFlag.HTTP_BIND, CollectorFlag.OTLP_BIND}) {
            for (String address : new String[] {"0.0.0.0", "::", "10.0.0.1", "192.0.2.1"}) {
                assertRefused(
                        Map.of(bind, address),
                        Map.of(),
                        "--" + bind.flag() + " is " + address + ", which other machines can reach",
                        "COUNTERS_TOKEN",
                        "token_file",
                        "tls_client_ca",
                        "keep 127.0.0.1");
                assertThat(mistakes(Map.of(bind, address), Map.of("COUNTERS_TOKEN", TOKEN)))
                        .isEmpty();
            }
            for (String address : new String[] {"127.0.0.1", "127.9.9.9", "::1", "localhost"}) {
                assertThat(mistakes(Map.of(bind, address), Map.of())).isEmpty();
            }
        }
    }

    @Test
    void a_token_comes_from_the_environment_or_a_file_and_is_never_shown() throws Exception {
        String file = Files.writeString(folder.resolve("token"), TOKEN + "\n").toString();
        assertThat(AccessSettings.from(new Settings(Map.of(CollectorFlag.TOKEN_FILE, file), Map.of()))
                        .token())
                .contains(Token.of(TOKEN));
        assertThat(AccessSettings.from(new Settings(Map.of(), Map.of("COUNTERS_TOKEN", TOKEN)))
                        .token())
                .contains(Token.of(TOKEN));

        assertRefused(
                Map.of(CollectorFlag.TOKEN_FILE, file),
                Map.of("COUNTERS_TOKEN", TOKEN),
                "but token is also set; keep one of the two");
        assertRefused(
                Map.of(),
                Map.of("COUNTERS_TOKEN", TOKEN.substring(0, 15)),
                "variable COUNTERS_TOKEN is not shown, allowed are 16 to 1024");
        Files.writeString(folder.resolve("token"), TOKEN + "\n" + TOKEN);
        assertRefused(Map.of(CollectorFlag.TOKEN_FILE, file), Map.of(), "--token-file is " + file + ", allowed are 16");
        Files.writeString(folder.resolve("token"), "\n");
        assertRefused(Map.of(CollectorFlag.TOKEN_FILE, file), Map.of(), "which is empty");
        assertRefused(
                Map.of(CollectorFlag.TOKEN_FILE, TOKEN),
                Map.of(),
                "--token-file is not shown, which cannot be read as text: there is no such file");
        assertRefused(Map.of(), Map.of("COUNTERS_TOKEN_FILE", "/" + TOKEN + "/" + TOKEN), "TOKEN_FILE is not shown, ");
        String missing = folder.resolve("missing").toString();
        assertRefused(Map.of(CollectorFlag.TOKEN_FILE, missing), Map.of(), "--token-file is " + missing + ", which");
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> Settings.secretIn(folder.resolve("none").toString()))
                .withMessageContaining("cannot be read");
        assertThat(CollectorFlag.TOKEN.isSecret()).isTrue();
    }

    /** As Kubernetes fills it from a secret that was made with --from-file. */
    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r\n"})
    void a_line_break_at_the_end_of_the_variable_is_not_part_of_the_token(String end) {
        Settings settings = new Settings(Map.of(), Map.of("COUNTERS_TOKEN", TOKEN + end));

        assertThat(AccessSettings.from(settings).token()).contains(Token.of(TOKEN));
        assertThat(settings.secret(CollectorFlag.TOKEN, CollectorFlag.TOKEN_FILE))
                .isEqualTo(TOKEN);
        assertThat(Settings.withoutLineBreak(TOKEN + end)).isEqualTo(TOKEN);
        assertRefused(Map.of(), Map.of("COUNTERS_TOKEN", end), "variable COUNTERS_TOKEN is empty");
        assertRefused(Map.of(), Map.of("COUNTERS_TOKEN", TOKEN + end + TOKEN), "COUNTERS_TOKEN is not shown");
    }

    @Test
    @Tag("slow")
    void client_certificates_close_a_port_only_if_it_speaks_tls() throws Exception {
        Identity.of("one").write(folder);
        String chain = folder.resolve("cert.pem").toString();
        Map<CollectorFlag, String> flags = Map.of(
                CollectorFlag.TLS_CERTIFICATE,
                chain,
                CollectorFlag.TLS_KEY,
                folder.resolve("key.pem").toString(),
                CollectorFlag.TLS_CLIENT_CA,
                chain,
                CollectorFlag.HTTP_BIND,
                "0.0.0.0",
                CollectorFlag.TLS_PORTS,
                "http");

        assertThat(mistakes(flags, Map.of())).isEmpty();
        assertRefused(flags, Map.of("COUNTERS_TLS_CLIENT_CA", "", "COUNTERS_OTLP_BIND", "0.0.0.0"), "OTLP_BIND");
        assertRefused(
                Map.of(CollectorFlag.TLS_CERTIFICATE, chain), Map.of(), "tls_certificate and tls_key belong together");
        assertRefused(
                Map.of(CollectorFlag.TLS_CERTIFICATE, chain, CollectorFlag.TLS_KEY, chain),
                Map.of(),
                "--tls-certificate is " + chain,
                "no private key in PKCS#8");
        for (String empty : new String[] {",", " ", ""}) {
            assertRefused(
                    Map.of(
                            CollectorFlag.TLS_CERTIFICATE,
                            chain,
                            CollectorFlag.TLS_KEY,
                            folder.resolve("key.pem").toString(),
                            CollectorFlag.TLS_PORTS,
                            empty),
                    Map.of(),
                    "--tls-ports is ");
        }
        assertRefused(
                Map.of(CollectorFlag.TLS_PORTS, "http"),
                Map.of(),
                "--tls-ports is http, but no port can speak TLS without tls_certificate and tls_key");
    }

    @Test
    void a_token_in_clear_and_a_file_that_everyone_can_read_are_warnings() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path file = Files.writeString(folder.resolve("token"), TOKEN);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        Settings settings = new Settings(
                Map.of(CollectorFlag.TOKEN_FILE, file.toString(), CollectorFlag.HTTP_BIND, "0.0.0.0"), Map.of());
        AccessSettings access = AccessSettings.from(settings);
        access.bind(settings, CollectorFlag.HTTP_BIND, Port.HTTP);
        access.bind(settings, CollectorFlag.OTLP_BIND, Port.OTLP);

        assertThat(settings.remarks())
                .satisfiesExactly(
                        mode -> assertThat(mode)
                                .isEqualTo("--token-file is " + file + ", which every user of this machine can read"
                                        + " (rw-r--r--); run: chmod 600 " + file),
                        clear -> assertThat(clear)
                                .startsWith("--http-bind is 0.0.0.0, so the token crosses the network in clear"));

        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-x---"));
        Settings closed = new Settings(Map.of(CollectorFlag.TOKEN_FILE, file.toString()), Map.of());
        AccessSettings.from(closed);
        assertThat(closed.remarks()).as("in a folder that others cannot use").isEmpty();

        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Settings right = new Settings(Map.of(CollectorFlag.TOKEN_FILE, file.toString()), Map.of());
        AccessSettings.from(right).bind(right, CollectorFlag.HTTP_BIND, Port.HTTP);
        assertThat(right.remarks()).isEmpty();
    }

    /** A variable that a template was to fill, for example. */
    @ParameterizedTest
    @EnumSource(names = {"ALLOW", "TOKEN", "TOKEN_FILE", "TLS_CERTIFICATE", "TLS_KEY", "TLS_CLIENT_CA"})
    void an_empty_value_opens_no_door(CollectorFlag setting) throws Exception {
        String rule = " is empty; give a value, or leave it out";
        Path ini = Files.writeString(folder.resolve("collector.ini"), setting.key() + " =\n");

        assertRefused(Map.of(setting, ""), Map.of(), "--" + setting.flag() + rule);
        assertRefused(Map.of(), Map.of(setting.variable(), ""), "variable " + setting.variable() + rule);
        assertRefused(
                Map.of(CollectorFlag.CONFIG, ini.toString()),
                Map.of(),
                "collector.ini line 1: " + setting.key() + rule);
    }

    @Test
    void an_empty_name_of_the_file_does_not_open_the_doors_that_the_file_closes() {
        String rule = " is empty; give a value, or leave it out";

        assertRefused(Map.of(CollectorFlag.CONFIG, ""), Map.of(), "--config" + rule);
        assertRefused(Map.of(), Map.of("COUNTERS_CONFIG", ""), "variable COUNTERS_CONFIG" + rule);
        assertThat(mistakes(
                        Map.of(CollectorFlag.CONFIG, folder.resolve("none").toString()), Map.of("COUNTERS_CONFIG", "")))
                .doesNotContain("empty");
    }

    @Test
    @Tag("slow")
    void client_certificates_that_were_left_empty_do_not_let_every_client_in() throws Exception {
        Identity.of("one").write(folder);
        Map<CollectorFlag, String> pair = Map.of(
                CollectorFlag.TLS_CERTIFICATE,
                folder.resolve("cert.pem").toString(),
                CollectorFlag.TLS_KEY,
                folder.resolve("key.pem").toString());

        assertThat(mistakes(pair, Map.of())).isEmpty();
        assertThat(mistakes(pair, Map.of("COUNTERS_TLS_CLIENT_CA", "")))
                .isEqualTo("variable COUNTERS_TLS_CLIENT_CA is empty; give a value, or leave it out");
    }

    @Test
    void a_list_without_an_entry_is_not_everyone() {
        for (String empty : new String[] {",", " ", ", ,"}) {
            assertRefused(
                    Map.of(CollectorFlag.ALLOW, empty),
                    Map.of(),
                    "--allow is ",
                    "which has no address, so everyone's counts would be taken");
        }
        assertRefused(Map.of(CollectorFlag.TLS_PORTS, "udp"), Map.of(), "allowed are tcp, http and otlp");
        assertRefused(Map.of(CollectorFlag.ALLOW, "10.0.0.1/8"), Map.of(), "the range begins at 10.0.0.0");
    }
}
