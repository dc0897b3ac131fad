package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Lines through a real Kafka, whose broker is killed meanwhile, into the ledgers of all partitions. */
@Tag("once")
@Tag("slow")
class KafkaLinesTest {
    private static final int PARTITIONS = 8;
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @RegisterExtension
    private static final SharedBrokers BROKERS = new SharedBrokers(1);

    private String prefix;
    private final SaidFaults said = new SaidFaults();
    private final Metrics metrics = new Metrics();
    private final List<Partition> partitions = IntStream.range(0, PARTITIONS)
            .mapToObj(i -> new Partition(System::currentTimeMillis))
            .toList();
    private final CountDownLatch ending = new CountDownLatch(1);

    /** Each test has a topic of its own. */
    @BeforeEach
    void createTopic() throws Exception {
        prefix = SharedBrokers.newName();
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()))) {
            admin.createTopics(List.of(new NewTopic(topic(), PARTITIONS, (short) 1)))
                    .all()
                    .get(60, TimeUnit.SECONDS);
        }
    }

    private String topic() {
        return prefix + ".lines";
    }

    private long counted(String name) {
        return metrics.values().getOrDefault(name, 0L);
    }

    private Gatherer gatherer(long heapBytes) {
        return new Gatherer(
                new KafkaLines(
                        new FleetSettings(
                                List.of(BROKERS.get().bootstrap().split(",", -1)),
                                prefix,
                                "one",
                                PARTITIONS,
                                1 << 30,
                                Map.of()),
                        Gatherer.producerBytes(heapBytes),
                        System::nanoTime,
                        said.log()),
                PARTITIONS,
                heapBytes,
                System::nanoTime,
                System::currentTimeMillis,
                new SeededHash(new Random(1)),
                said.log(),
                metrics);
    }

    private Thread sending(Gatherer gatherer) {
        Thread sending = new Thread(
                () -> {
                    try {
                        while (!ending.await(gatherer.run(), TimeUnit.MILLISECONDS)) {
                            // Until the end.
                        }
                    } catch (InterruptedException nobodyShould) {
                        Thread.currentThread().interrupt();
                    }
                },
                "counters-lines");
        sending.start();
        return sending;
    }

    /** Reads the topic from its beginning into new ledgers. */
    private void readAll() {
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", BROKERS.get().bootstrap()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> all = IntStream.range(0, PARTITIONS)
                    .mapToObj(i -> new TopicPartition(topic(), i))
                    .toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            await().atMost(PATIENCE).pollInSameThread().until(() -> {
                for (ConsumerRecord<byte[], byte[]> row : consumer.poll(Duration.ofMillis(100))) {
                    partitions
                            .get(row.partition())
                            .records
                            .merge(row.value(), row.timestamp(), System.currentTimeMillis());
                }
                return all.stream()
                        .allMatch(partition ->
                                consumer.position(partition) >= ends.getOrDefault(partition, Long.MAX_VALUE));
            });
        }
    }

    private long value(String name) {
        byte[] bytes = name.getBytes(ISO_8859_1);
        return partitions
                .get(Partitions.of(bytes, 0, bytes.length, PARTITIONS, new CRC32C()))
                .ledger
                .value(name);
    }

    @Test
    void every_line_counts_once_though_the_broker_is_killed_and_started_again() throws Exception {
        Gatherer gatherer = gatherer(256 << 20);
        TargetFeed feed = new TargetFeed(gatherer);
        Traffic traffic = new Traffic(new Random(17), feed::datagram);
        Thread sending = sending(gatherer);

        steps(traffic);
        BROKERS.get().kill(0);
        steps(traffic);
        await("trouble").atMost(PATIENCE).until(() -> gatherer.trouble().isPresent());
        steps(traffic);
        BROKERS.get().restart(0);
        await("no trouble").atMost(PATIENCE).until(() -> gatherer.trouble().isEmpty());
        steps(traffic);
        traffic.answered(60_000);

        end(sending, gatherer);
        readAll();
        for (int i = 0; i < Traffic.NAMES; i++) {
            assertThat(value(Traffic.name(i))).as(Traffic.name(i)).isEqualTo(traffic.expected(i));
        }
        assertThat(counted("fleet_lost_lines_total{kind=\"amount\"}")).isZero();
        assertThat(counted("fleet_dropped_lines_total{kind=\"amount\"}")).isZero();
    }

    /** Enough for several windows. */
    private void steps(Traffic traffic) {
        for (int window = 0; window < 5; window++) {
            long before = counted("fleet_gathered_lines_total");
            for (int step = 0; step < 200; step++) {
                traffic.step(60_000);
            }
            await("a window").atMost(PATIENCE).until(() -> counted("fleet_gathered_lines_total") > before);
        }
    }

    @Test
    void beyond_its_memory_lines_are_dropped_and_counted_and_nothing_else_is_lost() throws Exception {
        long sent = 0;
        Gatherer gatherer = gatherer(4 << 20);
        TargetFeed feed = new TargetFeed(gatherer);
        Thread sending = sending(gatherer);
        feed.datagram("n:1|c");
        await("the first record").atMost(PATIENCE).until(() -> counted("fleet_sent_records_total") > 0);
        sent++;

        BROKERS.get().kill(0);
        while (counted("fleet_dropped_lines_total{kind=\"amount\"}") == 0 && sent < 10_000_000) {
            feed.datagram("n." + sent + ":1|c");
            sent++;
        }
        BROKERS.get().restart(0);
        await("nothing waits").atMost(PATIENCE).until(() -> gatherer.trouble().isEmpty());
        feed.datagram("n:1|c");
        sent++;

        end(sending, gatherer);
        readAll();
        assertThat(value("n")).isEqualTo(2);
        long counters = partitions.stream()
                .mapToLong(partition -> partition.ledger.size())
                .sum();
        assertThat(counters + 1).isEqualTo(sent - counted("fleet_dropped_lines_total{kind=\"amount\"}"));
        assertThat(said.lines()).anyMatch(line -> line.startsWith("WARN the memory for lines that wait for Kafka, "));
    }

    @Test
    void the_end_does_not_wait_long_for_a_Kafka_that_is_away_and_counts_what_is_lost() throws Exception {
        Gatherer gatherer = gatherer(256 << 20);
        TargetFeed feed = new TargetFeed(gatherer);
        Thread sending = sending(gatherer);
        feed.datagram("n:1|c");
        await("the first record").atMost(PATIENCE).until(() -> counted("fleet_sent_records_total") > 0);
        BROKERS.get().kill(0);
        feed.datagram("n:1|c\nm:1|c");
        long began = System.nanoTime();

        end(sending, gatherer);

        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(30));
        assertThat(counted("fleet_lost_lines_total{kind=\"amount\"}")).isEqualTo(2);
        assertThat(said.lines()).anyMatch(line -> line.startsWith("WARN Kafka did not take a record with "));
    }

    private void end(Thread sending, Gatherer gatherer) throws InterruptedException {
        ending.countDown();
        sending.join();
        gatherer.close();
    }
}
