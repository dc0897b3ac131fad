package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.testsupport.Patience;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Owners of partitions as processes, with a real broker. */
@Tag("once")
@Tag("slow")
@ExtendWith(Patience.class)
class OwnerBrokersTest {
    private static final int PARTITIONS = 8;
    private static final int NAMES = 100;
    private static final int STREAMS = 10;

    @RegisterExtension
    private static final SharedBrokers BROKERS = new SharedBrokers(1);

    private final Map<String, Long> totals = new TreeMap<>();
    private int sections;

    private static void create(Topics topics) throws Exception {
        create(
                new NewTopic(topics.lines(), Optional.of(PARTITIONS), Optional.empty()),
                new NewTopic(topics.ledger(), Optional.of(PARTITIONS), Optional.empty())
                        .configs(Map.of("cleanup.policy", "compact")),
                new NewTopic(topics.ticks(), Optional.of(PARTITIONS), Optional.empty()));
    }

    private static void create(NewTopic... topics) throws Exception {
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()))) {
            admin.createTopics(List.of(topics)).all().get(60, TimeUnit.SECONDS);
        }
    }

    /**
     * One request at a time: if a broker refuses the first batch of a new partition, because it does not lead it yet, and then
     * takes the second one, it refuses the first one for ever.
     */
    private static KafkaProducer<byte[], byte[]> producer() {
        return new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        BROKERS.get().bootstrap(),
                        "linger.ms",
                        5,
                        "max.in.flight.requests.per.connection",
                        1),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    /** Writes lines with totals of streams, and lines without. */
    private void count(KafkaProducer<byte[], byte[]> producer, Topics topics, int more) throws Exception {
        CRC32C crc = new CRC32C();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
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
            sent.add(producer.send(new ProducerRecord<>(
                    topics.lines(),
                    Partitions.of(bytes, 0, bytes.length, PARTITIONS, crc),
                    null,
                    (plain + "from " + stream + " 1000\nincrement " + name + " 3 " + withTotals + "\n")
                            .getBytes(ISO_8859_1))));
            assertThat(total).isPositive();
        }
        producer.flush();
        for (Future<RecordMetadata> record : sent) {
            record.get();
        }
    }

    private final Map<String, Long> streamTotals = new HashMap<>();

    @Test
    void what_a_killed_owner_had_is_exact_at_the_other_and_no_second_is_published_twice() throws Exception {
        Topics topics = Topics.of("killed");
        create(topics);
        Metrics metrics = new Metrics();
        Process one = OwnerProcess.launch(BROKERS.get().bootstrap(), topics.prefix(), "one", PARTITIONS);
        try (KafkaProducer<byte[], byte[]> producer = producer()) {
            count(producer, topics, 2000);
            awaitCommitted(topics, 1);
            try (OwnerProcess two =
                    OwnerProcess.start(BROKERS.get().bootstrap(), topics.prefix(), "two", PARTITIONS, metrics)) {
                await("half of the partitions").until(() -> two.owned().size() == PARTITIONS / 2);
                count(producer, topics, 2000);

                one.destroyForcibly().waitFor();
                long killedMillis = System.currentTimeMillis();
                count(producer, topics, 2000);

                await("all partitions").until(() -> two.owned().size() == PARTITIONS);
                await("all lines").untilAsserted(() -> assertThat(two.values()).isEqualTo(totals));
                assertThat(metrics.values().get("fleet_take_over_millis")).isLessThan(60_000);
                await("a tick of each partition")
                        .until(() -> ticks(topics).stream()
                                        .filter(tick -> tick.timestamp() > killedMillis)
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
        Process one = OwnerProcess.launch(BROKERS.get().bootstrap(), topics.prefix(), "one", PARTITIONS);
        try (KafkaProducer<byte[], byte[]> producer = producer();
                OwnerProcess two = OwnerProcess.start(
                        BROKERS.get().bootstrap(), topics.prefix(), "two", PARTITIONS, new Metrics())) {
            await("half of the partitions").until(() -> two.owned().size() == PARTITIONS / 2);
            count(producer, topics, 2000);
            signal(one, "STOP");
            count(producer, topics, 2000);
            await("all partitions").until(() -> two.owned().size() == PARTITIONS);
            await("all lines").untilAsserted(() -> assertThat(two.values()).isEqualTo(totals));

            count(producer, topics, 500);
            signal(one, "CONT");
            await("half of them again").until(() -> two.owned().size() == PARTITIONS / 2);
            count(producer, topics, 500);
            one.destroyForcibly().waitFor();

            await("all lines at last")
                    .untilAsserted(() -> assertThat(two.values()).isEqualTo(totals));
        } finally {
            one.destroyForcibly();
        }
        assertNoSecondTwice(topics);
    }

    @Test
    void a_restart_moves_nothing() throws Exception {
        Topics topics = Topics.of("restarted");
        create(topics);
        Metrics ofOther = new Metrics();
        try (KafkaProducer<byte[], byte[]> producer = producer();
                OwnerProcess other =
                        OwnerProcess.start(BROKERS.get().bootstrap(), topics.prefix(), "other", PARTITIONS, ofOther)) {
            OwnerProcess before =
                    OwnerProcess.start(BROKERS.get().bootstrap(), topics.prefix(), "one", PARTITIONS, new Metrics());
            await("half of the partitions").until(() -> before.owned().size() == PARTITIONS / 2);
            count(producer, topics, 2000);
            Set<Integer> partitions = before.owned();
            long rebalances = Objects.requireNonNull(ofOther.values().get("fleet_rebalances_total"));

            before.close();
            try (OwnerProcess after =
                    OwnerProcess.start(BROKERS.get().bootstrap(), topics.prefix(), "one", PARTITIONS, new Metrics())) {
                await("the same partitions").until(() -> after.owned().equals(partitions));
                count(producer, topics, 100);
                await("all lines").untilAsserted(() -> {
                    Map<String, Long> all = new TreeMap<>(after.values());
                    all.putAll(other.values());
                    assertThat(all).isEqualTo(totals);
                });
            }
            assertThat(ofOther.values()).containsEntry("fleet_rebalances_total", rebalances);
        }
    }

    @Test
    void lines_that_were_deleted_or_lost_are_told_and_what_is_there_is_counted_once() throws Exception {
        Topics topics = Topics.of("gone");
        create(topics);
        TopicPartition first = new TopicPartition(topics.lines(), 0);
        SaidFaults said = new SaidFaults();
        try (KafkaProducer<byte[], byte[]> producer = producer();
                Admin admin =
                        Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()))) {
            count(producer, topics, 500);
            try (OwnerProcess owner = owner(topics, said, new Metrics())) {
                await("all lines")
                        .untilAsserted(() -> assertThat(owner.values()).isEqualTo(totals));
            }
            for (int i = 0; i < 7; i++) {
                producer.send(new ProducerRecord<>(topics.lines(), 0, null, new byte[0]))
                        .get(60, TimeUnit.SECONDS);
            }
            admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(-1)))
                    .all()
                    .get(60, TimeUnit.SECONDS);
            Metrics metrics = new Metrics();
            try (OwnerProcess owner = owner(topics, said, metrics)) {
                await("the gap")
                        .untilAsserted(
                                () -> assertThat(metrics.values()).containsEntry("fleet_gone_records_total", 7L));
                assertThat(said.lines())
                        .filteredOn(line -> line.contains("partition 0 were deleted"))
                        .hasSize(1);
                count(producer, topics, 500);
                await("all lines")
                        .untilAsserted(() -> assertThat(owner.values()).isEqualTo(totals));
            }

            // The log of a broker that lost its end: what is there was merged before.
            admin.deleteTopics(List.of(topics.lines())).all().get(60, TimeUnit.SECONDS);
            await("no topic").until(() -> !admin.listTopics().names().get().contains(topics.lines()));
            create(new NewTopic(topics.lines(), Optional.of(PARTITIONS), Optional.empty()));
            producer.send(new ProducerRecord<>(
                            topics.lines(), 0, null, "increment merged.before 5\n".getBytes(ISO_8859_1)))
                    .get(60, TimeUnit.SECONDS);
            said.lines().clear();
            Metrics last = new Metrics();
            try (OwnerProcess owner = owner(topics, said, last)) {
                await("all partitions")
                        .untilAsserted(() -> assertThat(last.values())
                                .containsEntry("fleet_cut_partitions_total", (long) PARTITIONS));
                assertThat(owner.values()).isEqualTo(totals);
                assertThat(said.lines())
                        .anyMatch(line -> line.contains("end at offset ") && line.contains(", and were merged up to "));
                count(producer, topics, 500);
                await("all lines")
                        .untilAsserted(() -> assertThat(owner.values()).isEqualTo(totals));
            }
            try (OwnerProcess owner = owner(topics, said, new Metrics())) {
                await("all lines once")
                        .untilAsserted(() -> assertThat(owner.values()).isEqualTo(totals));
            }
        }
    }

    private static OwnerProcess owner(Topics topics, SaidFaults said, Metrics metrics) throws Exception {
        return new OwnerProcess(BROKERS.get().bootstrap(), topics.prefix(), "one", PARTITIONS, said.log(), metrics);
    }

    @Test
    void partitions_that_are_added_are_told_and_no_collector_starts_with_them() throws Exception {
        Topics topics = Topics.of("grown");
        create(topics);
        try (KafkaProducer<byte[], byte[]> producer = producer();
                Admin admin =
                        Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()));
                OwnerProcess runs = OwnerProcess.start(
                        BROKERS.get().bootstrap(), topics.prefix(), "one", PARTITIONS, new Metrics())) {
            count(producer, topics, 200);
            await("all lines").untilAsserted(() -> assertThat(runs.values()).isEqualTo(totals));
            assertThat(troubleWithPartitions(runs)).isEmpty();

            NewPartitions more = NewPartitions.increaseTo(2 * PARTITIONS);
            admin.createPartitions(Map.of(topics.lines(), more, topics.ledger(), more, topics.ticks(), more))
                    .all()
                    .get(60, TimeUnit.SECONDS);

            await("trouble").pollInSameThread().untilAsserted(() -> {
                runs.fleet.look();
                assertThat(troubleWithPartitions(runs).orElse(""))
                        .contains("the topics have 16 partitions, and the fleet has 8");
            });
            assertThatThrownBy(() -> OwnerProcess.start(
                            BROKERS.get().bootstrap(), topics.prefix(), "two", PARTITIONS, new Metrics()))
                    .hasMessageContaining("the topics have 16 partitions, and the fleet has 8")
                    .hasMessageContaining("restore the topics with 8 partitions");
            count(producer, topics, 200);
            await("all lines").untilAsserted(() -> assertThat(runs.values()).isEqualTo(totals));
        }
    }

    private static Optional<String> troubleWithPartitions(OwnerProcess runs) {
        return Objects.requireNonNull(runs.fleet.parts().get("partitions")).get();
    }

    @Test
    void a_partition_with_a_pending_transaction_does_not_keep_others_from_being_loaded() throws Exception {
        Topics topics = Topics.of("pending");
        create(topics);
        FleetSettings settings =
                new FleetSettings(List.of(BROKERS.get().bootstrap()), "pending", "one", PARTITIONS, 1 << 30, Map.of());
        KafkaLoaderLog log = new KafkaLoaderLog(settings, System::nanoTime);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", BROKERS.get().bootstrap(), "transactional.id", "pending"),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            ConsumerGroupMetadata group = new ConsumerGroupMetadata(topics.owners());
            TopicPartition first = new TopicPartition(topics.lines(), 0);
            producer.initTransactions();
            producer.beginTransaction();
            producer.sendOffsetsToTransaction(Map.of(first, new OffsetAndMetadata(7, "a stamp")), group);

            await("the other")
                    .ignoreExceptions()
                    .untilAsserted(() ->
                            assertThat(log.committed(Set.of(0, 1))).containsExactly(Map.entry(1, Committed.NOTHING)));

            producer.commitTransaction();
            await("both")
                    .untilAsserted(() -> assertThat(log.committed(Set.of(0, 1)))
                            .containsOnly(Map.entry(0, new Committed(7, "a stamp")), Map.entry(1, Committed.NOTHING)));
        } finally {
            log.close();
        }
    }

    /** Brokers would do so after the transaction's time, which is ten minutes here. */
    @Test
    void a_transaction_that_a_former_owner_left_open_is_ended_and_not_read() throws Exception {
        FleetSettings settings = created("left");
        Topics topics = settings.topics();
        KafkaLoaderLog log = new KafkaLoaderLog(settings, System::nanoTime);
        List<String> read = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> dead = new KafkaProducer<>(
                Map.of(
                        "bootstrap.servers",
                        BROKERS.get().bootstrap(),
                        "transactional.id",
                        topics.owner("dead"),
                        "transaction.timeout.ms",
                        600_000),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            dead.initTransactions();
            dead.beginTransaction();
            dead.send(new ProducerRecord<>(topics.ledger(), 0, "whole".getBytes(ISO_8859_1), new byte[1]))
                    .get(60, TimeUnit.SECONDS);
            dead.commitTransaction();
            dead.beginTransaction();
            dead.send(new ProducerRecord<>(topics.ledger(), 0, "begun".getBytes(ISO_8859_1), new byte[1]))
                    .get(60, TimeUnit.SECONDS);

            Map<Integer, Long> positions = new HashMap<>(Map.of(0, 0L));
            long end = Objects.requireNonNull(log.ends(Set.of(0)).get(0));
            await("the end").pollInSameThread().until(() -> {
                log.read(positions, (partition, key, value) -> read.add(new String(key, ISO_8859_1)));
                return positions.getOrDefault(0, 0L) >= end;
            });
        } finally {
            log.close();
        }
        assertThat(read).containsExactly("whole");
    }

    /** Kafka's client keeps a fetch that it cannot read, and fails with it whatever else it is to read. */
    @Test
    void a_corrupt_record_of_one_ledger_keeps_no_other_from_being_read_and_is_told_with_its_remedy() throws Exception {
        FleetSettings settings = created("corrupt");
        String ledger = settings.topics().ledger();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", BROKERS.get().bootstrap()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (int partition = 0; partition < 3; partition++) {
                producer.send(new ProducerRecord<>(ledger, partition, new byte[1], new byte[100]))
                        .get(60, TimeUnit.SECONDS);
            }
        }
        Path segment = BROKERS.get().folder(0, ledger, 1).resolve("00000000000000000000.log");
        try (FileChannel file = FileChannel.open(segment, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(new byte[] {1}), file.size() - 10);
        }

        KafkaLoaderLog log = new KafkaLoaderLog(settings, System::nanoTime);
        Map<Integer, Long> positions = new TreeMap<>(Map.of(0, 0L, 1, 0L, 2, 0L));
        List<String> told = new ArrayList<>();
        await("the others").pollInSameThread().until(() -> {
            try {
                log.read(positions, (partition, key, value) -> {});
            } catch (IOException corrupt) {
                told.add(String.valueOf(corrupt.getMessage()));
            }
            return !told.isEmpty() && positions.equals(Map.of(0, 1L, 1, 0L, 2, 1L));
        });
        log.close();

        assertThat(told)
                .allSatisfy(message -> assertThat(message)
                        .contains(
                                "records of corrupt.ledger-1 from offset 0",
                                "make a replica that is sound the leader"));
    }

    /** After that time brokers have ended the transaction, so there is nothing to wait for. */
    @Test
    void a_commit_without_an_answer_is_given_up_after_the_time_of_a_transaction() throws Exception {
        KafkaOwnerLog log =
                new KafkaOwnerLog(created("hangs"), "owner-0", "a", KafkaOwnerLog.TRANSACTION_MILLIS, System::nanoTime);
        log.renew();
        log.append(OwnerLog.Topic.LEDGER, 0, LedgerOffset.KEY, new LedgerOffset(PARTITIONS, 1).value());
        log.commit(Map.of());
        log.append(OwnerLog.Topic.LEDGER, 0, LedgerOffset.KEY, new LedgerOffset(PARTITIONS, 2).value());
        BROKERS.get().pause(0);

        long before = System.nanoTime();
        assertThatThrownBy(() -> log.commit(Map.of())).isInstanceOf(OwnerLog.InDoubt.class);

        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(25));
        BROKERS.get().resume(0);
        log.close();
    }

    /** A whole partition of an import is one transaction, and its brokers may be slow. */
    @Test
    void a_commit_of_an_import_may_take_longer_than_one_of_a_collector() throws Exception {
        KafkaOwnerLog log =
                new KafkaOwnerLog(created("slow"), "owner", "a", LedgerImport.TRANSACTION_MILLIS, System::nanoTime);
        log.renew();
        log.append(OwnerLog.Topic.LEDGER, 0, LedgerOffset.KEY, new LedgerOffset(PARTITIONS, 1).value());
        BROKERS.get().pause(0);
        ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
        try {
            Future<?> resumed = later.schedule(
                    () -> {
                        BROKERS.get().resume(0);
                        return null;
                    },
                    KafkaOwnerLog.TRANSACTION_MILLIS + 2_000,
                    TimeUnit.MILLISECONDS);

            log.commit(Map.of());

            resumed.get(60, TimeUnit.SECONDS);
        } finally {
            later.shutdownNow();
        }
        log.close();
    }

    /** Whether a ledger may go on is asked again and again about the same partitions. */
    @Test
    void a_late_answer_about_committed_offsets_is_not_taken_for_one_to_the_next_question() throws Exception {
        FleetSettings settings = created("late");
        KafkaLoaderLog log = new KafkaLoaderLog(settings, System::nanoTime);
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()))) {
            commit(admin, settings.topics(), new Committed(1, "before"));
            // More than once: the first question may be answered before the consumer knows whom to ask.
            for (int asked = 0; asked < 5; asked++) {
                assertThat(log.committed(Set.of(0))).containsExactly(Map.entry(0, new Committed(1, "before")));
            }
            BROKERS.get().pause(0);
            assertThatThrownBy(() -> log.committed(Set.of(0))).isInstanceOf(IOException.class);
            BROKERS.get().resume(0);
            commit(admin, settings.topics(), new Committed(2, "after"));

            assertThat(log.committed(Set.of(0))).containsExactly(Map.entry(0, new Committed(2, "after")));
        }
        log.close();
    }

    /** Settings of a fleet whose topics are there. */
    private static FleetSettings created(String prefix) {
        FleetSettings settings =
                new FleetSettings(List.of(BROKERS.get().bootstrap()), prefix, "one", PARTITIONS, 1 << 30, Map.of());
        try (FleetCheck check = new FleetCheck(settings)) {
            assertThat(check.create().isReady()).isTrue();
        }
        return settings;
    }

    /** A request to join of a collector's own, which brokers that hung handle late, takes the name as a second log does here. */
    @Test
    void an_instance_name_is_taken_back_unless_another_process_has_claimed_it_since() throws Exception {
        FleetSettings settings =
                new FleetSettings(List.of(BROKERS.get().bootstrap()), "taken", "one", PARTITIONS, 1 << 30, Map.of());
        create(settings.topics());
        KafkaOwnerLog former = log(settings, "former");
        new Owned().await(former);
        KafkaOwnerLog log = log(settings, "later");
        Owned owned = new Owned();
        owned.await(log);

        for (int i = 0; i < 3; i++) {
            KafkaOwnerLog own = log(settings, "later");
            new Owned().await(own);
            own.close();
            assertThatThrownBy(() -> owned.awaitNone(log))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("the instance name one was taken");
            owned.await(log);
        }
        assertThatThrownBy(() -> new Owned().await(former)).isInstanceOf(InstanceTaken.class);
        assertThat(owned.all).hasSize(PARTITIONS);
        former.close();
        log.close();
    }

    /** Kafka's consumer goes on with the end that it knew before. */
    @Test
    void what_waits_in_a_partition_is_not_known_at_once_when_it_begins_again() throws Exception {
        FleetSettings settings = created("again");
        KafkaOwnerLog log = log(settings, "own");
        Owned owned = new Owned();
        owned.await(log);
        log.begin(0, 0);
        await("the end").pollInSameThread().until(() -> {
            log.poll(50, owned);
            return log.lag(0).orElse(1) == 0;
        });
        log.hold(0);
        try (KafkaProducer<byte[], byte[]> producer = producer()) {
            producer.send(new ProducerRecord<>(settings.topics().lines(), 0, null, new byte[1]))
                    .get(60, TimeUnit.SECONDS);
        }

        log.begin(0, 0);

        assertThat(log.lag(0)).isEmpty();
        log.close();
    }

    /** Kafka's consumer leaves the metadata of the group as they were until it has joined again. */
    @Test
    void who_was_excluded_from_the_group_is_no_member_until_it_has_joined_again() throws Exception {
        FleetSettings settings = created("excluded");
        KafkaOwnerLog log = log(settings, "own");
        Owned owned = new Owned();
        assertThat(log.isMember()).isFalse();
        owned.await(log);
        assertThat(log.isMember()).isTrue();
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()))) {
            admin.removeMembersFromConsumerGroup(
                            settings.topics().owners(),
                            new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("one"))))
                    .all()
                    .get(60, TimeUnit.SECONDS);
        }

        await("exclusion").pollInSameThread().until(() -> {
            log.poll(0, owned);
            return owned.all.isEmpty();
        });

        assertThat(log.isMember()).isFalse();
        owned.await(log);
        assertThat(log.isMember()).isTrue();
        log.close();
    }

    private static KafkaOwnerLog log(FleetSettings settings, String process) throws IOException {
        return new KafkaOwnerLog(settings, "owner-0", process, KafkaOwnerLog.TRANSACTION_MILLIS, System::nanoTime);
    }

    /** The partitions of a member. */
    private static final class Owned implements OwnerLog.Member {
        private final Set<Integer> all = new HashSet<>();

        void await(OwnerLog log) throws Exception {
            poll(log, PARTITIONS);
        }

        void awaitNone(OwnerLog log) throws Exception {
            poll(log, 0);
        }

        private void poll(OwnerLog log, int wanted) throws Exception {
            long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
            while (all.size() != wanted) {
                assertThat(System.nanoTime())
                        .as("polled for a minute; owned are " + all)
                        .isLessThan(end);
                log.poll(50, this);
            }
        }

        @Override
        public void assigned(Collection<Integer> partitions) {
            all.addAll(partitions);
        }

        @Override
        public void revoked(Collection<Integer> partitions) {
            all.removeAll(Set.copyOf(partitions));
        }

        @Override
        public void lost(Collection<Integer> partitions) {
            revoked(partitions);
        }

        @Override
        public void met(Set<Integer> mine) {
            // What was assigned and lost says it.
        }

        @Override
        public void lines(int partition, long offset, long timeMillis, byte[] text) {
            throw new AssertionError("there are no lines");
        }

        @Override
        public void moved(int partition, long from, long to) {
            // The topic is new.
        }
    }

    private static void commit(Admin admin, Topics topics, Committed committed) throws Exception {
        admin.alterConsumerGroupOffsets(
                        topics.owners(),
                        Map.of(
                                new TopicPartition(topics.lines(), 0),
                                new OffsetAndMetadata(committed.offset(), committed.stamp())))
                .all()
                .get(60, TimeUnit.SECONDS);
    }

    private static void signal(Process process, String signal) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    /** Waits until some owner has committed at least so many records of each partition. */
    private static void awaitCommitted(Topics topics, long records) throws Exception {
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()))) {
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
                Map.of("bootstrap.servers", BROKERS.get().bootstrap(), "isolation.level", "read_committed"),
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
