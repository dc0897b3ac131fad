package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FleetSettingsTest {
    private static final String SECRET = "hunter2";

    @TempDir
    Path folder;

    private final Map<CollectorFlag, String> flags = new EnumMap<>(CollectorFlag.class);

    private FleetSettings fleet() throws SettingsException {
        return read().orElseThrow();
    }

    private Optional<FleetSettings> read() throws SettingsException {
        Settings settings = new Settings(flags, Map.of());
        Optional<FleetSettings> fleet = FleetSettings.from(settings, 1L << 30);
        settings.check();
        return fleet;
    }

    private List<String> mistakes() {
        return catchThrowableOfType(SettingsException.class, this::read).mistakes();
    }

    private void file(String... lines) throws IOException {
        flags.put(CollectorFlag.LEDGER, "kafka://h:9092");
        flags.put(
                CollectorFlag.KAFKA_SETTINGS,
                Files.write(folder.resolve("kafka.properties"), List.of(lines)).toString());
    }

    @Test
    void the_ledger_is_embedded_unless_kafka_is_named() throws Exception {
        assertThat(read()).isEmpty();

        flags.put(CollectorFlag.LEDGER, "kafka://k1:9092,[::1]:19092");
        assertThat(fleet().brokers()).containsExactly("k1:9092", "[::1]:19092");
        assertThat(fleet().partitions()).isEqualTo(32);
        assertThat(fleet().instance()).endsWith("-11212").hasSizeGreaterThan("-11212".length());
        assertThat(fleet().remarks()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "LEDGER, memory, allowed are embedded and kafka://HOST:PORT",
        "LEDGER, kafka://, is not HOST:PORT",
        "LEDGER, kafka://h, is not HOST:PORT; brokers usually have port 9092",
        "LEDGER, kafka://h:0, is not HOST:PORT",
        "'LEDGER', 'kafka://h:1,,g:1', is not HOST:PORT",
        "LEDGER, kafka://h:9092/x, is not HOST:PORT",
        "INSTANCE, a b, allowed are 1 to 200 of the characters",
        "INSTANCE, .., allowed are 1 to 200 of the characters",
        "FLEET_PARTITIONS, 0, allowed are whole numbers from 1 to 1024",
        "FLEET_PARTITIONS, 1025, allowed are whole numbers from 1 to 1024",
        "UDP_PORT, 0, set --instance",
    })
    void a_wrong_value_is_told_with_its_rule(CollectorFlag setting, String value, String rule) {
        flags.put(CollectorFlag.LEDGER, "kafka://h:9092");
        flags.put(setting, value);

        assertThat(mistakes()).singleElement().asString().contains("--" + setting.flag() + " is " + value + ", ", rule);
    }

    @Test
    void a_file_that_is_missing_is_told_and_not_shown_because_it_may_be_what_the_file_was_to_contain() {
        flags.put(CollectorFlag.LEDGER, "kafka://h:9092");
        flags.put(CollectorFlag.KAFKA_SETTINGS, "sasl.jaas.config=" + SECRET);

        assertThat(mistakes())
                .containsExactly("--kafka-settings is not shown, which cannot be read as text: there is no such file");
    }

    @Test
    void a_login_in_the_address_is_refused_and_not_shown() {
        flags.put(CollectorFlag.LEDGER, "kafka://me:" + SECRET + "@h:9092");

        assertThat(mistakes())
                .singleElement()
                .asString()
                .contains("sasl.jaas.config")
                .doesNotContain(SECRET);
    }

    @ParameterizedTest
    @CsvSource({"INSTANCE, a", "KAFKA_SETTINGS, a"})
    void what_only_a_fleet_has_needs_one(CollectorFlag setting, String value) {
        flags.put(setting, value);

        assertThat(mistakes()).singleElement().asString().contains("set --ledger kafka://HOST:PORT, or leave it out");
    }

    @Test
    void an_instance_needs_no_port() throws Exception {
        flags.putAll(Map.of(
                CollectorFlag.LEDGER, "kafka://h:9092", CollectorFlag.UDP_PORT, "0", CollectorFlag.INSTANCE, "a-1"));

        assertThat(fleet().instance()).isEqualTo("a-1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bootstrap.servers",
                "client.id",
                "group.id",
                "group.instance.id",
                "group.protocol",
                "partition.assignment.strategy",
                "isolation.level",
                "enable.auto.commit",
                "auto.offset.reset",
                "transactional.id",
                "transaction.timeout.ms",
                "enable.idempotence",
                "acks",
                "compression.type",
                "enable.metrics.push",
                "key.serializer",
                "request.timeout.ms",
                "delivery.timeout.ms",
                "max.block.ms",
                "max.request.size",
                "linger.ms",
                "retries",
                "max.in.flight.requests.per.connection",
                "max.poll.interval.ms",
                "heartbeat.interval.ms",
                "fetch.max.wait.ms",
                "interceptor.classes"
            })
    void a_property_that_is_ours_is_refused(String key) throws Exception {
        file(key + "=" + SECRET);

        assertThat(mistakes())
                .singleElement()
                .asString()
                .contains("--kafka-settings is ", "which sets " + key + "; leave it out: ")
                .doesNotContain(SECRET);
    }

    @ParameterizedTest
    @CsvSource({
        "session.timeout.ms=soon, allowed are whole numbers from 6000 to 300000",
        "session.timeout.ms=5999, allowed are whole numbers from 6000 to 300000",
        "reconnect.backoff.ms=x, Not a number of type LONG",
        "security.protocol=TLS, security.protocol",
        "sasl.login.class=no.such.Class, no.such.Class",
        "x=\\u12, which contains \\u that is not followed by four digits",
    })
    void a_value_that_the_clients_would_refuse_is_told_at_once(String line, String why) throws Exception {
        file("sasl.jaas.config=" + SECRET, line);

        assertThat(mistakes()).singleElement().asString().contains(why).doesNotContain(SECRET);
    }

    @Test
    void a_property_that_no_client_knows_is_a_remark_and_handed_to_all() throws Exception {
        file(
                "ssl.truststore.locaton=/t",
                "config.providers.file.class=x",
                SECRET + "=1",
                "correct.horse",
                "my.own = 1");

        FleetSettings fleet = fleet();

        assertThat(fleet.remarks())
                .hasSize(4)
                .anyMatch(remark -> remark.contains("has ssl.truststore.locaton, ")
                        && remark.contains("did you mean ssl.truststore.location?"))
                .as("a word that may be a password")
                .noneMatch(remark -> remark.contains(SECRET) || remark.contains("horse") || remark.contains("my.own"));
        assertThat(fleet.admin("a", Map.of())).containsEntry("my.own", "1");
    }

    @Test
    void a_client_gives_up_a_broker_that_hangs_long_before_kafkas_30_s() throws Exception {
        file();

        assertThat(fleet().admin("a", Map.of())).containsEntry("request.timeout.ms", 5_000);
    }

    @Test
    void each_client_gets_the_properties_that_it_knows() throws Exception {
        file("client.rack=r", "session.timeout.ms=7000", "security.protocol=SSL", "sasl.jaas.config=" + SECRET);
        flags.put(CollectorFlag.INSTANCE, "c1");

        FleetSettings fleet = fleet();

        assertThat(fleet.producer("lines", Map.of("batch.size", 1)))
                .containsEntry("batch.size", 1)
                .containsEntry("compression.type", "lz4")
                .containsEntry("client.id", "c1.lines")
                .containsEntry("bootstrap.servers", "h:9092")
                .containsEntry("enable.metrics.push", false)
                .containsEntry("security.protocol", "SSL")
                .doesNotContainKey("session.timeout.ms");
        assertThat(fleet.consumer("owner", Map.of("group.id", "g", "session.timeout.ms", 10_000)))
                .containsEntry("session.timeout.ms", "7000")
                .containsEntry("client.rack", "r")
                .containsEntry("group.id", "g")
                .containsEntry("sasl.jaas.config", SECRET);
        // Messages that no broker answers begin with it; those of an import have no instance that the operator knows.
        assertThat(fleet).hasToString("kafka://h:9092");
    }
}
