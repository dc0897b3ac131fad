package io.counters.collector.intake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeySettingsTest {
    private static final String HEX = "0123456789abcdef".repeat(4);

    @TempDir
    Path folder;

    private static Optional<KeySettings> read(Map<CollectorFlag, String> flags) throws SettingsException {
        return read(flags, Map.of());
    }

    private static Optional<KeySettings> read(Map<CollectorFlag, String> flags, Map<String, String> environment)
            throws SettingsException {
        Settings settings = new Settings(flags, environment);
        Optional<KeySettings> keys = KeySettings.from(settings);
        settings.check();
        return keys;
    }

    private static List<String> mistakes(Map<CollectorFlag, String> flags) {
        return mistakes(flags, Map.of());
    }

    private static List<String> mistakes(Map<CollectorFlag, String> flags, Map<String, String> environment) {
        try {
            read(flags, environment);
            return List.of();
        } catch (SettingsException mistakes) {
            return mistakes.mistakes();
        }
    }

    @Test
    void without_a_file_no_signature_is_checked_and_with_one_all_are_required_unless_said() throws Exception {
        String file = Files.writeString(folder.resolve("keys"), "shop " + HEX).toString();

        assertThat(read(Map.of())).isEmpty();
        assertThat(read(Map.of(CollectorFlag.KEYS, file)))
                .hasValueSatisfying(keys -> assertThat(keys.isRequired()).isTrue());
        assertThat(read(Map.of(CollectorFlag.KEYS, file, CollectorFlag.SIGNING, "accepted")))
                .hasValueSatisfying(keys -> assertThat(keys.isRequired()).isFalse());
        assertThat(read(Map.of(CollectorFlag.KEYS, file)).map(KeySettings::toString))
                .get(InstanceOfAssertFactories.STRING)
                .contains("shop")
                .doesNotContain(HEX.substring(0, 16));
    }

    @Test
    void all_errors_of_the_file_stop_the_start_with_their_lines_and_without_a_key() throws Exception {
        String file = Files.writeString(folder.resolve("keys"), "shop " + HEX + "0\nweb\n" + HEX + " x\n")
                .toString();

        List<String> mistakes = mistakes(Map.of(CollectorFlag.KEYS, file, CollectorFlag.UDP_PORT, "0"));

        assertThat(mistakes)
                .hasSize(4)
                .allMatch(mistake -> mistake.startsWith("--keys is " + file + ", which in line "))
                .noneMatch(mistake -> mistake.contains(HEX.substring(0, 16)));
        assertThat(mistakes.get(0)).contains("line 1 has a key of 65 hex digits, allowed are 32 to 128");
    }

    @Test
    void a_file_that_cannot_be_used_stops_the_start_with_the_remedy() throws Exception {
        Path large = Files.writeString(folder.resolve("large"), "#".repeat((1 << 20) + 1));
        Path notText = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        Path empty = Files.writeString(folder.resolve("empty"), "", StandardCharsets.UTF_8);

        assertThat(mistakes(Map.of(CollectorFlag.KEYS, folder.resolve("none").toString())))
                .singleElement()
                .asString()
                .endsWith("none, which does not exist; give a file with lines KEY-ID HEX-KEY");
        assertThat(mistakes(Map.of(CollectorFlag.KEYS, large.toString())))
                .singleElement()
                .asString()
                .contains("1 MiB");
        assertThat(mistakes(Map.of(CollectorFlag.KEYS, notText.toString())))
                .singleElement()
                .asString()
                .contains("UTF-8");
        assertThat(mistakes(Map.of(CollectorFlag.KEYS, empty.toString())))
                .singleElement()
                .asString()
                .contains("which has no key; write KEY-ID HEX-KEY on a line");
        assertThat(mistakes(Map.of(CollectorFlag.KEYS, folder.toString()))).hasSize(1);
    }

    @Test
    void what_is_not_a_regular_file_is_refused_before_it_is_read() {
        assertThat(mistakes(Map.of(CollectorFlag.KEYS, "/dev/zero")))
                .containsExactly(
                        "--keys is /dev/zero, which is not a regular file; give a file with lines KEY-ID HEX-KEY");
    }

    @Test
    void keys_that_were_left_empty_and_signing_without_keys_do_not_open_the_collector() {
        assertThat(mistakes(Map.of(CollectorFlag.KEYS, "")))
                .containsExactly("--keys is empty; give a value, or leave it out");
        assertThat(mistakes(Map.of(CollectorFlag.SIGNING, "required"), Map.of("COUNTERS_KEYS", "")))
                .containsExactly("variable COUNTERS_KEYS is empty; give a value, or leave it out");
        assertThat(mistakes(Map.of(CollectorFlag.SIGNING, "required")))
                .containsExactly(
                        "--signing is required, which has an effect only with keys; give their file as --keys FILE");
    }

    @Test
    void signing_is_required_or_accepted_and_needs_keys() {
        assertThatThrownBy(() -> read(Map.of(CollectorFlag.SIGNING, "off")))
                .hasMessageStartingWith("--signing is off, allowed are required and accepted");
        assertThatThrownBy(() -> read(Map.of(CollectorFlag.SIGNING, "accepted")))
                .hasMessage(
                        "--signing is accepted, which has an effect only with keys; give their file as --keys FILE");
    }
}
