package io.counters.collector.ledger;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Changes.CounterRow;
import io.counters.collector.ledger.Push.Exists;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Missing;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A store that answers, hangs, loses keys and restarts, and a collector that crashes. Once everything is quiet, every
 * key has its counter's value, and every value is exact.
 */
@Tag("once")
@Tag("slow")
class ProjectionSimulationTest {
    private static final int STEPS = 500;

    /**
     * A store with faults. A request without an answer may have been executed, may not, or is executed at any later
     * time.
     */
    private static final class FaultyStore {
        final Map<String, Long> held = new TreeMap<>();
        final List<Push> delayed = new ArrayList<>();
        final Random random;
        final double faults;

        FaultyStore(Random random, double faults) {
            this.random = random;
            this.faults = faults;
        }

        Reply answer(Push request) {
            if (random.nextDouble() >= faults) {
                return execute(request);
            }
            switch (random.nextInt(3)) {
                case 0 -> execute(request);
                case 1 -> delayed.add(request);
                default -> {
                    // It never arrived.
                }
            }
            return new Unknown("simulated");
        }

        Reply execute(Push request) {
            Long value = held.get(request.key());
            switch (request.kind()) {
                case ADD -> {
                    if (value != null) {
                        return new Exists();
                    }
                    held.put(request.key(), request.number());
                    return new Holds(request.number());
                }
                case INCREMENT -> {
                    if (value == null) {
                        return new Missing();
                    }
                    held.put(request.key(), value + request.number());
                    return new Holds(value + request.number());
                }
                case READ -> {
                    return value == null ? new Missing() : new Holds(value);
                }
            }
            throw new AssertionError(request);
        }

        void catchUp() {
            delayed.forEach(this::execute);
            delayed.clear();
        }
    }

    private final Disk disk = new Disk();
    private final Map<String, Long> counted = new TreeMap<>();
    private final Map<String, Long> known = new TreeMap<>();

    static LongStream seeds() {
        return LongStream.range(0, 500);
    }

    /** Late requests are executed before the next one on the same connection, as with TCP. */
    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void every_key_is_exact_at_the_end(long seed) {
        simulate(seed, false, Map.of());
    }

    /**
     * Late requests may be overtaken, as after a broken connection whose last bytes are read when a new one is in use.
     */
    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void every_key_is_exact_at_the_end_even_if_requests_are_overtaken(long seed) {
        simulate(seed, true, Map.of());
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void counters_start_from_the_values_in_the_store_through_all_faults(long seed) {
        simulate(seed, false, Map.of("name.0", 1L, "name.1", 1000L, "name.2", -5L));
    }

    private void simulate(long seed, boolean overtaken, Map<String, Long> before) {
        Random random = new Random(seed);
        FaultyStore store = new FaultyStore(random, random.nextDouble() * 0.7);
        store.held.putAll(before);
        int names = 1 + random.nextInt(8);
        double loss = random.nextDouble() * 0.05;
        double crash = random.nextDouble() * 0.03;
        Ledger ledger = opened();
        for (int step = 0; step < STEPS; step++) {
            if (random.nextInt(2) == 0) {
                String name = "name." + random.nextInt(names);
                long difference = random.nextInt(20) - 8L;
                new Feed(ledger)
                        .datagram((difference < 0 ? "decrement " : "increment ") + name + " " + Math.abs(difference));
                // Without totals, a crash loses uncommitted amounts, so each one is committed at once.
                disk.commit(ledger);
                counted.merge(name, difference, Long::sum);
            }
            if (random.nextInt(4) == 0) {
                disk.commit(ledger);
            }
            if (random.nextInt(10) == 0) {
                failCommit(ledger);
            }
            if (random.nextInt(3) == 0) {
                if (!overtaken) {
                    store.catchUp();
                }
                push(ledger, store, 1 + random.nextInt(4), random.nextInt(2));
            }
            if (overtaken && random.nextInt(10) == 0) {
                store.catchUp();
            }
            if (random.nextDouble() < loss) {
                evict(random, store, before);
            }
            if (random.nextDouble() < crash) {
                ledger = opened();
            }
        }

        store.catchUp();
        FaultyStore healthy = new FaultyStore(random, 0);
        healthy.held.putAll(store.held);
        for (int round = 0; round < 12; round++) {
            disk.commit(ledger);
            push(ledger, healthy, 1000, 1000);
        }
        disk.commit(ledger);

        assertThat(ledger.unanswered()).isZero();
        before.forEach((name, value) -> counted.computeIfPresent(name, (key, sum) -> sum + value));
        assertThat(disk.values()).isEqualTo(counted);
        healthy.held.keySet().retainAll(counted.keySet());
        assertThat(healthy.held).isEqualTo(counted);
    }

    /** The store loses a key, or all keys; but none that must still be adopted, because its count would be lost. */
    private void evict(Random random, FaultyStore store, Map<String, Long> before) {
        for (String name : List.copyOf(store.held.keySet())) {
            if (!before.containsKey(name) && (random.nextBoolean() || random.nextInt(4) == 0)) {
                store.held.remove(name);
            }
        }
    }

    private Ledger opened() {
        Ledger ledger = new Ledger(
                LedgerSettings.in(Path.of("unused")),
                true,
                () -> 0,
                () -> 0,
                disk.load(new LedgerState(1, new SeededHash(new Random(1)))),
                new Metrics());
        known.clear();
        return ledger;
    }

    private static void failCommit(Ledger ledger) {
        Changes changes = ledger.changes(1);
        if (changes != null) {
            ledger.putBack(changes);
        }
    }

    private void push(Ledger ledger, FaultyStore store, int max, int atRest) {
        List<Push> requests = ledger.take(max, atRest);
        assertThat(requests.stream().map(Push::key)).doesNotHaveDuplicates();
        for (Push request : requests) {
            if (request.kind() != Kind.READ) {
                CounterRow committed = disk.counter(request.counter());
                assertThat(committed.isClaimed()).isTrue();
                assertThat(request.number())
                        .isEqualTo(committed.value() - (request.kind() == Kind.ADD ? 0 : known(request)));
            }
            Reply reply = store.answer(request);
            if (reply instanceof Holds holds) {
                known.put(request.key(), holds.value());
            }
            ledger.answered(request, reply);
        }
    }

    /** The value of the key as this run of the ledger last read it. */
    private long known(Push request) {
        return requireNonNull(known.get(request.key()), "an increment of a key that was never read");
    }
}
