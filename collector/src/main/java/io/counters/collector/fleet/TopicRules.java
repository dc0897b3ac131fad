package io.counters.collector.fleet;

import io.counters.collector.fleet.FleetReport.Problem;
import io.counters.collector.fleet.FleetReport.Problems;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartitionInfo;

/** How a fleet's topics have to be, one by one: the settings of those that are created, and what is wrong with others. */
final class TopicRules {
    static final int REPLICAS = 3;
    private static final int IN_SYNC = 2;
    private static final long DAY_MILLIS = Duration.ofDays(1).toMillis();
    private static final long HOUR_MILLIS = Duration.ofHours(1).toMillis();
    private static final long MINUTE_MILLIS = Duration.ofMinutes(1).toMillis();

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

    private static final String CLEANUP = "cleanup.policy";
    private static final String IN_SYNC_MIN = "min.insync.replicas";
    private static final String UNCLEAN = "unclean.leader.election.enable";
    private static final String TIMESTAMPS = "message.timestamp.type";
    private static final String BEFORE_MAX = "message.timestamp.before.max.ms";
    private static final String AFTER_MAX = "message.timestamp.after.max.ms";
    private static final String RETENTION = "retention.ms";
    private static final String SEGMENTS_OF = "segment.bytes";
    private static final String RECORDS_OF = "max.message.bytes";

    private final Topics topics;
    private final long spoolBytes;

    /** @param spoolBytes see {@link FleetSettings} */
    TopicRules(Topics topics, long spoolBytes) {
        this.topics = topics;
        this.spoolBytes = spoolBytes;
    }

    /** The settings of a topic that is created. */
    Map<String, String> wanted(String topic, int replicas, int partitions) {
        Map<String, String> wanted = new LinkedHashMap<>(required(topic));
        wanted.put(IN_SYNC_MIN, Integer.toString(replicas < REPLICAS ? 1 : IN_SYNC));
        if (topic.equals(topics.ledger())) {
            wanted.put(SEGMENTS_OF, Long.toString(LEDGER_SEGMENT_BYTES));
        } else if (topic.equals(topics.lines())) {
            wanted.put(RETENTION, Long.toString(DAY_MILLIS));
            wanted.put(SEGMENTS_OF, Long.toString(SEGMENT_BYTES));
        } else {
            long bytes = Math.max(spoolBytes / partitions, SEGMENTS * SEGMENT_BYTES_MIN);
            wanted.put(RETENTION, Long.toString(DAY_MILLIS));
            wanted.put("retention.bytes", Long.toString(bytes));
            wanted.put(SEGMENTS_OF, Long.toString(Math.min(SEGMENT_BYTES, bytes / SEGMENTS)));
        }
        return wanted;
    }

    /** The settings that a topic must have. */
    private Map<String, String> required(String topic) {
        Map<String, String> required = new LinkedHashMap<>();
        required.put(CLEANUP, topic.equals(topics.ledger()) ? "compact" : "delete");
        required.put(TIMESTAMPS, "CreateTime");
        required.put(UNCLEAN, "false");
        return required;
    }

    /** Whether each of its partitions has a broker, and as many replicas as it can. */
    static void checkReplicas(TopicDescription topic, int brokers, Problems to) {
        int replicas = replicas(topic);
        int wanted = Math.min(REPLICAS, brokers);
        if (replicas < wanted) {
            to.remark(
                    "topic " + topic.name() + " has " + replicas + " replicas of a partition, and there are " + brokers
                            + " brokers",
                    "give it " + wanted + " replicas of each partition, with kafka-reassign-partitions.sh");
        }
        long leaderless = topic.partitions().stream()
                .filter(each -> each.leader() == null || each.leader().isEmpty())
                .count();
        if (leaderless > 0) {
            to.fault(of(leaderless, topic) + " have no broker that serves them", "start the brokers that are away");
        }
    }

    private static int replicas(TopicDescription topic) {
        return topic.partitions().stream()
                .mapToInt(each -> each.replicas().size())
                .min()
                .orElse(0);
    }

    private static String of(long some, TopicDescription topic) {
        return some + " of " + topic.partitions().size() + " partitions of topic " + topic.name();
    }

    /** Whether it has the settings that it must have. */
    void checkSettings(TopicDescription topic, Config config, Problems to) {
        String name = topic.name();
        required(name).forEach((key, value) -> {
            ConfigEntry entry = config.get(key);
            if (entry != null && !value.equals(entry.value())) {
                to.faults.add(change(name, key, entry.value(), "a fleet needs", value));
            }
        });
        number(config, RECORDS_OF)
                .filter(bytes -> bytes < RECORD_BYTES_MIN)
                .ifPresent(bytes -> to.faults.add(change(name, RECORDS_OF, bytes, "at least", RECORD_BYTES_MIN)));
        number(config, IN_SYNC_MIN).ifPresent(min -> checkInSync(topic, min, to));
        if (name.equals(topics.ledger())) {
            number(config, SEGMENTS_OF)
                    .filter(bytes -> bytes > LEDGER_SEGMENT_BYTES_MAX)
                    .ifPresent(bytes -> to.remarks.add(
                            change(name, SEGMENTS_OF, bytes, "to be loaded soon, at most", LEDGER_SEGMENT_BYTES_MAX)));
        } else {
            least(name, config, RETENTION, HOUR_MILLIS, to);
        }
        if (name.equals(topics.lines())) {
            // Otherwise Kafka refuses lines: those that waited for it, and those of a clock that is ahead.
            least(name, config, BEFORE_MAX, DAY_MILLIS, to);
            least(name, config, AFTER_MAX, MINUTE_MILLIS, to);
        }
    }

    private static void least(String topic, Config config, String key, long least, Problems to) {
        number(config, key)
                .filter(millis -> millis >= 0 && millis < least)
                .ifPresent(millis -> to.remarks.add(change(topic, key, millis, "at least", least)));
    }

    private static void checkInSync(TopicDescription topic, long min, Problems to) {
        String name = topic.name();
        int replicas = replicas(topic);
        if (min > replicas) {
            to.faults.add(
                    change(name, IN_SYNC_MIN, min, "where there are " + replicas + " replicas, at most", replicas));
            return;
        }
        if (replicas >= REPLICAS && min != IN_SYNC) {
            to.remarks.add(change(name, IN_SYNC_MIN, min, "with " + replicas + " replicas", IN_SYNC));
        }
        List<TopicPartitionInfo> behind = topic.partitions().stream()
                .filter(each -> each.isr().size() < each.replicas().size())
                .toList();
        long stuck = behind.stream().filter(each -> each.isr().size() < min).count();
        if (stuck > 0) {
            to.fault(
                    of(stuck, topic) + " have fewer than " + min + " replicas in sync, so nothing can be written",
                    "start the brokers that are away");
        } else if (!behind.isEmpty()) {
            to.remark(
                    of(behind.size(), topic) + " have replicas that are not in sync",
                    "start the brokers that are away, or wait");
        }
    }

    private static Problem change(String topic, String key, Object is, String why, Object wanted) {
        return new Problem(
                "topic " + topic + " has " + key + "=" + is + ", " + why + " " + wanted,
                "kafka-configs.sh --alter --topic " + topic + " --add-config " + key + "=" + wanted);
    }

    private static Optional<Long> number(Config config, String key) {
        ConfigEntry entry = config.get(key);
        return entry == null || entry.value() == null ? Optional.empty() : Optional.of(Long.valueOf(entry.value()));
    }
}
