package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The servers in {@code --opentsdb} and {@code --sink}, and the headers in the file of {@code --sink-headers}. */
class SinkSettingsTest {
    private static final String OTLP = "otlp:https://otlp.example:443/v1/metrics?key=secret";
    private static final String PROMETHEUS = "prometheus:http://mimir:9009/api/v1/push";

    @TempDir
    Path folder;

    private final Map<CollectorFlag, String> given = new EnumMap<>(CollectorFlag.class);

    private PublishSettings settings() throws SettingsException {
        Settings settings = new Settings(given, Map.of());
        PublishSettings publishing = PublishSettings.from(settings);
        settings.check();
        return publishing;
    }

    private void headers(String... lines) throws Exception {
        given.put(
                CollectorFlag.SINK_HEADERS,
                Files.write(folder.resolve("headers"), List.of(lines)).toString());
    }

    @Test
    void each_server_has_a_name_and_a_label_of_its_own() throws Exception {
        given.put(CollectorFlag.OPENTSDB, "http://tsd:4242");
        given.put(CollectorFlag.SINK, "stdout, " + OTLP + "," + PROMETHEUS + ",opentsdb:http://tsd2:4242");

        PublishSettings publishing = settings();

        assertThat(publishing.targets())
                .extracting(publishing::name)
                .containsExactly(
                        "opentsdb",
                        "otlp-otlp.example-443-v1-metrics",
                        "prometheus-mimir-9009-api-v1-push",
                        "opentsdb-tsd2-4242");
        assertThat(publishing.targets())
                .extracting(SinkAddress::label)
                .containsExactly(
                        "tsd:4242",
                        "otlp:https://otlp.example:443/v1/metrics",
                        "prometheus:http://mimir:9009/api/v1/push",
                        "tsd2:4242");
        assertThat(publishing.targets())
                .extracting(SinkAddress::toString)
                .containsExactly(
                        "OpenTSDB at http://tsd:4242",
                        "OTLP at https://otlp.example:443/v1/metrics",
                        "Prometheus at http://mimir:9009/api/v1/push",
                        "OpenTSDB at http://tsd2:4242");
        assertThat(publishing.stdout()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "otlp:http://h:4318,                                   has no path",
        "prometheus:http://h:9090/,                            has no path",
        "prometheus:h:9090,                                    which is not an address",
        "otlp:http://u:p@h/v1/metrics,                         --sink-headers",
        "graphite:http://h,                                    prometheus:http://HOST:9090/api/v1/write",
        "'otlp:http://h/v1/metrics,otlp:http://h:80/v1/metrics', appears twice",
    })
    void other_servers_are_refused(String sink, String why) {
        given.put(CollectorFlag.SINK, sink);

        assertThatThrownBy(this::settings).isInstanceOf(SettingsException.class).hasMessageContaining(why);
    }

    @Test
    void headers_belong_to_the_only_sink_or_to_the_one_above_them() throws Exception {
        given.put(CollectorFlag.SINK, PROMETHEUS);
        headers("# a login", "", "Authorization: Bearer a:b");

        assertThat(settings().targets().get(0).headers()).containsOnly(Map.entry("Authorization", "Bearer a:b"));

        given.put(CollectorFlag.SINK, OTLP + "," + PROMETHEUS);
        headers("[http://mimir:9009/api/v1/push]", "X-Scope-OrgID: 7", "[" + OTLP.substring(5) + "]", "api-key: k");

        assertThat(settings().targets())
                .extracting(SinkAddress::headers)
                .containsExactly(Map.of("api-key", "k"), Map.of("X-Scope-OrgID", "7"));
    }

    @ParameterizedTest
    @CsvSource({
        "api-key: s3cret,                      belongs to no sink",
        "[http://other/];api-key: s3cret,      has the address of no otlp: or prometheus: sink",
        "[http://mimir:9009/api/v1/push];s3cret, is not a header",
        "[http://mimir:9009/api/v1/push];a b: s3cret, is not a header",
        "[http://mimir:9009/api/v1/push];content-type: s3cret, which the collector sets",
        "[http://mimir:9009/api/v1/push];k: s3cret;K: s3cret, repeats the header K",
    })
    void other_lines_are_refused_and_no_secret_is_shown(String lines, String why) throws Exception {
        given.put(CollectorFlag.SINK, OTLP + "," + PROMETHEUS);
        headers(lines.split(";", -1));

        assertThatThrownBy(this::settings)
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining(why)
                .hasMessageNotContaining("s3cret");
    }

    @Test
    void added_tags_must_be_different_labels_in_prometheus() throws Exception {
        given.put(CollectorFlag.TAGS, "dc.x=1,dc_x=2");
        given.put(CollectorFlag.SINK, OTLP);
        assertThat(settings().series().tags()).hasSize(2);
        given.put(CollectorFlag.SINK, OTLP + "," + PROMETHEUS);
        assertThatThrownBy(this::settings)
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("two keys are the label dc_x in Prometheus");
    }

    @Test
    void headers_are_not_part_of_a_text() throws Exception {
        given.put(CollectorFlag.SINK, PROMETHEUS);
        headers("Authorization: s3cret");

        assertThat(settings().toString()).doesNotContain("s3cret");
    }
}
