package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;

/**
 * Something that reads a fleet's ticks, on a thread of its own. After an error that ends a consumer, there is another one. For
 * one thread, except where another is named.
 */
abstract sealed class Reading implements AutoCloseable permits TickSink, TickHistory {
    static final Duration POLL = Duration.ofMillis(250);
    private static final long AGAIN_MILLIS = 1_000;
    private static final String OR_DELETE = Faults.OR_DELETE + "points in them that were not published are missing";

    /** What waits to be given on may use one part in this many of the heap. */
    static final int HEAP_PART = 64;

    /** What a consumer has fetched, from each broker, and what it returns at once, may use one part in this many. */
    private static final int FETCH_HEAP_PART = 128;

    private static final int FETCH_BYTES_MAX = 8 << 20;

    final String topic;
    final FaultLog faults;
    private final String ticks;
    private final Supplier<Consumer<byte[], byte[]>> consumers;

    @Nullable
    Consumer<byte[], byte[]> consumer;

    private volatile Optional<String> unread = Optional.empty();

    /**
     * @param ticks those that are read, for the log
     * @param topic that has them
     * @param consumers opens a consumer that reads committed records
     */
    Reading(String ticks, String topic, Supplier<Consumer<byte[], byte[]>> consumers, FaultLog faults) {
        this.ticks = ticks;
        this.topic = topic;
        this.consumers = consumers;
        this.faults = faults;
    }

    /** Properties of the consumers. Few bytes of each partition at once, so that all are read about equally far. */
    static Map<String, Object> fetching(long heapBytes) {
        int bytes = (int) Math.max(4 * TickRecords.BYTES_MAX, Math.min(FETCH_BYTES_MAX, heapBytes / FETCH_HEAP_PART));
        return Map.of(
                "max.partition.fetch.bytes",
                TickRecords.BYTES_MAX,
                "fetch.max.bytes",
                bytes,
                "max.poll.records",
                bytes / TickRecords.BYTES_MAX);
    }

    /**
     * Reads some ticks, or waits for some, at most a quarter of a second.
     *
     * @return the milliseconds until the next call
     */
    final long run() {
        try {
            Consumer<byte[], byte[]> open = consumer;
            if (open == null) {
                open = consumers.get();
                consumer = open;
                opened(open);
            }
            long pause = round(open);
            unread = Optional.empty();
            return pause;
        } catch (RetriableException passes) {
            return failed(passes);
        } catch (KafkaException fatal) {
            discard();
            return failed(fatal);
        }
    }

    private long failed(KafkaException why) {
        String said = FaultLog.shown(String.valueOf(why.getMessage()));
        unread = Optional.of(ticks + " cannot be read from " + topic + ": " + said);
        String remedy = Faults.remedy(why, OR_DELETE);
        faults.warn(ticks, ticks + " cannot be read from " + topic + " now, and are tried again: " + said + remedy);
        return AGAIN_MILLIS;
    }

    private void discard() {
        Consumer<byte[], byte[]> broken = consumer;
        consumer = null;
        forget();
        if (broken != null) {
            try {
                broken.close(CloseOptions.timeout(Duration.ZERO));
            } catch (KafkaException alsoFailed) {
                // It is said already why it failed.
            }
        }
    }

    /** Begins with a new consumer. */
    void opened(Consumer<byte[], byte[]> from) {}

    /** Does what {@link #run} is for. */
    abstract long round(Consumer<byte[], byte[]> from);

    /** Forgets how far it has read, because its consumer is gone. */
    abstract void forget();

    /** What keeps it from its work, if something does. From any thread, which does not wait. */
    Optional<String> trouble() {
        return unread;
    }

    @Override
    public abstract void close();
}
