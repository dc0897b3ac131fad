package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerClock;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.ledger.StreamReport;
import io.counters.collector.publish.TickClock;
import io.counters.collector.simulate.SimulatedSender;
import io.counters.emit.Transport;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One seed of a fleet: real senders, a network that loses, doubles and delays datagrams, collectors with the real gatherer,
 * owner, loader and ledgers, and a log in memory. Seconds, hours and days pass without waiting.
 *
 * <p>At the end everything heals, and then each counter must be what its senders counted, and what the log contains without
 * totals; no second of a counter may have two values; and a counter that is only incremented must never have fallen.
 */
final class FleetSimulation {
    /** What happens to a fleet. */
    enum Scenario {
        /** Datagrams, records, collectors and transactions are lost, doubled and late; days pass. */
        FAULTS,
        /**
         * Ledgers have room for few streams, and a flood of others displaces them, while lines wait for their owners. Then a
         * lost amount would be lost, so no datagram is.
         */
        CROWDED,
        /** Somebody forges totals in the streams of others, from which on only amounts count. So no datagram is lost. */
        HIJACKED
    }

    /** A counter of senders that end at once, whose counts nobody keeps. */
    private static final String CROWD = "crowd";

    private static final int STEPS = 160;
    private static final int NAMES = 16;
    private static final int SENDERS = 4;
    private static final int COLLECTORS = 3;
    private static final long START_MILLIS = 1_700_000_000_000L;
    private static final int SKEW_MILLIS_MAX = 20_000;
    private static final int TICK_SECONDS = 2;
    private static final int WAITING_MAX = 30;
    private static final long HUGE = Long.MAX_VALUE - 1_000_000;

    private final long seed;
    private final Scenario scenario;
    private final @Nullable Rule leftOut;
    private final Random random;
    private final int partitions;
    private final MemoryLog log;
    private final SaidFaults said = new SaidFaults();
    private final LedgerSettings bounds;
    private final List<String> names = new ArrayList<>();
    private final List<Collector> collectors = new ArrayList<>();
    private final List<Sender> senders = new ArrayList<>();
    private final PriorityQueue<Datagram> underWay =
            new PriorityQueue<>(Comparator.comparingLong(Datagram::due).thenComparingLong(Datagram::order));
    private final TreeMap<String, Long> expected = new TreeMap<>();
    private final List<String> wrong = new ArrayList<>();

    /** Whether a sender always sends to the same collector. */
    private final boolean isSticky;

    /** A collector restarts in one of so many hours of quiet days. */
    private final int hours;

    /** Whether Kafka refuses some records; then streams are announced again. */
    private final boolean isRefusing;

    private final boolean isCalm;
    private boolean isOver;
    private boolean isCommitting;
    private @Nullable Collector running;
    private long nanos;
    private long order;
    private int streams;

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Datagram(long due, long order, Collector to, byte[] bytes) {}

    /** @param leftOut a rule that does not hold in this run; null for none */
    FleetSimulation(long seed, Scenario scenario, @Nullable Rule leftOut) {
        this.seed = seed;
        this.scenario = scenario;
        this.leftOut = leftOut;
        random = new Random(seed);
        partitions = 4 + random.nextInt(5);
        log = new MemoryLog(partitions, random);
        isCalm = scenario != Scenario.FAULTS;
        isSticky = isCalm || random.nextInt(3) == 0;
        hours = List.of(1, 20, Integer.MAX_VALUE).get(random.nextInt(3));
        isRefusing = !isCalm && random.nextBoolean();
        LedgerSettings usual = LedgerSettings.in(Path.of("unused"));
        bounds = new LedgerSettings(
                usual.folder(),
                usual.namesBytes(),
                usual.newNamesBytes(),
                scenario == Scenario.CROWDED ? 2 * SENDERS : usual.streamsMax(),
                usual.newStreamsMax(),
                usual.watermarksMax(),
                usual.expiryMillis());
        for (int i = 0; i < NAMES; i++) {
            names.add("c" + i + (i % 2 == 0 ? "" : ",tag=t" + i));
        }
        for (int i = 0; i < COLLECTORS; i++) {
            collectors.add(new Collector(i, skew()));
        }
        for (int i = 0; i < partitions; i++) {
            log.assign(i, any().name);
        }
        for (int i = 0; i < SENDERS; i++) {
            senders.add(new Sender());
        }
    }

    private int skew() {
        int most = leftOut == Rule.CLOCKS_AGREE ? 60 * SKEW_MILLIS_MAX : SKEW_MILLIS_MAX;
        return random.nextInt(most + 1) - most / 2;
    }

    private Collector any() {
        return collectors.get(random.nextInt(COLLECTORS));
    }

    private boolean happens(int oneIn) {
        return !isOver && random.nextInt(oneIn) == 0;
    }

    // A collector

    private final class Collector {
        final int place;
        final String name;
        final long skewMillis;
        final Metrics metrics = new Metrics();
        final Producer producer = new Producer();
        final Gatherer gatherer;
        final TargetFeed feed;
        final OwnedLedgers owned = new OwnedLedgers(partitions);
        final MemoryLog.Of transactions;
        final Loader loader;
        final Owner owner;
        long pausedUntil;

        Collector(int place, long skewMillis) {
            this.place = place;
            this.skewMillis = skewMillis;
            name = "collector-" + place;
            SeededHash hashing = new SeededHash(new Random(1));
            gatherer = new Gatherer(
                    producer,
                    partitions,
                    !isCalm && happens(3) ? 512 << 10 : 256 << 20,
                    () -> nanos,
                    this::wallMillis,
                    hashing,
                    said.log(),
                    metrics);
            feed = new TargetFeed(gatherer);
            transactions = log.new Of(name);
            MemoryLog.Loading loading = log.new Loading();
            LedgerClock time = new LedgerClock(0, wallMillis(), () -> nanos);
            loader = new Loader(
                    leftOut == null ? loading : leftOut.leftOut(log, loading),
                    partitions,
                    records -> new Ledger(
                            bounds,
                            false,
                            time,
                            () -> wallMillis() / 1000,
                            records.load(new LedgerState(random.nextLong(), hashing)),
                            metrics),
                    () -> nanos,
                    said.log());
            TickClock ticks =
                    new TickClock(TICK_SECONDS, () -> Instant.ofEpochMilli(wallMillis()), () -> nanos, said.log());
            owner = new Owner(
                    leftOut == null ? transactions : leftOut.leftOut(log, transactions, this::wallMillis),
                    loader,
                    owned,
                    partitions,
                    ledger -> true,
                    ticks::due,
                    ticks::last,
                    this::wallMillis,
                    () -> nanos,
                    said.log(),
                    metrics);
        }

        long wallMillis() {
            return START_MILLIS + nanos / 1_000_000 + skewMillis;
        }

        void own() throws IOException {
            if (nanos < pausedUntil) {
                return;
            }
            if (!happens(4)) {
                loader.step();
            }
            if (!happens(4)) {
                running = this;
                owner.run();
            }
        }

        /** Sends what it has, and Kafka takes it. */
        void flush() {
            producer.awayUntil = 0;
            producer.isReliable = true;
            producer.pass();
            nanos += 60_000_000;
            gatherer.run();
            producer.isReliable = false;
        }
    }

    /** Kafka's producer, which may reach no broker for some time. */
    private final class Producer implements LineLog {
        private final Deque<Waiting> waiting = new ArrayDeque<>();
        private final Rule.@Nullable Sent sent = leftOut == null ? null : leftOut.new Sent(partitions);
        private long awayUntil;
        private boolean isReliable;

        @SuppressWarnings("ArrayRecordComponent") // Never compared.
        private record Waiting(int partition, byte[] text, long wallMillis, Contents contents, Answers answers) {}

        @Override
        public boolean hasRoom() {
            return waiting.size() < WAITING_MAX;
        }

        @Override
        public long waitingBytes() {
            return waiting.size();
        }

        @Override
        public long waitingBytesMax() {
            return WAITING_MAX;
        }

        @Override
        public void append(int partition, byte[] text, long wallMillis, Contents contents, Answers answers) {
            byte[] left = sent == null ? text : sent.text(partition, text);
            waiting.add(new Waiting(partition, left, wallMillis, contents, answers));
            pass();
        }

        void pass() {
            while (nanos >= awayUntil && !waiting.isEmpty()) {
                Waiting one = waiting.remove();
                boolean isFaulty = isRefusing && !isReliable && happens(20);
                if (isFaulty && random.nextBoolean()) {
                    one.answers.failed(one.contents, new TimeoutException("it is not in the log"));
                    continue;
                }
                if (one.text.length > 0) {
                    log.add(one.partition, one.wallMillis, one.text);
                    countAmounts(one.text);
                }
                if (isFaulty) {
                    one.answers.failed(one.contents, new TimeoutException("it is in the log, but nobody knows"));
                } else {
                    one.answers.acknowledged(one.contents);
                }
            }
        }

        @Override
        public void endWithin(long millis) {
            // No time passes.
        }

        @Override
        public void close() {
            pass();
            waiting.clear();
        }
    }

    /** Lines without totals belong to no stream, so they are the first of a record. */
    private void countAmounts(byte[] text) {
        for (String line : (Iterable<String>) new String(text, ISO_8859_1).lines()::iterator) {
            String[] words = line.split(" ", -1);
            if (words[0].equals("from")) {
                return;
            }
            expected.merge(words[1], Long.parseLong(words[2]), Long::sum);
        }
    }

    /** Kills a collector, and starts it again under its name; a calm one ends as it should. */
    private void restart(Collector one) {
        if (isCalm) {
            one.flush();
            one.gatherer.close();
        }
        underWay.removeIf(datagram -> datagram.to == one);
        Collector next = new Collector(one.place, one.skewMillis);
        collectors.set(one.place, next);
        senders.forEach(sender -> sender.to = sender.to == one ? next : sender.to);
    }

    // Senders and their network

    private final class Sender {
        final SimulatedSender sender =
                new SimulatedSender(names, new int[NAMES], 1, true, this::millis, this::nextStream);
        String stream = "";
        Collector to = any();

        /** The counters that it uses by now. */
        final Set<Integer> uses = new HashSet<>();

        Sender() {
            useMore(2);
        }

        private long millis() {
            return START_MILLIS + nanos / 1_000_000;
        }

        private String nextStream() {
            stream = "stream-" + seed + "-" + "0".repeat(16) + streams++;
            return stream;
        }

        void useMore(int more) {
            for (int i = 0; i < more; i++) {
                uses.add(random.nextInt(NAMES));
            }
        }

        void count() {
            for (int name : uses) {
                if (random.nextInt(3) == 0) {
                    int amount = 1 + random.nextInt(9);
                    amount = isMonotone(name) || random.nextBoolean() ? amount : -amount;
                    sender.add(name, amount);
                    expected.merge(names.get(name), (long) amount, Long::sum);
                }
            }
        }

        Collector to() {
            return isSticky ? to : any();
        }
    }

    private static boolean isMonotone(int name) {
        return name % 4 != 3;
    }

    private Transport network(Sender from) {
        return (bytes, length) -> {
            byte[] datagram = Arrays.copyOf(bytes, length);
            if (isCalm || isOver) {
                from.to().feed.datagram(datagram);
                return true;
            }
            int fate = random.nextInt(10);
            if (fate < 3) {
                return true;
            }
            post(from, datagram);
            if (fate == 3) {
                post(from, datagram);
            }
            return true;
        };
    }

    private void post(Sender from, byte[] datagram) {
        long delay = switch (random.nextInt(20)) {
            case 0 -> Duration.ofMinutes(random.nextInt(300)).toNanos();
            case 1, 2, 3 -> Duration.ofMillis(random.nextInt(20_000)).toNanos();
            default -> 0;
        };
        underWay.add(new Datagram(nanos + delay, order++, from.to(), datagram));
    }

    private void deliver() {
        while (!underWay.isEmpty() && (isOver || underWay.element().due <= nanos)) {
            Datagram one = underWay.remove();
            one.to.feed.datagram(one.bytes);
        }
    }

    /** Ends a sender, after a last sweep that arrives, because nobody could repeat it; another one begins. */
    private void renew(int place) {
        Sender last = senders.get(place);
        Collector to = last.to();
        to.flush();
        last.sender.lastSweep((bytes, length) -> {
            to.feed.datagram(Arrays.copyOf(bytes, length));
            return true;
        });
        to.flush();
        senders.set(place, new Sender());
    }

    private void sendAmounts() {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(4); i >= 0; i--) {
            int name = random.nextInt(NAMES);
            text.append("increment ")
                    .append(names.get(name))
                    .append(' ')
                    .append(1 + random.nextInt(9))
                    .append('\n');
        }
        any().feed.datagram(text.toString());
    }

    /** Streams with one total each, which never send again. */
    private void crowd() {
        for (int i = 0; i < SENDERS; i++) {
            String stream = "crowd-" + seed + "-" + "0".repeat(16) + streams++;
            any().feed.datagram("from " + stream + " 1000 1\nincrement " + CROWD + " 1 1\n");
        }
    }

    /** Sends a total far beyond the limit in the stream of a sender. */
    private void hijack(Sender sender) {
        if (sender.stream.isEmpty()) {
            return;
        }
        int name = sender.uses.iterator().next();
        sender.to.feed.datagram("from " + sender.stream + " 1000 " + (1 + random.nextInt(1000)) + "\nincrement "
                + names.get(name) + " 0 " + HUGE + "\n");
    }

    // Time

    /** Returns what is wrong at the end; nothing if everything is right. */
    List<String> run() throws IOException {
        long pace = 500;
        log.whileCommitting = this::meanwhile;
        for (int step = 0; step < STEPS; step++) {
            if (step % 30 == 0) {
                pace = List.of(300, 1_000, 10_000, 60_000).get(random.nextInt(4));
            }
            step(random.nextLong(pace * 2_000_000));
            if (step % 80 == 40) {
                if (!isCalm) {
                    days();
                }
                senders.forEach(sender -> sender.useMore(3));
            }
        }
        rest();
        return wrong;
    }

    private void step(long howLong) throws IOException {
        nanos += howLong;
        if (happens(8)) {
            int partition = random.nextInt(partitions);
            if (random.nextBoolean()) {
                log.assign(partition, any().name);
            } else {
                log.handOver(partition, any().name);
            }
        }
        if (happens(15)) {
            any().transactions.next = List.of(MemoryLog.Outcome.values()).get(random.nextInt(4));
        }
        if (happens(40)) {
            restart(any());
        }
        if (happens(20)) {
            any().pausedUntil = nanos + random.nextLong(30 * howLong + 1);
        }
        if (happens(40)) {
            long until = nanos + random.nextLong(30 * howLong + 1);
            collectors.forEach(one -> one.pausedUntil = until);
        }
        if (!isCalm && happens(20)) {
            any().producer.awayUntil = nanos + random.nextLong(10 * howLong + 1);
        }
        if (scenario == Scenario.CROWDED && happens(3)) {
            crowd();
        }
        if (scenario == Scenario.HIJACKED && happens(20)) {
            hijack(senders.get(random.nextInt(SENDERS)));
        }
        if (happens(25)) {
            renew(random.nextInt(SENDERS));
        }
        if (happens(3)) {
            sendAmounts();
        }
        for (Sender sender : senders) {
            sender.count();
            sender.sender.sweep(network(sender));
        }
        collectorsRun();
        if (happens(20)) {
            log.compact(false);
        }
    }

    private void collectorsRun() throws IOException {
        deliver();
        for (Collector one : List.copyOf(collectors)) {
            one.gatherer.run();
            one.producer.pass();
        }
        for (Collector one : collectors) {
            one.own();
        }
        log.answered(false);
    }

    /** A commit takes its time, in which others go on. */
    private void meanwhile() {
        Collector metrics = running;
        if (isCommitting || !happens(10)) {
            return;
        }
        isCommitting = true;
        Collector to = any();
        for (int partition = 0; partition < partitions; partition++) {
            if (random.nextInt(3) == 0) {
                log.assign(partition, to.name);
            }
        }
        try {
            for (int round = random.nextInt(8); round > 0; round--) {
                nanos += 100_000_000;
                for (Collector one : collectors) {
                    if (one != metrics) {
                        one.own();
                    }
                }
            }
        } catch (IOException nobodyThrows) {
            throw new IllegalStateException(nobodyThrows);
        }
        isCommitting = false;
    }

    /** More than a day with little to do, so that streams that have ended are forgotten, and partitions fall behind. */
    private void days() throws IOException {
        for (int hour = 0; hour < 30; hour++) {
            nanos += Duration.ofMinutes(40 + random.nextInt(60)).toNanos();
            // The hours were listened to, as far as owners lived.
            collectorsRun();
            if (happens(5)) {
                log.assign(random.nextInt(partitions), any().name);
            }
            if (happens(10)) {
                any().pausedUntil = nanos + Duration.ofHours(random.nextInt(5)).toNanos();
            }
            for (Collector one : List.copyOf(collectors)) {
                if (happens(hours)) {
                    restart(one);
                }
            }
            for (Sender sender : senders) {
                sender.sender.repeat(network(sender));
            }
            collectorsRun();
            nanos += Duration.ofSeconds(1).toNanos();
            collectorsRun();
            if (hour % 6 == 5) {
                // A partition that is behind for a day loses lines in any case, because they are deleted.
                collectors.forEach(one -> one.pausedUntil = 0);
            }
            answered(collectors, hour % 6 == 5 ? 60 : 12);
            if (happens(3)) {
                log.compact(false);
            }
        }
        if (collectors.stream()
                .allMatch(one -> nanos >= one.pausedUntil && one.owner.trouble().isEmpty())) {
            log.compact(true);
        }
    }

    // The end

    private void rest() throws IOException {
        isOver = true;
        deliver();
        for (Collector one : collectors) {
            one.pausedUntil = 0;
            one.flush();
        }
        for (int i = 0; i < 2; i++) {
            for (Sender sender : senders) {
                sender.sender.lastSweep(network(sender));
            }
            collectors.forEach(Collector::flush);
        }
        rest("the owners", collectors);
        log.compact(true);
        Collector last = new Collector(COLLECTORS, 0);
        for (int partition = 0; partition < partitions; partition++) {
            log.assign(partition, last.name);
        }
        rest("an owner that loads everything", List.of(last));
        judgeTicks();
        said.lines().stream()
                .filter(line -> line.contains("internal error")
                        || line.contains("cannot be used")
                        || line.contains("is not counted")
                        || line.contains("go back and forth"))
                .forEach(line -> wrong.add(this + ": " + line));
    }

    /** Runs until everything is merged and committed; returns whether it is. */
    private boolean answered(List<Collector> all, int rounds) throws IOException {
        for (int round = 0; round < rounds; round++) {
            nanos += 300_000_000;
            log.answered(isOver);
            for (Collector one : all) {
                one.own();
            }
            boolean isDone = true;
            for (int partition = 0; partition < partitions; partition++) {
                int number = partition;
                isDone &= log.committed(partition) == log.lineCount(partition)
                        && all.stream().anyMatch(one -> one.owned.partition(number) != null);
            }
            if (isDone && round > 2) {
                return true;
            }
        }
        return false;
    }

    private void rest(String who, List<Collector> all) throws IOException {
        if (!answered(all, 500)) {
            wrong.add(this + ": lines are not merged at rest: " + said.lines());
        }
        judge(who, all);
    }

    private void judge(String who, List<Collector> owners) {
        TreeMap<String, Long> values = new TreeMap<>();
        for (Collector one : owners) {
            one.owned.reports().stream()
                    .filter(StreamReport::cloned)
                    .forEach(report -> wrong.add(this + ": " + who + " take " + report.sender() + " for two senders"));
            Snapshot snapshot = one.owned.snapshot();
            for (int i = 0; i < snapshot.size(); i++) {
                String name = snapshot.names()[i];
                if (values.put(name, snapshot.values()[i]) != null) {
                    wrong.add(this + ": " + who + " have " + name + " twice");
                }
            }
        }
        TreeSet<String> all = new TreeSet<>(values.keySet());
        all.addAll(expected.keySet());
        all.remove(CROWD);
        for (String name : all) {
            long value = values.getOrDefault(name, 0L);
            long count = expected.getOrDefault(name, 0L);
            if (value != count || !names.contains(name)) {
                wrong.add(this + ": " + who + " have " + name + " = " + value + ", it should be " + count);
            }
        }
    }

    private void judgeTicks() throws IOException {
        for (int partition = 0; partition < partitions; partition++) {
            Set<Long> seconds = new HashSet<>();
            long latest = 0;
            TreeMap<String, Long> before = new TreeMap<>();
            for (byte[] record : log.ticks(partition)) {
                TickRecords.Tick tick = TickRecords.read(record);
                if (!seconds.add(tick.second())) {
                    wrong.add(this + ": second " + tick.second() + " of partition " + partition + " is there twice");
                }
                if (tick.second() < latest) {
                    wrong.add(this + ": second " + tick.second() + " of partition " + partition + " comes after "
                            + latest);
                }
                latest = tick.second();
                for (int i = 0; i < tick.values().size(); i++) {
                    String name = tick.values().names()[i];
                    long value = tick.values().values()[i];
                    int number = names.indexOf(name);
                    Long earlier = before.put(name, value);
                    if (earlier != null && value < earlier && (number < 0 || isMonotone(number))) {
                        wrong.add(this + ": " + name + " falls from " + earlier + " to " + value + " in second "
                                + tick.second());
                    }
                }
            }
        }
    }

    /** What distinguishes one run from another. */
    String digest() {
        StringBuilder digest = new StringBuilder();
        for (int partition = 0; partition < partitions; partition++) {
            digest.append(log.lineCount(partition))
                    .append(' ')
                    .append(log.ticks(partition).size())
                    .append(' ');
        }
        return digest.append(expected).toString();
    }

    @Override
    public String toString() {
        return "seed " + seed + ", " + scenario + (leftOut == null ? "" : " without " + leftOut);
    }
}
