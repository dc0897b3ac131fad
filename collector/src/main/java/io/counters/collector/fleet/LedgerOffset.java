package io.counters.collector.fleet;

import io.counters.collector.common.Bytes;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * What a fleet keeps in {@code PREFIX.ledger} beside the ledger's own records, under the key {@code o}: numbers as in
 * {@link Bytes}, format, partitions, offset. The offset is also that of the consumer group, in which it fences former owners;
 * but brokers forget a group that has been away for a week.
 *
 * @param partitions how many the fleet has, which must never change: names would move, and be counted twice
 * @param offset of {@code PREFIX.lines}, after the last record that is merged
 */
record LedgerOffset(int partitions, long offset) {
    static final byte[] KEY = {'o'};

    private static final int FORMAT = 1;

    /** Each transaction's last record of a partition is one of these; markers of transactions come after it. */
    private static final int TAIL = 100;

    byte[] value() {
        Bytes bytes = new Bytes();
        bytes.addNumber(FORMAT);
        bytes.addNumber(partitions);
        bytes.addNumber(offset);
        return bytes.toArray();
    }

    static LedgerOffset of(byte @Nullable [] value) {
        Bytes.Reader in = new Bytes.Reader(value == null ? new byte[0] : value, IllegalStateException::new);
        long format = in.number();
        if (format != FORMAT) {
            throw new IllegalStateException("its progress has format " + format + ", and this version reads " + FORMAT);
        }
        return new LedgerOffset((int) in.number(), in.number());
    }

    /**
     * The number of partitions that some ledger was written with; that of its topic if nothing was written yet.
     *
     * @param from may read what is not committed, which has the number, too
     * @throws KafkaException also if nothing can be read for this time, because a partition has lost its broker
     * @throws IllegalStateException if it was written by a later version
     */
    static int partitions(Consumer<byte[], byte[]> from, String ledger, int partitions, Duration wait) {
        List<TopicPartition> all = IntStream.range(0, partitions)
                .mapToObj(number -> new TopicPartition(ledger, number))
                .toList();
        Map<TopicPartition, Long> left = new HashMap<>(from.beginningOffsets(all));
        Map<TopicPartition, Long> ends = from.endOffsets(all);
        left.replaceAll((partition, begin) -> Math.max(begin, ends.getOrDefault(partition, 0L) - TAIL));
        left.entrySet().removeIf(at -> at.getValue() >= ends.getOrDefault(at.getKey(), 0L));
        from.assign(left.keySet());
        left.forEach((partition, position) -> from.seek(partition, position));
        while (!left.isEmpty()) {
            for (ConsumerRecord<byte[], byte[]> record : from.poll(wait)) {
                if (Arrays.equals(record.key(), KEY)) {
                    return of(record.value()).partitions();
                }
            }
            Map<TopicPartition, Long> before = Map.copyOf(left);
            left.replaceAll((partition, position) -> from.position(partition));
            left.entrySet().removeIf(at -> at.getValue() >= ends.getOrDefault(at.getKey(), 0L));
            if (left.equals(before)) {
                throw new TimeoutException("partitions left: " + left.size());
            }
        }
        return partitions;
    }
}
