package io.counters.collector.fleet;

import static java.util.Map.entry;

import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.NamedFile;
import io.counters.collector.settings.Settings;
import io.counters.emit.CollectorAddress;
import io.counters.wire.EditDistance;
import java.io.IOException;
import java.io.StringReader;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * The settings of a fleet, and the properties of its Kafka clients.
 *
 * @param brokers where the clients begin, each as HOST:PORT
 * @param prefix the setting; topics and groups are named after it
 * @param instance this collector's name within the fleet; characters of Kafka's names
 * @param partitions of topics that are created; those that exist have what they have
 * @param spoolBytes the most bytes on the brokers' disks of ticks that no sink has taken
 * @param properties of the file; may contain secrets
 */
public record FleetSettings(
        List<String> brokers,
        String prefix,
        String instance,
        int partitions,
        long spoolBytes,
        Map<String, String> properties) {
    /** A broker that hangs is given up by then; Kafka's own 30 s would hold up what other brokers could do. */
    static final int REQUEST_MILLIS = 5_000;

    static final String SCHEME = "kafka://";
    private static final String ALLOWED = "allowed are embedded and kafka://HOST:PORT,HOST:PORT";
    private static final Pattern INSTANCE = Pattern.compile("[A-Za-z0-9._-]{1,200}");
    private static final String SESSION = "session.timeout.ms";

    /** The least that brokers allow unless they are told otherwise; twelve heartbeats. */
    private static final int SESSION_MILLIS_MIN = 6_000;

    private static final int SESSION_MILLIS_MAX = 300_000;
    private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");

    /** What the file may say: how to reach the brokers, and how to log in. All others are chosen here, and fit together. */
    private static final Pattern ALLOWED_PROPERTIES =
            Pattern.compile("(security|ssl|sasl|config|reconnect|retry|connections|metadata|socket|send|receive)\\..+"
                    + "|client\\.(dns\\.lookup|rack)|" + SESSION.replace(".", "\\."));

    /** What is to be set instead of some of the others. */
    private static final Map<String, String> INSTEAD = Map.of(
            "bootstrap.servers", "the brokers are given in --ledger",
            "client.id", "it is made of --instance",
            "group.id", "it is made of --prefix",
            "group.instance.id", "it is --instance",
            "transactional.id", "it is made of --prefix and --instance");

    /** Of all consumers, unless they say otherwise. */
    private static final Map<String, Object> CONSUMERS = Map.ofEntries(
            entry("allow.auto.create.topics", false),
            entry("auto.offset.reset", "none"),
            entry("enable.auto.commit", false),
            entry("group.protocol", "classic"),
            // Others learn of a session's end by their next heartbeat; until then its partitions wait.
            entry("heartbeat.interval.ms", 500),
            entry("isolation.level", "read_committed"),
            entry("partition.assignment.strategy", CooperativeStickyAssignor.class.getName()),
            entry(SESSION, 10_000));

    /** Begins the names of properties that the clients do not know but hand on to what the file tells them to use. */
    private static final String HANDED_ON = "config.providers.";

    private static final String OURS =
            "the collector chooses it, because counts or time limits depend on it; the file may"
                    + " say how to reach the brokers and how to log in, such as security., ssl. and sasl., and "
                    + SESSION;

    public FleetSettings {
        brokers = List.copyOf(brokers);
        properties = Map.copyOf(properties);
    }

    /** Where it is; shows no property. */
    @Override
    public String toString() {
        return SCHEME + String.join(",", brokers);
    }

    /**
     * Reads the settings; empty if the ledger is embedded.
     *
     * @param spoolBytes the setting
     */
    public static Optional<FleetSettings> from(Settings settings, long spoolBytes) {
        List<String> brokers = settings.get(CollectorFlag.LEDGER, FleetSettings::brokers);
        String instance = settings.get(CollectorFlag.INSTANCE, FleetSettings::instance);
        int partitions = settings.number(CollectorFlag.FLEET_PARTITIONS, 1, Partitions.MAX);
        if (brokers.isEmpty()) {
            for (CollectorFlag setting : List.of(CollectorFlag.KAFKA_SETTINGS, CollectorFlag.INSTANCE)) {
                if (!settings.get(setting, text -> text).isEmpty()) {
                    settings.refuse(setting, "which only a fleet has; set --ledger kafka://HOST:PORT, or leave it out");
                }
            }
            return Optional.empty();
        }
        if (instance.isEmpty()) {
            int port = settings.number(CollectorFlag.UDP_PORT, 0, 65_535);
            if (port == 0) {
                settings.refuse(
                        CollectorFlag.UDP_PORT,
                        "so that a fleet cannot tell this collector by it; set --instance to a name");
            }
            instance = hostName() + "-" + port;
        }
        Map<String, String> properties = settings.get(CollectorFlag.KAFKA_SETTINGS, FleetSettings::properties);
        FleetSettings fleet = new FleetSettings(
                brokers, LedgerSettings.prefix(settings), instance, partitions, spoolBytes, properties);
        fleet.mistakes().forEach(mistake -> settings.refuse(CollectorFlag.KAFKA_SETTINGS, mistake));
        return Optional.of(fleet);
    }

    private static List<String> brokers(String text) {
        if (text.equals("embedded")) {
            return List.of();
        }
        if (!text.startsWith(SCHEME)) {
            throw new IllegalArgumentException(ALLOWED);
        }
        if (text.contains("@")) {
            throw new IllegalArgumentException("which must not contain a login, because others can see it; set"
                    + " sasl.jaas.config in the file of --kafka-settings");
        }
        List<String> brokers = new ArrayList<>();
        for (String broker : text.substring(SCHEME.length()).split(",", -1)) {
            try {
                brokers.add(CollectorAddress.server(broker, 0).toString());
            } catch (IllegalArgumentException misshapen) {
                throw new IllegalArgumentException(
                        "of which \"" + broker + "\" is not HOST:PORT; brokers usually have port 9092", misshapen);
            }
        }
        return brokers;
    }

    private static String instance(String text) {
        if (!text.isEmpty() && (!INSTANCE.matcher(text).matches() || text.matches("\\.+"))) {
            throw new IllegalArgumentException("allowed are 1 to 200 of the characters A-Z a-z 0-9 . _ -");
        }
        return text;
    }

    /** As the kernel has it, because Java would ask name servers for it; elsewhere by Java. */
    private static String hostName() {
        try {
            if (Files.isReadable(HOST_NAME)) {
                return Files.readString(HOST_NAME).strip();
            }
            return InetAddress.getLocalHost().getHostName();
        } catch (IOException unknown) {
            return "collector";
        }
    }

    private static Map<String, String> properties(String file) {
        Properties read = new Properties();
        if (!file.isEmpty()) {
            String text = NamedFile.text(file);
            try {
                read.load(new StringReader(text));
            } catch (IllegalArgumentException | IOException misshapen) {
                throw new IllegalArgumentException("which contains \\u that is not followed by four digits", misshapen);
            }
        }
        return read.stringPropertyNames().stream().collect(Collectors.toMap(key -> key, read::getProperty));
    }

    /** Properties of the file that may be mistakes; they do not stop the start. */
    public List<String> remarks() {
        Set<String> known = known().keySet();
        List<String> allowed = known.stream().filter(FleetSettings::isAllowed).toList();
        return properties.keySet().stream()
                .sorted()
                .filter(key -> !known.contains(key) && !key.startsWith(HANDED_ON))
                .map(key -> {
                    String nearest = EditDistance.nearest(key, allowed);
                    // Any other word may be a password.
                    return "the file of --kafka-settings has "
                            + (Settings.isMistyped(key, nearest) ? key : "a key")
                            + ", which is not a property of Kafka's clients; did you mean " + nearest + "?";
                })
                .toList();
    }

    /** The properties that some client knows, with the rules of the first. */
    private static Map<String, ConfigDef.ConfigKey> known() {
        Map<String, ConfigDef.ConfigKey> known = new TreeMap<>();
        Stream.of(ProducerConfig.configDef(), ConsumerConfig.configDef(), AdminClientConfig.configDef())
                .forEach(client -> client.configKeys().forEach(known::putIfAbsent));
        return known;
    }

    private static boolean isAllowed(String key) {
        return ALLOWED_PROPERTIES.matcher(key).matches();
    }

    private List<String> mistakes() {
        List<String> mistakes = new ArrayList<>();
        Map<String, ConfigDef.ConfigKey> known = known();
        new TreeMap<>(properties).forEach((key, value) -> {
            ConfigDef.ConfigKey property = known.get(key);
            if (property != null && !isAllowed(key)) {
                mistakes.add("which sets " + key + "; leave it out: " + INSTEAD.getOrDefault(key, OURS));
            } else if (property != null && !value.contains("${")) {
                // A provider puts something else in the place of ${...}.
                wrong(property, value).ifPresent(rule -> mistakes.add("where " + key + " is wrong: " + rule));
            }
        });
        if (mistakes.isEmpty()) {
            try {
                // Those of producers and consumers differ from these only in what is ours.
                new AdminClientConfig(admin("", Map.of()));
            } catch (ConfigException wrong) {
                mistakes.add("which Kafka's clients refuse: " + wrong.getMessage());
            }
        }
        return mistakes;
    }

    /** The rule that a value breaks. */
    private static Optional<String> wrong(ConfigDef.ConfigKey property, String value) {
        try {
            if (property.name.equals(SESSION)) {
                Settings.wholeNumber(value, SESSION_MILLIS_MIN, SESSION_MILLIS_MAX);
            }
            Object parsed = ConfigDef.parseType(property.name, value, property.type);
            if (property.validator != null) {
                property.validator.ensureValid(property.name, parsed);
            }
            return Optional.empty();
        } catch (ConfigException | IllegalArgumentException wrong) {
            return Optional.of(
                    property.type == ConfigDef.Type.PASSWORD
                            ? "its value is not allowed"
                            : String.valueOf(wrong.getMessage()));
        }
    }

    /** The same for another instance. */
    FleetSettings as(String other) {
        return new FleetSettings(brokers, prefix, other, partitions, spoolBytes, properties);
    }

    /** The names of topics and groups. */
    Topics topics() {
        return Topics.of(prefix);
    }

    /**
     * The properties of a producer.
     *
     * @param role of the client within this collector, for logs and quotas of the brokers
     * @param ours which apply unless the file says otherwise
     */
    Map<String, Object> producer(String role, Map<String, ?> ours) {
        Map<String, Object> client = client(role, ProducerConfig.configNames(), ours);
        client.put("compression.type", "lz4");
        return client;
    }

    /** The properties of a consumer, which commits nothing by itself and begins nowhere by itself; see {@link #producer}. */
    Map<String, Object> consumer(String role, Map<String, ?> ours) {
        Map<String, Object> all = new HashMap<>(CONSUMERS);
        all.putAll(ours);
        return client(role, ConsumerConfig.configNames(), all);
    }

    /** Opens a consumer with these properties. */
    KafkaConsumer<byte[], byte[]> newConsumer(String role, Map<String, ?> ours) {
        return new KafkaConsumer<>(consumer(role, ours), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** The properties of an admin client; see {@link #producer}. */
    Map<String, Object> admin(String role, Map<String, ?> ours) {
        return client(role, AdminClientConfig.configNames(), ours);
    }

    private Map<String, Object> client(String role, Set<String> known, Map<String, ?> ours) {
        // Hundreds of partitions would each have MBeans, which nobody reads.
        Map<String, Object> client =
                new HashMap<>(Map.of("metric.reporters", "", "request.timeout.ms", REQUEST_MILLIS));
        client.putAll(ours);
        Set<String> ofOthers = known().keySet();
        ofOthers.removeAll(known);
        // A client would log those of the others. Who hands some on must get those that no client knows.
        properties.forEach((key, value) -> {
            if (!ofOthers.contains(key)) {
                client.put(key, value);
            }
        });
        client.put("bootstrap.servers", String.join(",", brokers));
        client.put("client.id", instance + "." + role);
        client.put("enable.metrics.push", false);
        return client;
    }
}
