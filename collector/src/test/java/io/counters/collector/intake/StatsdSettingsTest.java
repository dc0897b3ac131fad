package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatsdSettingsTest {
    @TempDir
    Path folder;

    private final Source source = new Source("UDP", false, () -> "127.0.0.1:4711");

    private static StatsdSettings settings(Map<CollectorFlag, String> flags) throws SettingsException {
        Settings settings = new Settings(flags, Map.of());
        StatsdSettings statsd = StatsdSettings.from(settings);
        settings.check();
        return statsd;
    }

    @Test
    void by_default_names_are_cleaned_and_no_tag_is_dropped() throws Exception {
        assertThat(settings(Map.of())).isEqualTo(new StatsdSettings(true, List.of()));
        assertThat(settings(Map.of(CollectorFlag.STATSD_NAMES, "strict")))
                .isEqualTo(new StatsdSettings(false, List.of()));
        assertThat(settings(Map.of(CollectorFlag.DROP_TAGS, " pod, container_id ,a/b")))
                .isEqualTo(new StatsdSettings(true, List.of("pod", "container_id", "a/b")));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            value = {
                "Clean~ ~ --statsd-names is Clean, allowed are clean and strict",
                "clean~ pod id~ --drop-tags is pod id, where \"pod id\" is not a key of a stored tag; give keys"
                        + " of A-Z a-z 0-9 - _ . / separated by commas, with _ for any other character",
                "clean~ a,k=v~ --drop-tags is a,k=v, where \"k=v\" is not a key of a stored tag; give keys"
                        + " of A-Z a-z 0-9 - _ . / separated by commas, with _ for any other character",
                "strict~ pod~ --drop-tags is pod, which works only with statsd-names=clean; leave out one of the two"
                        + " settings"
            })
    void a_wrong_value_is_reported_with_the_rule(String names, String drop, String message) {
        Map<CollectorFlag, String> flags = drop == null
                ? Map.of(CollectorFlag.STATSD_NAMES, names)
                : Map.of(CollectorFlag.STATSD_NAMES, names, CollectorFlag.DROP_TAGS, drop);

        assertThatThrownBy(() -> settings(flags)).hasMessage(message);
    }

    /** Lines of clients that cannot be changed, read like those of a port. */
    @Test
    void cleaned_lines_count_and_the_reasons_are_counted() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            StatsdSettings statsd = new StatsdSettings(true, List.of("pod"));
            Lines lines = KeptIntake.lines(kept, KeptIntake.NAME_BYTES_MAX, statsd.newName());
            byte[] bytes = """
                    my counter:1|c
                    my counter:1|c|#pod:p-1
                    my counter:1|c|#pod:p-2
                    hits:0.5|c|#flag,url:a:b,
                    hits:0.25|c|@0.5|#flag,url:a:b|z:x \0
                    increment a b
                    """.getBytes(UTF_8);

            lines.datagram(source, bytes, 0, bytes.length);

            assertThat(kept.values()).isEqualTo(Map.of("my_counter", 3L, "hits,flag=true,url=a_b", 1L));
            assertThat(counted(kept, "cleaned", "name_letter")).isEqualTo(3);
            assertThat(counted(kept, "cleaned", "dropped_tag")).isEqualTo(2);
            assertThat(counted(kept, "cleaned", "tag_without_value")).isEqualTo(2);
            assertThat(counted(kept, "cleaned", "tag_letter")).isEqualTo(2);
            assertThat(counted(kept, "cleaned", "empty_tag")).isEqualTo(1);
            assertThat(counted(kept, "cleaned", "repeated_tag")).isZero();
            assertThat(counted(kept, "rejected", "amount_form")).isEqualTo(1);
        }
    }

    /** A web page can make a browser send it: its blanks would be cleaned, and the following lines would count. */
    @Test
    void an_http_request_ends_its_connection_and_is_not_cleaned() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            Source browser = new Source("TCP", true, () -> null);
            Lines lines = KeptIntake.lines(kept, KeptIntake.NAME_BYTES_MAX, StatsdSettings.CLEAN.newName());
            byte[] bytes = "GET /?a:1|c|x HTTP/1.1\r\nb:1|c\r\n".getBytes(UTF_8);

            lines.lines(browser, bytes, 0, bytes.length);

            assertThat(kept.values()).isEmpty();
            assertThat(browser.isForeign).isTrue();
            assertThat(counted(kept, "rejected", "http")).isEqualTo(1);
        }
    }

    @Test
    void strict_rejects_lines_that_would_be_cleaned() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            Lines lines =
                    KeptIntake.lines(kept, KeptIntake.NAME_BYTES_MAX, new StatsdSettings(false, List.of()).newName());
            byte[] bytes = "my counter:1|c\nhits:1|c|#flag\nhits:1.5|c|#k:v".getBytes(UTF_8);

            lines.datagram(source, bytes, 0, bytes.length);

            assertThat(kept.values()).isEqualTo(Map.of("hits,k=v", 2L));
            assertThat(counted(kept, "rejected", "name_letter")).isEqualTo(1);
            assertThat(counted(kept, "rejected", "tag_form")).isEqualTo(1);
        }
    }

    @Test
    void a_fraction_is_rejected_if_its_name_leaves_no_room_for_the_prefix() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            Lines lines = KeptIntake.lines(kept, 5, StatsdSettings.CLEAN.newName());
            byte[] bytes = "abcdef:0.5|c\nabcde:0.5|c".getBytes(UTF_8);

            lines.datagram(source, bytes, 0, bytes.length);

            assertThat(kept.values()).isEqualTo(Map.of("abcde", 1L));
            assertThat(counted(kept, "rejected", "name_too_long")).isEqualTo(1);
        }
    }

    private static long counted(KeptLedger kept, String what, String reason) {
        return kept.counted("intake_" + what + "_lines_total{reason=\"" + reason + "\"}");
    }
}
