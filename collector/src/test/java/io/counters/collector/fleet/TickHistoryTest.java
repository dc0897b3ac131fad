package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.history.History;
import io.counters.collector.history.HistorySettings;
import io.counters.collector.history.Samples;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TickHistoryTest {
    private static final String TOPIC = "counters.ticks";
    private static final long SECOND = 1_700_000_000;

    @TempDir
    Path folder;

    private final SaidFaults said = new SaidFaults();
    private final Metrics metrics = new Metrics();
    private final List<Topic> consumers = new ArrayList<>();

    /** By partition, the values of its records, two offsets apart. */
    private final Map<Integer, List<byte[]>> records = new TreeMap<>();

    private final SortedMap<Integer, Ledger> owned = new TreeMap<>();
    private long now = SECOND;
    private History history;
    private TickHistory ticks;

    /** A consumer of what {@link #records} has, from the beginning. */
    private final class Topic extends MockConsumer<byte[], byte[]> {
        private final Map<Integer, Integer> read = new HashMap<>();

        Topic() {
            super("earliest");
        }

        @Override
        public synchronized Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(Map<TopicPartition, Long> times) {
            Map<TopicPartition, OffsetAndTimestamp> offsets = new HashMap<>();
            times.keySet().forEach(partition -> {
                updateBeginningOffsets(Map.of(partition, 0L));
                updateEndOffsets(Map.of(partition, 0L));
                offsets.put(partition, new OffsetAndTimestamp(0, 0));
                read.put(partition.partition(), 0);
            });
            return offsets;
        }

        /** As Kafka's does: none means all. */
        @Override
        public synchronized void seekToEnd(Collection<TopicPartition> partitions) {
            super.seekToEnd(partitions.isEmpty() ? assignment() : partitions);
        }

        void bring() {
            for (TopicPartition partition : assignment()) {
                int number = partition.partition();
                List<byte[]> all = records.getOrDefault(number, List.of());
                for (int i = read.getOrDefault(number, 0); i < all.size(); i++) {
                    addRecord(new ConsumerRecord<>(TOPIC, number, 2L * i, null, all.get(i)));
                }
                read.put(number, all.size());
                updateEndOffsets(Map.of(partition, 2L * all.size()));
            }
        }
    }

    @BeforeEach
    void open() {
        history = new History(
                new HistorySettings(folder.resolve("history.db"), 10, 172_800, 0, 0, 1 << 30, 100),
                said.log(),
                new Metrics());
        ticks = history(256 << 20);
    }

    private TickHistory history(long heapBytes) {
        return new TickHistory(
                history,
                TOPIC,
                () -> owned,
                () -> {
                    Topic fresh = new Topic();
                    consumers.add(fresh);
                    return fresh;
                },
                heapBytes,
                () -> Instant.ofEpochSecond(now),
                said.log(),
                metrics);
    }

    private void own(Integer... partitions) {
        owned.keySet().retainAll(List.of(partitions));
        for (int partition : partitions) {
            owned.computeIfAbsent(partition, fresh -> new Partition(() -> now).ledger);
        }
    }

    @AfterEach
    void close() {
        ticks.close();
        history.close();
    }

    private void tick(int partition, long second, String name, long value) {
        records.computeIfAbsent(partition, fresh -> new ArrayList<>())
                .addAll(TickRecords.write(second, new Snapshot(new String[] {name}, new long[] {value}, 1)));
    }

    /** Some rounds, in which so many seconds pass. */
    private void pass(int seconds) {
        for (int i = 0; i < 4; i++) {
            ticks.run();
            consumers.get(consumers.size() - 1).bring();
            ticks.run();
            now += i == 0 ? seconds : 0;
        }
    }

    private Map<Long, Long> samples(String name) throws IOException {
        Samples found = history.samples(name, 0, SECOND + 1_000_000);
        Map<Long, Long> values = new TreeMap<>();
        for (int i = 0; i < found.size(); i++) {
            values.put(found.seconds()[i], found.values()[i]);
        }
        return values;
    }

    @Test
    void the_ticks_of_owned_partitions_are_put_together_by_their_seconds() throws Exception {
        tick(0, SECOND - 20, "a", 1);
        tick(0, SECOND - 10, "a", 2);
        tick(1, SECOND - 20, "b", 5);
        tick(1, SECOND - 10, "b", 6);
        tick(2, SECOND - 10, "c", 7);
        own(0, 1);
        pass(5);

        assertThat(samples("a")).isEqualTo(Map.of(SECOND - 20, 1L, SECOND - 10, 2L));
        assertThat(samples("b")).isEqualTo(Map.of(SECOND - 20, 5L, SECOND - 10, 6L));
        assertThat(samples("c")).isEmpty();
        assertThat(said.lines()).isEmpty();
    }

    @Test
    void a_tick_waits_for_those_of_other_partitions_but_not_for_ever() throws Exception {
        own(0, 1);
        pass(5);
        tick(0, now, "a", 1);
        pass(0);
        assertThat(samples("a")).isEmpty();
        tick(1, now, "b", 1);
        pass(0);
        assertThat(samples("a")).hasSize(1);
        assertThat(samples("b")).hasSize(1);

        tick(0, now + 10, "a", 2);
        pass(20);
        assertThat(samples("a")).hasSize(2);
        assertThat(samples("b")).hasSize(1);
    }

    @Test
    void a_partition_that_is_taken_over_brings_its_past_and_one_that_is_given_away_leaves_it() throws Exception {
        tick(0, SECOND - 20, "a", 1);
        tick(1, SECOND - 20, "b", 5);
        tick(1, SECOND - 10, "b", 6);
        own(0);
        pass(5);
        assertThat(samples("b")).isEmpty();

        own(0, 1);
        pass(5);
        assertThat(samples("a")).isEqualTo(Map.of(SECOND - 20, 1L));
        assertThat(samples("b")).isEqualTo(Map.of(SECOND - 20, 5L, SECOND - 10, 6L));

        own(1);
        pass(5);
        tick(0, now, "a", 9);
        tick(1, now, "b", 7);
        pass(5);
        assertThat(samples("a")).isEqualTo(Map.of(SECOND - 20, 1L));
        assertThat(samples("b")).hasSize(3);
    }

    @Test
    void a_large_tick_is_taken_whole_or_not_at_all() throws Exception {
        String[] names = IntStream.range(0, 5_000).mapToObj(i -> "name." + i).toArray(String[]::new);
        List<byte[]> large = TickRecords.write(SECOND - 20, new Snapshot(names, new long[names.length], names.length));
        assertThat(large).hasSizeGreaterThan(1);
        List<byte[]> all = new ArrayList<>(large.subList(1, large.size()));
        all.addAll(TickRecords.write(SECOND - 10, new Snapshot(names, new long[names.length], names.length)));
        records.put(0, all);
        own(0);
        pass(5);

        assertThat(samples("name.0")).isEqualTo(Map.of(SECOND - 10, 0L));
        assertThat(samples("name.99")).isEqualTo(Map.of(SECOND - 10, 0L));
        assertThat(leftOut()).as("its beginning is older than what is read").isZero();

        records.get(0).addAll(large.subList(0, 1));
        tick(0, now, "name.0", 7);
        pass(5);

        assertThat(samples("name.0")).isEqualTo(Map.of(SECOND - 10, 0L, now - 5, 7L));
        assertThat(leftOut()).isEqualTo(1);
        assertThat(said.lines())
                .containsExactly("WARN a tick of partition 0 cannot be read, and is missing in the history: the tick of"
                        + " second 1699999980 is not complete");
    }

    private long leftOut() {
        return metrics.values().getOrDefault("history_left_out_ticks_total", -1L);
    }

    @Test
    void a_tick_that_comes_too_late_or_cannot_be_read_is_counted_and_said() throws Exception {
        own(0, 1);
        pass(5);
        tick(0, now, "a", 1);
        pass(20);
        assertThat(leftOut()).isZero();

        tick(1, now - 20, "b", 5);
        tick(1, now, "b", 6);
        pass(20);

        assertThat(samples("b")).isEqualTo(Map.of(now - 20, 6L));
        assertThat(leftOut()).isEqualTo(1);
        assertThat(said.lines())
                .containsExactly("WARN the tick of second " + (now - 40) + " of partition 1 came after later ones of"
                        + " others, and is missing in the history; Kafka was slow for a while, or the partition was"
                        + " taken over");

        byte[] cut = TickRecords.write(now, new Snapshot(new String[] {"b"}, new long[] {7}, 1))
                .get(0);
        Objects.requireNonNull(records.get(1)).addAll(List.of(Arrays.copyOf(cut, cut.length - 1), new byte[] {9}));
        pass(20);
        assertThat(leftOut()).isEqualTo(3);
        assertThat(said.lines()).hasSize(2);
    }

    @Test
    void counters_of_different_partitions_with_the_same_number_are_different() throws Exception {
        for (int i = 2; i > 0; i--) {
            records.computeIfAbsent(0, fresh -> new ArrayList<>())
                    .addAll(TickRecords.write(
                            SECOND - 10L * i, new Snapshot(new String[] {"a", "b", "c"}, new long[] {i, 7, 3}, 3)));
            tick(1, SECOND - 10L * i, "d", 10 + i);
        }
        own(0, 1);
        pass(5);

        assertThat(samples("a")).isEqualTo(Map.of(SECOND - 20, 2L, SECOND - 10, 1L));
        assertThat(samples("b")).isEqualTo(Map.of(SECOND - 20, 7L, SECOND - 10, 7L));
        assertThat(samples("d")).isEqualTo(Map.of(SECOND - 20, 12L, SECOND - 10, 11L));
    }

    @Test
    void a_partition_is_not_read_while_its_ticks_that_wait_for_another_take_their_share_of_the_heap() throws Exception {
        ticks = history(64 * 2 * 300);
        own(0, 1);
        pass(5);
        for (int i = 0; i < 20; i++) {
            tick(0, now + i, "a", i);
        }
        Topic topic = consumers.get(consumers.size() - 1);
        topic.bring();
        topic.updateEndOffsets(Map.of(new TopicPartition(TOPIC, 1), 100L));
        ticks.run();
        ticks.run();
        assertThat(topic.paused()).containsExactly(new TopicPartition(TOPIC, 0));

        topic.updateEndOffsets(Map.of(new TopicPartition(TOPIC, 1), 0L));
        pass(30);
        assertThat(samples("a")).hasSize(20);
        assertThat(topic.paused()).isEmpty();
    }

    @Test
    void after_an_error_it_begins_anew() throws Exception {
        tick(0, SECOND - 20, "a", 1);
        own(0);
        pass(5);
        consumers.get(0).setPollException(new KafkaException("away"));
        pass(5);
        tick(0, now, "a", 2);
        pass(5);

        assertThat(consumers).hasSize(2);
        assertThat(samples("a")).hasSize(2);
        assertThat(said.lines())
                .containsExactly(
                        "WARN the ticks for the history cannot be read from counters.ticks now, and are tried again: away");
    }

    @Test
    void a_corrupt_record_is_told_with_its_remedy() throws Exception {
        tick(0, SECOND - 20, "a", 1);
        own(0);
        pass(5);
        consumers
                .get(0)
                .setPollException(new KafkaException(
                        "Received exception when fetching the next record from counters.ticks-0. If needed, please seek past"
                                + " the record to continue consumption."));
        pass(5);

        assertThat(said.lines())
                .singleElement()
                .asString()
                .contains("make a replica that is sound the leader", "kafka-delete-records.sh: points in them");
    }

    @Test
    void what_an_earlier_run_left_is_forgotten() throws Exception {
        history.put(SECOND - 50, new Snapshot(new String[] {"a"}, new long[] {4}, 1));
        assertThat(samples("a")).hasSize(1);

        ticks = history(256 << 20);

        assertThat(samples("a")).isEmpty();
    }
}
