package io.counters.collector.simulate;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.ledger.LedgerSettings;
import io.counters.emit.Transport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Runs one seed: senders that count at random, a network, and collectors among which the counters are divided. A step is one
 * second, with a sweep of every sender and random faults. After the last step follow sweeps without counts, over a network
 * that loses nothing, until every total was repeated.
 */
final class World {
    private static final int COLLECTORS = 3;
    private static final long STEP_MILLIS = 1000;
    private static final long SIX_HOURS_MILLIS = 21_600_000;
    private static final int QUIET_SWEEPS = 66;
    private static final int DOWN_STEPS_MAX = 6;
    private static final int CROWD_STEPS = 5;

    /** In these, more than its totals may be applied of a stream, because it was forgotten or another sender wrote to it. */
    private static final Set<Scenario> FORGETFUL =
            EnumSet.of(Scenario.FULL, Scenario.FORGED, Scenario.HIJACKED, Scenario.CROWDED);

    /**
     * The parameters of a run.
     *
     * @param totals whether senders send totals; without them the run shows StatsD's guarantee
     */
    record Plan(
            Scenario scenario, Odds odds, int sweeps, int senders, int counters, boolean totals, Sabotage sabotage) {}

    /**
     * The result of a seed.
     *
     * @param wrong violations of what must be true, with the numbers; empty if there are none
     * @param exact how many counters are exact
     * @param counted the sum of the absolute values of all amounts
     * @param missed the sum of the counters' absolute errors
     */
    record Outcome(long seed, List<String> wrong, int exact, long counted, long missed) {}

    private final long seed;
    private final Plan plan;
    private final Consumer<String> diary;
    private final Random random;
    private final List<String> names = new ArrayList<>();
    private final List<SimulatedCollector> collectors = new ArrayList<>();
    private final List<SimulatedSender> senders = new ArrayList<>();
    private final Network network;
    private final int[] owners;
    private final long[] counted;
    private final Claims claims = new Claims();
    private final List<String> wrong = new ArrayList<>();
    private long volume;
    private long now = 1_700_000_000_000L;
    private int streams;
    private Odds odds;

    /** @param diary receives a line for each event */
    World(long seed, Plan plan, Consumer<String> diary) {
        this.seed = seed;
        this.plan = plan;
        this.diary = diary;
        odds = plan.odds;
        random = new Random(seed);
        boolean full = plan.scenario == Scenario.FULL;
        int streams = full ? 1 + plan.senders / 2 : 2 * plan.senders;
        LedgerSettings usual = LedgerSettings.in(Path.of("simulated"));
        LedgerSettings bounds = new LedgerSettings(
                usual.folder(),
                usual.namesBytes(),
                usual.newNamesBytes(),
                full || plan.scenario == Scenario.CROWDED ? streams : usual.streamsMax(),
                usual.newStreamsMax(),
                full ? plan.counters : usual.watermarksMax(),
                usual.expiryMillis());
        for (int i = 0; i < COLLECTORS; i++) {
            collectors.add(new SimulatedCollector(i + 1, bounds, () -> now, random, plan.sabotage));
        }
        network = new Network(random, collectors, plan.sabotage.datagrams());
        for (int i = 0; i < plan.counters; i++) {
            names.add("c" + i + (i % 2 == 0 ? "" : ",tag=t" + i));
        }
        owners = random.ints(plan.counters, 0, COLLECTORS).toArray();
        counted = new long[plan.counters];
        for (int i = 0; i < plan.senders; i++) {
            senders.add(newSender());
        }
    }

    private SimulatedSender newSender() {
        return new SimulatedSender(names, owners, COLLECTORS, plan.totals, () -> now, () -> stream(streams++));
    }

    private String stream(int number) {
        return "stream-" + seed + "-" + "0".repeat(16) + number;
    }

    Outcome run() {
        for (int step = 0; step < plan.sweeps && wrong.isEmpty(); step++) {
            step(step);
        }
        rest();
        int exact = 0;
        long missed = 0;
        for (int i = 0; i < plan.counters; i++) {
            long off = judge(i);
            exact += off == 0 ? 1 : 0;
            missed += Math.abs(off);
        }
        return new Outcome(seed, wrong, exact, volume, missed);
    }

    private void step(int step) {
        now += STEP_MILLIS;
        network.deliver(now, false);
        for (int i = 0; i < COLLECTORS; i++) {
            collectors.get(i).wake();
            if (random.nextDouble() < odds.crash()) {
                collectors.get(i).crash(random.nextInt(DOWN_STEPS_MAX));
                say(step, "collector " + i + " is killed");
            }
            if (random.nextDouble() < odds.clock()) {
                collectors.get(i).jump();
                say(step, "the wall clock of collector " + i + " jumps");
            }
        }
        if (random.nextDouble() < odds.reshard()) {
            owners[random.nextInt(owners.length)] = random.nextInt(COLLECTORS);
            say(step, "the owners are now " + Arrays.toString(owners));
        }
        if (plan.scenario == Scenario.FORGED && random.nextInt(40) == 0) {
            forge(step);
        }
        if (plan.scenario == Scenario.HIJACKED && random.nextInt(40) == 0 && streams > 0) {
            hijack(step);
        }
        if (plan.scenario == Scenario.CROWDED && random.nextInt(CROWD_STEPS) == 0) {
            crowd(step);
        }
        for (int i = 0; i < senders.size(); i++) {
            SimulatedSender sender = senders.get(i);
            if (random.nextInt(3) == 0) {
                sender.learn(owners);
            }
            count(sender);
            if (random.nextDouble() < odds.restart() && collectors.stream().noneMatch(SimulatedCollector::isDown)) {
                // Its last sweep arrives and is committed, because otherwise exactness could not be guaranteed.
                sender.lastSweep(reliable());
                collectors.forEach(SimulatedCollector::commit);
                senders.set(i, newSender());
                say(step, "sender " + i + " ends and a new one begins");
            } else {
                sender.sweep(faulty());
            }
        }
        serve(true);
        if (random.nextInt(150) == 0) {
            leap(step);
        }
        check(step);
    }

    private void count(SimulatedSender sender) {
        for (int i = random.nextInt(4); i > 0; i--) {
            int counter = random.nextInt(plan.counters);
            long amount = random.nextInt(50) == 0 ? random.nextInt(100) : 1 + random.nextInt(9);
            amount = random.nextInt(3) == 0 ? -amount : amount;
            sender.add(counter, amount);
            counted[counter] += amount;
            volume += Math.abs(amount);
        }
    }

    /**
     * Lets a day and a half pass. Living senders repeat their totals four times a day; streams that have ended are forgotten.
     * In the scenario with suspended machines no sender sends anything. Datagrams that were held back are delivered at the
     * end.
     */
    private void leap(int step) {
        network.deliver(now, true);
        restartCollectors();
        for (int i = 0; i < 6; i++) {
            now += SIX_HOURS_MILLIS;
            if (plan.scenario != Scenario.SUSPENDED && plan.totals) {
                senders.forEach(sender -> sender.repeat(reliable()));
            }
            serve(false);
        }
        network.release();
        say(step, "a day and a half later");
    }

    /** Sends a stream with a total far beyond the limit, for a separate counter. */
    private void forge(int step) {
        byte[] lie = ("from forged-" + seed + "-" + "0".repeat(16) + " 1000 " + (step + 1) + "\nincrement forged "
                        + (step + 1) + " " + (Long.MAX_VALUE - 1000 + step) + "\n")
                .getBytes(ISO_8859_1);
        collectors.get(0).receive(lie);
    }

    /** Sends a total far beyond the limit in the stream of one of the latest senders. */
    private void hijack(int step) {
        String stream = stream(Math.max(0, streams - 1 - random.nextInt(2 * COLLECTORS)));
        String name = names.get(random.nextInt(names.size()));
        byte[] lie = ("from " + stream + " 1000 " + (1 + random.nextInt(1_000)) + "\nincrement " + name + " 0 "
                        + (Long.MAX_VALUE - 1000 + step) + "\n")
                .getBytes(ISO_8859_1);
        collectors.forEach(
                collector -> collector.receive(plan.sabotage.datagrams().apply(lie)));
        say(step, stream + " is hijacked");
    }

    /** Sends streams with one total each, which never send again. */
    private void crowd(int step) {
        for (int i = 0; i < plan.senders; i++) {
            byte[] one = ("from crowd-" + seed + "-" + "0".repeat(16) + step + "-" + i
                            + " 1000 1\nincrement crowd 1 1\n")
                    .getBytes(ISO_8859_1);
            collectors.forEach(collector -> collector.receive(one));
        }
    }

    private void serve(boolean faulty) {
        for (SimulatedCollector collector : collectors) {
            // Commit and push happen independently, so that a crash can fall between the two.
            if (!collector.isDown() && (!faulty || random.nextInt(4) > 0)) {
                collector.commit(faulty && random.nextDouble() < odds.disk());
            }
            if (!collector.isDown() && (!faulty || random.nextInt(4) > 0)) {
                collector.push(faulty);
            }
        }
    }

    /** Heals everything: the collectors are up, the network loses nothing, and every total is repeated at least once. */
    private void rest() {
        odds = Odds.NONE;
        network.deliver(now, true);
        restartCollectors();
        for (int i = 0; i < QUIET_SWEEPS; i++) {
            now += STEP_MILLIS;
            senders.forEach(sender -> sender.sweep(faulty()));
            network.deliver(now, true);
            serve(false);
        }
        check(plan.sweeps);
    }

    /** Crashes and restarts each collector, unless this run has no crashes. */
    private void restartCollectors() {
        if (plan.odds.crash() > 0) {
            collectors.forEach(collector -> collector.crash(0));
        }
    }

    private Transport[] faulty() {
        boolean keepsBack = plan.scenario == Scenario.LATE && !odds.equals(Odds.NONE);
        return transports((to, bytes, length) -> network.send(to, bytes, length, now, odds, keepsBack));
    }

    private Transport[] reliable() {
        return transports((to, bytes, length) -> {
            byte[] datagram = plan.sabotage.datagrams().apply(Arrays.copyOf(bytes, length));
            if (!collectors.get(to).receive(datagram)) {
                throw new IllegalStateException("a collector is down when all should be up");
            }
        });
    }

    private interface Way {
        void send(int to, byte[] bytes, int length);
    }

    private Transport[] transports(Way way) {
        Transport[] transports = new Transport[COLLECTORS];
        for (int i = 0; i < COLLECTORS; i++) {
            int to = i;
            transports[i] = (bytes, length) -> {
                claims.read(bytes, length);
                way.send(to, bytes, length);
                return true;
            };
        }
        return transports;
    }

    /** Checks that no more of a stream was applied than its sender assigned to it, and that ledgers explain their values. */
    private void check(int step) {
        for (SimulatedCollector collector : collectors) {
            String violation = collector.violation(plan.scenario == Scenario.EVERYTHING && plan.totals);
            if (violation != null) {
                wrong.add("step " + step + ": " + violation);
            }
        }
        if (!plan.totals || FORGETFUL.contains(plan.scenario)) {
            return;
        }
        Map<Claims.Line, Long> applied = new HashMap<>();
        collectors.forEach(
                collector -> collector.applied().forEach((line, amount) -> applied.merge(line, amount, Long::sum)));
        applied.forEach((line, amount) -> {
            long most = claims.total(line);
            boolean doubledOnTheWay =
                    amount > most && !plan.scenario.isExact() && amount <= most + network.doubled(line.name());
            if (amount > most && !doubledOnTheWay) {
                wrong.add("step " + step + ": of " + line + " " + amount + " was applied, but only " + most
                        + " was assigned");
            }
        });
    }

    /** Checks a counter; returns its error, summed over the collectors. */
    private long judge(int counter) {
        String name = names.get(counter);
        long value = collectors.stream()
                .mapToLong(collector -> collector.value(name))
                .sum();
        long off = value - counted[counter];
        String numbers = name + " should be " + counted[counter] + " but is " + value;
        if (plan.scenario.isExact() ? off != 0 : Math.abs(off) > network.missed(name) + network.doubled(name)) {
            wrong.add(numbers
                    + (plan.scenario.isExact()
                            ? ""
                            : ", although only " + network.missed(name) + " was lost or overtaken and "
                                    + network.doubled(name) + " was duplicated in transit"));
        }
        for (SimulatedCollector collector : collectors) {
            Long stored = collector.stored(name);
            if ((stored == null ? 0 : stored) != collector.value(name)) {
                wrong.add(name + " is " + stored + " in the store and " + collector.value(name) + " in the ledger");
            }
        }
        return off;
    }

    private void say(int step, String what) {
        diary.accept("seed " + seed + " step " + step + ": " + what);
    }
}
