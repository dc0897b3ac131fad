package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
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
import org.junit.jupiter.api.extension.RegisterExtension;

/** With three brokers, of which one is killed or hangs. They are started once; each test has topics of its own. */
@Tag("once")
@Tag("slow")
class BrokersTest {
    private static final TopicPartition ONLY = new TopicPartition("t", 0);

    @RegisterExtension
    private static final SharedBrokers BROKERS = new SharedBrokers(3);

    @Test
    void three_brokers_go_on_when_one_is_killed_and_when_another_hangs() throws Exception {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers",
                BROKERS.get().bootstrap(),
                "transactional.id",
                "writer",
                "request.timeout.ms",
                2000,
                "compression.type",
                "lz4");
        try (Admin admin =
                        Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()));
                KafkaProducer<String, String> producer =
                        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            admin.createTopics(List.of(new NewTopic("t", Optional.empty(), Optional.empty())))
                    .all()
                    .get(60, TimeUnit.SECONDS);
            producer.initTransactions();

            commit(producer, "all run");
            BROKERS.get().kill(0);
            commit(producer, "one is gone");
            BROKERS.get().restart(0);
            awaitInSync(admin, 3);
            BROKERS.get().pause(1);
            commit(producer, "another hangs");
            BROKERS.get().resume(1);
            awaitInSync(admin, 3);
        }

        assertThat(read()).containsExactly("all run", "one is gone", "another hangs");
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

    private static List<String> read() {
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", BROKERS.get().bootstrap(), "isolation.level", "read_committed"),
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

    @Test
    void with_three_brokers_each_record_has_three_replicas_of_which_two_must_have_it() throws Exception {
        try (FleetCheck check =
                new FleetCheck(FleetCheckTest.settings(BROKERS.get().bootstrap(), "three", Map.of()))) {
            assertThat(check.create().remarks()).isEmpty();
            await("each broker knows the topics").until(() -> check.look().isReady());
            assertThat(FleetCheckTest.config(BROKERS.get(), "three.lines")
                            .get("min.insync.replicas")
                            .value())
                    .isEqualTo("2");

            FleetCheckTest.create(
                    BROKERS.get(),
                    new NewTopic("few.ledger", 1, (short) 1)
                            .configs(Map.of("cleanup.policy", "compact", "min.insync.replicas", "1")),
                    new NewTopic("few.lines", 1, (short) 3).configs(Map.of("min.insync.replicas", "1")),
                    new NewTopic("few.ticks", 1, (short) 3));
            await("each broker knows them").untilAsserted(() -> {
                FleetReport few = FleetCheckTest.look(BROKERS.get(), "few");
                assertThat(few.faults()).isEmpty();
                assertThat(few.remarks())
                        .extracting(Object::toString)
                        .anyMatch(
                                remark -> remark.contains("few.ledger has 1 replicas of a partition, and there are 3"))
                        .anyMatch(remark -> remark.contains("few.lines has min.insync.replicas=1, with 3 replicas 2"));
            });

            BROKERS.get().kill(2);
            await("a remark")
                    .atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(check.look().remarks())
                            .extracting(Object::toString)
                            .anyMatch(remark ->
                                    remark.contains("topic three.ledger have replicas that are not in sync")));
            assertThat(check.look().faults()).isEmpty();
        }
    }

    @Test
    void a_partition_that_no_broker_serves_does_not_keep_others_from_being_loaded() throws Exception {
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()))) {
            FleetSettings settings = new FleetSettings(
                    List.of(BROKERS.get().bootstrap().split(",", -1)), "unserved", "one", 2, 1 << 30, Map.of());
            String ledger = settings.topics().ledger();
            admin.createTopics(List.of(new NewTopic(ledger, Map.of(0, List.of(0), 1, List.of(1)))
                            .configs(Map.of("cleanup.policy", "compact", "min.insync.replicas", "1"))))
                    .all()
                    .get(60, TimeUnit.SECONDS);
            KafkaLoaderLog log = new KafkaLoaderLog(settings, System::nanoTime);
            await("both")
                    .ignoreExceptions()
                    .untilAsserted(() -> assertThat(log.ends(Set.of(0, 1))).hasSize(2));

            BROKERS.get().kill(1);

            await("the other")
                    .ignoreExceptions()
                    .untilAsserted(() -> assertThat(log.ends(Set.of(0, 1))).containsOnlyKeys(0));
            log.close();
        }
    }
}
