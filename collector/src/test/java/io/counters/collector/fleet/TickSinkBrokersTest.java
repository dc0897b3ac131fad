package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.MetricSum;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.HttpSink;
import io.counters.collector.publish.PublishSettings;
import io.counters.collector.publish.SinkAddress;
import io.counters.collector.publish.Tsd;
import io.counters.collector.settings.Settings;
import io.counters.testsupport.Patience;
import java.io.IOException;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sinks of a fleet with three real brokers, whose OpenTSDB is away for long. */
@Tag("once")
@Tag("slow")
@ExtendWith(Patience.class)
class TickSinkBrokersTest {
    private static final long SECOND = 1_700_000_000;
    private static final int PARTITIONS = 8;
    private static final int NAMES = 3;
    private static final int POINTS = PARTITIONS * NAMES;

    /** More than owners commit at once: each commit costs three brokers a marker in each partition. */
    private static final int SECONDS_OF_COMMIT = 50;

    private static final int POLL_INTERVAL_MILLIS = 6_500;
    private static final Pattern POINT = Pattern.compile("\"metric\":\"([^\"]+)\",\"timestamp\":(\\d+)");

    @RegisterExtension
    private static final SharedBrokers BROKERS = new SharedBrokers(3);

    private static void create(String topic) throws Exception {
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()))) {
            admin.createTopics(List.of(new NewTopic(topic, Optional.of(PARTITIONS), Optional.empty())))
                    .all()
                    .get(60, TimeUnit.SECONDS);
        }
    }

    /** The ticks of all partitions, as owners write them, but of more seconds in a transaction. */
    @SuppressWarnings("FutureReturnValueIgnored") // The commit fails if it failed.
    private static void ticks(String topic, int from, int to) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers",
                BROKERS.get().bootstrap(),
                "transactional.id",
                "owner",
                "compression.type",
                "lz4",
                "linger.ms",
                5,
                "max.in.flight.requests.per.connection",
                1);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            for (int begin = from; begin < to; begin += SECONDS_OF_COMMIT) {
                producer.beginTransaction();
                for (int second = begin; second < Math.min(to, begin + SECONDS_OF_COMMIT); second++) {
                    for (int partition = 0; partition < PARTITIONS; partition++) {
                        String[] names = new String[NAMES];
                        long[] values = new long[NAMES];
                        for (int i = 0; i < NAMES; i++) {
                            names[i] = "p" + partition + ".c" + i;
                            values[i] = second;
                        }
                        byte[] record = TickRecords.write(SECOND + second, new Snapshot(names, values, NAMES))
                                .get(0);
                        producer.send(new ProducerRecord<>(topic, partition, null, record));
                    }
                }
                producer.commitTransaction();
            }
        }
    }

    /** What one collector has for one sink, with an OpenTSDB of its own. */
    private static final class Collector implements AutoCloseable {
        final Metrics metrics = new Metrics();
        final SaidFaults said = new SaidFaults();
        private final CountDownLatch ends = new CountDownLatch(1);
        private final Tsd tsd;
        private final TickSink sink;
        private final Thread thread;

        /** By name, the seconds that arrived. Under its lock. */
        private final Map<String, Set<Long>> arrived = new TreeMap<>();

        private int repeated;
        private volatile boolean isAway = true;

        Collector(String topic, String instance) throws IOException {
            long heapBytes = 4 << 20;
            tsd = new Tsd(put -> isAway ? 503 : take(put.json()));
            Map<String, Object> client = new HashMap<>(Reading.fetching(heapBytes));
            client.putAll(Map.of(
                    "bootstrap.servers",
                    BROKERS.get().bootstrap(),
                    "group.id",
                    topic + ".sink",
                    "group.instance.id",
                    instance,
                    "isolation.level",
                    "read_committed",
                    "enable.auto.commit",
                    false,
                    "auto.offset.reset",
                    "none",
                    "session.timeout.ms",
                    6_000,
                    "heartbeat.interval.ms",
                    1_000,
                    "max.poll.interval.ms",
                    POLL_INTERVAL_MILLIS,
                    "partition.assignment.strategy",
                    List.of(CooperativeStickyAssignor.class.getName())));
            sink = new TickSink(
                    HttpSink.readingAhead(
                            new SinkAddress(SinkAddress.Kind.OPENTSDB, tsd.address(), Map.of()),
                            topic,
                            PublishSettings.from(new Settings(Map.of(), Map.of())),
                            heapBytes,
                            InstantSource.system(),
                            System::nanoTime,
                            new Random(1),
                            work -> daemon(work, "opentsdb"),
                            said.log(),
                            metrics),
                    instance,
                    topic,
                    () -> new KafkaConsumer<>(client, new ByteArrayDeserializer(), new ByteArrayDeserializer()),
                    OptionalLong.empty(),
                    heapBytes,
                    InstantSource.system(),
                    System::nanoTime,
                    said.log(),
                    metrics);
            thread = daemon(this::run, "ticks " + instance);
            thread.start();
        }

        private static Thread daemon(Runnable work, String name) {
            Thread thread = new Thread(work, name);
            thread.setDaemon(true);
            return thread;
        }

        private void run() {
            try {
                long pause = 0;
                while (!ends.await(pause, TimeUnit.MILLISECONDS)) {
                    pause = sink.run();
                }
            } catch (InterruptedException hurried) {
                Thread.currentThread().interrupt();
            }
        }

        private int take(String json) {
            synchronized (arrived) {
                Matcher point = POINT.matcher(json);
                while (point.find()) {
                    Set<Long> seconds = arrived.computeIfAbsent(point.group(1), fresh -> new HashSet<>());
                    long second = Long.parseLong(point.group(2)) - SECOND;
                    repeated += seconds.add(second) ? 0 : 1;
                }
            }
            return 204;
        }

        long arrived(int from, int to) {
            synchronized (arrived) {
                return arrived.values().stream()
                        .flatMap(Set::stream)
                        .filter(second -> second >= from && second < to)
                        .count();
            }
        }

        /** Each point as {@code NAME SECOND}. */
        Set<String> points() {
            synchronized (arrived) {
                return arrived.entrySet().stream()
                        .flatMap(one -> one.getValue().stream().map(second -> one.getKey() + " " + second))
                        .collect(Collectors.toSet());
            }
        }

        long waiting(String instance) {
            return metrics.values().getOrDefault("publish_spool_points{sink=\"" + instance + "\"}", 0L);
        }

        long owned() {
            return sink.assigned().isEmpty() ? 0 : sink.assigned().split(",", -1).length;
        }

        /** Ends in order. */
        void end() {
            ends.countDown();
            await("the end").until(() -> !thread.isAlive());
            sink.close();
        }

        @Override
        public void close() {
            end();
            tsd.close();
            assertThat(tsd.conflicts).isEmpty();
        }
    }

    private static Set<String> all(Collector... collectors) {
        Set<String> all = new HashSet<>();
        for (Collector one : collectors) {
            all.addAll(one.points());
        }
        return all;
    }

    @Test
    void each_second_arrives_once_after_OpenTSDB_was_away_and_partitions_moved_meanwhile() throws Exception {
        String topic = "away.ticks";
        create(topic);
        ticks(topic, 0, 1500);
        try (Collector one = new Collector(topic, "one")) {
            await("all waits")
                    .untilAsserted(() -> assertThat(one.waiting("one")).isBetween(1400L * POINTS, 1600L * POINTS));
            long paused = System.nanoTime();
            ticks(topic, 1500, 2000);
            await("what comes later waits, too")
                    .untilAsserted(() -> assertThat(one.waiting("one")).isBetween(1900L * POINTS, 2100L * POINTS));
            BROKERS.get().kill(0);
            await("longer than a consumer may be without a poll")
                    .until(() ->
                            System.nanoTime() - paused > TimeUnit.MILLISECONDS.toNanos(POLL_INTERVAL_MILLIS + 500));
            try (Collector two = new Collector(topic, "two")) {
                await("half of the partitions").until(() -> one.owned() == 4 && two.owned() == 4);
                BROKERS.get().restart(0);
                one.isAway = false;
                two.isAway = false;
                await("all seconds")
                        .until(() -> one.arrived(0, 2000) + two.arrived(0, 2000) >= 2000 * POINTS
                                && all(one, two).size() == 2000 * POINTS);
                assertThat(two.arrived(0, 2000)).isBetween(500L * POINTS, 1001L * POINTS);

                ticks(topic, 2000, 2200);
                await("later seconds").until(() -> one.arrived(2000, 2200) + two.arrived(2000, 2200) >= 200 * POINTS);
                assertThat(one.arrived(2000, 2200) + two.arrived(2000, 2200)).isEqualTo(200 * POINTS);
                assertThat(all(one, two)).hasSize(2200 * POINTS);

                two.end();
                ticks(topic, 2200, 2300);
                await("all at one").until(() -> one.arrived(2200, 2300) == 100 * POINTS);
                assertThat(all(one, two)).hasSize(2300 * POINTS);
                assertThat(one.repeated + two.repeated).isZero();
                assertThat(MetricSum.of(one.metrics.values(), "publish_lost_points_total"))
                        .isZero();
                assertThat(MetricSum.of(two.metrics.values(), "publish_lost_points_total"))
                        .isZero();
            }
        }
    }

    @Test
    void of_a_topic_that_was_deleted_and_created_again_each_second_arrives() throws Exception {
        String topic = "again.ticks";
        create(topic);
        ticks(topic, 0, 50);
        try (Collector one = new Collector(topic, "one");
                Admin admin =
                        Admin.create(Map.of("bootstrap.servers", BROKERS.get().bootstrap()))) {
            one.isAway = false;
            await("the first topic").until(() -> one.arrived(0, 50) == 50 * POINTS);

            admin.deleteTopics(List.of(topic)).all().get(60, TimeUnit.SECONDS);
            await("the second topic").pollInSameThread().ignoreExceptions().until(() -> {
                create(topic);
                return true;
            });
            ticks(topic, 50, 70);

            await("the second topic's").until(() -> one.arrived(50, 70) == 20 * POINTS);
            assertThat(one.arrived(0, 50)).isEqualTo(50 * POINTS);
        }
    }
}
