package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.common.SaidFaults;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.internals.KafkaFutureImpl;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Without brokers; {@link OwnerBrokersTest} has those. */
class KafkaLoaderLogTest {
    private static final Topics TOPICS = Topics.of("shop");

    private static TopicPartition ledger(int partition) {
        return new TopicPartition(TOPICS.ledger(), partition);
    }

    /** Partition 1 has a corrupt record, whose fetch stays the next one until the partition is assigned no longer. */
    private static final class Corrupt extends MockConsumer<byte[], byte[]> {
        private boolean isStuck;

        Corrupt() {
            super("earliest");
        }

        @Override
        public synchronized void assign(Collection<TopicPartition> partitions) {
            super.assign(partitions);
            isStuck &= partitions.contains(ledger(1));
            updateBeginningOffsets(Map.of(ledger(0), 0L, ledger(1), 0L, ledger(2), 0L));
        }

        @Override
        public synchronized ConsumerRecords<byte[], byte[]> poll(Duration wait) {
            isStuck |= assignment().contains(ledger(1));
            if (isStuck) {
                throw new KafkaException(
                        "Received exception when fetching the next record from shop.ledger-1. If needed, please seek past"
                                + " the record to continue consumption.",
                        new CorruptRecordException("Record is corrupt (stored crc = 1)"));
            }
            for (TopicPartition partition : assignment()) {
                addRecord(new ConsumerRecord<>(
                        partition.topic(), partition.partition(), position(partition), new byte[1], new byte[1]));
            }
            return super.poll(wait);
        }
    }

    private static Admin unused() {
        return (Admin) Proxy.newProxyInstance(
                Admin.class.getClassLoader(), new Class<?>[] {Admin.class}, (self, method, arguments) -> {
                    throw new AssertionError(method);
                });
    }

    @Test
    void a_corrupt_record_keeps_no_other_partition_from_being_read_and_is_told_with_the_remedy() {
        KafkaLoaderLog log = new KafkaLoaderLog(TOPICS, new Corrupt(), unused(), () -> 0, new SaidFaults().log());
        Map<Integer, Long> positions = new TreeMap<>(Map.of(0, 0L, 1, 0L, 2, 0L));
        Map<Integer, AtomicInteger> read = new HashMap<>();
        IOException told = null;

        for (int i = 0; i < 12; i++) {
            try {
                log.read(
                        positions,
                        (partition, key, value) -> read.computeIfAbsent(partition, none -> new AtomicInteger())
                                .incrementAndGet());
            } catch (IOException corrupt) {
                told = corrupt;
            }
        }

        assertThat(read.keySet()).containsExactlyInAnyOrder(0, 2);
        assertThat(positions).containsExactlyEntriesOf(new TreeMap<>(Map.of(0, 3L, 1, 0L, 2, 3L)));
        assertThat(Objects.requireNonNull(told))
                .hasMessageContaining("records of shop.ledger-1 from offset 0")
                .hasMessageContaining("make a replica that is sound the leader")
                .hasMessageContaining("another --prefix");
    }

    private static KafkaFuture<Collection<TransactionListing>> broker(
            @Nullable RuntimeException failure, String... transactions) {
        KafkaFutureImpl<Collection<TransactionListing>> answer = new KafkaFutureImpl<>();
        if (failure == null) {
            answer.complete(List.of(transactions).stream()
                    .map(id -> new TransactionListing(id, 1, TransactionState.ONGOING))
                    .toList());
        } else {
            answer.completeExceptionally(failure);
        }
        return answer;
    }

    @Test
    void transactions_of_owners_are_known_if_some_broker_answers_and_otherwise_it_is_told_why_not() throws Exception {
        RuntimeException gone = new org.apache.kafka.common.errors.TimeoutException("it is gone");
        RuntimeException old = new UnsupportedVersionException("Duration filter can be set only");

        assertThat(KafkaLoaderLog.open(
                        Map.of(1, broker(gone), 2, broker(null, "shop.owner.a", "other.owner.a")), "shop.owner."))
                .containsExactly("shop.owner.a");
        assertThat(KafkaLoaderLog.open(Map.of(), "shop.owner.")).isEmpty();
        assertThatThrownBy(() -> KafkaLoaderLog.open(Map.of(1, broker(gone), 2, broker(gone)), "shop.owner."))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("it is gone");
        assertThatThrownBy(() -> KafkaLoaderLog.open(Map.of(1, broker(old)), "shop.owner."))
                .isInstanceOf(IOException.class)
                .hasMessage("brokers before Kafka 3.8 do not say which transactions are old");
    }
}
