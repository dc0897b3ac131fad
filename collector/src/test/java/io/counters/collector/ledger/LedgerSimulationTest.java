package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Senders with totals, a network that loses, duplicates and reorders datagrams, and a collector that crashes. Once
 * every total has arrived again, every counter is exact; and before that it is never too high.
 */
@Tag("once")
@Tag("slow")
class LedgerSimulationTest {
    private static final int STEPS = 400;

    /** One sender's stream, with its totals and the parts of them that were sent. */
    private static final class Sender {
        final String id;
        final Map<String, long[]> totals = new TreeMap<>();
        long seq;

        Sender(int number) {
            id = "simulated-sender-" + number;
        }

        void count(String verbAndName, long amount) {
            totals.computeIfAbsent(verbAndName, fresh -> new long[2])[0] += amount;
        }

        /** The datagram with the counters that moved since the last one; if {@code everything}, with all counters. */
        String sweep(boolean everything) {
            StringBuilder datagram = new StringBuilder("from " + id + " " + seq * 1000 + " " + ++seq);
            totals.forEach((line, total) -> {
                if (everything || total[0] > total[1]) {
                    datagram.append('\n').append(line).append(' ').append(total[0] - total[1]);
                    datagram.append(' ').append(total[0]);
                    total[1] = total[0];
                }
            });
            return datagram.toString();
        }
    }

    /** Where commits are kept: in memory for many seeds, in the real file for some. */
    private interface Keeper {
        Ledger reopened() throws Exception;

        void commit(Ledger ledger) throws Exception;
    }

    static LongStream seeds() {
        return LongStream.range(0, 400);
    }

    static LongStream seedsOnFile() {
        return LongStream.range(1000, 1012);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void every_count_is_exact_at_the_end(long seed) throws Exception {
        Disk disk = new Disk();
        simulate(seed, new Keeper() {
            @Override
            public Ledger reopened() {
                return ledger(disk.load(state()));
            }

            @Override
            public void commit(Ledger ledger) {
                disk.commit(ledger);
            }
        });
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seedsOnFile")
    void every_count_is_exact_at_the_end_with_the_real_file(long seed, @TempDir Path folder) throws Exception {
        LedgerFile[] file = {new LedgerFile(folder)};
        try {
            simulate(seed, new Keeper() {
                @Override
                public Ledger reopened() throws Exception {
                    file[0].close();
                    file[0] = new LedgerFile(folder);
                    return ledger(file[0].load(state()));
                }

                @Override
                public void commit(Ledger ledger) throws Exception {
                    Changes changes = ledger.changes(1);
                    if (changes != null) {
                        file[0].write(changes);
                        ledger.committed(changes);
                    }
                }
            });
        } finally {
            file[0].close();
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void every_count_is_exact_at_the_end_with_records(long seed) throws Exception {
        KeptRecords records = new KeptRecords();
        simulate(seed, new Keeper() {
            @Override
            public Ledger reopened() {
                return ledger(records.load(state(), new Random(seed)));
            }

            @Override
            public void commit(Ledger ledger) {
                records.commit(ledger);
            }
        });
    }

    private static LedgerState state() {
        return new LedgerState(1, new SeededHash(new Random(1)));
    }

    private static Ledger ledger(LedgerState state) {
        return new Ledger(LedgerSettings.in(Path.of("unused")), false, () -> 0, () -> 0, state, new Metrics());
    }

    private static void simulate(long seed, Keeper keeper) throws Exception {
        Random random = new Random(seed);
        List<Sender> senders = new ArrayList<>();
        for (int i = 0; i < 1 + random.nextInt(4); i++) {
            senders.add(new Sender(i));
        }
        int names = 1 + random.nextInt(12);
        double loss = random.nextDouble() * 0.6;
        double doubling = random.nextDouble() * 0.4;
        double crash = random.nextDouble() * 0.05;
        Ledger ledger = keeper.reopened();
        Feed feed = new Feed(ledger);
        List<String> network = new ArrayList<>();
        for (int step = 0; step < STEPS; step++) {
            Sender sender = senders.get(random.nextInt(senders.size()));
            for (int i = random.nextInt(5); i > 0; i--) {
                sender.count(line(random, names), random.nextInt(100));
            }
            if (random.nextInt(3) == 0) {
                String datagram = sender.sweep(random.nextInt(10) == 0);
                if (random.nextDouble() >= loss) {
                    network.add(datagram);
                }
                if (random.nextDouble() < doubling) {
                    network.add(datagram);
                }
            }
            if (!network.isEmpty() && random.nextInt(3) == 0) {
                feed.datagram(network.remove(random.nextInt(network.size())));
            }
            if (random.nextInt(10) == 0) {
                keeper.commit(ledger);
                assertNothingCountsTwice(ledger, senders);
            }
            if (random.nextDouble() < crash) {
                ledger = keeper.reopened();
                feed = new Feed(ledger);
            }
        }

        for (Sender sender : senders) {
            network.add(sender.sweep(true));
        }
        Collections.shuffle(network, random);
        network.forEach(feed::datagram);
        keeper.commit(ledger);

        assertThat(values(ledger)).isEqualTo(counted(senders));
    }

    private static String line(Random random, int names) {
        int name = random.nextInt(names);
        return switch (random.nextInt(4)) {
            case 0 -> "increment up." + name;
            case 1 -> "decrement down." + name;
            case 2 -> "increment both." + name;
            default -> "decrement both." + name;
        };
    }

    private static void assertNothingCountsTwice(Ledger ledger, List<Sender> senders) {
        SortedMap<String, Long> counted = counted(senders);
        values(ledger).forEach((name, value) -> {
            if (name.startsWith("up.")) {
                assertThat(value).as(name).isLessThanOrEqualTo(counted.get(name));
            } else if (name.startsWith("down.")) {
                assertThat(value).as(name).isGreaterThanOrEqualTo(counted.get(name));
            }
        });
    }

    private static SortedMap<String, Long> counted(List<Sender> senders) {
        SortedMap<String, Long> counted = new TreeMap<>();
        for (Sender sender : senders) {
            sender.totals.forEach((line, total) -> {
                String name = line.substring("increment ".length());
                counted.merge(name, line.startsWith("increment") ? total[0] : -total[0], Long::sum);
            });
        }
        return counted;
    }

    private static SortedMap<String, Long> values(Ledger ledger) {
        SortedMap<String, Long> values = new TreeMap<>();
        Snapshot snapshot = ledger.snapshot();
        for (int i = 0; i < snapshot.size(); i++) {
            values.put(snapshot.names()[i], snapshot.values()[i]);
        }
        return values;
    }
}
