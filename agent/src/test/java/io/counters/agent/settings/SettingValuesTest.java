package io.counters.agent.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingValuesTest {
    @TempDir
    Path folder = Path.of("");

    @Test
    void without_settings_the_defaults_are_used_without_a_message() {
        Settings settings = read("");

        assertThat(settings.complaints()).isEmpty();
        assertThat(settings.emitter()).hasToString("localhost:11212");
        assertThat(settings.emitter().sweepMillis()).isEqualTo(1000);
        assertThat(settings.enabled()).isTrue();
        assertThat(settings.strict()).isFalse();
        assertThat(settings.methods()).isEmpty();
        assertThat(settings.log()).isNull();
    }

    @Test
    void arguments_precede_properties_then_the_environment_then_the_file() throws Exception {
        Path file = Files.writeString(
                folder.resolve("counters.conf"), "app = file\nsweep = 4s\ndatagram = 600\ntotals = off\n");
        Properties properties = new Properties();
        properties.setProperty("counters.app", "property");
        properties.setProperty("counters.sweep", "2s");
        Map<String, String> environment =
                Map.of("COUNTERS_APP", "environment", "COUNTERS_SWEEP", "3s", "COUNTERS_DATAGRAM", "700");

        Settings settings = Settings.read("app=arguments,settings=" + file, properties, environment);

        assertThat(settings.app()).isEqualTo("arguments");
        assertThat(settings.emitter().sweepMillis()).isEqualTo(2000);
        assertThat(settings.emitter().datagramBytes(InetAddress.getLoopbackAddress()))
                .isEqualTo(700);
        assertThat(settings.emitter().totals()).isFalse();
        assertThat(settings.complaints()).isEmpty();
    }

    @Test
    void a_key_signs_what_is_sent_and_one_that_cannot_be_used_means_that_nothing_is_counted() throws Exception {
        String hex = "0123456789abcdef".repeat(4);
        Path file = Files.writeString(folder.resolve("keys"), "shop-1 " + hex + "\n");

        assertThat(read("").emitter().isSigned()).isFalse();
        assertThat(read("key=none").emitter().isSigned()).isFalse();
        Settings signed = read("key=shop-1:" + file);
        assertThat(signed.emitter().isSigned()).isTrue();
        assertThat(signed.complaints()).isEmpty();
        assertThat(signed.enabled()).isTrue();

        for (String wrong : List.of("key=shop-2:" + file, "key=" + hex, "totals=off,key=shop-1:" + file)) {
            Settings broken = read(wrong);
            assertThat(broken.complaints())
                    .singleElement()
                    .asString()
                    .startsWith("agent arguments: key ")
                    .endsWith("; nothing is counted")
                    .doesNotContain(hex);
            assertThat(broken.enabled()).isFalse();
        }
        Files.delete(file);
        assertThat(signed.reread().complaints())
                .as("the key is read at the start only")
                .isEmpty();
        assertThat(signed.reread().enabled()).isTrue();
        assertThat(read("key=shop-1:" + file).reread().enabled()).isFalse();
        assertThat(signed.effective()).contains("key = shop-1:" + file + " (agent arguments)");
        assertThat(read("key=shop-1:" + hex).effective()).noneMatch(line -> line.contains(hex));
    }

    @ParameterizedTest
    @CsvSource({"1s, 1000", "500ms, 500", "250, 250", "2S, 2000"})
    void a_time_has_a_unit_or_is_in_milliseconds(String text, long millis) {
        assertThat(read("sweep=" + text).emitter().sweepMillis()).isEqualTo(millis);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sweep=soon | sweep is soon, which is not a time",
                "sweep=1ms | sweep is 1 ms, allowed are 10 to 60000",
                "sweep=99999999999s | sweep is 99999999999s",
                "datagram=many | datagram is many, which is not a number",
                "datagram=1 | datagram is 1 bytes, allowed are 512 to 65507 bytes",
                "sweep=5 | sweep is 5 ms, allowed are 10 to 60000 ms",
                "enabled=maybe | enabled is maybe, allowed are true, on, false and off; true is used",
                "inherit=perhaps | inherit is perhaps, allowed are true, on, false and off; false is used",
                "ruleLimit=0 | ruleLimit is 0, allowed are 1 to 1000000 methods; 500 is used",
                "ruleLimit=all | ruleLimit is all, allowed are 1 to 1000000 methods; 500 is used",
                "metaAnnotation=a.B | metaAnnotation is not a setting; did you mean metaAnnotations=",
                "sweeps=1s | sweeps is not a setting; did you mean sweep=",
                "strict | strict has no value; write strict=",
                "settings=none.conf | settings is none.conf, which cannot be read",
                "tags=env | tags is env, which is not of the form key=value,key=value: ",
                "app='open | a ' is not closed"
            })
    void an_error_is_one_message_with_its_place_and_affects_no_other_setting(String arguments, String line) {
        Settings settings = read("totals=off,collector=h," + arguments);

        assertThat(settings.complaints())
                .singleElement()
                .asString()
                .startsWith("agent arguments: ")
                .contains(line);
        assertThat(settings.emitter().totals()).isFalse();
        assertThat(settings.emitter().sweepMillis()).isEqualTo(1000);
        assertThat(settings.enabled()).isTrue();
    }

    @Test
    void several_collectors_with_weights_are_separated_by_semicolons_in_arguments_and_in_a_file() throws Exception {
        Path file = Files.writeString(folder.resolve("counters.conf"), "collector = h1*3; h2:1\n");

        assertThat(read("collector=h1:11212*3;h2:1,app=x").emitter()).hasToString("h1:11212*3;h2:1");
        assertThat(read("settings=" + file).emitter()).hasToString("h1:11212*3;h2:1");
    }

    @Test
    void with_an_invalid_collector_nothing_is_counted() {
        Settings settings = read("collector=host:0");

        assertThat(settings.complaints())
                .singleElement()
                .asString()
                .contains("collector is \"host:0\"")
                .endsWith("nothing is counted");
        assertThat(settings.enabled()).isFalse();
    }

    @Test
    void with_an_unreadable_file_that_may_name_the_collector_nothing_is_counted() {
        Settings settings = read("settings=none.conf");

        assertThat(settings.complaints()).singleElement().asString().contains("cannot be read", "Nothing is counted");
        assertThat(settings.enabled()).isFalse();
        assertThat(read("settings=none.conf,collector=h").enabled()).isTrue();
    }

    @Test
    void a_byte_order_mark_at_the_start_of_a_file_is_skipped() throws Exception {
        String text = "\uFEFFcollector = h1\r\napp = größe\r\n";
        for (Charset charset : List.of(StandardCharsets.UTF_8, StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE)) {
            Path file = Files.write(folder.resolve("counters.conf"), text.getBytes(charset));

            Settings settings = read("settings=" + file);

            assertThat(settings.complaints()).as(charset.name()).isEmpty();
            assertThat(settings.emitter()).hasToString("h1:11212");
            assertThat(settings.app()).isEqualTo("größe");
        }
    }

    @Test
    void a_file_that_is_not_in_utf_8_is_reported_in_one_message() throws Exception {
        Path file = Files.write(
                folder.resolve("counters.conf"), "collector = h1\napp = x\n".getBytes(StandardCharsets.UTF_16LE));

        assertThat(read("settings=" + file).complaints())
                .singleElement()
                .asString()
                .contains("which is not UTF-8 text", "save it as UTF-8", "Nothing is counted");
        assertThat(read("settings=" + file).enabled()).isFalse();
        assertThat(read("collector=h,settings=" + file).enabled()).isTrue();
    }

    @Test
    void rules_are_separated_by_semicolons_and_quoted_if_they_contain_commas() {
        Settings settings = read("methods='a.B#c = n,k=v; a.D ;',app=x");

        assertThat(settings.methods()).extracting(SettingValue::text).containsExactly("a.B#c = n,k=v", "a.D");
        assertThat(settings.app()).isEqualTo("x");
    }

    @Test
    void keys_of_two_words_are_in_camel_case_and_in_the_environment_with_an_underscore() {
        Settings settings = Settings.read(
                "ruleLimit=7",
                new Properties(),
                Map.of("COUNTERS_META_ANNOTATIONS", "a.B; a.C", "COUNTERS_RULE_LIMIT", "8"));

        assertThat(settings.ruleLimit()).isEqualTo(7);
        assertThat(settings.metaAnnotations()).extracting(SettingValue::text).containsExactly("a.B", "a.C");
        assertThat(read("").ruleLimit()).isEqualTo(500);
        assertThat(read("").inherit()).isFalse();
    }

    @Test
    void tags_may_contain_placeholders_and_are_checked() {
        assertThat(read("tags='env=prod,host={host}'").tags()).isEqualTo("env=prod,host={host}");
        assertThat(read("").tags()).isEmpty();

        Settings settings = read("tags='a=1,a=2'");

        assertThat(settings.tags()).isEmpty();
        assertThat(settings.complaints())
                .singleElement()
                .asString()
                .contains("tags is a=1,a=2")
                .endsWith("no tags are added to names");
    }

    @Test
    void the_place_of_each_rule_of_a_file_is_its_own_line() throws Exception {
        Path file = Files.writeString(
                folder.resolve("counters.conf"), "methods = a.B; a.C\napp = shop\nmethods = a.D\nmethods =\n");

        Settings settings = read("settings=" + file);

        assertThat(settings.methods()).extracting(SettingValue::text).containsExactly("a.B", "a.C", "a.D");
        assertThat(settings.methods())
                .extracting(SettingValue::place)
                .containsExactly(file + " line 1", file + " line 1", file + " line 3");
    }

    @Test
    void all_aliases_of_a_file_are_used() throws Exception {
        Path file = Files.writeString(folder.resolve("counters.conf"), "alias = a.B\nalias = a.C; a.D\n");

        Settings settings = read("settings=" + file);

        assertThat(settings.aliases()).extracting(SettingValue::text).containsExactly("a.B", "a.C", "a.D");
        assertThat(settings.hasRulesOf(read("alias='a.B;a.C; a.D'"))).isTrue();
        assertThat(settings.hasRulesOf(read(""))).isFalse();
    }

    @Test
    void a_message_about_a_file_names_the_line() throws Exception {
        Path file = Files.writeString(folder.resolve("counters.conf"), "# ours\n\nmethod = a.B\r\napp = shop\r\n");

        Settings settings = read("settings=" + file);

        assertThat(settings.complaints())
                .singleElement()
                .asString()
                .startsWith(file + " line 3: method is not a setting; did you mean methods=");
        assertThat(settings.app()).isEqualTo("shop");
    }

    private static Settings read(String arguments) {
        return Settings.read(arguments, new Properties(), Map.of());
    }

    @Test
    void a_property_that_is_similar_to_a_key_is_reported_and_an_applications_own_property_is_not() {
        Properties properties = new Properties();
        properties.setProperty("counters.colector", "h1");
        properties.setProperty("counters.of.the.shop", "many");

        Settings settings = Settings.read(null, properties, Map.of());

        assertThat(settings.complaints())
                .containsExactly(
                        "system property counters.colector is not a setting; did you mean -Dcounters.collector=...?");
    }
}
