package io.counters.collector.fleet;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.counters.collector.fleet.FleetReport.Problem;
import io.counters.collector.fleet.FleetReport.Problems;
import io.counters.collector.settings.CollectorFlag;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
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

    /** A topic that was just created may not be known to each broker yet. */
    private static final int LOOKS_MAX = 100;

    private static final long LOOK_AGAIN_NANOS = MILLISECONDS.toNanos(100);

    private final FleetSettings settings;
    private final Topics topics;
    private final TopicRules rules;
    private @Nullable Admin admin;

    /** How many partitions the fleet has; 0 until that is known. It never changes. */
    private int recorded;

    private final SeenTopics seen = new SeenTopics();

    public FleetCheck(FleetSettings settings) {
        this.settings = settings;
        topics = settings.topics();
        rules = new TopicRules(topics, settings.spoolBytes());
    }

    /**
     * Looks, and changes nothing. Topics that are missing are no fault as long as all of them are. Those that were there when
     * the fleet was found ready are a fault from the second look on.
     */
    public FleetReport look() {
        return remembered(new Look());
    }

    private FleetReport remembered(Look look) {
        FleetReport report = look.report();
        if (report.isReady()) {
            look.found.forEach((name, topic) -> seen.add(name, topic.topicId()));
        }
        return report;
    }

    /** Whether the last look did not find a topic that was there before: it is to be looked for again soon. */
    boolean misses() {
        return seen.misses();
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
    FleetReport create() {
        Look first = new Look();
        if (first.absent.isEmpty() || !first.problems.faults.isEmpty()) {
            return remembered(first);
        }
        int brokers = settings.brokers().size();
        int replicas = Math.min(TopicRules.REPLICAS, Math.max(first.brokers, brokers));
        if (first.brokers < replicas) {
            first.problems.fault(
                    "only " + first.brokers + " of " + brokers
                            + " brokers in --ledger run, too few to create topics with " + replicas + " replicas",
                    "start the others, or name in --ledger only brokers that exist");
            return first.report();
        }
        int partitions = first.partitions > 0 ? first.partitions : settings.partitions();
        Map<String, KafkaFuture<Void>> created = admin().createTopics(first.absent.stream()
                        .map(name -> new NewTopic(name, partitions, (short) replicas)
                                .configs(rules.wanted(name, replicas, partitions)))
                        .toList())
                .values();
        for (Map.Entry<String, KafkaFuture<Void>> topic : created.entrySet()) {
            Throwable failure = ask(topic.getValue()).failure;
            if (failure != null && !(failure instanceof TopicExistsException)) {
                first.problems.fault(
                        "topic " + topic.getKey() + " does not exist, and cannot be created: " + text(failure),
                        "create it: kafka-topics.sh --create --topic " + topic.getKey() + " --partitions " + partitions
                                + " --replication-factor " + replicas
                                + rules.wanted(topic.getKey(), replicas, partitions).entrySet().stream()
                                        .map(each -> " --config " + each)
                                        .collect(Collectors.joining())
                                + (failure instanceof AuthorizationException
                                        ? "; or allow the collector to create topics"
                                        : ""));
                return first.report();
            }
        }
        log.info(
                "created the topics {}{}",
                String.join(", ", first.absent),
                first.found.isEmpty() ? ": this is a new fleet" : "");
        FleetReport after = look();
        for (int looks = 1; looks < LOOKS_MAX && after.faults().isEmpty() && !after.isReady(); looks++) {
            LockSupport.parkNanos(LOOK_AGAIN_NANOS);
            after = look();
        }
        return after;
    }

    /** The collectors that own partitions or wait for some, by their names; empty if that cannot be found out. */
    public Optional<List<Member>> members() {
        Answer<ConsumerGroupDescription> owners =
                ask(Objects.requireNonNull(admin().describeConsumerGroups(List.of(topics.owners()))
                        .describedGroups()
                        .get(topics.owners())));
        return Optional.ofNullable(owners.value)
                .map(group -> group.members().stream()
                        .map(Member::of)
                        .sorted(Comparator.comparing(Member::name))
                        .toList());
    }

    /** One look at all. */
    private final class Look {
        final Problems problems = new Problems();
        final List<String> absent = new ArrayList<>();
        private final Map<String, TopicDescription> found = new LinkedHashMap<>();
        int brokers;
        int partitions;

        Look() {
            Answer<Collection<Node>> nodes;
            try {
                nodes = ask(admin().describeCluster().nodes());
            } catch (KafkaException notOpened) {
                nodes = new Answer<>(null, notOpened.getCause() == null ? notOpened : notOpened.getCause());
            }
            if (nodes.value == null) {
                unreachable(Objects.requireNonNull(nodes.failure));
                return;
            }
            brokers = nodes.value.size();
            describe();
            if (problems.faults.isEmpty()) {
                checkTogether();
                found.values().forEach(topic -> TopicRules.checkReplicas(topic, brokers, problems));
                checkSettings();
            }
            if (problems.faults.isEmpty() && absent.isEmpty()) {
                checkPartitions();
            }
        }

        FleetReport report() {
            return new FleetReport(brokers, partitions, absent, problems.faults, problems.remarks);
        }

        private void unreachable(Throwable failure) {
            String addresses = String.join(",", settings.brokers());
            if (failure instanceof AuthenticationException) {
                problems.fault(
                        "the brokers " + addresses + " refuse the collector: " + text(failure),
                        "correct the login in the file of --kafka-settings");
            } else {
                problems.fault(
                        "no broker of " + addresses + " answers: " + text(failure),
                        "start the brokers, or correct --ledger, and security.protocol in the file of --kafka-settings");
            }
        }

        private void describe() {
            List<String> names = List.of(topics.ledger(), topics.lines(), topics.ticks());
            Map<String, KafkaFuture<TopicDescription>> described =
                    admin().describeTopics(names).topicNameValues();
            for (String name : names) {
                Answer<TopicDescription> topic = ask(Objects.requireNonNull(described.get(name)));
                if (topic.value != null) {
                    found.put(name, topic.value);
                    boolean isOther = seen.isOther(name, topic.value.topicId());
                    // Others begin anew. Owners of ledgers write only what changes, so theirs is incomplete.
                    if (isOther && name.equals(topics.ledger())) {
                        gone(name, "was deleted and created again while this collector runs, so what it had is gone");
                    }
                } else if (topic.failure instanceof UnknownTopicOrPartitionException) {
                    absent.add(name);
                    if (seen.isGone(name)) {
                        gone(name, "was deleted while this collector runs");
                    }
                } else if (topic.failure instanceof AuthorizationException) {
                    problems.fault(
                            "the collector may not see topic " + name,
                            "allow its user to Describe, DescribeConfigs, Read, Write and Create the topics "
                                    + topics.prefix() + ".*, to Read the groups " + topics.prefix()
                                    + ".*, and to Write the transactional IDs " + topics.prefix() + ".*");
                } else {
                    problems.fault(
                            "topic " + name + " cannot be looked at: " + text(Objects.requireNonNull(topic.failure)),
                            "see the log of the brokers");
                }
            }
        }

        private void gone(String name, String what) {
            problems.fault(
                    "topic " + name + " " + what,
                    "stop all collectors first; "
                            + (name.equals(topics.ledger())
                                    ? "then restore it, or give all another --prefix to begin at 0"
                                    : "the first that starts creates it again"));
        }

        private void checkTogether() {
            if (brokers == 1) {
                problems.remark("there is only one broker, so counts end with its disk", "use three brokers or more");
            } else if (brokers < TopicRules.REPLICAS) {
                problems.remark(
                        "there are only " + brokers + " brokers, so what one has acknowledged ends with its disk",
                        "use three brokers or more");
            }
            Set<Integer> counts = found.values().stream()
                    .map(topic -> topic.partitions().size())
                    .collect(Collectors.toSet());
            if (counts.size() > 1) {
                problems.fault(
                        "the topics differ in their partitions: "
                                + found.values().stream()
                                        .map(topic -> topic.name() + " has "
                                                + topic.partitions().size())
                                        .collect(Collectors.joining(", ")),
                        "never add partitions to them; to have one that is empty created again, stop all collectors first,"
                                + " delete it, and start them");
            } else if (!counts.isEmpty()) {
                partitions = counts.iterator().next();
                checkWanted();
            }
            if (partitions > Partitions.MAX) {
                problems.fault(
                        "the topics have " + partitions + " partitions, more than " + Partitions.MAX,
                        "give another --prefix, and topics with fewer are created");
            }
            // One that was there is told of as one that is gone.
            if (absent.contains(topics.ledger()) && !seen.contains(topics.ledger()) && !found.isEmpty()) {
                problems.fault(
                        "topic " + topics.ledger() + " does not exist, but " + String.join(" and ", found.keySet())
                                + " do: the ledgers were deleted",
                        "restore it; or, to begin at 0, delete the others, too");
            }
        }

        private void checkWanted() {
            int wanted = settings.partitions();
            if (wanted != partitions && wanted != Integer.parseInt(CollectorFlag.FLEET_PARTITIONS.defaultText())) {
                problems.remark(
                        "--fleet-partitions is " + wanted + ", which is not used, because the topics exist and have "
                                + partitions + " partitions",
                        "leave it out; or, for a new fleet, give another --prefix");
            }
        }

        private void checkSettings() {
            Map<String, ConfigResource> asked = new HashMap<>();
            found.keySet().forEach(name -> asked.put(name, new ConfigResource(ConfigResource.Type.TOPIC, name)));
            Map<ConfigResource, KafkaFuture<Config>> answers =
                    admin().describeConfigs(asked.values()).values();
            found.forEach((name, topic) -> {
                Answer<Config> answer = ask(Objects.requireNonNull(answers.get(asked.get(name))));
                if (answer.value == null) {
                    problems.remark(
                            "the settings of topic " + name + " cannot be read: "
                                    + text(Objects.requireNonNull(answer.failure)),
                            "allow the collector to DescribeConfigs of it");
                } else {
                    rules.checkSettings(topic, answer.value, problems);
                }
            });
        }

        private void checkPartitions() {
            try {
                recorded = recorded > 0 ? recorded : recorded(partitions);
            } catch (KafkaException notRead) {
                problems.fault(
                        "topic " + topics.ledger() + " cannot be read: " + text(notRead),
                        "see the log of the brokers; the collector's user must be allowed to Read it");
                return;
            } catch (IllegalStateException unreadable) {
                problems.fault(
                        "topic " + topics.ledger() + " cannot be read: " + unreadable.getMessage(),
                        "use the version of the collector that wrote it, or a later one");
                return;
            }
            if (recorded != partitions) {
                problems.fault(
                        "the topics have " + partitions + " partitions, and the fleet has " + recorded
                                + ", which must never change: names would move to other partitions, and be counted twice",
                        "collectors that still run go on; before another starts, restore the topics with " + recorded
                                + " partitions each; or, to begin at 0, give all collectors another --prefix");
            }
        }
    }

    private int recorded(int partitions) {
        // What was not committed has the number, too.
        Map<String, Object> ours = Map.of(
                "isolation.level",
                "read_uncommitted",
                "auto.offset.reset",
                "earliest",
                "fetch.max.bytes",
                1 << 20,
                "default.api.timeout.ms",
                (int) ANSWER.toMillis());
        try (Consumer<byte[], byte[]> consumer = settings.newConsumer("check", ours)) {
            return LedgerOffset.partitions(consumer, topics.ledger(), partitions, ANSWER);
        }
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
