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

class SettingsTest {
    @TempDir
    Path folder = Path.of("");

    @Test
    void nothing_said_means_the_defaults_and_no_complaint() {
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
    void arguments_win_over_properties_over_the_environment_over_the_file() throws Exception {
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

    @ParameterizedTest
    @CsvSource({"1s, 1000", "500ms, 500", "250, 250", "2S, 2000"})
    void a_time_has_a_unit_or_is_in_milliseconds(String text, long millis) {
        assertThat(read("sweep=" + text).emitter().sweepMillis()).isEqualTo(millis);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sweep=soon | sweep is soon, which is no time",
                "sweep=1ms | sweep is 1 ms, allowed are 10 to 60000",
                "sweep=99999999999s | sweep is 99999999999s",
                "datagram=many | datagram is many, which is no number",
                "datagram=1 | datagram is 1 bytes, allowed are 512 to 65507 bytes",
                "sweep=5 | sweep is 5 ms, allowed are 10 to 60000 ms",
                "enabled=maybe | enabled is maybe, allowed are true, on, false and off; true is used",
                "inherit=perhaps | inherit is perhaps, allowed are true, on, false and off; false is used",
                "ruleLimit=0 | ruleLimit is 0, allowed are 1 to 1000000 methods; 500 is used",
                "ruleLimit=all | ruleLimit is all, allowed are 1 to 1000000 methods; 500 is used",
                "metaAnnotation=a.B | metaAnnotation is no setting, write metaAnnotations=",
                "sweeps=1s | sweeps is no setting, write sweep=",
                "strict | strict has no value, write strict=",
                "settings=none.conf | settings is none.conf, which cannot be read",
                "tags=env | tags is env, which is not as key=value,key=value: ",
                "app='open | a ' is left open"
            })
    void a_mistake_is_a_line_with_its_place_and_costs_nothing_else(String arguments, String line) {
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
    void several_collectors_are_parted_by_semicolons_and_weighed_in_arguments_as_in_a_file() throws Exception {
        Path file = Files.writeString(folder.resolve("counters.conf"), "collector = h1*3; h2:1\n");

        assertThat(read("collector=h1:11212*3;h2:1,app=x").emitter()).hasToString("h1:11212*3;h2:1");
        assertThat(read("settings=" + file).emitter()).hasToString("h1:11212*3;h2:1");
    }

    @Test
    void a_collector_that_can_not_be_read_switches_counting_off() {
        Settings settings = read("collector=host:0");

        assertThat(settings.complaints())
                .singleElement()
                .asString()
                .contains("collector is \"host:0\"")
                .endsWith("nothing is counted");
        assertThat(settings.enabled()).isFalse();
    }

    @Test
    void a_file_that_can_not_be_read_may_have_named_the_collector_so_nothing_is_counted() {
        Settings settings = read("settings=none.conf");

        assertThat(settings.complaints()).singleElement().asString().contains("cannot be read", "Nothing is counted");
        assertThat(settings.enabled()).isFalse();
        assertThat(read("settings=none.conf,collector=h").enabled()).isTrue();
    }

    @Test
    void a_file_with_a_byte_order_mark_is_read_without_it() throws Exception {
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
    void a_file_that_is_no_utf_8_at_all_is_told_in_one_line() throws Exception {
        Path file = Files.write(
                folder.resolve("counters.conf"), "collector = h1\napp = x\n".getBytes(StandardCharsets.UTF_16LE));

        assertThat(read("settings=" + file).complaints())
                .singleElement()
                .asString()
                .contains("which is no text in UTF-8", "save it in UTF-8", "Nothing is counted");
        assertThat(read("settings=" + file).enabled()).isFalse();
        assertThat(read("collector=h,settings=" + file).enabled()).isTrue();
    }

    @Test
    void rules_are_parted_by_semicolons_and_quoted_where_they_hold_commas() {
        Settings settings = read("methods='a.B#c = n,k=v; a.D ;',app=x");

        assertThat(settings.methods()).extracting(Setting::text).containsExactly("a.B#c = n,k=v", "a.D");
        assertThat(settings.app()).isEqualTo("x");
    }

    @Test
    void words_of_two_are_written_with_a_capital_and_in_the_environment_with_an_underscore() {
        Settings settings = Settings.read(
                "ruleLimit=7",
                new Properties(),
                Map.of("COUNTERS_META_ANNOTATIONS", "a.B; a.C", "COUNTERS_RULE_LIMIT", "8"));

        assertThat(settings.ruleLimit()).isEqualTo(7);
        assertThat(settings.metaAnnotations()).extracting(Setting::text).containsExactly("a.B", "a.C");
        assertThat(read("").ruleLimit()).isEqualTo(500);
        assertThat(read("").inherit()).isFalse();
    }

    @Test
    void tags_are_a_template_and_checked_as_one() {
        assertThat(read("tags='env=prod,host={host}'").tags()).isEqualTo("env=prod,host={host}");
        assertThat(read("").tags()).isEmpty();

        Settings settings = read("tags='a=1,a=2'");

        assertThat(settings.tags()).isEmpty();
        assertThat(settings.complaints())
                .singleElement()
                .asString()
                .contains("tags is a=1,a=2")
                .endsWith("carry none");
    }

    @Test
    void each_rule_of_a_file_has_the_place_of_its_own_line() throws Exception {
        Path file = Files.writeString(
                folder.resolve("counters.conf"), "methods = a.B; a.C\napp = shop\nmethods = a.D\nmethods =\n");

        Settings settings = read("settings=" + file);

        assertThat(settings.methods()).extracting(Setting::text).containsExactly("a.B", "a.C", "a.D");
        assertThat(settings.methods())
                .extracting(Setting::place)
                .containsExactly(file + " line 1", file + " line 1", file + " line 3");
    }

    @Test
    void a_file_names_the_line_of_a_mistake() throws Exception {
        Path file = Files.writeString(folder.resolve("counters.conf"), "# ours\n\nmethod = a.B\r\napp = shop\r\n");

        Settings settings = read("settings=" + file);

        assertThat(settings.complaints())
                .singleElement()
                .asString()
                .startsWith(file + " line 3: method is no setting, write methods=");
        assertThat(settings.app()).isEqualTo("shop");
    }

    private static Settings read(String arguments) {
        return Settings.read(arguments, new Properties(), Map.of());
    }

    @Test
    void a_property_that_is_nearly_a_key_is_said_and_an_applications_own_is_not() {
        Properties properties = new Properties();
        properties.setProperty("counters.colector", "h1");
        properties.setProperty("counters.of.the.shop", "many");

        Settings settings = Settings.read(null, properties, Map.of());

        assertThat(settings.complaints())
                .containsExactly(
                        "system property counters.colector is no setting, write -Dcounters.collector=... perhaps");
    }
}
