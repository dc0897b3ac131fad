package io.counters.collector.fleet;

import io.counters.collector.history.History;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.self.FaultLog;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Fills the history of a collector of a fleet with the ticks of the partitions that it owns: first with those that the topic
 * still has, then with each new one. The history is a copy, so its file is made anew at each start and whenever a partition is
 * taken over, because a history takes seconds only in their order. What a partition told before it was given away stays.
 *
 * <p>The ticks of a second are put together: it waits for those of partitions that are behind. For one thread.
 */
final class TickHistory implements Reading, AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(250);
    private static final long AGAIN_MILLIS = 1_000;

    /** Partitions are taken over in several steps, so it waits until nothing has changed for this time. */
    private static final long SETTLED_MILLIS = 3_000;

    /** How long a tick waits for those of partitions that have none of its second. */
    private static final long LATE_SECONDS = 3;

    /** Nothing more of a partition is read while so many of its ticks wait. */
    private static final int WAITING_MAX = 32;

    private final History history;
    private final String topic;
    private final Supplier<Set<Integer>> owned;
    private final Supplier<Consumer<byte[], byte[]>> consumers;
    private final InstantSource clock;
    private final FaultLog faults;

    private @Nullable Consumer<byte[], byte[]> consumer;
    private final TreeMap<Integer, Part> parts = new TreeMap<>();
    private Set<Integer> wanted = Set.of();
    private long wantedSinceMillis;
    private long lastSecond;

    /** The history tells counters apart by numbers, which no two counters of different partitions may share. */
    private final Map<String, Integer> numbers = new HashMap<>();

    private String[] names = {};

    /** A partition that is read, and its ticks that wait for those of others. */
    private static final class Part {
        final TickRecords.Reader reader = new TickRecords.Reader();
        final Deque<TickRecords.Tick> waiting = new ArrayDeque<>();
        boolean isAtEnd;

        /** The names of its last tick, and their numbers. */
        String[] names = {};

        int[] numbers = {};
    }

    /**
     * @param owned the partitions whose ticks are wanted
     * @param consumers opens a consumer without a group that reads committed records
     * @param clock the wall clock
     */
    TickHistory(
            History history,
            String topic,
            Supplier<Set<Integer>> owned,
            Supplier<Consumer<byte[], byte[]>> consumers,
            InstantSource clock,
            FaultLog faults) {
        this.history = history;
        this.topic = topic;
        this.owned = owned;
        this.consumers = consumers;
        this.clock = clock;
        this.faults = faults;
        history.clear();
    }

    @Override
    public long run() {
        try {
            Consumer<byte[], byte[]> from = open();
            follow(from);
            if (parts.isEmpty()) {
                return POLL.toMillis();
            }
            read(from);
            put();
            return 0;
        } catch (KafkaException failure) {
            discard();
            faults.warn(
                    "tick history",
                    "the history cannot be read from " + topic + " now, and is tried again: "
                            + FaultLog.shown(String.valueOf(failure.getMessage())));
            return AGAIN_MILLIS;
        }
    }

    private Consumer<byte[], byte[]> open() {
        Consumer<byte[], byte[]> open = consumer;
        if (open == null) {
            open = consumers.get();
            consumer = open;
        }
        return open;
    }

    private void discard() {
        Consumer<byte[], byte[]> broken = consumer;
        consumer = null;
        parts.clear();
        if (broken != null) {
            try {
                broken.close(CloseOptions.timeout(Duration.ZERO));
            } catch (KafkaException alsoFailed) {
                // It is said already why it failed.
            }
        }
    }

    /** Reads those partitions that are owned. */
    private void follow(Consumer<byte[], byte[]> from) {
        Set<Integer> now = new TreeSet<>(owned.get());
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
            begin(from, now);
        }
    }

    private List<TopicPartition> partitions(Set<Integer> some) {
        return some.stream()
                .map(partition -> new TopicPartition(topic, partition))
                .toList();
    }

    private void begin(Consumer<byte[], byte[]> from, Set<Integer> all) {
        history.clear();
        parts.clear();
        numbers.clear();
        names = new String[0];
        lastSecond = 0;
        all.forEach(partition -> parts.put(partition, new Part()));
        List<TopicPartition> partitions = partitions(all);
        from.assign(partitions);
        long sinceMillis = clock.millis() - history.ticksSeconds() * 1000;
        Map<TopicPartition, Long> since = new HashMap<>();
        partitions.forEach(partition -> since.put(partition, sinceMillis));
        Map<TopicPartition, OffsetAndTimestamp> offsets = from.offsetsForTimes(since);
        List<TopicPartition> without = new ArrayList<>();
        for (TopicPartition partition : partitions) {
            OffsetAndTimestamp offset = offsets.get(partition);
            if (offset == null) {
                without.add(partition);
            } else {
                from.seek(partition, offset.offset());
            }
        }
        if (!without.isEmpty()) {
            // None would mean all.
            from.seekToEnd(without);
        }
    }

    private void read(Consumer<byte[], byte[]> from) {
        List<TopicPartition> full = new ArrayList<>();
        parts.forEach((partition, part) -> {
            if (part.waiting.size() >= WAITING_MAX) {
                full.add(new TopicPartition(topic, partition));
            }
        });
        from.resume(from.paused());
        from.pause(full);
        for (ConsumerRecord<byte[], byte[]> record : from.poll(POLL)) {
            Part part = parts.get(record.partition());
            if (part != null) {
                take(part, record);
            }
        }
        // A tick is at least a record and the end of its transaction.
        parts.forEach((partition, part) -> part.isAtEnd =
                from.currentLag(new TopicPartition(topic, partition)).orElse(2) < 2);
    }

    private static void take(Part part, ConsumerRecord<byte[], byte[]> record) {
        try {
            TickRecords.Tick tick = part.reader.read(record.value());
            if (tick != null) {
                part.waiting.add(tick);
            }
        } catch (TickRecords.Unreadable leftOut) {
            // The sinks say it.
        }
    }

    /** Puts those seconds for which all ticks are there, or will not come. */
    private void put() {
        for (long second = due(); second > 0; second = due()) {
            Map<Part, Snapshot> ticks = new HashMap<>();
            for (Part part : parts.values()) {
                TickRecords.Tick first = part.waiting.peek();
                if (first != null && first.second() <= second) {
                    part.waiting.remove();
                    ticks.put(part, first.values());
                }
            }
            if (second > lastSecond) {
                lastSecond = second;
                history.put(second, joined(ticks));
            }
        }
    }

    /** The oldest second that waits, if nothing needs to be waited for; 0 if there is none. */
    private long due() {
        long oldest = Long.MAX_VALUE;
        boolean isComplete = true;
        boolean isOver = true;
        for (Part part : parts.values()) {
            TickRecords.Tick first = part.waiting.peek();
            if (first != null) {
                oldest = Math.min(oldest, first.second());
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

    private Snapshot joined(Map<Part, Snapshot> ticks) {
        ticks.forEach(this::number);
        int all = numbers.size();
        long[] values = new long[all];
        BitSet present = new BitSet(all);
        ticks.forEach((part, tick) -> {
            for (int i = 0; i < tick.size(); i++) {
                values[part.numbers[i]] = tick.values()[i];
                present.set(part.numbers[i]);
            }
        });
        int size = present.cardinality();
        if (size == all) {
            return new Snapshot(names, values, all);
        }
        int[] numbersOf = present.stream().toArray();
        String[] some = new String[size];
        long[] theirs = new long[size];
        for (int i = 0; i < size; i++) {
            some[i] = names[numbersOf[i]];
            theirs[i] = values[numbersOf[i]];
        }
        return new Snapshot(some, theirs, numbersOf, size);
    }

    /** Gives numbers to counters that are new. */
    @SuppressWarnings("ReferenceEquality") // The reader uses an array again if no name is new.
    private void number(Part part, Snapshot tick) {
        if (tick.names() == part.names) {
            return;
        }
        part.names = tick.names();
        part.numbers = new int[tick.size()];
        for (int i = 0; i < tick.size(); i++) {
            Integer known = numbers.putIfAbsent(tick.names()[i], numbers.size());
            int number = known == null ? numbers.size() - 1 : known;
            if (known == null) {
                if (number >= names.length) {
                    names = Arrays.copyOf(names, Math.max(16, 2 * names.length));
                }
                names[number] = tick.names()[i];
            }
            part.numbers[i] = number;
        }
    }

    @Override
    public Optional<String> trouble() {
        return history.trouble();
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
