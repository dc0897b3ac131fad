package io.counters.collector.fleet;

import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Kafka as an owner uses it: a consumer that is a static member of the group of owners, and a producer with transactions. The
 * transaction's ID is the instance's, so a collector that starts again ends what its former process left open.
 */
final class KafkaOwnerLog implements OwnerLog {
    /** A transaction without an end keeps later ones from being read for this long, unless whoever loads next ends it. */
    static final int TRANSACTION_MILLIS = 10_000;

    private static final String OR_DELETE =
            Faults.OR_DELETE + "lines in them that were not merged are not counted, unless their senders repeat totals";

    /**
     * How often the answer to a commit is waited for: after that time brokers end the transaction. Other questions are given
     * up after one wait, because who does not poll meanwhile holds up the meetings of all members.
     */
    private static final int WAITS = 4;

    private static final int WAIT_MILLIS = 10_000;
    private static final int POLL_MILLIS = 60_000;
    private static final Duration CLOSE = Duration.ofSeconds(1);
    private static final int FETCH_BYTES = 16 << 20;
    private static final int FETCH_BYTES_MIN = 32 << 10;
    private static final int FETCH_MILLIS_MAX = 100;
    private static final int RECORDS_MAX = 2_000;

    /** After this time since it begins again, a partition's end is known anew: two answers to fetches may have to come. */
    private static final long END_NANOS = TimeUnit.MILLISECONDS.toNanos(5 * FETCH_MILLIS_MAX);

    private static final int BATCH_BYTES = 64 << 10;

    private final FleetSettings settings;
    private final String role;
    private final int transactionMillis;
    private final Topics topics;
    private final String instance;
    private final InstanceClaim claim;
    private final LongSupplier nanoClock;

    /** Partitions of which an end was known when they began, and when that was: more lines may have come meanwhile. */
    private final Map<Integer, Long> begunAgain = new HashMap<>();

    private KafkaConsumer<byte[], byte[]> consumer;
    private KafkaProducer<byte[], byte[]> producer;

    /** What the last consumer owned when it had to be replaced. */
    private final Set<Integer> lost = new HashSet<>();

    private @Nullable Member member;

    /** As it was told to the member. */
    private ConsumerGroupMetadata membership;

    /** Whether the group has excluded this member since; Kafka leaves its metadata as it was until it has joined again. */
    private boolean isExcluded;

    /** Whether the producer waits for its first transaction to be allowed. */
    private boolean isFresh = true;

    private boolean isOpen;
    private @Nullable RuntimeException failure;

    /**
     * Claims the instance name; joins the group with the first {@link #poll}. Transactions can begin after {@link #renew}.
     *
     * @param role of the consumer, which other members see
     * @param process differs from that of every other process
     * @param transactionMillis the most that a transaction may take
     * @throws IOException if it is not known whether the name is claimed
     */
    KafkaOwnerLog(FleetSettings settings, String role, String process, int transactionMillis, LongSupplier nanoClock)
            throws IOException {
        this.nanoClock = nanoClock;
        this.settings = settings;
        this.role = role;
        this.transactionMillis = transactionMillis;
        topics = settings.topics();
        instance = settings.instance();
        claim = new InstanceClaim(settings, process);
        producer = producer();
        consumer = consumer();
        membership = consumer.groupMetadata();
        subscribe();
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        Map<String, Object> ours = new HashMap<>();
        ours.put(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, POLL_MILLIS + transactionMillis);
        ours.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, WAIT_MILLIS);
        ours.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_BYTES);
        // One answer for many partitions costs less than many answers.
        ours.put(ConsumerConfig.FETCH_MIN_BYTES_CONFIG, FETCH_BYTES_MIN);
        ours.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, FETCH_MILLIS_MAX);
        ours.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, RECORDS_MAX);
        ours.put(ConsumerConfig.GROUP_ID_CONFIG, topics.owners());
        ours.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, instance);
        return new KafkaConsumer<>(
                settings.consumer(role, ours), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private void subscribe() {
        consumer.subscribe(List.of(topics.lines()), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                // A position, so that the consumer does not ask for one.
                partitions.forEach(partition -> consumer.seek(partition, 0));
                tell(partitions, Member::assigned);
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                tell(partitions, Member::revoked);
            }

            @Override
            public void onPartitionsLost(Collection<TopicPartition> partitions) {
                isExcluded = true;
                tell(partitions, Member::lost);
            }
        });
    }

    private void tell(Collection<TopicPartition> partitions, BiConsumer<Member, Collection<Integer>> what) {
        // At the end nobody needs to know.
        if (member != null && !partitions.isEmpty()) {
            what.accept(member, numbers(partitions));
        }
    }

    private static List<Integer> numbers(Collection<TopicPartition> partitions) {
        return partitions.stream().map(TopicPartition::partition).toList();
    }

    private KafkaProducer<byte[], byte[]> producer() {
        Map<String, Object> ours = new HashMap<>();
        ours.put(ProducerConfig.BATCH_SIZE_CONFIG, BATCH_BYTES);
        // The commit sends what waits; until then batches may fill.
        ours.put(ProducerConfig.LINGER_MS_CONFIG, 100);
        ours.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, transactionMillis);
        ours.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, transactionMillis / WAITS);
        ours.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, topics.owner(instance));
        ours.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, transactionMillis);
        ours.put(ProducerConfig.ACKS_CONFIG, "all");
        ours.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        return new KafkaProducer<>(
                settings.producer("owner", ours), new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static IOException failed(String what, Exception why) {
        return new IOException(what + " (" + Faults.reason(why) + ")", why);
    }

    private TopicPartition lines(int partition) {
        return new TopicPartition(topics.lines(), partition);
    }

    @Override
    public void poll(long waitMillis, Member to) throws IOException {
        member = to;
        try {
            if (!lost.isEmpty()) {
                Set<Integer> all = Set.copyOf(lost);
                lost.clear();
                to.lost(all);
            }
            ConsumerRecords<byte[], byte[]> some = consumer.poll(Duration.ofMillis(waitMillis));
            ConsumerGroupMetadata now = consumer.groupMetadata();
            if (!now.equals(membership)) {
                membership = now;
                isExcluded = false;
                to.met(Set.copyOf(numbers(consumer.assignment())));
            }
            for (ConsumerRecord<byte[], byte[]> record : some) {
                NewerLines.refuse(record);
                to.lines(record.partition(), record.offset(), record.timestamp(), record.value());
            }
        } catch (OffsetOutOfRangeException gone) {
            try {
                skip(gone, to);
            } catch (KafkaException notNow) {
                throw failed("lines are gone, and it is not known which there are", notNow);
            }
        } catch (FencedInstanceIdException other) {
            if (isClaimLost(other)) {
                throw new InstanceTaken(instance, other);
            }
            throw replaced("the instance name " + instance + " was taken", other);
        } catch (KafkaException failure) {
            IOException told = replaced("the lines of partitions cannot be read", failure);
            throw new IOException(told.getMessage() + Faults.remedy(failure, OR_DELETE), told);
        } finally {
            member = null;
        }
    }

    /** If it cannot be found out, the name is taken back, and whoever has claimed it since takes it again. */
    private boolean isClaimLost(FencedInstanceIdException why) {
        try {
            return claim.isLost();
        } catch (IOException unknown) {
            why.addSuppressed(unknown);
            return false;
        }
    }

    /** Goes on with the oldest line there is, or behind the last one: from the oldest, all would be counted once more. */
    private void skip(OffsetOutOfRangeException gone, Member to) {
        Map<TopicPartition, Long> asked = gone.offsetOutOfRangePartitions();
        Map<TopicPartition, Long> oldest = consumer.beginningOffsets(asked.keySet());
        Map<TopicPartition, Long> ends = consumer.endOffsets(asked.keySet());
        // Known if the log was cut, and has grown again, while this consumer read it.
        Map<TopicPartition, OffsetAndMetadata> cut =
                gone instanceof LogTruncationException truncated ? truncated.divergentOffsets() : Map.of();
        asked.forEach((partition, from) -> {
            OffsetAndMetadata known = cut.get(partition);
            long last = known == null ? Math.min(from, ends.getOrDefault(partition, from)) : known.offset();
            long next = Math.max(last, oldest.getOrDefault(partition, 0L));
            consumer.seek(partition, next);
            to.moved(partition.partition(), from, next);
        });
    }

    /** Replaces the consumer. If there can be no other one now, the old one stays, and its next failure leads here again. */
    private IOException replaced(String what, KafkaException why) {
        try {
            replaceConsumer();
        } catch (KafkaException notNow) {
            why.addSuppressed(notNow);
        }
        return failed(what, why);
    }

    private void replaceConsumer() {
        KafkaConsumer<byte[], byte[]> fresh = consumer();
        lost.addAll(numbers(consumer.assignment()));
        consumer.close(CloseOptions.timeout(Duration.ZERO));
        consumer = fresh;
        membership = fresh.groupMetadata();
        subscribe();
    }

    @Override
    public boolean isMember() {
        return membership.generationId() >= 0 && !isExcluded;
    }

    @Override
    public void begin(int partition, long offset) {
        TopicPartition begun = lines(partition);
        // A seek changes the position only.
        if (consumer.currentLag(begun).isPresent()) {
            begunAgain.put(partition, nanoClock.getAsLong());
        } else {
            begunAgain.remove(partition);
        }
        consumer.seek(begun, offset);
        consumer.resume(List.of(begun));
    }

    @Override
    public void hold(int partition) {
        TopicPartition held = lines(partition);
        if (consumer.assignment().contains(held)) {
            consumer.pause(List.of(held));
        }
    }

    @Override
    public OptionalLong lag(int partition) {
        OptionalLong lag = consumer.currentLag(lines(partition));
        Long begun = begunAgain.get(partition);
        boolean isOld = begun != null && nanoClock.getAsLong() - begun < END_NANOS;
        return isOld && lag.orElse(0) == 0 ? OptionalLong.empty() : lag;
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // The commit fails if a record does.
    public void append(Topic topic, int partition, byte @Nullable [] key, byte @Nullable [] value) {
        if (failure != null) {
            return;
        }
        String name = topic == Topic.LEDGER ? topics.ledger() : topics.ticks();
        try {
            begin();
            producer.send(new ProducerRecord<>(name, partition, key, value));
        } catch (RuntimeException notSent) {
            failure = notSent;
        }
    }

    private void begin() {
        if (!isOpen) {
            producer.beginTransaction();
            isOpen = true;
        }
    }

    @Override
    public void commit(Map<Integer, Committed> offsets) throws IOException {
        RuntimeException why = failure;
        failure = null;
        try {
            if (why == null) {
                begin();
                if (!offsets.isEmpty()) {
                    Map<TopicPartition, OffsetAndMetadata> all = new HashMap<>();
                    offsets.forEach((partition, of) ->
                            all.put(lines(partition), new OffsetAndMetadata(of.offset(), of.stamp())));
                    if (membership.generationId() < 0) {
                        throw new CommitFailedException("this collector is not in the group of owners");
                    }
                    producer.sendOffsetsToTransaction(all, membership);
                }
                commit();
                return;
            }
        } catch (RuntimeException refused) {
            why = refused;
        } finally {
            isOpen = false;
        }
        abort(why);
    }

    private void commit() {
        for (int waits = 1; ; waits++) {
            try {
                producer.commitTransaction();
                return;
            } catch (TimeoutException noAnswer) {
                if (waits == WAITS) {
                    throw noAnswer;
                }
            }
        }
    }

    /** Aborts the transaction; throws in any case. */
    private void abort(RuntimeException why) throws IOException {
        String what = "the transaction of partitions cannot be committed";
        try {
            producer.abortTransaction();
        } catch (RuntimeException unknown) {
            // Also if it may be committed: then the producer refuses to abort it.
            why.addSuppressed(unknown);
            throw new InDoubt(what + ", or it is not known whether it was (" + Faults.reason(why) + ")", why);
        }
        throw failed(what, why);
    }

    @Override
    public void renew() throws IOException {
        if (!isFresh) {
            producer.close(Duration.ZERO);
            producer = producer();
            isOpen = false;
            failure = null;
        }
        try {
            isFresh = true;
            producer.initTransactions();
            isFresh = false;
        } catch (TimeoutException noAnswer) {
            throw failed("transactions cannot begin", noAnswer);
        } catch (KafkaException refused) {
            isFresh = false;
            throw failed("transactions cannot begin", refused);
        }
    }

    /** Ends, and leaves the partitions to others at once. */
    void leave() {
        producer.close(Duration.ofMillis(FleetSettings.REQUEST_MILLIS));
        consumer.close(CloseOptions.groupMembershipOperation(CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
        claim.close();
    }

    @Override
    public void close() {
        producer.close(CLOSE);
        consumer.close(CloseOptions.timeout(CLOSE));
        claim.close();
    }
}
