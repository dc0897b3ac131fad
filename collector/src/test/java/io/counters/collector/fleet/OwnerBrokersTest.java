package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.ledger.Snapshot;
import io.counters.collector.self.Self;
import io.counters.testsupport.Brokers;
import io.counters.testsupport.Patience;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Owners of partitions as processes, with a real broker. */
@Tag("once")
@Tag("slow")
@ExtendWith(Patience.class)
class OwnerBrokersTest {
    private static final int PARTITIONS = 8;
    private static final int NAMES = 100;
    private static final int STREAMS = 10;

    private static Brokers brokers;

    private final Map<String, Long> totals = new TreeMap<>();
    private int sections;

    @BeforeAll
    static void start() throws Exception {
        brokers = Brokers.start(1);
    }

    @AfterAll
    static void end() {
        brokers.close();
    }

    private static void create(Topics topics) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers.bootstrap()))) {
            admin.createTopics(List.of(
                            new NewTopic(topics.lines(), Optional.of(PARTITIONS), Optional.empty()),
                            new NewTopic(topics.ledger(), Optional.of(PARTITIONS), Optional.empty())
                                    .configs(Map.of("cleanup.policy", "compact")),
                            new NewTopic(topics.ticks(), Optional.of(PARTITIONS), Optional.empty())))
                    .all()
                    .get(60, TimeUnit.SECONDS);
        }
    }

    private static KafkaProducer<byte[], byte[]> producer() {
        return new KafkaProducer<>(
                Map.of("bootstrap.servers", brokers.bootstrap(), "linger.ms", 5),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    /** Writes lines with totals of streams, and lines without. */
    @SuppressWarnings("FutureReturnValueIgnored") // What was not sent is missing at the end.
    private void count(KafkaProducer<byte[], byte[]> producer, Topics topics, int more) {
        CRC32C crc = new CRC32C();
        for (int i = 0; i < more; i++) {
            int section = sections++;
            String name = "name." + section * 31 % NAMES;
            long total = totals.merge(name, 3L, Long::sum);
            String plain = section % 3 == 0 ? "increment " + name + " 2\n" : "";
            if (!plain.isEmpty()) {
                totals.merge(name, 2L, Long::sum);
            }
            // Each name has one stream, whose total is what came with totals.
            long withTotals = streamTotals.merge(name, 3L, Long::sum);
            byte[] bytes = name.getBytes(ISO_8859_1);
            String stream = "stream-of-a-sender-" + Math.floorMod(name.hashCode(), STREAMS);
            producer.send(new ProducerRecord<>(
                    topics.lines(),
                    Partitions.of(bytes, 0, bytes.length, PARTITIONS, crc),
                    null,
                    (plain + "from " + stream + " 1000\nincrement " + name + " 3 " + withTotals + "\n")
                            .getBytes(ISO_8859_1)));
            assertThat(total).isPositive();
        }
        producer.flush();
    }

    private final Map<String, Long> streamTotals = new HashMap<>();

    private static Map<String, Long> values(PartitionOwner owner) {
        Map<String, Long> values = new TreeMap<>();
        Snapshot snapshot = owner.counted().snapshot();
        for (int i = 0; i < snapshot.size(); i++) {
            values.put(snapshot.names()[i], snapshot.values()[i]);
        }
        return values;
    }

    @Test
    void what_a_killed_owner_had_is_exact_at_the_other_and_no_second_is_published_twice() throws Exception {
        Topics topics = Topics.of("killed");
        create(topics);
        Self self = new Self();
        Process one = OwnerProcess.launch(brokers.bootstrap(), topics.prefix(), "one", PARTITIONS);
        try (KafkaProducer<byte[], byte[]> producer = producer()) {
            count(producer, topics, 2000);
            awaitCommitted(topics, 1);
            try (PartitionOwner two =
                    OwnerProcess.start(brokers.bootstrap(), topics.prefix(), "two", PARTITIONS, self)) {
                await("half of the partitions").until(() -> two.ledgers().size() == PARTITIONS / 2);
                count(producer, topics, 2000);

                one.destroyForcibly().waitFor();
                count(producer, topics, 2000);

                await("all partitions").until(() -> two.ledgers().size() == PARTITIONS);
                await("all lines").untilAsserted(() -> assertThat(values(two)).isEqualTo(totals));
                assertThat(self.values().get("fleet_take_over_millis")).isLessThan(60_000);
                await("a tick of each partition")
                        .until(() -> ticks(topics).stream()
                                        .filter(tick -> tick.partition() >= 0)
                                        .map(ConsumerRecord::partition)
                                        .distinct()
                                        .count()
                                == PARTITIONS);
            }
        } finally {
            one.destroyForcibly();
        }
        assertNoSecondTwice(topics);
    }

    @Test
    void a_paused_owner_that_goes_on_as_a_zombie_changes_nothing() throws Exception {
        Topics topics = Topics.of("paused");
        create(topics);
        Process one = OwnerProcess.launch(brokers.bootstrap(), topics.prefix(), "one", PARTITIONS);
        try (KafkaProducer<byte[], byte[]> producer = producer();
                PartitionOwner two =
                        OwnerProcess.start(brokers.bootstrap(), topics.prefix(), "two", PARTITIONS, new Self())) {
            await("half of the partitions").until(() -> two.ledgers().size() == PARTITIONS / 2);
            count(producer, topics, 2000);
            signal(one, "STOP");
            count(producer, topics, 2000);
            await("all partitions").until(() -> two.ledgers().size() == PARTITIONS);
            await("all lines").untilAsserted(() -> assertThat(values(two)).isEqualTo(totals));

            count(producer, topics, 500);
            signal(one, "CONT");
            await("half of them again").until(() -> two.ledgers().size() == PARTITIONS / 2);
            count(producer, topics, 500);
            one.destroyForcibly().waitFor();

            await("all lines at last")
                    .untilAsserted(() -> assertThat(values(two)).isEqualTo(totals));
        } finally {
            one.destroyForcibly();
        }
        assertNoSecondTwice(topics);
    }

    @Test
    void a_restart_moves_nothing() throws Exception {
        Topics topics = Topics.of("restarted");
        create(topics);
        Self ofOther = new Self();
        try (KafkaProducer<byte[], byte[]> producer = producer();
                PartitionOwner other =
                        OwnerProcess.start(brokers.bootstrap(), topics.prefix(), "other", PARTITIONS, ofOther)) {
            PartitionOwner before =
                    OwnerProcess.start(brokers.bootstrap(), topics.prefix(), "one", PARTITIONS, new Self());
            await("half of the partitions").until(() -> before.ledgers().size() == PARTITIONS / 2);
            count(producer, topics, 2000);
            Set<Integer> partitions = before.ledgers().keySet();
            long rebalances = Objects.requireNonNull(ofOther.values().get("fleet_rebalances_total"));

            before.close();
            try (PartitionOwner after =
                    OwnerProcess.start(brokers.bootstrap(), topics.prefix(), "one", PARTITIONS, new Self())) {
                await("the same partitions")
                        .until(() -> after.ledgers().keySet().equals(partitions));
                count(producer, topics, 100);
                await("all lines").untilAsserted(() -> {
                    Map<String, Long> all = new TreeMap<>(values(after));
                    all.putAll(values(other));
                    assertThat(all).isEqualTo(totals);
                });
            }
            assertThat(ofOther.values()).containsEntry("fleet_rebalances_total", rebalances);
        }
    }

    private static void signal(Process process, String signal) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    /** Waits until some owner has committed at least so many records of each partition. */
    private static void awaitCommitted(Topics topics, long records) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers.bootstrap()))) {
            await("offsets")
                    .untilAsserted(() -> assertThat(admin.listConsumerGroupOffsets(topics.owners())
                                    .partitionsToOffsetAndMetadata()
                                    .get(60, TimeUnit.SECONDS)
                                    .values())
                            .hasSize(PARTITIONS)
                            .allMatch(offset -> offset.offset() >= records));
        }
    }

    private static List<ConsumerRecord<byte[], byte[]>> ticks(Topics topics) {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", brokers.bootstrap(), "isolation.level", "read_committed"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> all = new ArrayList<>();
            for (int i = 0; i < PARTITIONS; i++) {
                all.add(new TopicPartition(topics.ticks(), i));
            }
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            await("ticks").pollInSameThread().until(() -> {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
                return all.stream()
                        .allMatch(partition ->
                                consumer.position(partition) >= ends.getOrDefault(partition, Long.MAX_VALUE));
            });
            return records;
        }
    }

    private static void assertNoSecondTwice(Topics topics) throws Exception {
        Set<String> seconds = new HashSet<>();
        for (ConsumerRecord<byte[], byte[]> record : ticks(topics)) {
            TickRecords.Tick tick = TickRecords.read(record.value());
            assertThat(seconds.add(record.partition() + " " + tick.second()))
                    .as("second " + tick.second() + " of partition " + record.partition() + " is new")
                    .isTrue();
        }
        assertThat(seconds).isNotEmpty();
    }
}
