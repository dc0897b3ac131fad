package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.Sink;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TickSinkTest {
    private static final String LOST = "publish_lost_points_total{sink=\"tsd:4242\"}";
    private static final String TOPIC = "counters.ticks";
    private static final TopicPartition P0 = new TopicPartition(TOPIC, 0);
    private static final TopicPartition P1 = new TopicPartition(TOPIC, 1);
    private static final long SECOND = 1_700_000_000;

    private final SaidFaults said = new SaidFaults();
    private final Metrics metrics = new Metrics();
    private final Taking sink = new Taking();
    private final List<MockConsumer<byte[], byte[]>> consumers = new ArrayList<>();
    private final Map<TopicPartition, Long> ends = new HashMap<>();
    private boolean endsUnknown;

    /** The answers to commits that wait; null if each is answered at once. */
    private @Nullable List<Runnable> answers;

    private long nanos = 1;
    private TickSink ticks;
    private long heapBytes = 256 << 20;

    /** Notes what it is given, and is done with it when the test says so. */
    private static final class Taking implements Sink {
        record Put(long second, Map<String, Long> values, int size, Runnable done) {}

        final List<Put> puts = new ArrayList<>();
        boolean hasRoom = true;
        boolean fails;
        boolean isClosed;

        @Override
        public void put(long second, Snapshot values) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void put(long second, Snapshot values, Runnable done) {
            if (fails) {
                throw new IllegalStateException("no");
            }
            Map<String, Long> points = new TreeMap<>();
            for (int i = 0; i < values.size(); i++) {
                points.put(values.names()[i], values.values()[i]);
            }
            puts.add(new Put(second, points, values.size(), done));
        }

        @Override
        public boolean hasRoom() {
            return hasRoom;
        }

        @Override
        public long oldestSecond(long nothing) {
            return puts.isEmpty() ? nothing : puts.get(0).second;
        }

        @Override
        public String toString() {
            return "the sink";
        }

        @Override
        public void close() {
            isClosed = true;
        }
    }

    @BeforeEach
    void open() {
        ticks = sink(OptionalLong.empty());
        begin(P0, P1);
    }

    private TickSink sink(OptionalLong idleTicks) {
        return new TickSink(
                sink,
                "tsd:4242",
                TOPIC,
                () -> {
                    MockConsumer<byte[], byte[]> fresh = new MockConsumer<>("none") {
                        @Override
                        public synchronized Map<TopicPartition, Long> endOffsets(
                                Collection<TopicPartition> partitions, Duration timeout) {
                            if (endsUnknown) {
                                throw new TimeoutException("no answer");
                            }
                            return super.endOffsets(partitions, timeout);
                        }

                        @Override
                        public synchronized void commitAsync(
                                Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
                            List<Runnable> waiting = answers;
                            if (waiting == null) {
                                super.commitAsync(offsets, callback);
                            } else {
                                super.commitAsync(offsets, null);
                                waiting.add(() -> callback.onComplete(offsets, null));
                            }
                        }
                    };
                    fresh.updateBeginningOffsets(Map.of(P0, 0L, P1, 0L));
                    consumers.add(fresh);
                    return fresh;
                },
                idleTicks,
                heapBytes,
                () -> Instant.ofEpochSecond(SECOND + 100),
                () -> nanos,
                said.log(),
                metrics);
    }

    private MockConsumer<byte[], byte[]> consumer() {
        return consumers.get(consumers.size() - 1);
    }

    /** The consumer is open after the first round; then it is given these partitions. */
    private void begin(TopicPartition... partitions) {
        ticks.run();
        assign(partitions);
        // Each partition has no offset at first.
        for (int i = 0; i <= partitions.length; i++) {
            ticks.run();
        }
    }

    private void assign(TopicPartition... partitions) {
        consumer().rebalance(List.of(partitions));
        consumer().updateEndOffsets(Map.of(P0, end(P0), P1, end(P1)));
    }

    private long end(TopicPartition partition) {
        return ends.getOrDefault(partition, 0L);
    }

    private void record(TopicPartition partition, byte[] value) {
        consumer().addRecord(new ConsumerRecord<>(TOPIC, partition.partition(), end(partition), null, value));
        ends.put(partition, end(partition) + 2);
        consumer().updateEndOffsets(Map.of(partition, end(partition)));
    }

    /** A tick of one counter; the offset after it is that of the transaction's end. */
    private void tick(TopicPartition partition, long second, String name, long value) {
        TickRecords.write(second, new Snapshot(new String[] {name}, new long[] {value}, 1))
                .forEach(record -> record(partition, record));
    }

    /** Reads what is there, gives it to the sink, and commits what is confirmed. */
    private void rounds() {
        for (int i = 0; i < 3; i++) {
            nanos += TimeUnit.SECONDS.toNanos(2);
            ticks.run();
        }
    }

    private long committed(TopicPartition partition) {
        OffsetAndMetadata offset = consumer().committed(Set.of(partition)).get(partition);
        return offset == null ? -1 : offset.offset();
    }

    @Test
    void ticks_of_the_same_second_are_given_together_and_the_oldest_second_first() {
        tick(P0, SECOND + 10, "a", 2);
        tick(P0, SECOND + 20, "a", 3);
        tick(P1, SECOND + 10, "b", 7);
        rounds();

        assertThat(sink.puts).extracting(Taking.Put::second).containsExactly(SECOND + 10, SECOND + 20);
        assertThat(sink.puts.get(0).values).containsOnly(Map.entry("a", 2L), Map.entry("b", 7L));
        assertThat(sink.puts.get(1).values).containsOnly(Map.entry("a", 3L));
    }

    @Test
    void an_offset_is_committed_when_the_sink_is_done_with_its_tick_and_all_before_it() {
        tick(P0, SECOND + 10, "a", 2);
        tick(P0, SECOND + 20, "a", 3);
        rounds();
        assertThat(committed(P0)).isEqualTo(-1);

        sink.puts.get(1).done.run();
        rounds();
        assertThat(committed(P0)).isEqualTo(-1);

        sink.puts.get(0).done.run();
        rounds();
        assertThat(committed(P0)).isEqualTo(3);
    }

    @Test
    void who_gives_a_partition_away_commits_what_is_done_and_the_next_reads_from_there() {
        tick(P0, SECOND + 10, "a", 2);
        tick(P0, SECOND + 20, "a", 3);
        ticks.run();
        ticks.run();
        sink.puts.get(0).done.run();

        assign(P1);
        assertThat(ticks.assigned()).doesNotContain("0");
        sink.puts.get(1).done.run();
        rounds();
        sink.puts.clear();
        assign(P0, P1);
        assertThat(committed(P0))
                .as("what was done later was not told for a partition of another")
                .isEqualTo(1);
        consumer()
                .addRecord(new ConsumerRecord<>(
                        TOPIC,
                        0,
                        2,
                        null,
                        TickRecords.write(SECOND + 20, new Snapshot(new String[] {"a"}, new long[] {3}, 1))
                                .get(0)));
        rounds();
        assertThat(sink.puts).extracting(Taking.Put::second).containsExactly(SECOND + 20);
        assertThat(sink.puts.get(0).values).containsOnly(Map.entry("a", 3L));
    }

    @Test
    void nothing_is_read_while_the_sink_has_no_room() {
        sink.hasRoom = false;
        ticks.run();
        tick(P0, SECOND + 10, "a", 2);
        rounds();
        assertThat(sink.puts).isEmpty();

        sink.hasRoom = true;
        rounds();
        assertThat(sink.puts).hasSize(1);
    }

    @Test
    void counters_that_do_not_change_are_left_out_in_each_partition() {
        ticks.close();
        sink.isClosed = false;
        ticks = sink(OptionalLong.of(2));
        begin(P0, P1);
        ends.clear();
        for (int i = 1; i <= 3; i++) {
            tick(P0, SECOND + 10L * i, "still", 1);
            tick(P1, SECOND + 10L * i, "busy", i);
        }
        rounds();

        assertThat(sink.puts.get(0).values).containsOnlyKeys("still", "busy");
        assertThat(sink.puts.get(2).values).containsOnlyKeys("busy");
        sink.puts.forEach(put -> put.done.run());
        rounds();
        assertThat(committed(P0)).isEqualTo(5);
        assertThat(committed(P1)).isEqualTo(5);
    }

    @Test
    void of_counters_for_which_there_is_no_memory_every_point_is_published_and_counted() {
        ticks.close();
        heapBytes = 64 * 16 * 3;
        ticks = sink(OptionalLong.of(1));
        begin(P0, P1);
        ends.clear();
        for (int i = 1; i <= 2; i++) {
            tick(P0, SECOND + 10L * i, "still", 1);
            TickRecords.write(SECOND + 10L * i, new Snapshot(new String[] {"a", "b", "c"}, new long[] {1, 1, 1}, 3))
                    .forEach(record -> record(P1, record));
        }
        rounds();

        assertThat(sink.puts.get(0).values).containsOnlyKeys("still", "a", "b", "c");
        assertThat(sink.puts.get(1).values).containsOnlyKeys("a", "b", "c");
        assertThat(metrics.values()).containsEntry("publish_unchecked_idle_points_total", 6L);
        assertThat(said.lines())
                .contains("WARN the sink gets points of all counters, because there is no memory to know which of them"
                        + " are idle; raise -Xmx");
    }

    @Test
    void a_tick_of_many_counters_is_given_and_left_out_part_by_part() {
        ticks.close();
        ticks = sink(OptionalLong.of(1));
        begin(P0, P1);
        ends.clear();
        String[] names = IntStream.range(0, 20_000).mapToObj(i -> "name." + i).toArray(String[]::new);
        long[] values = new long[names.length];
        for (int i = 1; i <= 3; i++) {
            List<byte[]> records = TickRecords.write(SECOND + i, new Snapshot(names, values.clone(), names.length));
            assertThat(records.size()).isGreaterThan(3);
            records.forEach(record -> record(P0, record));
            values[0]++;
            values[names.length - 1]++;
        }
        rounds();

        assertThat(sink.puts).extracting(Taking.Put::second).containsExactly(SECOND + 1, SECOND + 2, SECOND + 3);
        assertThat(sink.puts.get(0).values).hasSize(names.length);
        assertThat(sink.puts.get(1).values).containsOnly(Map.entry("name.0", 1L), Map.entry("name.19999", 1L));
        assertThat(sink.puts.get(2).values).containsOnly(Map.entry("name.0", 2L), Map.entry("name.19999", 2L));
    }

    @Test
    void what_is_gathered_is_given_before_it_takes_more_than_its_memory() {
        ticks.close();
        heapBytes = 64 * 1000;
        ticks = sink(OptionalLong.empty());
        begin(P0, P1);
        ends.clear();
        for (int i = 0; i < 10; i++) {
            tick(P0, SECOND + i, "a", i);
        }
        ticks.run();
        assertThat(sink.puts).hasSize(10);
    }

    @Test
    void a_partition_that_is_gained_while_the_sink_has_no_room_is_not_read() {
        sink.hasRoom = false;
        ticks.run();
        assign(P1);
        assign(P0, P1);

        assertThat(consumer().paused()).contains(P0);
    }

    @Test
    void what_waits_in_partitions_of_which_nothing_was_read_is_shown_as_in_others() {
        tick(P0, SECOND + 10, "a", 2);
        rounds();
        sink.hasRoom = false;
        ticks.run();
        consumer().updateEndOffsets(Map.of(P1, 20L));
        rounds();

        assertThat(metrics.values()).containsEntry("publish_spool_points{sink=\"tsd:4242\"}", 10L);
    }

    @Test
    void what_waits_is_known_even_while_nothing_is_read() {
        tick(P0, SECOND + 10, "a", 2);
        rounds();
        sink.hasRoom = false;
        rounds();
        consumer().updateEndOffsets(Map.of(P0, 42L));
        rounds();

        assertThat(metrics.values()).containsEntry("publish_spool_points{sink=\"tsd:4242\"}", 20L);
    }

    @Test
    void a_record_that_is_no_tick_is_said_and_left_out() {
        record(P0, new byte[] {9, 9});
        tick(P0, SECOND + 10, "a", 2);
        rounds();

        assertThat(sink.puts).hasSize(1);
        assertThat(said.lines())
                .containsExactly(
                        "WARN the record at offset 0 of counters.ticks-0 is not a tick, and is left out: its format"
                                + " is 9, which a newer version of the collector has written, and this version reads 1 and"
                                + " 2");
    }

    @Test
    void ticks_that_were_deleted_unread_are_counted_and_said() {
        tick(P0, SECOND + 10, "a", 2);
        rounds();
        consumer().updateBeginningOffsets(Map.of(P0, 20L, P1, 0L));
        consumer().setPollException(new OffsetOutOfRangeException(Map.of(P0, 2L)));
        ends.put(P0, 20L);
        rounds();
        tick(P0, SECOND + 90, "a", 9);
        rounds();

        assertThat(sink.puts).extracting(Taking.Put::second).containsExactly(SECOND + 10, SECOND + 90);
        assertThat(metrics.values()).containsEntry(LOST, 9L);
        assertThat(said.lines()).singleElement().asString().contains("counters.ticks-0 has deleted ticks", "lost: 9");
    }

    @Test
    void of_ticks_that_end_before_those_that_were_taken_only_later_ones_are_sent_and_that_is_counted_and_said() {
        tick(P0, SECOND + 10, "a", 2);
        tick(P0, SECOND + 20, "a", 3);
        rounds();
        sink.puts.forEach(put -> put.done.run());
        rounds();
        assertThat(committed(P0)).isEqualTo(3);

        // What is left of them, and one that came since.
        shorten();
        tick(P0, SECOND + 20, "a", 3);
        tick(P0, SECOND + 90, "a", 9);
        rounds();

        assertThat(sink.puts).extracting(Taking.Put::second).containsExactly(SECOND + 10, SECOND + 20, SECOND + 90);
        assertThat(committed(P0))
                .as("the sink is done with what it was sent before")
                .isEqualTo(1);
        sink.puts.get(2).done.run();
        rounds();
        assertThat(committed(P0)).isEqualTo(3);
        assertThat(metrics.values())
                .containsEntry("publish_cut_partitions_total", 1L)
                .containsEntry(LOST, 0L);
        assertThat(said.lines())
                .singleElement()
                .asString()
                .startsWith("WARN the ticks of counters.ticks-0 end before offset 4, up to which the sink took them: ");
    }

    @Test
    void of_a_topic_that_was_deleted_and_created_again_every_tick_is_sent() {
        tick(P0, SECOND + 10, "a", 2);
        tick(P0, SECOND + 20, "a", 3);
        rounds();

        // Nothing is committed: brokers delete a group's offsets with the topic.
        shorten();
        tick(P0, SECOND + 80, "a", 8);
        rounds();

        assertThat(sink.puts).extracting(Taking.Put::second).containsExactly(SECOND + 10, SECOND + 20, SECOND + 80);
        assertThat(metrics.values()).containsEntry("publish_cut_partitions_total", 1L);
    }

    @Test
    void after_a_cut_lower_offsets_are_committed_though_the_answer_to_a_commit_of_before_comes_late() {
        List<Runnable> late = new ArrayList<>();
        answers = late;
        tick(P0, SECOND + 10, "a", 2);
        tick(P0, SECOND + 20, "a", 3);
        rounds();
        sink.puts.forEach(put -> put.done.run());
        rounds();
        assertThat(late).hasSize(1);

        shorten();
        late.forEach(Runnable::run);
        answers = null;
        tick(P0, SECOND + 90, "a", 9);
        rounds();
        sink.puts.get(2).done.run();
        rounds();

        assertThat(committed(P0)).isEqualTo(1);
    }

    /** The topic has nothing any more at the offsets that were read. */
    private void shorten() {
        consumer().setPollException(new OffsetOutOfRangeException(Map.of(P0, 4L)));
        ends.put(P0, 0L);
        consumer().updateEndOffsets(Map.of(P0, 0L));
        ticks.run();
    }

    @Test
    void what_was_gathered_before_an_error_is_sent_once_when_it_is_read_again() {
        tick(P0, SECOND + 10, "a", 2);
        ticks.run();
        assertThat(sink.puts).isEmpty();
        consumer().setPollException(new KafkaException("fenced"));
        ticks.run();

        begin(P0);
        assertThat(sink.puts).as("nothing but what is read again").isEmpty();
        ends.clear();
        tick(P0, SECOND + 10, "a", 2);
        rounds();
        assertThat(sink.puts).extracting(Taking.Put::size).containsExactly(1);
    }

    @Test
    void a_broker_that_does_not_tell_the_ends_delays_nothing() {
        endsUnknown = true;
        tick(P0, SECOND + 10, "a", 2);
        rounds();
        consumer().updateEndOffsets(Map.of(P0, 22L));
        rounds();

        assertThat(ticks.run()).isZero();
        assertThat(ticks.trouble()).isEmpty();
        assertThat(metrics.values()).containsEntry("publish_spool_points{sink=\"tsd:4242\"}", 10L);

        sink.hasRoom = false;
        rounds();
        assertThat(ticks.trouble()).isEmpty();
        assertThat(said.lines()).isEmpty();
        assertThat(metrics.values()).containsEntry("publish_spool_points{sink=\"tsd:4242\"}", 10L);
    }

    @Test
    void a_sink_that_fails_loses_that_tick_only() {
        sink.fails = true;
        tick(P0, SECOND + 10, "a", 2);
        rounds();
        sink.fails = false;
        tick(P0, SECOND + 20, "a", 3);
        rounds();

        assertThat(sink.puts).extracting(Taking.Put::second).containsExactly(SECOND + 20);
        assertThat(metrics.values()).containsEntry(LOST, 1L);
        assertThat(committed(P0)).isEqualTo(1);
    }

    @Test
    void after_a_fatal_error_there_is_another_consumer() {
        consumer().setPollException(new KafkaException("fenced"));
        assertThat(ticks.run()).isEqualTo(1000);
        assertThat(ticks.trouble()).hasValueSatisfying(text -> assertThat(text).contains("counters.ticks", "fenced"));
        assertThat(consumer().closed()).isTrue();

        begin(P0);
        tick(P0, SECOND + 10, "a", 2);
        rounds();
        assertThat(consumers).hasSize(2);
        assertThat(ticks.trouble()).isEmpty();
        assertThat(sink.puts).hasSize(1);
    }

    @Test
    void what_waits_is_shown_with_what_is_unread() {
        String points = "publish_spool_points{sink=\"tsd:4242\"}";
        String oldest = "publish_spool_oldest_seconds{sink=\"tsd:4242\"}";
        assertThat(metrics.values()).containsEntry(points, 0L).containsEntry(oldest, 0L);

        tick(P0, SECOND + 10, "a", 2);
        rounds();
        consumer().updateEndOffsets(Map.of(P0, 22L));
        sink.hasRoom = false;
        rounds();

        assertThat(metrics.values()).containsEntry(points, 10L).containsEntry(oldest, 90L);
    }

    @Test
    void at_the_end_the_sink_is_closed_and_what_is_done_is_committed() {
        tick(P0, SECOND + 10, "a", 2);
        ticks.run();
        ticks.run();
        sink.puts.get(0).done.run();
        MockConsumer<byte[], byte[]> last = consumer();

        ticks.close();

        assertThat(sink.isClosed).isTrue();
        assertThat(last.closed()).isTrue();
    }
}
