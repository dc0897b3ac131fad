package io.counters.collector.fleet;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.counters.collector.fleet.FleetReport.Problem;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Creates a fleet's topics, and says whether they are as a fleet needs them. Each answer is waited for at most 10 s, and an
 * error is an answer: nothing is thrown. From one thread at a time.
 *
 * <p>A fault is what makes counts wrong or the work impossible. Less safety than three replicas, of which two must have what is
 * acknowledged, is a remark.
 */
public final class FleetCheck implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FleetCheck.class);

    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final int REPLICAS = 3;
    private static final int IN_SYNC = 2;

    private static final long DAY_MILLIS = Duration.ofDays(1).toMillis();
    private static final long HOUR_MILLIS = Duration.ofHours(1).toMillis();
    /** The largest records that collectors write, and some more; Kafka's default. */
    private static final long RECORD_BYTES_MIN = 1 << 20;

    private static final long SEGMENT_BYTES = 64 << 20;
    /** Who takes over a partition reads what has not been compacted, among it the last segment. */
    private static final long LEDGER_SEGMENT_BYTES = 32 << 20;

    private static final long LEDGER_SEGMENT_BYTES_MAX = 256 << 20;
    /** The smallest that Kafka allows. */
    private static final long SEGMENT_BYTES_MIN = 1 << 20;
    /** Segments are deleted as a whole, the last one never. */
    private static final int SEGMENTS = 4;

    /** A topic that was just created may not be known to each broker yet. */
    private static final int LOOKS_MAX = 100;

    private static final long LOOK_AGAIN_NANOS = MILLISECONDS.toNanos(100);

    private static final String CLEANUP = "cleanup.policy";
    private static final String IN_SYNC_MIN = "min.insync.replicas";
    private static final String UNCLEAN = "unclean.leader.election.enable";
    private static final String TIMESTAMPS = "message.timestamp.type";
    private static final String RETENTION = "retention.ms";
    private static final String SEGMENTS_OF = "segment.bytes";
    private static final String RECORDS_OF = "max.message.bytes";

    /** Each transaction's last record of a partition is its {@link Progress}; marks of transactions come after it. */
    private static final int TAIL = 100;

    private final FleetSettings settings;
    private final Topics topics;
    private @Nullable Admin admin;

    /** How many partitions the fleet has; 0 until that is known. It never changes. */
    private int recorded;

    public FleetCheck(FleetSettings settings) {
        this.settings = settings;
        topics = settings.topics();
    }

    /** Looks, and changes nothing. Topics that are missing are no fault as long as all of them are. */
    public FleetReport look() {
        return new Look().report();
    }

    /**
     * Creates the topics that are missing, and logs what should be better.
     *
     * @return how many partitions they have
     * @throws IOException if a fleet cannot use them; the message has every reason and remedy
     */
    int partitions() throws IOException {
        FleetReport report = create();
        report.remarks().forEach(remark -> log.warn("the topics or brokers of the fleet: {}", remark));
        if (!report.faults().isEmpty()) {
            throw new IOException("cannot use " + settings + ": "
                    + report.faults().stream().map(Problem::toString).collect(Collectors.joining(". ")));
        }
        return report.partitions();
    }

    /** Creates the topics that are missing, and looks. */
    public FleetReport create() {
        Look first = new Look();
        FleetReport report = first.report();
        if (report.absent().isEmpty() || !report.faults().isEmpty()) {
            return report;
        }
        int replicas =
                Math.min(REPLICAS, Math.max(report.brokers(), settings.brokers().size()));
        if (report.brokers() < replicas) {
            return first.with(new Problem(
                    "only " + report.brokers() + " of " + settings.brokers().size()
                            + " brokers in --ledger run, too few to create topics with " + replicas + " replicas",
                    "start the others, or name in --ledger only brokers that exist"));
        }
        int partitions = report.partitions() > 0 ? report.partitions() : settings.partitions();
        Map<String, KafkaFuture<Void>> created = admin().createTopics(report.absent().stream()
                        .map(name -> new NewTopic(name, partitions, (short) replicas)
                                .configs(wanted(name, replicas, partitions)))
                        .toList())
                .values();
        for (Map.Entry<String, KafkaFuture<Void>> topic : created.entrySet()) {
            Answer<Void> answer = ask(topic.getValue());
            if (answer.failure != null && !(answer.failure instanceof TopicExistsException)) {
                return first.with(new Problem(
                        "topic " + topic.getKey() + " does not exist, and cannot be created: " + text(answer.failure),
                        "create it: kafka-topics.sh --create --topic " + topic.getKey() + " --partitions " + partitions
                                + " --replication-factor " + replicas
                                + wanted(topic.getKey(), replicas, partitions).entrySet().stream()
                                        .map(each -> " --config " + each)
                                        .collect(Collectors.joining())
                                + (answer.failure instanceof AuthorizationException
                                        ? "; or allow the collector to create topics"
                                        : "")));
            }
        }
        FleetReport after = look();
        for (int looks = 1; looks < LOOKS_MAX && after.faults().isEmpty() && !after.isReady(); looks++) {
            LockSupport.parkNanos(LOOK_AGAIN_NANOS);
            after = look();
        }
        return after;
    }

    /**
     * The collectors that own partitions or wait for some, by instance, with the address that they come from; empty if that
     * cannot be found out.
     */
    public Map<String, String> collectors() {
        Answer<Collection<MemberDescription>> members =
                ask(Objects.requireNonNull(admin().describeConsumerGroups(List.of(topics.owners()))
                                .describedGroups()
                                .get(topics.owners()))
                        .thenApply(group -> group.members()));
        Map<String, String> collectors = new HashMap<>();
        if (members.value != null) {
            members.value.forEach(
                    member -> member.groupInstanceId().ifPresent(instance -> collectors.put(instance, member.host())));
        }
        return collectors;
    }

    /** The settings of a topic that is created. */
    private Map<String, String> wanted(String topic, int replicas, int partitions) {
        Map<String, String> wanted = new LinkedHashMap<>();
        wanted.put(CLEANUP, topic.equals(topics.ledger()) ? "compact" : "delete");
        wanted.put(IN_SYNC_MIN, Integer.toString(replicas < REPLICAS ? 1 : IN_SYNC));
        wanted.put(UNCLEAN, "false");
        wanted.put(TIMESTAMPS, "CreateTime");
        if (topic.equals(topics.ledger())) {
            wanted.put(SEGMENTS_OF, Long.toString(LEDGER_SEGMENT_BYTES));
        } else if (topic.equals(topics.lines())) {
            wanted.put(RETENTION, Long.toString(DAY_MILLIS));
            wanted.put(SEGMENTS_OF, Long.toString(SEGMENT_BYTES));
        } else {
            long bytes = Math.max(settings.spoolBytes() / partitions, SEGMENTS * SEGMENT_BYTES_MIN);
            wanted.put(RETENTION, Long.toString(DAY_MILLIS));
            wanted.put("retention.bytes", Long.toString(bytes));
            wanted.put(SEGMENTS_OF, Long.toString(Math.min(SEGMENT_BYTES, bytes / SEGMENTS)));
        }
        return wanted;
    }

    /** One look at all. */
    private final class Look {
        private final List<Problem> faults = new ArrayList<>();
        private final List<Problem> remarks = new ArrayList<>();
        private final List<String> absent = new ArrayList<>();
        private final Map<String, TopicDescription> found = new LinkedHashMap<>();
        private int brokers;
        private int partitions;

        Look() {
            Answer<Collection<Node>> nodes;
            try {
                nodes = ask(admin().describeCluster().nodes());
            } catch (KafkaException notOpened) {
                nodes = new Answer<>(null, notOpened.getCause() == null ? notOpened : notOpened.getCause());
            }
            if (nodes.value == null) {
                faults.add(unreachable(Objects.requireNonNull(nodes.failure)));
                return;
            }
            brokers = nodes.value.size();
            describe();
            if (faults.isEmpty()) {
                checkTogether();
                found.values().forEach(this::checkReplicas);
                checkSettings();
            }
            if (faults.isEmpty() && absent.isEmpty()) {
                checkPartitions();
            }
        }

        private void checkPartitions() {
            try {
                recorded = recorded > 0 ? recorded : recorded(partitions);
            } catch (KafkaException notRead) {
                faults.add(new Problem(
                        "topic " + topics.ledger() + " cannot be read: " + text(notRead),
                        "see the log of the brokers; the collector's user must be allowed to Read it"));
                return;
            } catch (IllegalStateException unreadable) {
                faults.add(new Problem(
                        "topic " + topics.ledger() + " cannot be read: " + unreadable.getMessage(),
                        "use the version of the collector that wrote it, or a later one"));
                return;
            }
            if (recorded != partitions) {
                faults.add(new Problem(
                        "the topics have " + partitions + " partitions, and the fleet has " + recorded
                                + ", which must never change: names would move to other partitions, and be counted twice",
                        "collectors that still run go on; before another starts, restore the topics with " + recorded
                                + " partitions each; or, to begin at 0, give all collectors another --prefix"));
            }
        }

        FleetReport report() {
            return new FleetReport(brokers, partitions, absent, faults, remarks);
        }

        FleetReport with(Problem fault) {
            faults.add(fault);
            return report();
        }

        private void describe() {
            List<String> names = List.of(topics.ledger(), topics.lines(), topics.ticks());
            Map<String, KafkaFuture<TopicDescription>> described =
                    admin().describeTopics(names).topicNameValues();
            for (String name : names) {
                Answer<TopicDescription> topic = ask(Objects.requireNonNull(described.get(name)));
                if (topic.value != null) {
                    found.put(name, topic.value);
                } else if (topic.failure instanceof UnknownTopicOrPartitionException) {
                    absent.add(name);
                } else if (topic.failure instanceof AuthorizationException) {
                    faults.add(new Problem(
                            "the collector may not see topic " + name,
                            "allow its user to Describe, DescribeConfigs, Read, Write and Create the topics "
                                    + topics.prefix() + ".*, to Read the groups " + topics.prefix()
                                    + ".*, and to Write the transactional IDs " + topics.prefix() + ".*"));
                } else {
                    faults.add(new Problem(
                            "topic " + name + " cannot be looked at: " + text(Objects.requireNonNull(topic.failure)),
                            "see the log of the brokers"));
                }
            }
        }

        private void checkTogether() {
            if (brokers == 1) {
                remarks.add(new Problem(
                        "there is only one broker, so counts end with its disk", "use three brokers or more"));
            } else if (brokers < REPLICAS) {
                remarks.add(new Problem(
                        "there are only " + brokers + " brokers, so what one has acknowledged ends with its disk",
                        "use three brokers or more"));
            }
            TreeSet<Integer> counts = found.values().stream()
                    .map(topic -> topic.partitions().size())
                    .collect(Collectors.toCollection(TreeSet::new));
            if (counts.size() == 1) {
                partitions = counts.first();
            } else if (counts.size() > 1) {
                faults.add(new Problem(
                        "the topics differ in their partitions: "
                                + found.values().stream()
                                        .map(topic -> topic.name() + " has "
                                                + topic.partitions().size())
                                        .collect(Collectors.joining(", ")),
                        "never add partitions to them; delete a topic that is empty, and it is created again"));
            }
            if (partitions > Partitions.MAX) {
                faults.add(new Problem(
                        "the topics have " + partitions + " partitions, more than " + Partitions.MAX,
                        "give another --prefix, and topics with fewer are created"));
            }
            if (absent.contains(topics.ledger()) && !found.isEmpty()) {
                faults.add(new Problem(
                        "topic " + topics.ledger() + " does not exist, but " + String.join(" and ", found.keySet())
                                + " do: the ledgers were deleted",
                        "restore it; or, to begin at 0, delete the others, too"));
            }
        }

        private void checkReplicas(TopicDescription topic) {
            int replicas = topic.partitions().stream()
                    .mapToInt(each -> each.replicas().size())
                    .min()
                    .orElse(0);
            if (replicas < Math.min(REPLICAS, brokers)) {
                remarks.add(new Problem(
                        "topic " + topic.name() + " has " + replicas + " replicas of a partition, and there are "
                                + brokers + " brokers",
                        "give it " + Math.min(REPLICAS, brokers)
                                + " replicas of each partition, with kafka-reassign-partitions.sh"));
            }
            long leaderless = topic.partitions().stream()
                    .filter(each -> each.leader() == null || each.leader().isEmpty())
                    .count();
            if (leaderless > 0) {
                faults.add(new Problem(
                        leaderless + " of " + topic.partitions().size() + " partitions of topic " + topic.name()
                                + " have no broker that serves them",
                        "start the brokers that are away"));
            }
        }

        private void checkSettings() {
            Map<ConfigResource, TopicDescription> asked = new HashMap<>();
            found.forEach((name, topic) -> asked.put(new ConfigResource(ConfigResource.Type.TOPIC, name), topic));
            Map<ConfigResource, KafkaFuture<Config>> answers =
                    admin().describeConfigs(asked.keySet()).values();
            found.values().forEach(topic -> {
                Answer<Config> answer = ask(Objects.requireNonNull(
                        answers.get(new ConfigResource(ConfigResource.Type.TOPIC, topic.name()))));
                if (answer.value == null) {
                    remarks.add(new Problem(
                            "the settings of topic " + topic.name() + " cannot be read: "
                                    + text(Objects.requireNonNull(answer.failure)),
                            "allow the collector to DescribeConfigs of it"));
                } else {
                    checkSettings(topic, answer.value);
                }
            });
        }

        private void checkSettings(TopicDescription topic, Config config) {
            boolean isLedger = topic.name().equals(topics.ledger());
            require(topic, config, CLEANUP, isLedger ? "compact" : "delete");
            require(topic, config, TIMESTAMPS, "CreateTime");
            require(topic, config, UNCLEAN, "false");
            number(config, RECORDS_OF).ifPresent(bytes -> {
                if (bytes < RECORD_BYTES_MIN) {
                    faults.add(change(topic, RECORDS_OF, bytes, "at least", RECORD_BYTES_MIN));
                }
            });
            number(config, IN_SYNC_MIN).ifPresent(inSync -> checkInSync(topic, (int) (long) inSync));
            Optional<Long> retention = isLedger ? Optional.empty() : number(config, RETENTION);
            retention
                    .filter(millis -> millis >= 0 && millis < HOUR_MILLIS)
                    .ifPresent(millis -> remarks.add(change(topic, RETENTION, millis, "at least", HOUR_MILLIS)));
            Optional<Long> segment = isLedger ? number(config, SEGMENTS_OF) : Optional.empty();
            segment.filter(bytes -> bytes > LEDGER_SEGMENT_BYTES_MAX)
                    .ifPresent(bytes -> remarks.add(
                            change(topic, SEGMENTS_OF, bytes, "to be loaded soon, at most", LEDGER_SEGMENT_BYTES_MAX)));
        }

        private void checkInSync(TopicDescription topic, int min) {
            int replicas = topic.partitions().stream()
                    .mapToInt(each -> each.replicas().size())
                    .min()
                    .orElse(0);
            if (min > replicas) {
                faults.add(change(
                        topic, IN_SYNC_MIN, min, "where there are " + replicas + " replicas, at most", replicas));
                return;
            }
            if (replicas >= REPLICAS && min != IN_SYNC) {
                remarks.add(change(topic, IN_SYNC_MIN, min, "with " + replicas + " replicas", IN_SYNC));
            }
            List<TopicPartitionInfo> short_ = topic.partitions().stream()
                    .filter(each -> each.isr().size() < each.replicas().size())
                    .toList();
            long stuck = short_.stream().filter(each -> each.isr().size() < min).count();
            if (stuck > 0) {
                faults.add(new Problem(
                        stuck + " of " + topic.partitions().size() + " partitions of topic " + topic.name()
                                + " have fewer than " + min + " replicas in sync, so nothing can be written",
                        "start the brokers that are away"));
            } else if (!short_.isEmpty()) {
                remarks.add(new Problem(
                        short_.size() + " of " + topic.partitions().size() + " partitions of topic " + topic.name()
                                + " have replicas that are not in sync",
                        "start the brokers that are away, or wait"));
            }
        }

        private void require(TopicDescription topic, Config config, String key, String value) {
            ConfigEntry entry = config.get(key);
            if (entry != null && !value.equals(entry.value())) {
                faults.add(change(topic, key, entry.value(), "a fleet needs", value));
            }
        }

        private Problem change(TopicDescription topic, String key, Object is, String why, Object wanted) {
            return new Problem(
                    "topic " + topic.name() + " has " + key + "=" + is + ", " + why + " " + wanted,
                    "kafka-configs.sh --alter --topic " + topic.name() + " --add-config " + key + "=" + wanted);
        }
    }

    private int recorded(int partitions) {
        // What was not committed has the number, too.
        Map<String, Object> ours = Map.of(
                "isolation.level",
                "read_uncommitted",
                "enable.auto.commit",
                false,
                "allow.auto.create.topics",
                false,
                "auto.offset.reset",
                "earliest",
                "fetch.max.bytes",
                1 << 20,
                "default.api.timeout.ms",
                (int) ANSWER.toMillis());
        try (Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                settings.consumer("check", ours), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            return recorded(consumer, topics.ledger(), partitions);
        }
    }

    /**
     * The number of partitions that some ledger was written with; that of its topic if nothing was written yet.
     *
     * @throws KafkaException also if nothing can be read for 10 s, because a partition has lost its broker
     * @throws IllegalStateException if it was written by a later version
     */
    static int recorded(Consumer<byte[], byte[]> from, String ledger, int partitions) {
        List<TopicPartition> all = IntStream.range(0, partitions)
                .mapToObj(number -> new TopicPartition(ledger, number))
                .toList();
        Map<TopicPartition, Long> ends = from.endOffsets(all);
        Map<TopicPartition, Long> left = new HashMap<>(from.beginningOffsets(all));
        left.entrySet().removeIf(begin -> begin.getValue() >= ends.getOrDefault(begin.getKey(), 0L));
        from.assign(left.keySet());
        left.replaceAll((partition, begin) -> Math.max(begin, ends.getOrDefault(partition, 0L) - TAIL));
        left.forEach((partition, position) -> from.seek(partition, position));
        while (!left.isEmpty()) {
            for (ConsumerRecord<byte[], byte[]> record : from.poll(ANSWER)) {
                if (Arrays.equals(record.key(), Progress.KEY)) {
                    return Progress.of(record.value()).partitions();
                }
            }
            Map<TopicPartition, Long> before = Map.copyOf(left);
            left.replaceAll((partition, position) -> from.position(partition));
            left.entrySet().removeIf(at -> at.getValue() >= ends.getOrDefault(at.getKey(), 0L));
            if (left.equals(before)) {
                throw new org.apache.kafka.common.errors.TimeoutException("partitions left: " + left.size());
            }
        }
        return partitions;
    }

    private static Optional<Long> number(Config config, String key) {
        ConfigEntry entry = config.get(key);
        return entry == null || entry.value() == null ? Optional.empty() : Optional.of(Long.valueOf(entry.value()));
    }

    private Problem unreachable(Throwable failure) {
        String addresses = String.join(",", settings.brokers());
        return failure instanceof AuthenticationException
                ? new Problem(
                        "the brokers " + addresses + " refuse the collector: " + text(failure),
                        "correct the login in the file of --kafka-settings")
                : new Problem(
                        "no broker of " + addresses + " answers: " + text(failure),
                        "start the brokers, or correct --ledger, and security.protocol in the file of --kafka-settings");
    }

    private static String text(Throwable failure) {
        return failure instanceof TimeoutException || failure instanceof org.apache.kafka.common.errors.TimeoutException
                ? "no answer within " + ANSWER.toSeconds() + " s"
                : failure.getMessage() == null ? failure.toString() : failure.getMessage();
    }

    /** An answer of the brokers: a value or a failure. */
    private record Answer<T>(@Nullable T value, @Nullable Throwable failure) {}

    private static <T> Answer<T> ask(KafkaFuture<T> future) {
        try {
            return new Answer<>(future.get(ANSWER.toMillis(), MILLISECONDS), null);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            return new Answer<>(null, hurried);
        } catch (ExecutionException failed) {
            return new Answer<>(null, failed.getCause());
        } catch (TimeoutException late) {
            return new Answer<>(null, late);
        }
    }

    private Admin admin() {
        if (admin == null) {
            int millis = (int) ANSWER.toMillis();
            admin = Admin.create(settings.admin(
                    "check", Map.of("default.api.timeout.ms", millis, "request.timeout.ms", millis / 2)));
        }
        return admin;
    }

    @Override
    public void close() {
        if (admin != null) {
            admin.close(Duration.ZERO);
            admin = null;
        }
    }
}
