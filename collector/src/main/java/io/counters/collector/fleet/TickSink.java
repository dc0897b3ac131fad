package io.counters.collector.fleet;

import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.Idle;
import io.counters.collector.publish.Sink;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;

/**
 * Gives a fleet's ticks to one sink. The collectors that have this sink are a consumer group, so each partition's ticks go to
 * one of them. The topic is the spool: how far a partition was delivered is committed only when the sink is done with all
 * points of a tick, so that whoever reads the partition next begins with the first tick that is not. It may send points again,
 * always with the same second and value.
 *
 * <p>Ticks of several partitions and the same second go to the sink together, if they come together, because a request to
 * OpenTSDB takes as long with one point as with a thousand. The sink has them in memory; while it has no room, nothing more is
 * read.
 *
 * <p>For one thread, except where another is named.
 */
final class TickSink implements Reading, AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(250);

    /** The ticks of a second come from several owners, within a transaction's time. */
    private static final Duration GATHER_POLL = Duration.ofMillis(100);

    private static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final int GATHERED_POINTS_MAX = 200_000;
    private static final long COMMIT_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long AGAIN_MILLIS = 1_000;
    private static final Duration LAST_COMMIT = Duration.ofSeconds(1);

    private final Sink sink;
    private final String topic;
    private final Supplier<Consumer<byte[], byte[]>> consumers;
    private final OptionalLong idleTicks;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final LongAdder lost;

    private @Nullable Consumer<byte[], byte[]> consumer;
    private final Map<TopicPartition, Part> parts = new HashMap<>();

    /** Read, and not yet given to the sink, by the second. */
    private final TreeMap<Long, Batch> gathered = new TreeMap<>();

    private long gatheredSince;
    private int gatheredPoints;
    private long committedAt;
    private boolean isCommitting;

    /** What is unread, for the metrics; other threads read it. */
    private volatile long unreadPoints;

    /** The second after which nothing was read; no more than a day in the past, and {@link Long#MAX_VALUE} if all was. */
    private volatile long unreadSince = Long.MAX_VALUE;

    private volatile Optional<String> trouble = Optional.empty();

    /** Points of one second that are given to the sink at once. */
    private static final class Batch {
        final List<Snapshot> values = new ArrayList<>();

        /** Set by whatever thread of the sink. */
        volatile boolean done;
    }

    /**
     * A tick that was read.
     *
     * @param end the offset behind it
     */
    private record Pending(long end, Batch batch) {}

    /** A partition that is read. */
    private static final class Part {
        final TickRecords.Reader reader = new TickRecords.Reader();
        final @Nullable Idle idle;
        final Deque<Pending> pending = new ArrayDeque<>();

        /** The offset behind the last tick that the sink is done with, and with all before it; -1 if there is none yet. */
        long confirmed = -1;

        long committed = -1;

        /** The offset behind the last tick that was read, how many offsets it had, its points and its second. */
        long end = -1;

        long length = 2;
        long points;
        long second = Long.MAX_VALUE;

        Part(@Nullable Idle idle) {
            this.idle = idle;
        }

        void confirm() {
            for (Pending first = pending.peek(); first != null && first.batch.done; first = pending.peek()) {
                confirmed = first.end;
                pending.remove();
            }
        }
    }

    /**
     * @param sink closed with this
     * @param label the sink's address, for metrics
     * @param topic that has the ticks
     * @param consumers opens a consumer of the sink's group that reads committed records, commits nothing by itself, and has no
     *     rule for offsets that are not there
     * @param idleTicks the number of ticks without a change after which a counter is left out; empty for never
     * @param clock the wall clock, for the age of points
     */
    TickSink(
            Sink sink,
            String label,
            String topic,
            Supplier<Consumer<byte[], byte[]>> consumers,
            OptionalLong idleTicks,
            InstantSource clock,
            LongSupplier nanoClock,
            FaultLog faults,
            Self self) {
        this.sink = sink;
        this.topic = topic;
        this.consumers = consumers;
        this.idleTicks = idleTicks;
        this.nanoClock = nanoClock;
        this.faults = faults;
        lost = self.count("publish_lost_points_total", "Points that were lost before they were delivered.");
        Sink.showLag(label, () -> sink.waitingPoints() + unreadPoints, this::oldestSecond, clock, self);
    }

    private long oldestSecond(long nothing) {
        return Math.min(sink.oldestSecond(nothing), Math.min(nothing, unreadSince));
    }

    @Override
    public long run() {
        try {
            round(open());
            trouble = Optional.empty();
            return 0;
        } catch (RetriableException passes) {
            return failed(passes);
        } catch (KafkaException fatal) {
            discard();
            return failed(fatal);
        }
    }

    private long failed(KafkaException why) {
        String said = FaultLog.shown(String.valueOf(why.getMessage()));
        trouble = Optional.of(sink + " gets no points, because " + topic + " cannot be read: " + said);
        faults.warn(
                sink + " topic",
                "the ticks for " + sink + " cannot be read from " + topic + " now, and are tried again: " + said);
        return AGAIN_MILLIS;
    }

    private Consumer<byte[], byte[]> open() {
        Consumer<byte[], byte[]> open = consumer;
        if (open == null) {
            open = consumers.get();
            consumer = open;
            open.subscribe(List.of(topic), new Rebalances());
        }
        return open;
    }

    /** After some errors, a consumer is of no use any more. What the sink has may be sent again. */
    private void discard() {
        Consumer<byte[], byte[]> broken = consumer;
        consumer = null;
        parts.clear();
        isCommitting = false;
        if (broken != null) {
            try {
                broken.close(CloseOptions.timeout(Duration.ZERO));
            } catch (KafkaException alsoFailed) {
                // It is said already why it failed.
            }
        }
    }

    private void round(Consumer<byte[], byte[]> from) {
        if (sink.hasRoom()) {
            from.resume(from.paused());
        } else {
            from.pause(from.assignment());
        }
        boolean isGathering = !gathered.isEmpty();
        ConsumerRecords<byte[], byte[]> records;
        try {
            records = from.poll(isGathering ? GATHER_POLL : POLL);
        } catch (InvalidOffsetException noSuchOffset) {
            seek(from, noSuchOffset);
            return;
        }
        for (ConsumerRecord<byte[], byte[]> record : records) {
            take(record);
        }
        long now = nanoClock.getAsLong();
        boolean isFull = gatheredPoints >= GATHERED_POINTS_MAX || now - gatheredSince >= GATHER_NANOS;
        if (!gathered.isEmpty() && (records.isEmpty() || isFull)) {
            give();
        }
        if (now - committedAt >= COMMIT_NANOS && !isCommitting) {
            committedAt = now;
            commit(from);
        }
        measure(from);
    }

    /** A new group begins with the oldest tick, and so does one whose next ticks were deleted. */
    private void seek(Consumer<byte[], byte[]> from, InvalidOffsetException noSuchOffset) {
        Map<TopicPartition, Long> wanted = noSuchOffset instanceof OffsetOutOfRangeException outside
                ? outside.offsetOutOfRangePartitions()
                : Map.of();
        from.beginningOffsets(noSuchOffset.partitions()).forEach((partition, first) -> {
            long deleted = first - wanted.getOrDefault(partition, first);
            if (deleted > 0) {
                Part part = part(partition);
                long points = Math.max(1, deleted * part.points / part.length);
                lost.add(points);
                faults.warn(
                        sink + " deleted",
                        partition + " has deleted ticks before " + sink
                                + " took them, so about so many of their points are" + " lost: " + points
                                + "; raise retention.ms of the topic");
            }
            from.seek(partition, first);
        });
    }

    private Part part(TopicPartition partition) {
        return parts.computeIfAbsent(
                partition, fresh -> new Part(idleTicks.isPresent() ? new Idle(idleTicks.getAsLong()) : null));
    }

    private void take(ConsumerRecord<byte[], byte[]> record) {
        Part part = part(new TopicPartition(record.topic(), record.partition()));
        TickRecords.Tick tick = null;
        try {
            tick = part.reader.read(record.value());
        } catch (TickRecords.Unreadable why) {
            faults.warn(
                    sink + " unreadable",
                    "the record at offset " + record.offset() + " of " + topic + "-" + record.partition()
                            + " is not a tick, and is left out: " + why.getMessage());
        }
        lost.add(part.reader.takeLostPoints());
        if (tick == null) {
            return;
        }
        long end = record.offset() + 1;
        part.length = part.end < 0 ? part.length : Math.max(1, end - part.end);
        part.end = end;
        part.points = tick.values().size();
        part.second = tick.second();
        Snapshot values = part.idle == null ? tick.values() : part.idle.leaveOut(tick.values());
        if (gathered.isEmpty()) {
            gatheredSince = nanoClock.getAsLong();
        }
        Batch batch = gathered.computeIfAbsent(tick.second(), fresh -> new Batch());
        batch.values.add(values);
        gatheredPoints += values.size();
        part.pending.add(new Pending(end, batch));
    }

    /** Gives what was gathered to the sink, the oldest second first. */
    private void give() {
        gathered.forEach((second, batch) -> {
            Snapshot values = Snapshot.joined(batch.values);
            batch.values.clear();
            try {
                sink.put(second, values, () -> batch.done = true);
            } catch (RuntimeException fault) {
                batch.done = true;
                lost.add(values.size());
                faults.warn(
                        "sink fault",
                        sink + " failed, so the points of second " + second + " are lost (points: " + values.size()
                                + "); it continues: " + fault);
            }
        });
        gathered.clear();
        gatheredPoints = 0;
    }

    // Offsets

    private Map<TopicPartition, OffsetAndMetadata> confirmed(Collection<TopicPartition> some) {
        Map<TopicPartition, OffsetAndMetadata> confirmed = new HashMap<>();
        for (TopicPartition partition : some) {
            Part part = parts.get(partition);
            if (part != null) {
                part.confirm();
                if (part.confirmed > part.committed) {
                    confirmed.put(partition, new OffsetAndMetadata(part.confirmed));
                }
            }
        }
        return confirmed;
    }

    private void commit(Consumer<byte[], byte[]> to) {
        Map<TopicPartition, OffsetAndMetadata> offsets = confirmed(parts.keySet());
        if (offsets.isEmpty()) {
            return;
        }
        isCommitting = true;
        to.commitAsync(offsets, (committed, failure) -> {
            isCommitting = false;
            if (failure == null) {
                committed(committed);
            }
        });
    }

    private void committed(Map<TopicPartition, OffsetAndMetadata> offsets) {
        offsets.forEach((partition, offset) -> {
            Part part = parts.get(partition);
            if (part != null) {
                part.committed = Math.max(part.committed, offset.offset());
            }
        });
    }

    private void commitNow(Consumer<byte[], byte[]> to, Collection<TopicPartition> some) {
        Map<TopicPartition, OffsetAndMetadata> offsets = confirmed(some);
        if (!offsets.isEmpty()) {
            try {
                to.commitSync(offsets, LAST_COMMIT);
                committed(offsets);
            } catch (KafkaException notNow) {
                // Whoever reads next sends these points again.
                faults.warn(
                        sink + " offsets",
                        "Kafka did not take note of what " + sink + " has confirmed, so points are sent to it again: "
                                + FaultLog.shown(String.valueOf(notNow.getMessage())));
            }
        }
    }

    private final class Rebalances implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> gained) {
            gained.forEach(parts::remove);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> given) {
            Consumer<byte[], byte[]> to = consumer;
            if (to != null) {
                commitNow(to, given);
            }
            given.forEach(parts::remove);
        }

        @Override
        public void onPartitionsLost(Collection<TopicPartition> gone) {
            gone.forEach(parts::remove);
        }
    }

    // What is shown

    private void measure(Consumer<byte[], byte[]> of) {
        long points = 0;
        long since = Long.MAX_VALUE;
        for (TopicPartition partition : of.assignment()) {
            long lag = of.currentLag(partition).orElse(0);
            Part part = parts.get(partition);
            // A transaction's end is an offset too, so what is less than a tick is none.
            if (part != null && lag >= part.length) {
                points += lag * part.points / part.length;
                since = Math.min(since, part.second);
            }
        }
        unreadPoints = points + gatheredPoints;
        unreadSince = since;
    }

    @Override
    public Optional<String> trouble() {
        Optional<String> read = trouble;
        return read.isPresent() ? read : sink.trouble();
    }

    /** The partitions that are read, for a test. */
    String assigned() {
        return parts.keySet().stream()
                .map(partition -> Integer.toString(partition.partition()))
                .sorted()
                .collect(Collectors.joining(","));
    }

    /** Lets the sink deliver what it has, within 2 s, and leaves the rest in the topic. After the last {@link #run}. */
    @Override
    public void close() {
        try {
            give();
            sink.close();
        } finally {
            Consumer<byte[], byte[]> last = consumer;
            consumer = null;
            if (last != null) {
                commitNow(last, List.copyOf(parts.keySet()));
                last.close(CloseOptions.timeout(LAST_COMMIT));
            }
        }
    }

    /** The sink. */
    @Override
    public String toString() {
        return sink.toString();
    }
}
