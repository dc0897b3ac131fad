package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.history.History;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Snapshot;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Fills the history of a collector of a fleet with the ticks of the partitions that it owns: first with those that the topic
 * still has, then with each new one. The history is a copy, so its file is made anew at each start and whenever a partition is
 * taken over, because a history takes seconds only in their order. What a partition told before it was given away stays.
 *
 * <p>The ticks of a second are put together: it waits for those of partitions that are behind. Meanwhile they stay as they
 * were read. Their names are the strings of the ledgers. For one thread.
 */
final class TickHistory extends Reading {
    /** Partitions are taken over in several steps, so it waits until nothing has changed for this time. */
    private static final long SETTLED_MILLIS = 3_000;

    /** How long a tick waits for those of partitions that have none of its second. */
    private static final long LATE_SECONDS = 3;

    private final History history;
    private final Supplier<SortedMap<Integer, Ledger>> owned;
    private final long bytesMax;
    private final InstantSource clock;
    private final LongAdder leftOut;

    private final TreeMap<Integer, Part> parts = new TreeMap<>();
    private Set<Integer> wanted = Set.of();
    private long wantedSinceMillis;
    private long lastSecond;

    /** How many partitions there were when it began. */
    private int begun;

    /** The records of a tick. */
    private record Waiting(long second, List<byte[]> records) {}

    /** A partition that is read, and its ticks that wait for those of others. */
    private static final class Part {
        /** Its place among the partitions when it began. */
        final int place;

        final Deque<Waiting> waiting = new ArrayDeque<>();
        long waitingBytes;
        boolean isAtEnd;

        /** The tick of which more records follow. */
        @Nullable
        Waiting begun;

        Part(int place) {
            this.place = place;
        }

        /**
         * Takes the next record. One that goes on with a tick whose beginning was not read is ignored.
         *
         * @throws TickRecords.Unreadable if it is none, or does not go on with the tick that has begun
         */
        void take(byte[] record) throws TickRecords.Unreadable {
            Waiting open = begun;
            begun = null;
            TickRecords.Tick head = TickRecords.head(record);
            boolean continues = open != null && open.second == head.second() && open.records.size() == head.part();
            Waiting tick = head.part() == 0 ? new Waiting(head.second(), new ArrayList<>()) : continues ? open : null;
            if (tick != null) {
                tick.records.add(record);
                begun = head.isLast() ? null : tick;
                if (head.isLast()) {
                    waiting.add(tick);
                    waitingBytes += bytes(tick);
                }
            }
            if (open != null && !continues) {
                throw new TickRecords.Unreadable("the tick of second " + open.second + " is not complete");
            }
        }

        void remove() {
            waitingBytes -= bytes(waiting.remove());
        }

        private static long bytes(Waiting tick) {
            return tick.records.stream().mapToLong(record -> record.length).sum();
        }
    }

    /**
     * @param owned the ledgers of the partitions whose ticks are wanted
     * @param consumers opens a consumer without a group that reads committed records
     * @param heapBytes this JVM's maximum heap, of which a share is used
     * @param clock the wall clock
     */
    TickHistory(
            History history,
            String topic,
            Supplier<SortedMap<Integer, Ledger>> owned,
            Supplier<Consumer<byte[], byte[]>> consumers,
            long heapBytes,
            InstantSource clock,
            FaultLog faults,
            Metrics metrics) {
        super("the ticks for the history", topic, consumers, faults);
        this.history = history;
        this.owned = owned;
        bytesMax = heapBytes / HEAP_PART;
        this.clock = clock;
        leftOut = metrics.count(
                "history_left_out_ticks_total",
                "Ticks of partitions of a fleet that are missing in the history, because they came late or cannot be read.");
        history.clear();
    }

    @Override
    void forget() {
        parts.clear();
    }

    @Override
    long round(Consumer<byte[], byte[]> from) {
        SortedMap<Integer, Ledger> ledgers = owned.get();
        follow(from, new TreeSet<>(ledgers.keySet()));
        if (parts.isEmpty()) {
            return POLL.toMillis();
        }
        read(from);
        put(ledgers);
        return 0;
    }

    /** Reads those partitions that are owned. */
    private void follow(Consumer<byte[], byte[]> from, Set<Integer> now) {
        long millis = clock.millis();
        if (!now.equals(wanted)) {
            wanted = now;
            wantedSinceMillis = millis;
        }
        if (parts.keySet().retainAll(now)) {
            from.assign(partitions(parts.keySet()));
        }
        boolean isSettled = Math.abs(millis - wantedSinceMillis) >= SETTLED_MILLIS;
        if (isSettled && !parts.keySet().equals(now)) {
            begin(from, partitions(now));
        }
    }

    private List<TopicPartition> partitions(Set<Integer> some) {
        return some.stream()
                .map(partition -> new TopicPartition(topic, partition))
                .toList();
    }

    private void begin(Consumer<byte[], byte[]> from, List<TopicPartition> all) {
        long sinceMillis = clock.millis() - history.ticksSeconds() * 1000;
        Map<TopicPartition, Long> since = new HashMap<>();
        all.forEach(partition -> since.put(partition, sinceMillis));
        Map<TopicPartition, OffsetAndTimestamp> offsets = from.offsetsForTimes(since);
        history.clear();
        parts.clear();
        lastSecond = 0;
        begun = all.size();
        from.assign(all);
        for (TopicPartition partition : all) {
            parts.put(partition.partition(), new Part(parts.size()));
            OffsetAndTimestamp offset = offsets.get(partition);
            if (offset == null) {
                from.seekToEnd(List.of(partition));
            } else {
                from.seek(partition, offset.offset());
            }
        }
    }

    private void read(Consumer<byte[], byte[]> from) {
        List<TopicPartition> full = new ArrayList<>();
        parts.forEach((partition, part) -> {
            if (!part.waiting.isEmpty() && part.waitingBytes >= bytesMax / begun) {
                full.add(new TopicPartition(topic, partition));
            }
        });
        from.resume(from.paused());
        from.pause(full);
        for (ConsumerRecord<byte[], byte[]> record : from.poll(POLL)) {
            Part part = parts.get(record.partition());
            if (part != null) {
                try {
                    part.take(record.value());
                } catch (TickRecords.Unreadable why) {
                    unreadable(record.partition(), why);
                }
            }
        }
        // A tick is at least a record and the end of its transaction.
        parts.forEach((partition, part) -> part.isAtEnd =
                from.currentLag(new TopicPartition(topic, partition)).orElse(2) < 2);
    }

    private void unreadable(int partition, TickRecords.Unreadable why) {
        leftOut.increment();
        faults.warn(
                "unreadable for the history",
                "a tick of partition " + partition + " cannot be read, and is missing in the history: "
                        + why.getMessage());
    }

    private void late(int partition, long second) {
        leftOut.increment();
        faults.warn(
                "late for the history",
                "the tick of second " + second + " of partition " + partition
                        + " came after later ones of others, and is missing in the history; Kafka was slow for a while, or the"
                        + " partition was taken over");
    }

    /** Puts those seconds for which all ticks are there, or will not come. */
    private void put(SortedMap<Integer, Ledger> ledgers) {
        Map<Part, Snapshot> known = new HashMap<>();
        for (long second = due(); second > 0; second = due()) {
            List<Snapshot> values = new ArrayList<>();
            for (Map.Entry<Integer, Part> one : parts.entrySet()) {
                Part part = one.getValue();
                Waiting first = part.waiting.peek();
                if (first != null && first.second <= second) {
                    part.remove();
                    if (second <= lastSecond) {
                        late(one.getKey(), second);
                        continue;
                    }
                    Ledger ledger = ledgers.get(one.getKey());
                    Snapshot names = ledger == null
                            ? TickRecords.NOTHING
                            : known.computeIfAbsent(part, fresh -> ledger.snapshot());
                    try {
                        values.addAll(read(part, first, names));
                    } catch (TickRecords.Unreadable why) {
                        unreadable(one.getKey(), why);
                    }
                }
            }
            if (second > lastSecond) {
                lastSecond = second;
                // The counter with the largest number comes last.
                values.sort(Comparator.comparingInt(Snapshot::numbersEnd));
                history.put(second, Snapshot.joined(values));
            }
        }
    }

    /**
     * A tick's values. The history tells counters apart by their numbers, so those of different partitions take turns.
     *
     * @param known by the numbers in the partition
     */
    private List<Snapshot> read(Part part, Waiting tick, Snapshot known) throws TickRecords.Unreadable {
        List<Snapshot> values = new ArrayList<>();
        for (byte[] record : tick.records) {
            Snapshot one = TickRecords.read(record, known).values();
            int[] numbers = new int[one.size()];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = one.number(i) * begun + part.place;
            }
            values.add(new Snapshot(one.names(), one.values(), numbers, numbers.length));
        }
        return values;
    }

    /** The oldest second that waits, if nothing needs to be waited for; 0 if there is none. */
    private long due() {
        long oldest = Long.MAX_VALUE;
        boolean isComplete = true;
        boolean isOver = true;
        for (Part part : parts.values()) {
            Waiting first = part.waiting.peek();
            if (first != null) {
                oldest = Math.min(oldest, first.second);
            } else {
                isComplete = false;
                isOver &= part.isAtEnd;
            }
        }
        if (oldest == Long.MAX_VALUE) {
            return 0;
        }
        boolean isLate = isOver && clock.millis() / 1000 - oldest >= LATE_SECONDS;
        return isComplete || isLate ? oldest : 0;
    }

    @Override
    Optional<String> trouble() {
        return super.trouble().or(history::trouble);
    }

    @Override
    public void close() {
        Consumer<byte[], byte[]> last = consumer;
        consumer = null;
        if (last != null) {
            last.close(CloseOptions.timeout(Duration.ZERO));
        }
    }
}
