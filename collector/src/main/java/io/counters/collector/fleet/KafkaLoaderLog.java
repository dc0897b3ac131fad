package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FenceProducersOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Kafka as the loader of ledgers uses it: a consumer that is no member of the group, and an administrator's questions. */
final class KafkaLoaderLog implements LoaderLog {
    private static final Logger log = LoggerFactory.getLogger(KafkaLoaderLog.class);

    private static final Duration WAIT = Duration.ofSeconds(1);

    /**
     * A transaction that takes longer may have been left open by an owner that is gone, so it is asked about. Brokers answer
     * sooner; if they do not, a question is asked for nothing.
     */
    private static final Duration PENDING_WAIT = Duration.ofMillis(100);

    /** Short, because a partition that no broker serves has others wait for so long, again and again. */
    private static final int ENDS_MILLIS = 1_000;

    /**
     * A transaction takes some milliseconds, with slow brokers seconds. One that is open for so long was left: its owner is
     * out of the group by now.
     */
    private static final long OPEN_MILLIS_MAX = 8_000;

    private static final String LEFT_OPEN = "transactions of former owners";

    /** The topic is compacted, so that records up to an offset are not removed, and would have what nothing else has. */
    private static final String ELSE_LOST =
            "; without one, the ledger of this partition is lost: begin at 0 with another --prefix";

    private static final int FETCH_BYTES = 8 << 20;

    private final Topics topics;
    private final Consumer<byte[], byte[]> consumer;
    private final Admin admin;
    private final LongSupplier nanoClock;
    private final FaultLog faults;

    /** Where the consumer is in each partition that it is assigned. */
    private final Map<Integer, Long> known = new HashMap<>();

    /** When transactions that were left open were asked for last, by the nano clock. */
    private long askedNanos;

    /** The partitions that are left to be read one by one, because reading several of them has failed. */
    private final Set<Integer> apart = new TreeSet<>();

    KafkaLoaderLog(FleetSettings settings, LongSupplier nanoClock) {
        this(
                settings.topics(),
                newConsumer(settings),
                Admin.create(settings.admin("offsets", Map.of())),
                nanoClock,
                new FaultLog(log, nanoClock));
    }

    KafkaLoaderLog(
            Topics topics, Consumer<byte[], byte[]> consumer, Admin admin, LongSupplier nanoClock, FaultLog faults) {
        this.topics = topics;
        this.consumer = consumer;
        this.admin = admin;
        this.nanoClock = nanoClock;
        this.faults = faults;
        askedNanos = nanoClock.getAsLong() - WAIT.toNanos();
    }

    private static Consumer<byte[], byte[]> newConsumer(FleetSettings settings) {
        Map<String, Object> ours = new HashMap<>();
        ours.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_BYTES);
        ours.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);
        // A fetch of other partitions that waits at the broker would hold up that of those assigned since.
        ours.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, (int) PENDING_WAIT.toMillis());
        ours.put(ConsumerConfig.GROUP_ID_CONFIG, settings.topics().owners());
        ours.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        return settings.newConsumer("loader", ours);
    }

    private static Set<TopicPartition> all(String topic, Set<Integer> partitions) {
        return partitions.stream()
                .map(partition -> new TopicPartition(topic, partition))
                .collect(Collectors.toSet());
    }

    @Override
    public Map<Integer, Committed> committed(Set<Integer> partitions) throws IOException {
        try {
            // Kafka answers no earlier than every pending transaction that contains one of these offsets has ended.
            return offsets(consumer.committed(all(topics.lines(), partitions), PENDING_WAIT));
        } catch (TimeoutException noAnswer) {
            forgetQuestion();
            // Leaves out the partitions with a pending transaction, and does not wait for it.
            Map<Integer, Committed> stable = offsets(answer(
                    admin.listConsumerGroupOffsets(
                                    Map.of(
                                            topics.owners(),
                                            new ListConsumerGroupOffsetsSpec()
                                                    .topicPartitions(all(topics.lines(), partitions))),
                                    new ListConsumerGroupOffsetsOptions()
                                            .requireStable(true)
                                            .timeoutMs(FleetSettings.REQUEST_MILLIS))
                            .partitionsToOffsetAndMetadata(),
                    "committed offsets"));
            if (!stable.keySet().containsAll(partitions)) {
                endOpenTransactions();
            }
            return stable;
        } catch (KafkaException notNow) {
            throw failed("committed offsets", notNow);
        }
    }

    /**
     * A consumer takes a late answer for that to the next question about the same partitions, and others may have committed in
     * between; a question about another one makes it forget.
     */
    private void forgetQuestion() {
        try {
            consumer.committed(all(topics.ledger(), Set.of(0)), Duration.ZERO);
        } catch (KafkaException noAnswer) {
            // Nobody needs one.
        }
    }

    private static Map<Integer, Committed> offsets(Map<TopicPartition, OffsetAndMetadata> found) {
        Map<Integer, Committed> offsets = new HashMap<>();
        found.forEach((partition, of) -> offsets.put(
                partition.partition(), of == null ? Committed.NOTHING : new Committed(of.offset(), of.metadata())));
        return offsets;
    }

    /**
     * Ends transactions that former owners have left open: brokers would do so only after the transaction's time, and look for
     * them only now and then. An owner that still lives loads its ledgers again. Asks at most once a second. If it fails, the
     * brokers end them later, so it is told and other partitions are loaded.
     */
    private void endOpenTransactions() {
        if (nanoClock.getAsLong() - askedNanos < WAIT.toNanos()) {
            return;
        }
        try {
            ListTransactionsOptions old = new ListTransactionsOptions()
                    .filterStates(Set.of(TransactionState.ONGOING))
                    .filterOnDuration(OPEN_MILLIS_MAX)
                    .timeoutMs(ENDS_MILLIS);
            List<String> open = open(answer(admin.listTransactions(old).byBrokerId(), LEFT_OPEN), topics.owner(""));
            if (!open.isEmpty()) {
                log.info("transactions that former owners left open are ended: {}", open);
                FenceProducersOptions soon = new FenceProducersOptions().timeoutMs(FleetSettings.REQUEST_MILLIS);
                answer(admin.fenceProducers(open, soon).all(), LEFT_OPEN);
            }
        } catch (IOException unknown) {
            faults.warn(
                    "open transactions",
                    "transactions that former owners may have left open are not ended: " + unknown.getMessage()
                            + "; partitions with such a transaction are loaded when brokers have ended it by its time-out");
        } finally {
            askedNanos = nanoClock.getAsLong();
        }
    }

    /**
     * The transactions of these owners. A broker that does not answer may be gone. Its transactions go to another one, which is
     * asked the next time.
     *
     * @param brokers what each of them answers
     * @param owners what the transactions' IDs begin with
     * @throws IOException if none answers
     */
    static List<String> open(Map<Integer, KafkaFuture<Collection<TransactionListing>>> brokers, String owners)
            throws IOException {
        List<String> open = new ArrayList<>();
        IOException failure = null;
        boolean isAnswered = false;
        for (KafkaFuture<Collection<TransactionListing>> broker : brokers.values()) {
            try {
                for (TransactionListing one : answer(broker, LEFT_OPEN)) {
                    if (one.transactionalId().startsWith(owners)) {
                        open.add(one.transactionalId());
                    }
                }
                isAnswered = true;
            } catch (IOException gone) {
                failure = gone;
                log.debug("a broker did not say which transactions are open", gone);
            }
        }
        if (failure != null && !isAnswered) {
            throw failure.getCause() instanceof ExecutionException why
                            && why.getCause() instanceof UnsupportedVersionException
                    ? new IOException("brokers before Kafka 3.8 do not say which transactions are old", failure)
                    : failure;
        }
        return open;
    }

    @Override
    public Map<Integer, Long> ends(Set<Integer> partitions) throws IOException {
        Map<TopicPartition, OffsetSpec> asked = all(topics.ledger(), partitions).stream()
                .collect(Collectors.toMap(partition -> partition, partition -> OffsetSpec.latest()));
        ListOffsetsResult found = admin.listOffsets(
                asked, new ListOffsetsOptions(IsolationLevel.READ_UNCOMMITTED).timeoutMs(ENDS_MILLIS));
        Map<Integer, Long> ends = new HashMap<>();
        IOException failure = null;
        for (TopicPartition partition : asked.keySet()) {
            try {
                ends.put(
                        partition.partition(),
                        answer(found.partitionResult(partition), "the end of " + partition)
                                .offset());
            } catch (IOException notNow) {
                failure = notNow;
            }
        }
        if (failure != null && ends.isEmpty()) {
            throw failure;
        }
        return ends;
    }

    private static <T> T answer(KafkaFuture<T> future, String about) throws IOException {
        try {
            return future.get(2L * FleetSettings.REQUEST_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | java.util.concurrent.TimeoutException notNow) {
            throw failed(about, notNow);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw failed(about, hurried);
        }
    }

    @Override
    public void read(Map<Integer, Long> positions, Records records) throws IOException {
        apart.retainAll(positions.keySet());
        if (apart.isEmpty()) {
            try {
                readTogether(positions, records, PENDING_WAIT);
            } catch (IOException notNow) {
                apart.addAll(positions.keySet());
                if (positions.size() == 1) {
                    throw notNow;
                }
                log.debug("some ledgers cannot be read, so each is read by itself", notNow);
            }
            return;
        }
        // If all are sound when each was read once, they are read together again.
        int next = apart.iterator().next();
        apart.remove(next);
        Map<Integer, Long> one = new HashMap<>(Map.of(next, positions.getOrDefault(next, 0L)));
        // If nothing has come when the next one is read, what comes is thrown away.
        readTogether(one, records, WAIT);
        positions.putAll(one);
    }

    private void readTogether(Map<Integer, Long> positions, Records records, Duration wait) throws IOException {
        Set<TopicPartition> wanted = all(topics.ledger(), positions.keySet());
        Map<Integer, Long> before = Map.copyOf(positions);
        try {
            if (!consumer.assignment().equals(wanted)) {
                consumer.assign(wanted);
                known.keySet().retainAll(positions.keySet());
            }
            positions.forEach((partition, position) -> {
                if (!position.equals(known.get(partition))) {
                    consumer.seek(new TopicPartition(topics.ledger(), partition), position);
                }
            });
            known.putAll(positions);
            ConsumerRecords<byte[], byte[]> some = consumer.poll(wait);
            for (ConsumerRecord<byte[], byte[]> record : some) {
                records.put(record.partition(), record.key(), record.value());
            }
            for (TopicPartition partition : wanted) {
                positions.put(partition.partition(), consumer.position(partition, WAIT));
            }
            known.putAll(positions);
            if (positions.equals(before)) {
                endOpenTransactions();
            }
        } catch (KafkaException notNow) {
            known.clear();
            // A fetch that the consumer cannot read stays the next one, at the same offset, while its partition is
            // assigned.
            consumer.assign(Set.of());
            throw failed("records of " + topics.ledger() + at(before), notNow, Faults.remedy(notNow, ELSE_LOST));
        }
    }

    /** Which partition it is, and from where it is read, if it is one. */
    private static String at(Map<Integer, Long> positions) {
        return positions.size() > 1
                ? ""
                : positions.entrySet().stream()
                        .map(one -> "-" + one.getKey() + " from offset " + one.getValue())
                        .collect(Collectors.joining());
    }

    private static IOException failed(String what, Exception why) {
        return failed(what, why, "");
    }

    private static IOException failed(String what, Exception why, String remedy) {
        Throwable cause = why instanceof ExecutionException && why.getCause() != null ? why.getCause() : why;
        return new IOException("no answer about " + what + " (" + Faults.reason(cause) + ")" + remedy, why);
    }

    @Override
    public String topic() {
        return topics.ledger();
    }

    @Override
    public void close() {
        consumer.close(CloseOptions.timeout(WAIT));
        admin.close(WAIT);
    }
}
