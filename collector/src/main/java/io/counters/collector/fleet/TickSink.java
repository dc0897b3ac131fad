package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.IdleFilter;
import io.counters.collector.publish.Sink;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
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
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Gives a fleet's ticks to one sink. The collectors that have this sink are a consumer group, so each partition's ticks go to
 * one of them. The topic is the spool: how far a partition was delivered is committed only when the sink is done with all
 * points of a tick, so that whoever reads the partition next begins with the first tick that is not.
 *
 * <p>Ticks are given oldest first. Those of which it is not known whether the sink is done with them are given again when
 * another collector reads the partition, or another consumer after an error: then possibly after later ones that the sink has
 * already, but always with the same second and value. If a partition's ticks end before those that are committed, because
 * Kafka has lost some or the topic is a new one, it is read from its oldest tick, and those are left out that are not later
 * than the last one that the sink was done with.
 *
 * <p>Ticks of several partitions and the same second go to the sink together, if they come together, because a request to
 * OpenTSDB takes as long with one point as with a thousand. The sink has them in memory; while it has no room, nothing more is
 * read.
 *
 * <p>For one thread, except where another is named.
 */
final class TickSink extends Reading {
    /** The ticks of a second come from several owners, within a transaction's time. */
    private static final Duration GATHER_POLL = Duration.ofMillis(100);

    private static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    /** About what a point takes in memory beyond its part of a record. */
    private static final int POINT_BYTES = 64;

    private static final long COMMIT_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final Duration WAIT = Duration.ofSeconds(1);

    private final Sink sink;
    private final OptionalLong idleTicks;
    private final long bytesMax;
    private final LongSupplier nanoClock;
    private final LongAdder lost;
    private final LongAdder cut;
    private final LongAdder unchecked;
    private final Map<TopicPartition, SinkPart> parts = new HashMap<>();

    /** Read, and not yet given to the sink, by the second. */
    private final TreeMap<Long, SinkPart.Batch> gathered = new TreeMap<>();

    private long gatheredSince;
    private long gatheredPoints;
    private long gatheredBytes;
    private long committedAt;
    private boolean isCommitting;

    /** For the metrics: what is unread, and the second after which nothing was read; {@link Long#MAX_VALUE} if all was. */
    private volatile long unreadPoints;

    private volatile long unreadSince = Long.MAX_VALUE;

    /**
     * @param sink closed with this
     * @param label the sink's address, for metrics
     * @param consumers opens a consumer of the sink's group that reads committed records, commits nothing by itself, and has no
     *     rule for offsets that are not there
     * @param idleTicks the number of ticks without a change after which a counter is left out; empty for never
     * @param heapBytes this JVM's maximum heap, of which shares are used
     * @param clock the wall clock, for the age of points
     */
    TickSink(
            Sink sink,
            String label,
            String topic,
            Supplier<Consumer<byte[], byte[]>> consumers,
            OptionalLong idleTicks,
            long heapBytes,
            InstantSource clock,
            LongSupplier nanoClock,
            FaultLog faults,
            Metrics metrics) {
        super("the ticks for " + sink, topic, consumers, faults);
        this.sink = sink;
        this.idleTicks = idleTicks;
        bytesMax = heapBytes / HEAP_PART;
        this.nanoClock = nanoClock;
        lost = Sink.lost(label, metrics);
        cut = metrics.count(
                "publish_cut_partitions_total",
                "How often the ticks of a partition ended before those that a sink had taken.");
        unchecked = metrics.count(
                "publish_unchecked_idle_points_total",
                "Points that were published because there is no memory to know whether their counters are idle.");
        Sink.showLag(label, () -> sink.waitingPoints() + unreadPoints, this::oldestSecond, clock, metrics);
    }

    private long oldestSecond(long nothing) {
        return Math.min(sink.oldestSecond(nothing), Math.min(nothing, unreadSince));
    }

    @Override
    void opened(Consumer<byte[], byte[]> from) {
        from.subscribe(List.of(topic), new Rebalances());
    }

    /** What is gathered is read again; what the sink has may be sent again. */
    @Override
    void forget() {
        clearGathered();
        parts.clear();
        isCommitting = false;
    }

    @Override
    long round(Consumer<byte[], byte[]> from) {
        if (sink.hasRoom()) {
            from.resume(from.paused());
        } else {
            from.pause(from.assignment());
        }
        ConsumerRecords<byte[], byte[]> records;
        try {
            records = from.poll(gathered.isEmpty() ? POLL : GATHER_POLL);
        } catch (InvalidOffsetException noSuchOffset) {
            seek(from, noSuchOffset);
            return 0;
        }
        records.forEach(this::take);
        long now = nanoClock.getAsLong();
        boolean isFull = gatheredBytes >= bytesMax || now - gatheredSince >= GATHER_NANOS;
        if (!gathered.isEmpty() && (records.isEmpty() || isFull)) {
            give();
        }
        if (now - committedAt >= COMMIT_NANOS && !isCommitting) {
            committedAt = now;
            commit(from);
            measure(from);
        }
        return 0;
    }

    /** A new group begins with the oldest tick, and so does one whose next ticks were deleted, or are not there any more. */
    private void seek(Consumer<byte[], byte[]> from, InvalidOffsetException noSuchOffset) {
        Map<TopicPartition, Long> wanted = noSuchOffset instanceof OffsetOutOfRangeException outside
                ? outside.offsetOutOfRangePartitions()
                : Map.of();
        Map<TopicPartition, Long> ends = from.endOffsets(wanted.keySet());
        from.beginningOffsets(noSuchOffset.partitions()).forEach((partition, first) -> {
            long next = wanted.getOrDefault(partition, first);
            if (noSuchOffset instanceof LogTruncationException || next > ends.getOrDefault(partition, next)) {
                beginAnew(from, partition, next);
            } else {
                part(partition).deleted += Math.max(0, first - next);
            }
            from.seek(partition, first);
        });
    }

    private void beginAnew(Consumer<byte[], byte[]> from, TopicPartition partition, long next) {
        OffsetAndMetadata taken = from.committed(Set.of(partition), WAIT).get(partition);
        parts.remove(partition);
        part(partition).takenSecond =
                taken == null || !taken.metadata().matches("[0-9]{1,18}") ? 0 : Long.parseLong(taken.metadata());
        cut.increment();
        faults.warn(
                sink + " cut",
                "the ticks of " + partition + " end before offset " + next + ", up to which " + sink
                        + " took them: Kafka has lost some, or the topic was deleted; it takes those that are there and that"
                        + " it has not confirmed. Use three brokers");
    }

    private SinkPart part(TopicPartition partition) {
        return parts.computeIfAbsent(
                partition, fresh -> new SinkPart(idleTicks.isPresent() ? new IdleFilter(idleTicks.getAsLong()) : null));
    }

    private void take(ConsumerRecord<byte[], byte[]> record) {
        TopicPartition partition = new TopicPartition(record.topic(), record.partition());
        SinkPart part = part(partition);
        TickRecords.Tick tick;
        try {
            tick = TickRecords.read(record.value());
        } catch (TickRecords.Unreadable why) {
            lost.add(part.begin < 0 ? 1 : Math.max(1, part.points(1)));
            faults.warn(
                    sink + " unreadable",
                    "the record at offset " + record.offset() + " of " + partition + " is not a tick, and is left out: "
                            + why.getMessage());
            return;
        }
        if (part.begin < 0 || part.deleted > 0) {
            part.begin = record.offset();
            part.points = 0;
        }
        part.end = record.offset() + 1;
        part.points += tick.values().size();
        part.second = tick.second();
        if (part.deleted > 0) {
            long points = Math.max(1, part.points(part.deleted));
            part.deleted = 0;
            lost.add(points);
            faults.warn(
                    sink + " deleted",
                    partition + " has deleted ticks before " + sink + " took them, so about so many of their points are"
                            + " lost: " + points + "; raise retention.ms and retention.bytes of the topic");
        }
        long complete = tick.isLast() ? tick.second() : tick.second() - 1;
        if (tick.second() <= part.takenSecond) {
            part.pending.add(new SinkPart.Pending(part.end, complete, SinkPart.Batch.done()));
            return;
        }
        Snapshot values = busy(part, tick);
        if (gathered.isEmpty()) {
            gatheredSince = nanoClock.getAsLong();
        }
        SinkPart.Batch batch = gathered.computeIfAbsent(tick.second(), fresh -> new SinkPart.Batch());
        batch.values.add(values);
        gatheredPoints += values.size();
        gatheredBytes += record.value().length + (long) POINT_BYTES * values.size();
        part.pending.add(new SinkPart.Pending(part.end, complete, batch));
    }

    /** The counters that are not idle, as far as there is memory to know. */
    private Snapshot busy(SinkPart part, TickRecords.Tick tick) {
        int end = tick.values().numbersEnd();
        if (part.idle == null) {
            return tick.values();
        }
        if (end > part.idleEnd) {
            long others = parts.values().stream().mapToLong(one -> one.idleEnd).sum() - part.idleEnd;
            if ((others + end) * IdleFilter.COUNTER_BYTES > bytesMax) {
                unchecked.add(tick.values().size());
                faults.warn(
                        sink + " idle",
                        sink
                                + " gets points of all counters, because there is no memory to know which of them are idle;"
                                + " raise -Xmx");
                return tick.values();
            }
            part.idleEnd = end;
        }
        return part.idle.leaveOut(tick.values(), tick.isLast());
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
        clearGathered();
    }

    private void clearGathered() {
        gathered.clear();
        gatheredPoints = 0;
        gatheredBytes = 0;
    }

    // Offsets

    private Map<TopicPartition, OffsetAndMetadata> confirmed(Collection<TopicPartition> some) {
        Map<TopicPartition, OffsetAndMetadata> confirmed = new HashMap<>();
        for (TopicPartition partition : some) {
            SinkPart part = parts.get(partition);
            if (part != null) {
                part.confirm();
                if (part.confirmed > part.committed) {
                    // The second is what is known after a cut; see beginAnew.
                    confirmed.put(
                            partition, new OffsetAndMetadata(part.confirmed, Long.toString(part.confirmedSecond)));
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
            SinkPart part = parts.get(partition);
            if (part != null) {
                part.committed(offset.offset());
            }
        });
    }

    private void commitNow(Consumer<byte[], byte[]> to, Collection<TopicPartition> some) {
        Map<TopicPartition, OffsetAndMetadata> offsets = confirmed(some);
        if (!offsets.isEmpty()) {
            try {
                to.commitSync(offsets, WAIT);
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
            Consumer<byte[], byte[]> from = consumer;
            if (from != null && !sink.hasRoom()) {
                from.pause(gained);
            }
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

    /**
     * Estimates what is unread, by what the consumer knows of the ends. That is old while nothing is read, so then they are
     * asked for, which delays nothing; without an answer the last estimate stays. A partition of which nothing was read is like
     * the others.
     */
    private void measure(Consumer<byte[], byte[]> of) {
        Map<TopicPartition, Long> ends;
        try {
            ends = of.paused().isEmpty() ? Map.of() : of.endOffsets(of.paused(), POLL);
        } catch (TimeoutException noAnswer) {
            return;
        }
        long points = gatheredPoints;
        long since = Long.MAX_VALUE;
        long offsets = 0;
        long unreadOffsets = 0;
        long read = 0;
        for (TopicPartition partition : of.assignment()) {
            SinkPart part = parts.get(partition);
            long lag = of.currentLag(partition).orElse(0);
            if (part == null || part.begin < 0) {
                unreadOffsets += lag;
                continue;
            }
            lag = ends.getOrDefault(partition, part.end + lag) - part.end;
            offsets += part.end + 1 - part.begin;
            read += part.points;
            // A transaction's end is an offset too, so what is less than a tick is none.
            if (lag >= 2) {
                points += part.points(lag);
                since = Math.min(since, part.second);
            }
        }
        unreadPoints = points + (offsets == 0 ? 0 : unreadOffsets * read / offsets);
        unreadSince = since;
    }

    @Override
    Optional<String> trouble() {
        return super.trouble().or(sink::trouble);
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
                last.close(CloseOptions.timeout(WAIT));
            }
        }
    }

    @Override
    public String toString() {
        return sink.toString();
    }
}
