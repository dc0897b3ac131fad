package io.counters.collector.simulate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.UnaryOperator;

/**
 * Loses, duplicates and delays datagrams, and records the amounts in those that did not arrive exactly once: StatsD would be
 * wrong by these amounts.
 */
final class Network {
    private static final int PROMPT_MILLIS_MAX = 100;
    private static final int LATE_MILLIS_MAX = 20_000;

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Datagram(long due, long order, int to, byte[] bytes) {}

    private final PriorityQueue<Datagram> underWay =
            new PriorityQueue<>(Comparator.comparingLong(Datagram::due).thenComparingLong(Datagram::order));
    private final List<Datagram> keptBack = new ArrayList<>();
    private final Claims missed = new Claims();
    private final Claims late = new Claims();
    private final Claims doubled = new Claims();
    private final Claims comesAfterAll = new Claims();
    private final Random random;
    private final List<SimulatedCollector> collectors;
    private final UnaryOperator<byte[]> sabotage;
    private long order;

    /** @param sabotage changes every datagram, to break a rule on purpose */
    Network(Random random, List<SimulatedCollector> collectors, UnaryOperator<byte[]> sabotage) {
        this.random = random;
        this.collectors = collectors;
        this.sabotage = sabotage;
    }

    /** Sends a datagram: it is delivered now or later, once, twice or never. */
    void send(int to, byte[] bytes, int length, long now, Odds odds, boolean keepsBack) {
        byte[] datagram = sabotage.apply(Arrays.copyOf(bytes, length));
        if (keepsBack && random.nextInt(20) == 0) {
            comesAfterAll.read(datagram, datagram.length);
            keptBack.add(new Datagram(0, order++, to, datagram));
        }
        if (random.nextDouble() < odds.loss()) {
            missed.read(datagram, datagram.length);
            return;
        }
        post(to, datagram, now, odds);
        if (random.nextDouble() < odds.duplicate()) {
            doubled.read(datagram, datagram.length);
            post(to, datagram, now, odds);
        }
    }

    private void post(int to, byte[] datagram, long now, Odds odds) {
        boolean isLate = random.nextDouble() < odds.reorder();
        if (isLate) {
            late.read(datagram, datagram.length);
        }
        long delay = random.nextInt(isLate ? LATE_MILLIS_MAX : PROMPT_MILLIS_MAX);
        underWay.add(new Datagram(now + delay, order++, to, datagram));
    }

    /** Delivers the datagrams that are due by {@code now}, or all of them. */
    void deliver(long now, boolean all) {
        while (!underWay.isEmpty() && (all || underWay.peek().due <= now)) {
            deliver(underWay.remove());
        }
    }

    /** Delivers the datagrams that were held back. */
    void release() {
        keptBack.forEach(this::deliver);
        keptBack.clear();
    }

    private void deliver(Datagram datagram) {
        if (!collectors.get(datagram.to).receive(datagram.bytes)) {
            missed.read(datagram.bytes, datagram.bytes.length);
        }
    }

    /**
     * The amounts of this counter in datagrams that never arrived, or that a later datagram may have overtaken in a stream
     * that is not whole: that one's total includes them.
     */
    long missed(String name) {
        return missed.amount(name) + late.amount(name);
    }

    /**
     * The amounts of this counter in datagrams that arrived a second time, and the totals in those that arrive after their
     * stream was forgotten: they carry the stream's former age, so the whole total is counted.
     */
    long doubled(String name) {
        return doubled.amount(name) + comesAfterAll.totals(name);
    }
}
