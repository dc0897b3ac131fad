package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * The topic {@code PREFIX.lines} in Kafka. An idempotent producer writes each record once, however often it must be sent. A
 * record is tried again for hours: it waits in bounded memory, and a line without a total would otherwise be lost. After an
 * error that ends a producer, such as a right that was taken away, a new one is made.
 */
final class KafkaLines implements LineLog {
    /** How long {@link Producer#send} may wait before it is called again. */
    private static final int BLOCK_MILLIS = 500;

    /** How long a record is tried. */
    private static final int DELIVERY_MILLIS = 12 * 3_600_000;

    /** So that the records of a window, which are sent one after the other, go out together. */
    private static final int LINGER_MILLIS = 5;

    /** The producer needs at least one record of any length. */
    private static final long BYTES_MIN = 2 << 20;

    /** A producer that failed is replaced only this often. */
    private static final long REPLACE_MILLIS = 10_000;

    private final String topic;
    private final FleetSettings settings;
    private final long bytesMax;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final AtomicLong waiting = new AtomicLong();
    private Producer<byte[], byte[]> producer;
    private boolean isBroken;
    private long replacedNanos;

    private volatile boolean ends;
    private volatile long endNanos;

    /** @param bytesMax the memory for records that wait for an acknowledgement; it is at least 2 MiB */
    KafkaLines(FleetSettings settings, long bytesMax, LongSupplier nanoClock, FaultLog faults) {
        this.settings = settings;
        topic = settings.topics().lines();
        this.bytesMax = Math.max(BYTES_MIN, bytesMax);
        this.nanoClock = nanoClock;
        this.faults = faults;
        producer = producer();
        replacedNanos = nanoClock.getAsLong();
    }

    private Producer<byte[], byte[]> producer() {
        Map<String, Object> ours = new HashMap<>();
        ours.put(ProducerConfig.LINGER_MS_CONFIG, LINGER_MILLIS);
        ours.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, DELIVERY_MILLIS);
        ours.put(ProducerConfig.ACKS_CONFIG, "all");
        ours.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        // A partition takes any first record of a new producer. If that is not the first one sent, because a new leader
        // was
        // not ready for it, the partition refuses the first one until its time is over.
        ours.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
        ours.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, BLOCK_MILLIS);
        ours.put(ProducerConfig.BUFFER_MEMORY_CONFIG, bytesMax);
        return new KafkaProducer<>(
                settings.producer("lines", ours), new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** At half of the memory, because one window may need almost as much; not with a producer that cannot be used. */
    @Override
    public boolean hasRoom() {
        return waiting.get() < bytesMax / 2 && (!isBroken || mayReplace());
    }

    @Override
    public long waitingBytes() {
        return waiting.get();
    }

    @Override
    public long waitingBytesMax() {
        return bytesMax;
    }

    @Override
    public void append(int partition, byte[] text, long wallMillis, Contents contents, Answers answers) {
        ProducerRecord<byte[], byte[]> row = new ProducerRecord<>(topic, partition, wallMillis, null, text);
        waiting.addAndGet(contents.bytes());
        for (; ; ) {
            Exception refused = send(row, contents, answers);
            if (refused == null) {
                return;
            }
            if (!(refused instanceof TimeoutException) || isOver()) {
                waiting.addAndGet(-contents.bytes());
                answers.failed(contents, refused);
                return;
            }
            answers.waiting();
            faults.warn(
                    "no room in Kafka",
                    "Kafka takes no more lines at present, which are gathered meanwhile: " + refused.getMessage());
        }
    }

    private boolean isOver() {
        return ends && nanoClock.getAsLong() - endNanos >= 0;
    }

    /** Returns why the producer did not accept the record; null if it did, and will answer. */
    @SuppressWarnings("FutureReturnValueIgnored") // Its callback has the outcome.
    private @Nullable Exception send(ProducerRecord<byte[], byte[]> row, Contents contents, Answers answers) {
        Sending sending = new Sending(contents, answers);
        try {
            if (isBroken) {
                replace();
            }
            producer.send(row, sending);
            return sending.accepted();
        } catch (KafkaException | IllegalStateException broken) {
            isBroken = true;
            return broken;
        }
    }

    /** Replaces a producer that cannot be used any more; what it had not sent has failed by then. */
    private void replace() {
        if (mayReplace()) {
            replacedNanos = nanoClock.getAsLong();
            producer.close(Duration.ZERO);
            producer = producer();
            isBroken = false;
        }
    }

    private boolean mayReplace() {
        return nanoClock.getAsLong() - replacedNanos >= TimeUnit.MILLISECONDS.toNanos(REPLACE_MILLIS);
    }

    /** What becomes of one record. The producer calls it within {@code send} if it does not accept the record. */
    private final class Sending implements Callback {
        private final Contents contents;
        private final Answers answers;
        private final Thread caller = Thread.currentThread();
        private @Nullable Exception refused;

        Sending(Contents contents, Answers answers) {
            this.contents = contents;
            this.answers = answers;
        }

        @Nullable
        Exception accepted() {
            return refused;
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // A thread is only equal to itself.
        public void onCompletion(@Nullable RecordMetadata metadata, @Nullable Exception failure) {
            if (failure != null && Thread.currentThread() == caller) {
                refused = failure;
                return;
            }
            waiting.addAndGet(-contents.bytes());
            if (failure == null) {
                answers.acknowledged(contents);
            } else {
                answers.failed(contents, failure);
            }
        }
    }

    @Override
    public void endWithin(long millis) {
        endNanos = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(millis);
        ends = true;
    }

    @Override
    public void close() {
        long left = ends ? Math.max(0, endNanos - nanoClock.getAsLong()) : 0;
        producer.close(Duration.ofNanos(left));
    }
}
