package io.counters.collector.simulate;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Committer;
import io.counters.collector.ledger.Explanation;
import io.counters.collector.ledger.InboundStream;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerClock;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.collector.ledger.StreamReport;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.helpers.NOPLogger;

/** A real ledger with a disk that survives crashes, and a record of what was applied of each stream. */
final class SimulatedCollector implements Commands {
    private final LedgerSettings bounds;
    private final LongSupplier clockMillis;
    private final long id;
    private final Random random;
    private final Sabotage sabotage;
    private final SimulatedDisk disk;
    private final SimulatedStore store;
    private final CommandReader reader = new CommandReader(this);

    private Ledger ledger;
    private Committer commit;
    private Map<Claims.Line, Long> applied = new HashMap<>();
    private Map<Claims.Line, Long> committedApplied = new HashMap<>();
    private Map<String, Long> otherwise = new HashMap<>();
    private Map<String, Long> committedOtherwise = new HashMap<>();
    private int downSteps;

    /** The error of the wall clock. */
    private long skewMillis;

    private String sender = "";
    private @Nullable InboundStream stream;

    SimulatedCollector(long id, LedgerSettings bounds, LongSupplier clockMillis, Random random, Sabotage sabotage) {
        this.random = random;
        this.sabotage = sabotage;
        disk = new SimulatedDisk(sabotage.broken() == Sabotage.Broken.HALF_COMMITS);
        this.id = id;
        this.bounds = bounds;
        this.clockMillis = clockMillis;
        store = new SimulatedStore(random);
        ledger = newLedger();
        commit = newCommit();
    }

    private Ledger newLedger() {
        LedgerState state = disk.load(new LedgerState(id, new SeededHash(new Random(id))));
        LedgerClock clock = new LedgerClock(
                state.committedMillis(),
                clockMillis.getAsLong() + skewMillis,
                () -> (clockMillis.getAsLong() + (sabotage.broken() == Sabotage.Broken.WALL_CLOCK ? skewMillis : 0))
                        * 1_000_000);
        return new Ledger(bounds, true, clock, () -> 0, state, new Metrics());
    }

    private Committer newCommit() {
        FaultLog nobody = new FaultLog(NOPLogger.NOP_LOGGER, () -> clockMillis.getAsLong() * 1_000_000);
        return new Committer(ledger, disk, () -> 0, nobody, new Metrics());
    }

    /** Receives a datagram; returns false while it is down. */
    boolean receive(byte[] datagram) {
        if (downSteps > 0) {
            return false;
        }
        reader.datagram(datagram, 0, datagram.length);
        return true;
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        sender = new String(bytes, begin, end - begin, ISO_8859_1);
        stream = ledger.stream(bytes, begin, end, ageMillis, seq, AddressKey.UNKNOWN);
    }

    @Override
    public void fromNobody() {
        stream = null;
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        String name = new String(bytes, begin, end - begin, ISO_8859_1);
        long news = ledger.merge(stream, verb, bytes, begin, end, amount, total);
        if (stream == null || total == NO_TOTAL) {
            otherwise.merge(name, verb.signed(news), Long::sum);
        } else {
            applied.merge(new Claims.Line(sender, name, verb), news, Long::sum);
        }
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        throw new IllegalStateException("a sender sent a line that was rejected: " + why);
    }

    /** Kills it: what was not committed is lost, and so is everything that arrives during the next {@code steps} steps. */
    void crash(int steps) {
        downSteps = steps;
        ledger = newLedger();
        commit = newCommit();
        applied = new HashMap<>(committedApplied);
        otherwise = new HashMap<>(committedOtherwise);
    }

    boolean isDown() {
        return downSteps > 0;
    }

    /** Call once a step; after enough steps a killed collector is up again. */
    void wake() {
        downSteps = Math.max(0, downSteps - 1);
    }

    /** Sets the wall clock wrong by a random error, or right again. */
    void jump() {
        long hour = 3_600_000;
        long[] skews = {-hour, 0, hour, 365 * 24 * hour};
        skewMillis = skews[random.nextInt(skews.length)];
    }

    void commit() {
        commit(false);
    }

    /** @param fails whether the disk makes the commit fail */
    void commit(boolean fails) {
        disk.full(fails);
        if (!commit.run()) {
            if (fails) {
                return;
            }
            throw new IllegalStateException("a commit into memory failed");
        }
        committedApplied = new HashMap<>(applied);
        committedOtherwise = new HashMap<>(otherwise);
    }

    /** Lets the store execute the ledger's pushes. */
    void push(boolean faulty) {
        store.serve(ledger, faulty);
    }

    /** The counter's value, committed or not. */
    long value(String name) {
        return ledger.value(name);
    }

    /** The counter's value in the store. */
    @Nullable
    Long stored(String name) {
        return store.value(name);
    }

    /** How much was applied here of each line of each stream. */
    Map<Claims.Line, Long> applied() {
        return applied;
    }

    /**
     * Checks the ledger's invariants. Apart from what arrived without totals, each value is the sum of what was applied of
     * streams; and what the remembered watermarks do not explain of it came from forgotten streams.
     *
     * @param exact whether the second is checked, too
     * @return the violation; null if there is none
     */
    @Nullable
    String violation(boolean exact) {
        Map<String, Long> values = new TreeMap<>(otherwise);
        Map<String, Long> forgotten = new TreeMap<>(otherwise);
        Set<String> remembered = new HashSet<>();
        for (StreamReport report : ledger.reports()) {
            remembered.add(report.sender());
            if (exact && report.cloned()) {
                return "stream " + report.sender() + " is taken for one that two senders continue";
            }
        }
        applied.forEach((line, amount) -> {
            values.merge(line.name(), line.verb().signed(amount), Long::sum);
            forgotten.merge(
                    line.name(),
                    remembered.contains(line.sender()) ? 0 : line.verb().signed(amount),
                    Long::sum);
        });
        for (Map.Entry<String, Long> counter : values.entrySet()) {
            String name = counter.getKey();
            if (ledger.value(name) != counter.getValue()) {
                return name + " is " + ledger.value(name)
                        + " in the ledger, but the amounts that it reported as applied sum to "
                        + counter.getValue();
            }
            Explanation explanation = ledger.explain(name);
            long rest = explanation == null ? 0 : explanation.rest();
            if (exact && rest != forgotten.getOrDefault(name, 0L)) {
                return name + ": watermarks leave " + rest + " unexplained, but forgotten streams had "
                        + forgotten.get(name);
            }
        }
        return null;
    }
}
