package io.counters.collector.simulate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.UnaryOperator;

/**
 * Loses, doubles and delays datagrams, and keeps account of the amounts in those that did not come exactly once: by so much
 * StatsD would be wrong.
 */
final class Network {
    private static final int PROMPT_MILLIS_MAX = 100;
    private static final int LATE_MILLIS_MAX = 20_000;

    /** Who takes datagrams. */
    interface Receiver {
        /** Takes a datagram; false when it is down. */
        boolean receive(byte[] datagram);
    }

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Datagram(long due, long order, int to, byte[] bytes) {}

    private final PriorityQueue<Datagram> underWay =
            new PriorityQueue<>(Comparator.comparingLong(Datagram::due).thenComparingLong(Datagram::order));
    private final List<Datagram> keptBack = new ArrayList<>();
    private final Claims missed = new Claims();
    private final Claims late = new Claims();
    private final Claims doubled = new Claims();
    private final Claims comesAfterAll = new Claims();
    private final Random random;
    private final List<? extends Receiver> collectors;
    private final UnaryOperator<byte[]> sabotage;
    private long order;

    /** @param sabotage what it does to every datagram; breaks a rule on purpose, to see that it shows */
    Network(Random random, List<? extends Receiver> collectors, UnaryOperator<byte[]> sabotage) {
        this.random = random;
        this.collectors = collectors;
        this.sabotage = sabotage;
    }

    /** Takes a datagram, for delivery now or later, once, twice or never. */
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

    /** Delivers what is due by this time, and all of it when asked to. */
    void deliver(long now, boolean all) {
        while (!underWay.isEmpty() && (all || underWay.peek().due <= now)) {
            deliver(underWay.remove());
        }
    }

    /** Delivers what was kept back. */
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
     * The amounts of this counter in datagrams that never arrived, or that a later one of a stream that is not whole may
     * have overtaken: its total then says that they are in it.
     */
    long missed(String name) {
        return missed.amount(name) + late.amount(name);
    }

    /**
     * The amounts of this counter in datagrams that came once more, and the totals in those that come when their stream is
     * forgotten: they look as young as they were, and count whole.
     */
    long doubled(String name) {
        return doubled.amount(name) + comesAfterAll.totals(name);
    }
}
