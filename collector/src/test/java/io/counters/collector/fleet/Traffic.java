package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Senders with totals over a network that loses, doubles and delays datagrams, and senders without; all by a seed. Knows
 * what the counters must be once every sender has repeated its totals.
 */
final class Traffic {
    static final int NAMES = 40;

    private static final int SENDERS = 6;
    private static final int LINES = 25;
    private static final double LOST = 0.3;
    private static final double DOUBLED = 0.1;
    private static final double LATE = 0.2;

    private final Random random;
    private final boolean isFaulty;
    private final Consumer<byte[]> receiver;
    private final List<Sender> senders;
    private final BigDecimal[] expected = new BigDecimal[NAMES];
    private final List<byte[]> late = new ArrayList<>();

    /** @param receiver gets each datagram that arrives */
    Traffic(Random random, Consumer<byte[]> receiver) {
        this(random, receiver, true);
    }

    /** @param isFaulty whether datagrams are lost, doubled and late */
    Traffic(Random random, Consumer<byte[]> receiver, boolean isFaulty) {
        this.isFaulty = isFaulty;
        this.random = random;
        this.receiver = receiver;
        senders = IntStream.range(0, SENDERS).mapToObj(i -> new Sender(random)).toList();
        Arrays.fill(expected, BigDecimal.ZERO);
    }

    static String name(int i) {
        return i % 5 == 0 ? "requests,code=" + i + ",zone=z" : "orders.placed." + i;
    }

    private static final class Sender {
        final String id;
        final long[][] totals = new long[2][NAMES];
        long seq;

        Sender(Random random) {
            id = String.format("%016x%08x", random.nextLong(), random.nextInt());
        }
    }

    /** Sends a datagram of one sender. */
    void step(long nowMillis) {
        if (random.nextInt(4) == 0) {
            withoutTotals();
        } else {
            Sender sender = senders.get(random.nextInt(SENDERS));
            StringBuilder text = from(sender, nowMillis);
            for (int line = random.nextInt(LINES); line >= 0; line--) {
                int verb = random.nextInt(8) == 0 ? 1 : 0;
                int name = random.nextInt(NAMES);
                long amount = random.nextInt(5) == 0 ? 0 : random.nextLong(1L << random.nextInt(1, 30));
                sender.totals[verb][name] += amount;
                expected[name] = expected[name].add(BigDecimal.valueOf(verb == 0 ? amount : -amount));
                line(text, verb, name, amount, sender.totals[verb][name]);
            }
            send(text.toString().getBytes(ISO_8859_1));
        }
        if (!late.isEmpty() && random.nextInt(3) == 0) {
            receiver.accept(late.remove(random.nextInt(late.size())));
        }
    }

    /** Nothing heals these, so none is lost or doubled. */
    private void withoutTotals() {
        StringBuilder text = new StringBuilder();
        for (int line = random.nextInt(5); line >= 0; line--) {
            int name = random.nextInt(NAMES);
            BigDecimal value = random.nextBoolean()
                    ? BigDecimal.valueOf(random.nextInt(-9, 1000))
                    : BigDecimal.valueOf(random.nextLong(-5_000_000_000L, 5_000_000_000L), random.nextInt(1, 18));
            expected[name] = expected[name].add(value);
            text.append(name(name)).append(':').append(value.toPlainString()).append("|c\n");
        }
        receiver.accept(text.toString().getBytes(ISO_8859_1));
    }

    private void send(byte[] datagram) {
        double fate = isFaulty ? random.nextDouble() : 1;
        if (fate < LOST) {
            return;
        }
        if (fate < LOST + LATE) {
            late.add(datagram);
            return;
        }
        receiver.accept(datagram);
        if (fate < LOST + LATE + DOUBLED) {
            late.add(datagram);
        }
    }

    /** Lets every late datagram arrive, and every sender repeat its totals. */
    void answered(long nowMillis) {
        late.forEach(receiver);
        late.clear();
        for (Sender sender : senders) {
            StringBuilder text = from(sender, nowMillis);
            for (int name = 0; name < NAMES; name++) {
                for (int verb = 0; verb < 2; verb++) {
                    if (sender.totals[verb][name] > 0) {
                        line(text, verb, name, 0, sender.totals[verb][name]);
                    }
                }
            }
            receiver.accept(text.toString().getBytes(ISO_8859_1));
        }
    }

    private static StringBuilder from(Sender sender, long nowMillis) {
        return new StringBuilder("from " + sender.id + " " + nowMillis + " " + ++sender.seq + "\n");
    }

    private static void line(StringBuilder text, int verb, int name, long amount, long total) {
        text.append(verb == 0 ? "increment " : "decrement ")
                .append(name(name))
                .append(' ')
                .append(amount)
                .append(' ')
                .append(total)
                .append('\n');
    }

    /** What the counter must be: the exact sum of all that was sent, rounded half up. */
    long expected(int name) {
        return expected[name]
                .add(new BigDecimal("0.5"))
                .setScale(0, RoundingMode.FLOOR)
                .longValueExact();
    }
}
