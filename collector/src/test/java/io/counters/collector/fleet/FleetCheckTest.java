package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Brokers;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** With real brokers. Each test has topics of its own. */
@Tag("once")
@Tag("slow")
class FleetCheckTest {
    @RegisterExtension
    private static final SharedBrokers BROKERS = new SharedBrokers(1);

    static FleetSettings settings(String brokers, String prefix, Map<String, String> properties) {
        return new FleetSettings(List.of(brokers.split(",")), prefix, "c1", 4, 64L << 20, properties);
    }

    static FleetReport look(Brokers brokers, String prefix) {
        try (FleetCheck check = new FleetCheck(settings(brokers.bootstrap(), prefix, Map.of()))) {
            return check.look();
        }
    }

    private static FleetReport create(Brokers brokers, String prefix) {
        try (FleetCheck check = new FleetCheck(settings(brokers.bootstrap(), prefix, Map.of()))) {
            return check.create();
        }
    }

    static void create(Brokers brokers, NewTopic... topics) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers.bootstrap()))) {
            admin.createTopics(List.of(topics)).all().get(60, TimeUnit.SECONDS);
            // The controller has created them; the broker may not know them yet.
            List<String> names = Stream.of(topics).map(NewTopic::name).toList();
            await("the topics")
                    .ignoreExceptionsMatching(not -> not.getCause() instanceof UnknownTopicOrPartitionException)
                    .until(() -> admin.describeTopics(names)
                                    .allTopicNames()
                                    .get(60, TimeUnit.SECONDS)
                                    .size()
                            == topics.length);
        }
    }

    static Config config(Brokers brokers, String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers.bootstrap()))) {
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            return Objects.requireNonNull(admin.describeConfigs(List.of(resource))
                    .all()
                    .get(60, TimeUnit.SECONDS)
                    .get(resource));
        }
    }

    @Test
    void topics_are_created_once_and_one_broker_is_one_remark() throws Exception {
        FleetReport before = look(BROKERS.get(), "new");
        assertThat(before.absent()).containsExactly("new.ledger", "new.lines", "new.ticks");
        assertThat(before.faults()).isEmpty();
        assertThat(before.isReady()).isFalse();

        FleetReport created = create(BROKERS.get(), "new");

        assertThat(created.faults()).isEmpty();
        assertThat(created.isReady()).isTrue();
        assertThat(created.partitions()).isEqualTo(4);
        assertThat(created.brokers()).isEqualTo(1);
        assertThat(created.remarks()).singleElement().asString().contains("only one broker", "use three brokers");
        assertThat(create(BROKERS.get(), "new")).isEqualTo(created).isEqualTo(look(BROKERS.get(), "new"));
        Config ledger = config(BROKERS.get(), "new.ledger");
        assertThat(ledger.get("cleanup.policy").value()).isEqualTo("compact");
        assertThat(ledger.get("unclean.leader.election.enable").value()).isEqualTo("false");
        Config ticks = config(BROKERS.get(), "new.ticks");
        assertThat(ticks.get("cleanup.policy").value()).isEqualTo("delete");
        assertThat(ticks.get("retention.ms").value()).isEqualTo("86400000");
        assertThat(ticks.get("retention.bytes").value()).isEqualTo(Integer.toString(16 << 20));
        assertThat(ticks.get("segment.bytes").value()).isEqualTo(Integer.toString(4 << 20));
    }

    @Test
    void several_collectors_that_start_at_once_create_them_together() throws Exception {
        List<Thread> threads = new ArrayList<>();
        List<FleetReport> reports = Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < 3; i++) {
            threads.add(new Thread(() -> reports.add(create(BROKERS.get(), "race"))));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }

        assertThat(reports).hasSize(3).allMatch(FleetReport::isReady);
    }

    @ParameterizedTest
    @CsvSource({
        "ledger, cleanup.policy, delete, kafka-configs.sh --alter --topic P.ledger --add-config cleanup.policy=compact",
        "'ledger', cleanup.policy, 'compact,delete', has cleanup.policy=compact,delete",
        "lines, cleanup.policy, compact, --add-config cleanup.policy=delete",
        "ticks, cleanup.policy, compact, --add-config cleanup.policy=delete",
        "lines, message.timestamp.type, LogAppendTime, --add-config message.timestamp.type=CreateTime",
        "ledger, unclean.leader.election.enable, true, unclean.leader.election.enable=false",
        "ledger, max.message.bytes, 500000, --add-config max.message.bytes=1048576",
        "ticks, min.insync.replicas, 2, where there are 1 replicas",
    })
    void a_topic_with_a_wrong_setting_is_a_fault_with_its_remedy(String topic, String key, String value, String told)
            throws Exception {
        String prefix = "w" + Integer.toHexString((topic + key + value).hashCode());
        create(BROKERS.get(), prefix);
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()))) {
            admin.incrementalAlterConfigs(Map.of(
                            new ConfigResource(ConfigResource.Type.TOPIC, prefix + "." + topic),
                            List.of(new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET))))
                    .all()
                    .get(60, TimeUnit.SECONDS);
        }

        await().untilAsserted(() -> assertThat(look(BROKERS.get(), prefix).faults())
                .singleElement()
                .asString()
                .contains("topic " + prefix + "." + topic, told.replace("P.", prefix + ".")));
        assertThat(create(BROKERS.get(), prefix).isReady()).isFalse();
    }

    @Test
    void a_short_retention_is_a_remark() throws Exception {
        create(
                BROKERS.get(),
                new NewTopic("short.ledger", 2, (short) 1).configs(Map.of("cleanup.policy", "compact")),
                new NewTopic("short.lines", 2, (short) 1).configs(Map.of("retention.ms", "60000")),
                new NewTopic("short.ticks", 2, (short) 1));

        FleetReport report = look(BROKERS.get(), "short");

        assertThat(report.isReady()).isTrue();
        assertThat(report.partitions()).isEqualTo(2);
        assertThat(report.remarks())
                .extracting(Object::toString)
                .anyMatch(remark -> remark.contains("short.lines has retention.ms=60000"))
                .anyMatch(remark -> remark.contains("short.ledger has segment.bytes=1073741824"))
                .anyMatch(remark -> remark.contains(
                        "--fleet-partitions is 4, which is not used, because the topics exist and have 2 partitions"));
    }

    @Test
    void topics_with_different_partitions_are_a_fault() throws Exception {
        create(
                BROKERS.get(),
                new NewTopic("differ.ledger", 2, (short) 1).configs(Map.of("cleanup.policy", "compact")),
                new NewTopic("differ.lines", 3, (short) 1),
                new NewTopic("differ.ticks", 2, (short) 1));

        assertThat(create(BROKERS.get(), "differ").faults())
                .singleElement()
                .asString()
                .contains("differ.ledger has 2, differ.lines has 3, differ.ticks has 2");
    }

    @Test
    void a_topic_that_is_deleted_or_is_another_one_is_a_fault_for_those_who_run() throws Exception {
        try (FleetCheck runs = new FleetCheck(settings(BROKERS.get().bootstrap(), "again", Map.of()));
                Admin admin =
                        Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()))) {
            assertThat(runs.create().isReady()).isTrue();

            admin.deleteTopics(List.of("again.ledger", "again.lines", "again.ticks"))
                    .all()
                    .get(60, TimeUnit.SECONDS);

            await().untilAsserted(() -> assertThat(runs.look().faults())
                    .hasSize(3)
                    .first()
                    .asString()
                    .contains("again.ledger was deleted while this collector runs", "stop all collectors first"));

            await().untilAsserted(() ->
                    assertThat(create(BROKERS.get(), "again").isReady()).isTrue());

            await().untilAsserted(() -> assertThat(runs.look().faults())
                    .singleElement()
                    .asString()
                    .contains(
                            "again.ledger was deleted and created again while this collector runs",
                            "stop all collectors first"));
        }
    }

    @Test
    void a_ledger_that_is_deleted_alone_is_told_by_who_runs_as_by_who_saw_it() throws Exception {
        try (FleetCheck runs = new FleetCheck(settings(BROKERS.get().bootstrap(), "alone", Map.of()));
                Admin admin =
                        Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()))) {
            assertThat(runs.create().isReady()).isTrue();
            admin.deleteTopics(List.of("alone.ledger")).all().get(60, TimeUnit.SECONDS);

            FleetReport first =
                    await().until(runs::look, report -> report.absent().contains("alone.ledger"));

            assertThat(first.faults()).isEmpty();
            assertThat(runs.look().faults())
                    .singleElement()
                    .asString()
                    .contains("alone.ledger was deleted while this collector runs");

            assertThat(look(BROKERS.get(), "alone").faults())
                    .singleElement()
                    .asString()
                    .contains("alone.ledger does not exist, but", "the ledgers were deleted");
        }
    }

    @Test
    void partitions_that_were_added_are_a_fault_for_those_who_run_and_for_those_who_start() throws Exception {
        try (FleetCheck runs = new FleetCheck(settings(BROKERS.get().bootstrap(), "grown", Map.of()));
                Admin admin =
                        Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()));
                KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                        settings(BROKERS.get().bootstrap(), "grown", Map.of())
                                .producer("owner", Map.of("transactional.id", "grown.owner.c1")),
                        new ByteArraySerializer(),
                        new ByteArraySerializer())) {
            assertThat(runs.create().isReady()).isTrue();
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>("grown.ledger", 2, new byte[] {'h'}, new byte[1]))
                    .get(60, TimeUnit.SECONDS);
            producer.send(new ProducerRecord<>("grown.ledger", 2, LedgerOffset.KEY, new LedgerOffset(4, 1).value()))
                    .get(60, TimeUnit.SECONDS);
            producer.commitTransaction();
            assertThat(look(BROKERS.get(), "grown").isReady()).isTrue();

            admin.createPartitions(Map.of(
                            "grown.ledger", NewPartitions.increaseTo(8),
                            "grown.lines", NewPartitions.increaseTo(8),
                            "grown.ticks", NewPartitions.increaseTo(8)))
                    .all()
                    .get(60, TimeUnit.SECONDS);

            await().untilAsserted(() -> assertThat(runs.look().faults())
                    .singleElement()
                    .asString()
                    .contains("the topics have 8 partitions, and the fleet has 4, which must never change"));
            await().untilAsserted(() -> assertThat(
                            create(BROKERS.get(), "grown").faults())
                    .singleElement()
                    .asString()
                    .contains("the topics have 8 partitions, and the fleet has 4", "restore the topics with 4"));
        }
    }

    @Test
    void a_ledger_of_a_later_version_is_a_fault() throws Exception {
        assertThat(create(BROKERS.get(), "later").isReady()).isTrue();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", BROKERS.get().bootstrap()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            byte[] progress = new LedgerOffset(4, 1).value();
            progress[0]++;
            producer.send(new ProducerRecord<>("later.ledger", 2, LedgerOffset.KEY, progress))
                    .get(60, TimeUnit.SECONDS);
        }

        assertThat(look(BROKERS.get(), "later").faults())
                .singleElement()
                .asString()
                .contains("topic later.ledger cannot be read", "has format 2", "use the version of the collector");
    }

    /** Its broker is lost between the question for the ends and the reading. */
    @Test
    void a_ledger_of_which_nothing_can_be_read_is_not_read_for_ever() {
        TopicPartition silent = new TopicPartition("silent.ledger", 0);
        try (MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest")) {
            consumer.updateBeginningOffsets(Map.of(silent, 0L));
            consumer.updateEndOffsets(Map.of(silent, 5L));

            assertThatThrownBy(() -> LedgerOffset.partitions(consumer, "silent.ledger", 1, Duration.ofSeconds(10)))
                    .isInstanceOf(TimeoutException.class);
        }
    }

    @Test
    void a_ledger_that_was_deleted_is_a_fault_and_not_created_anew() throws Exception {
        create(BROKERS.get(), new NewTopic("gone.lines", 2, (short) 1), new NewTopic("gone.ticks", 2, (short) 1));

        FleetReport report = create(BROKERS.get(), "gone");

        assertThat(report.faults()).singleElement().asString().contains("gone.ledger does not exist", "were deleted");
        assertThat(report.absent()).containsExactly("gone.ledger");
    }

    @Test
    void a_topic_for_ticks_that_is_missing_is_created_with_the_partitions_of_the_others() throws Exception {
        create(
                BROKERS.get(),
                new NewTopic("part.ledger", 2, (short) 1).configs(Map.of("cleanup.policy", "compact")),
                new NewTopic("part.lines", 2, (short) 1));

        assertThat(create(BROKERS.get(), "part").isReady()).isTrue();
        assertThat(look(BROKERS.get(), "part").partitions()).isEqualTo(2);
    }

    /** The clients would log several lines a second; the collector says it once. */
    @Test
    void brokers_that_do_not_answer_are_told_in_time_and_not_by_the_clients() throws Exception {
        FleetSettings settings = settings(BROKERS.get().bootstrap(), "away", Map.of());
        PrintStream err = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, UTF_8));
        try (FleetCheck check = new FleetCheck(settings);
                KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                        settings.producer("lines", Map.of("request.timeout.ms", "1000")),
                        new ByteArraySerializer(),
                        new ByteArraySerializer())) {
            assertThat(check.create().isReady()).isTrue();
            assertThat(said.toString(UTF_8))
                    .contains("created the topics away.ledger, away.lines, away.ticks: this is a new fleet");
            said.reset();
            producer.send(new ProducerRecord<>("away.lines", 0, null, new byte[1]))
                    .get(60, TimeUnit.SECONDS);

            BROKERS.get().pause(0);
            Future<RecordMetadata> waiting = producer.send(new ProducerRecord<>("away.lines", 0, null, new byte[1]));
            FleetReport hung = check.look();
            BROKERS.get().kill(0);
            FleetReport killed = check.create();

            for (FleetReport report : List.of(hung, killed)) {
                assertThat(report.isReady()).isFalse();
                assertThat(report.brokers()).as("%s", report).isZero();
                assertThat(report.faults())
                        .singleElement()
                        .asString()
                        .contains("no broker of " + BROKERS.get().bootstrap() + " answers: no answer within 10 s");
            }
            BROKERS.get().restart(0);
            await("it is found again").until(() -> check.look().isReady());
            waiting.get(60, TimeUnit.SECONDS);
        } finally {
            System.setErr(err);
            BROKERS.get().heal();
        }
        assertThat(said.toString(UTF_8)).isEmpty();
    }

    @Test
    void what_the_collectors_user_may_not_do_is_told_and_no_password_is() throws Exception {
        String login =
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"%s\" password=\"%s\"";
        try (Brokers brokers = Brokers.start(
                1,
                "listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
                "sasl.enabled.mechanisms=PLAIN",
                "sasl.mechanism.inter.broker.protocol=PLAIN",
                "listener.name.clients.plain.sasl.jaas.config=" + String.format(login, "admin", "admin-secret")
                        + " user_admin=\"admin-secret\" user_limited=\"hunter2\";",
                "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users=User:admin;User:ANONYMOUS")) {
            Map<String, String> properties =
                    new HashMap<>(Map.of("security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "PLAIN"));
            properties.put("sasl.jaas.config", String.format(login, "limited", "wrong-secret") + ";");
            PrintStream err = System.err;
            ByteArrayOutputStream said = new ByteArrayOutputStream();
            System.setErr(new PrintStream(said, true, UTF_8));
            try {
                assertThat(fault(brokers, properties))
                        .contains("the brokers " + brokers.bootstrap() + " refuse the collector")
                        .contains("correct the login")
                        .doesNotContain("wrong-secret");
            } finally {
                System.setErr(err);
            }
            assertThat(said.toString(UTF_8)).isEmpty();

            properties.put("sasl.jaas.config", String.format(login, "limited", "hunter2") + ";");
            assertThat(fault(brokers, properties))
                    .contains("the collector may not see topic mine.ledger", "allow its user to Describe");

            Map<String, Object> admins = new HashMap<>(properties);
            admins.put("bootstrap.servers", brokers.bootstrap());
            admins.put("sasl.jaas.config", String.format(login, "admin", "admin-secret") + ";");
            try (Admin admin = Admin.create(admins)) {
                admin.createAcls(List.of(new AclBinding(
                                new ResourcePattern(ResourceType.TOPIC, "mine.", PatternType.PREFIXED),
                                new AccessControlEntry(
                                        "User:limited", "*", AclOperation.DESCRIBE, AclPermissionType.ALLOW))))
                        .all()
                        .get(60, TimeUnit.SECONDS);
            }
            await().untilAsserted(() -> assertThat(fault(brokers, properties))
                    .contains("topic mine.", "does not exist, and cannot be created")
                    .contains("kafka-topics.sh --create --topic mine.")
                    .contains("--partitions 4 --replication-factor 1 --config cleanup.policy=")
                    .contains("or allow the collector to create topics"));
        }
    }

    private static String fault(Brokers brokers, Map<String, String> properties) {
        try (FleetCheck check = new FleetCheck(settings(brokers.bootstrap(), "mine", properties))) {
            List<FleetReport.Problem> faults = check.create().faults();
            assertThat(faults).isNotEmpty();
            return faults.get(0).toString();
        }
    }
}
