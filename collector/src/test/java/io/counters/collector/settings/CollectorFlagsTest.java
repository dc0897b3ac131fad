package io.counters.collector.settings;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CollectorFlagsTest {
    @TempDir
    Path folder;

    private Settings file(String text) throws IOException {
        return new Settings(Map.of(CollectorFlag.CONFIG, ini(text)), Map.of());
    }

    private String ini(String text) throws IOException {
        return Files.writeString(folder.resolve("collector.ini"), text).toString();
    }

    private static String text(Settings settings, CollectorFlag setting) {
        return settings.get(setting, text -> text);
    }

    private static List<String> mistakes(Settings settings) {
        return catchThrowableOfType(SettingsException.class, settings::check).mistakes();
    }

    @Test
    void a_flag_precedes_a_variable_which_precedes_the_file_which_precedes_the_default() throws Exception {
        String ini = ini("bind = file\ndata_dir = file\nudp_port = 1");
        Map<String, String> environment =
                Map.of("COUNTERS_CONFIG", ini, "COUNTERS_BIND", "variable", "COUNTERS_DATA_DIR", "variable");
        Settings settings = new Settings(Map.of(CollectorFlag.BIND, "flag"), environment);

        settings.check();

        assertThat(text(settings, CollectorFlag.BIND)).isEqualTo("flag");
        assertThat(text(settings, CollectorFlag.DATA_DIR)).isEqualTo("variable");
        assertThat(text(settings, CollectorFlag.UDP_PORT)).isEqualTo("1");
        assertThat(text(settings, CollectorFlag.INTERVAL)).isEqualTo("10s");
    }

    @ParameterizedTest
    @EnumSource
    void every_setting_can_be_given_as_a_flag_a_variable_and_in_the_file(CollectorFlag setting) throws Exception {
        String given = setting == CollectorFlag.CONFIG ? ini("") : "given";
        Settings flag = new Settings(Map.of(setting, given), Map.of());
        Settings variable = new Settings(Map.of(), Map.of(setting.variable(), given));

        assertThat(text(flag, setting)).isEqualTo(given);
        assertThat(text(variable, setting)).isEqualTo(given);
        assertThatCode(flag::check).doesNotThrowAnyException();
        assertThatCode(variable::check).doesNotThrowAnyException();
        if (setting != CollectorFlag.CONFIG) {
            Settings file = file(setting.key() + "=given");
            assertThat(text(file, setting)).isEqualTo("given");
            assertThatCode(file::check).doesNotThrowAnyException();
        }
    }

    @Test
    void a_pipe_or_a_device_can_be_read_only_once() throws Exception {
        Path file = Files.writeString(folder.resolve("token"), "x");

        for (CollectorFlag setting : List.of(CollectorFlag.CONFIG, CollectorFlag.TOKEN_FILE, CollectorFlag.TLS_KEY)) {
            assertThat(new Settings(Map.of(setting, "/dev/null"), Map.of()).readOnce())
                    .contains(setting);
            for (String other : List.of(file.toString(), folder.toString(), folder + "/none", "\0")) {
                assertThat(new Settings(Map.of(setting, other), Map.of()).readOnce())
                        .isEmpty();
            }
        }
    }

    @Test
    void an_empty_variable_is_as_if_it_were_left_out_unless_its_setting_closes_a_door() throws Exception {
        Settings settings = new Settings(
                Map.of(CollectorFlag.ALLOW, "10.0.0.0/8"),
                Map.of("COUNTERS_STORE", "", "COUNTERS_BIND", "", "COUNTERS_KEYS", "", "COUNTERS_ALLOW", ""));

        assertThat(text(settings, CollectorFlag.STORE)).isEqualTo("embedded");
        assertThat(text(settings, CollectorFlag.ALLOW)).as("a flag precedes it").isEqualTo("10.0.0.0/8");
        assertThatCode(settings::check).doesNotThrowAnyException();
        text(settings, CollectorFlag.BIND);
        text(settings, CollectorFlag.KEYS);
        text(settings, CollectorFlag.KEYS);

        assertThat(mistakes(settings))
                .containsExactly(
                        "variable COUNTERS_BIND is empty; leave it out for 0.0.0.0",
                        "variable COUNTERS_KEYS is empty; give a value, or leave it out");
    }

    @Test
    void all_errors_are_found_at_once_each_with_place_value_and_rule() throws Exception {
        String ini = ini("udp_port = 112120\nno setting here\nhttp_prot = 1\nsink = stdout\nsink = none");
        Settings settings = new Settings(
                Map.of(CollectorFlag.CONFIG, ini, CollectorFlag.TCP_PORT, "x"), Map.of("COUNTERS_HTTP_PORT", "-1"));

        assertThat(settings.number(CollectorFlag.UDP_PORT, 1, 65_535))
                .as("the default")
                .isEqualTo(11212);
        settings.get(CollectorFlag.TCP_PORT, text -> text.isEmpty() ? 0 : Settings.wholeNumber(text, 1, 9));
        settings.number(CollectorFlag.HTTP_PORT, 0, 65_535);

        assertThat(mistakes(settings))
                .containsExactly(
                        "collector.ini line 2 is not a setting; write KEY = VALUE, or begin a comment with #",
                        "collector.ini line 3: http_prot is not a setting; did you mean http_port?",
                        "collector.ini line 5: sink appears twice; keep one of the two",
                        "collector.ini line 1: udp_port is 112120, allowed are whole numbers from 1 to 65535",
                        "--tcp-port is x, allowed are whole numbers from 1 to 9",
                        "variable COUNTERS_HTTP_PORT is -1, allowed are whole numbers from 0 to 65535");
    }

    @Test
    void an_unknown_variable_causes_a_remark_that_names_the_nearest_setting() {
        Settings settings =
                new Settings(Map.of(), Map.of("COUNTERS_UDP_PROT", "1", "OTHER", "2", "counters_bind", "3"));

        assertThatCode(settings::check).doesNotThrowAnyException();
        assertThat(settings.remarks())
                .containsExactly(
                        "the environment: COUNTERS_UDP_PROT is not a setting; did you mean COUNTERS_UDP_PORT?");
    }

    @Test
    void a_setting_of_an_earlier_version_is_told_with_what_took_its_place() throws Exception {
        Settings settings = new Settings(
                Map.of(CollectorFlag.CONFIG, ini("peers = a:1;b:1\nself = a:1")), Map.of("COUNTERS_PEERS", "a:1"));

        assertThat(mistakes(settings))
                .hasSize(2)
                .allMatch(mistake -> mistake.contains("is not a setting any more; ")
                        && mistake.contains("--ledger kafka://HOST:PORT; docs/several-collectors.md"));
        assertThat(settings.remarks()).singleElement().asString().contains("COUNTERS_PEERS is not a setting any more");
    }

    @Test
    void a_file_may_have_a_byte_order_mark_crlf_comments_a_section_and_spaces() throws Exception {
        Settings settings = file("\uFEFF[collector]\r\n# a comment\r\n; another\r\n\r\n  udp_port  =  7  \r\nbind=::1");

        settings.check();

        assertThat(settings.number(CollectorFlag.UDP_PORT, 1, 10)).isEqualTo(7);
        assertThat(text(settings, CollectorFlag.BIND)).isEqualTo("::1");
    }

    @Test
    void a_byte_order_mark_before_a_setting_is_ignored() throws Exception {
        Settings settings = file("\uFEFFudp_port=7");

        settings.check();

        assertThat(settings.number(CollectorFlag.UDP_PORT, 1, 10)).isEqualTo(7);
    }

    @Test
    void a_value_may_contain_an_equals_sign() throws Exception {
        assertThat(text(file("opentsdb = http://h:4242/?a=b"), CollectorFlag.OPENTSDB))
                .isEqualTo("http://h:4242/?a=b");
    }

    @Test
    void a_message_shows_no_login_and_no_query_of_an_address() throws Exception {
        Settings settings = new Settings(
                Map.of(CollectorFlag.SINK, "otlp:https://me:secret@h/v1?key=secret,otlp:https://i/v1?key=secret"),
                Map.of());
        settings.refuse(CollectorFlag.SINK, "which is wrong");

        assertThat(mistakes(settings))
                .containsExactly("--sink is otlp:https://...@h/v1?...,otlp:https://i/v1?..., which is wrong");
    }

    @Test
    void a_file_cannot_name_another_file() throws Exception {
        assertThat(mistakes(file("config = other.ini")))
                .singleElement()
                .asString()
                .contains("line 1: config is not allowed in a file; use --config or COUNTERS_CONFIG");
    }

    @Test
    void a_file_that_is_missing_or_a_folder_or_not_text_is_reported_by_name() throws Exception {
        Path missing = folder.resolve("missing.ini");
        Path binary = Files.write(folder.resolve("binary.ini"), new byte[] {(byte) 0xff, (byte) 0xfe});
        assertThat(new String(Files.readAllBytes(binary), UTF_8)).isNotEmpty();

        assertThat(mistakes(new Settings(Map.of(CollectorFlag.CONFIG, missing.toString()), Map.of())))
                .containsExactly("--config is " + missing + ", which does not exist; give an INI file or leave it out");
        assertThat(mistakes(new Settings(Map.of(), Map.of("COUNTERS_CONFIG", binary.toString()))))
                .containsExactly("variable COUNTERS_CONFIG is " + binary + ", which is not UTF-8 text");
        assertThat(mistakes(new Settings(Map.of(CollectorFlag.CONFIG, folder.toString()), Map.of())))
                .singleElement()
                .asString()
                .contains("--config is " + folder, "cannot be read");
    }

    @Test
    void every_setting_has_a_purpose_and_a_flag() {
        for (CollectorFlag setting : CollectorFlag.values()) {
            assertThat(setting.purpose()).isNotBlank();
            assertThat(setting.flag()).matches("[a-z-]+");
        }
    }
}
