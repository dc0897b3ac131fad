package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Brokers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The brokers that tests of a fleet use. */
@Tag("once")
@Tag("slow")
class BrokersTest {
    private static final TopicPartition ONLY = new TopicPartition("t", 0);

    @Test
    void three_brokers_go_on_when_one_is_killed_and_when_another_hangs() throws Exception {
        try (Brokers brokers = Brokers.start(3)) {
            Map<String, Object> settings = Map.of(
                    "bootstrap.servers",
                    brokers.bootstrap(),
                    "transactional.id",
                    "writer",
                    "request.timeout.ms",
                    2000,
                    "compression.type",
                    "lz4");
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers.bootstrap()));
                    KafkaProducer<String, String> producer =
                            new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
                admin.createTopics(List.of(new NewTopic("t", Optional.empty(), Optional.empty())))
                        .all()
                        .get(60, TimeUnit.SECONDS);
                producer.initTransactions();

                commit(producer, "all run");
                brokers.kill(0);
                commit(producer, "one is gone");
                brokers.restart(0);
                awaitInSync(admin, 3);
                brokers.pause(1);
                commit(producer, "another hangs");
                brokers.resume(1);
                awaitInSync(admin, 3);
            }

            assertThat(read(brokers)).containsExactly("all run", "one is gone", "another hangs");
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // The commit fails if it failed.
    private static void commit(KafkaProducer<String, String> producer, String value) {
        producer.beginTransaction();
        producer.send(new ProducerRecord<>("t", 0, null, value));
        producer.commitTransaction();
    }

    private static void awaitInSync(Admin admin, int replicas) {
        await("replicas in sync")
                .untilAsserted(() -> assertThat(Objects.requireNonNull(admin.describeTopics(List.of("t"))
                                        .allTopicNames()
                                        .get(60, TimeUnit.SECONDS)
                                        .get("t"))
                                .partitions()
                                .get(0)
                                .isr())
                        .hasSize(replicas));
    }

    private static List<String> read(Brokers brokers) {
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", brokers.bootstrap(), "isolation.level", "read_committed"),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.assign(List.of(ONLY));
            consumer.seekToBeginning(List.of(ONLY));
            List<String> values = new ArrayList<>();
            await("the records").pollInSameThread().untilAsserted(() -> {
                consumer.poll(Duration.ofSeconds(1)).forEach(record -> values.add(record.value()));
                assertThat(values).hasSizeGreaterThanOrEqualTo(3);
            });
            return values;
        }
    }
}
