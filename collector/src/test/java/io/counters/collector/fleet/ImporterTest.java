package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerRecords;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An embedded ledger goes on in a fleet, over a log in memory, wherever its import is interrupted. */
@Tag("once")
@Tag("slow")
class ImporterTest {
    private static final int PARTITIONS = 5;
    private static final int SENDERS = 3;
    private static final int NAMES = 20;
    private static final long HEAP = 512L << 20;

    @TempDir
    Path folder;

    private long nanos;
    private int steps;
    private int crashAt;
    private final SaidFaults said = new SaidFaults();
    private Random random = new Random(1);
    private MemoryLog log = new MemoryLog(PARTITIONS, random);
    private KeptLedger embedded;
    private LedgerSettings bounds;
    private final Map<String, Long> expected = new TreeMap<>();
    private final List<Map<String, Long>> totals = new ArrayList<>();

    /** The process of the import was killed. */
    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    @BeforeEach
    void open() throws Exception {
        embedded = new KeptLedger(folder, false);
        bounds = LedgerSettings.in(folder);
        for (int i = 0; i < SENDERS; i++) {
            totals.add(new TreeMap<>());
        }
    }

    @AfterEach
    void close() throws Exception {
        embedded.close();
    }

    private Ledger ledger(LedgerRecords.Collected records) {
        return new Ledger(
                bounds,
                false,
                () -> nanos / 1_000_000,
                () -> 1_700_000_000,
                records.load(new LedgerState(random.nextLong(), new SeededHash(new Random(1)))),
                new Metrics());
    }

    private static String name(int number) {
        return "name." + number;
    }

    private static int partition(String name) {
        byte[] bytes = name.getBytes(ISO_8859_1);
        return Partitions.of(bytes, 0, bytes.length, PARTITIONS, new CRC32C());
    }

    // Senders

    private static String from(int sender) {
        return "from stream-of-a-sender-" + sender + " 1000";
    }

    /** Counts once more, and returns the line. */
    private String count(int sender) {
        String name = name(random.nextInt(NAMES));
        long amount = 1L + random.nextInt(9);
        expected.merge(name, amount, Long::sum);
        return "increment " + name + " " + amount + " " + totals.get(sender).merge(name, amount, Long::sum);
    }

    /** Datagrams to the embedded collector, of which some are lost and some come twice. */
    private void embedded(int datagrams) {
        for (int i = 0; i < datagrams; i++) {
            int sender = random.nextInt(SENDERS);
            String text = from(sender) + " " + (i + 1) + "\n" + count(sender) + "\n" + count(sender);
            for (int times = random.nextInt(3); times > 0; times--) {
                embedded.datagram(text);
            }
            if (random.nextInt(5) == 0) {
                embedded.datagram("increment plain 2");
                expected.merge("plain", 2L, Long::sum);
            }
        }
        embedded.ledger.publishAt(1_700_000_010, 1);
        embedded.commit.run();
    }

    /** Lines to the fleet: a stream is announced to all partitions before its first line. */
    private void fleet(int lines) {
        for (int sender = 0; sender < SENDERS; sender++) {
            announce(sender);
        }
        for (int i = 0; i < lines; i++) {
            int sender = random.nextInt(SENDERS);
            String line = count(sender);
            for (int times = random.nextInt(3); times > 0; times--) {
                add(sender, line);
            }
        }
        for (int sender = 0; sender < SENDERS; sender++) {
            int of = sender;
            totals.get(sender).forEach((name, total) -> add(of, "increment " + name + " 0 " + total));
        }
    }

    private void announce(int sender) {
        for (int partition = 0; partition < PARTITIONS; partition++) {
            log.add(partition, wallMillis(), (from(sender) + "\n").getBytes(ISO_8859_1));
        }
    }

    private void add(int sender, String line) {
        log.add(
                partition(line.split(" ", -1)[1]),
                wallMillis(),
                (from(sender) + "\n" + line + "\n").getBytes(ISO_8859_1));
    }

    private long wallMillis() {
        return 1_700_000_000_000L + nanos / 1_000_000;
    }

    // The import

    /** Dies at a certain call. */
    private <T> T killed(Class<T> kind, T log) {
        return kind.cast(Proxy.newProxyInstance(kind.getClassLoader(), new Class<?>[] {kind}, (proxy, method, args) -> {
            int step = steps++;
            if (step == crashAt) {
                throw new Killed();
            }
            try {
                Object done = method.invoke(log, args);
                if (step == crashAt - 1 && method.getName().equals("commit")) {
                    // After the commit, and before it is known.
                    crashAt = -1;
                    throw new Killed();
                }
                return done;
            } catch (InvocationTargetException failed) {
                throw failed.getCause();
            }
        }));
    }

    private int run(boolean adds) throws IOException {
        for (int i = 0; i < PARTITIONS; i++) {
            log.assign(i, "import");
        }
        MemoryLog.Of lines = log.new Of("import");
        Loader loader = new Loader(
                killed(LoaderLog.class, log.new Loading()), PARTITIONS, this::ledger, () -> nanos, said.log());
        return importer(killed(OwnerLog.class, lines), loader, adds).run();
    }

    private Importer importer(OwnerLog lines, Loader loader, boolean adds) {
        return new Importer(
                lines, loader, PARTITIONS, embedded.ledger, adds, HEAP, 1_700_000_000, () -> nanos += 1_000_000);
    }

    /** What happens when the loader asks what was committed of these partitions. */
    private interface Asked {
        void of(Set<?> partitions) throws IOException;
    }

    private Importer importer(Asked asked) {
        for (int i = 0; i < PARTITIONS; i++) {
            log.assign(i, "import");
        }
        LoaderLog all = log.new Loading();
        Object watched = Proxy.newProxyInstance(
                LoaderLog.class.getClassLoader(), new Class<?>[] {LoaderLog.class}, (proxy, method, args) -> {
                    if (method.getName().equals("committed")) {
                        asked.of((Set<?>) args[0]);
                    }
                    return method.invoke(all, args);
                });
        Loader loader = new Loader((LoaderLog) watched, PARTITIONS, this::ledger, () -> nanos, said.log());
        return importer(log.new Of("import"), loader, false);
    }

    /** The fleet's values, as an owner of all partitions has them when it has merged all lines. */
    private OwnedLedgers owned() throws IOException {
        for (int i = 0; i < PARTITIONS; i++) {
            log.assign(i, "owner");
        }
        Metrics metrics = new Metrics();
        OwnedLedgers owned = new OwnedLedgers(PARTITIONS);
        Loader loader = new Loader(log.new Loading(), PARTITIONS, this::ledger, () -> nanos, said.log());
        Owner owner = new Owner(
                log.new Of("owner"),
                loader,
                owned,
                PARTITIONS,
                ledger -> true,
                OptionalLong::empty,
                () -> 0,
                this::wallMillis,
                () -> nanos,
                said.log(),
                metrics);
        for (int i = 0; i < 300; i++) {
            log.answered(true);
            nanos += 1_000_000_000;
            loader.step();
            owner.run();
        }
        return owned;
    }

    private Map<String, Long> values() throws IOException {
        Map<String, Long> values = new TreeMap<>();
        Snapshot snapshot = owned().snapshot();
        for (int i = 0; i < snapshot.size(); i++) {
            assertThat(values.put(snapshot.names()[i], snapshot.values()[i])).isNull();
        }
        return values;
    }

    /** How many partitions have something in their ledgers. */
    private long written() {
        return IntStream.range(0, PARTITIONS).filter(i -> log.keys(i) > 0).count();
    }

    private int records() {
        int records = 0;
        for (int i = 0; i < PARTITIONS; i++) {
            records += log.keys(i);
        }
        return records;
    }

    @Test
    void a_crash_at_any_step_is_healed_by_running_it_again() throws Exception {
        crashAt = -1;
        embedded(60);
        assertThat(run(false)).isEqualTo(PARTITIONS);
        int all = steps;
        Map<String, Long> counted = values();
        Map<String, Long> before = new TreeMap<>(expected);
        List<Map<String, Long>> sent =
                totals.stream().map(of -> (Map<String, Long>) new TreeMap<>(of)).toList();
        int resumed = 0;
        for (int step = 0; step < 2 * all; step++) {
            log = new MemoryLog(PARTITIONS, random);
            steps = 0;
            crashAt = step;
            try {
                run(false);
            } catch (Killed killed) {
                resumed++;
            }
            crashAt = -1;
            log.answered(true);
            int left = 0;
            try {
                left = run(false);
            } catch (IOException done) {
                assertThat(done).hasMessageContaining("it was imported at 2023-11-14T22:13:20Z already");
            }
            assertThat(left).isBetween(0, PARTITIONS);
            assertThat(values()).as("step " + step).isEqualTo(counted);
        }
        assertThat(resumed).isGreaterThan(all / 2);

        expected.clear();
        expected.putAll(before);
        totals.clear();
        sent.forEach(of -> totals.add(new TreeMap<>(of)));
        fleet(60);
        assertThat(values()).isEqualTo(expected);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void senders_go_on_and_every_sum_is_exact(long seed) throws Exception {
        crashAt = -1;
        random = new Random(seed);
        log = new MemoryLog(PARTITIONS, random);
        embedded(100);
        // A fleet may have lines already that nobody has merged.
        boolean isLate = random.nextBoolean();
        if (isLate) {
            fleet(20);
        }

        assertThat(run(false)).isEqualTo(PARTITIONS);

        fleet(100);
        OwnedLedgers owned = owned();
        assertThat(values()).isEqualTo(expected);
        for (int i = 0; i < PARTITIONS; i++) {
            Ledger ledger = Objects.requireNonNull(owned.partition(i)).ledger;
            assertThat(ledger.streams()).isEqualTo(SENDERS);
            assertThat(ledger.publishAt(1_700_000_010, 1)).isEmpty();
            assertThat(ledger.stamp().ledger())
                    .isEqualTo(embedded.ledger.stamp().ledger());
        }
        assertThat(said.lines()).isEmpty();
    }

    @Test
    void a_second_import_of_a_ledger_changes_nothing() throws Exception {
        crashAt = -1;
        embedded(20);
        run(false);
        log.answered(true);
        int before = records();

        assertThatThrownBy(() -> run(true))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("already, and its counts are in the fleet; move it away");
        assertThat(records()).isEqualTo(before);
        assertThat(values()).isEqualTo(embedded.values());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void what_a_collector_counts_after_an_import_is_not_said_to_be_in_the_fleet(boolean adds) throws Exception {
        crashAt = -1;
        embedded(20);
        run(false);
        log.answered(true);
        embedded(1);

        assertThatThrownBy(() -> run(adds))
                .hasMessage(
                        "it was imported at 2023-11-14T22:13:20Z, and a collector has used the ledger since; what that"
                                + " counted is not in the fleet and cannot be imported. Keep the folder");
    }

    @Test
    void a_quarter_of_the_partitions_is_loaded_at_a_time() throws Exception {
        embedded(20);
        List<Integer> asked = new ArrayList<>();

        assertThat(importer(partitions -> asked.add(partitions.size())).run()).isEqualTo(PARTITIONS);

        assertThat(asked).containsExactly(2, 2, 1, 2, 2, 1);
        assertThat(values()).isEqualTo(embedded.values());
    }

    @Test
    void whoever_stops_an_import_is_told_and_that_nothing_was_written() throws Exception {
        embedded(20);
        String nothing = ", and run the import again; this run has imported nothing";
        Importer silent = importer(partitions -> {
            throw new IOException("no answer");
        });
        Importer disturbed = importer(partitions -> {
            log.assign(1, "collector");
            throw new IOException("later");
        });

        assertThatThrownBy(silent::run)
                .hasMessage(
                        "the ledger of partition 0 could not be loaded, because Kafka has not answered for a minute;"
                                + " start the brokers" + nothing);
        assertThatThrownBy(disturbed::run)
                .hasMessage("a collector of the fleet has started meanwhile; stop all of them" + nothing);
        assertThat(records()).isZero();
    }

    @Test
    void counters_of_the_fleet_are_added_to_only_if_that_is_wanted() throws Exception {
        crashAt = -1;
        embedded(20);
        log.add(partition("plain"), wallMillis(), "increment plain 5\n".getBytes(ISO_8859_1));
        assertThat(values()).isEqualTo(Map.of("plain", 5L));
        int before = records();

        assertThatThrownBy(() -> run(false)).hasMessageContaining("the fleet has counters already, such as plain");
        assertThat(records()).isEqualTo(before);
        assertThat(run(true)).isEqualTo(PARTITIONS);

        Map<String, Long> sums = new TreeMap<>(embedded.values());
        sums.merge("plain", 5L, Long::sum);
        assertThat(values()).isEqualTo(sums);
    }

    @Test
    void a_fleet_that_senders_have_reached_already_adds_no_total_twice() throws Exception {
        crashAt = -1;
        embedded(60);
        fleet(60);
        owned();
        log.answered(true);

        assertThat(run(true)).isEqualTo(PARTITIONS);

        assertThat(values()).isEqualTo(expected);
        fleet(60);
        assertThat(values()).isEqualTo(expected);
    }

    @Test
    void a_sum_that_cannot_be_exact_is_refused_before_anything_is_written() throws Exception {
        crashAt = -1;
        embedded(60);
        fleet(60);
        // Of a stream in quarantine it is not known which amounts are counted.
        add(0, "increment plain 1 9999999999999999");
        values();
        log.answered(true);
        int before = records();

        assertThatThrownBy(() -> run(true))
                .hasMessageContaining(
                        "in partition " + partition("plain") + ", the stream stream-of-a-sender-0 is in both")
                .hasMessageContaining("import it into a fleet with another --prefix");
        assertThat(records()).isEqualTo(before);
    }

    @Test
    void a_ledger_that_no_collector_has_room_for_is_refused_before_anything_is_written() throws Exception {
        crashAt = -1;
        embedded(60);
        bounds = new LedgerSettings(folder, 1L << 32, 1L << 32, SENDERS - 1, SENDERS, 1_000_000, 86_400_000);
        assertThatThrownBy(() -> run(false))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(
                        "it does not fit: with -Xmx512m, a partition would need 1.5 times the memory that it has for"
                                + " names and senders, and each of 5 partitions knows all senders with totals (3); run the"
                                + " import and all collectors with -Xmx768m,");
        bounds = new LedgerSettings(folder, 1L << 32, 1L << 32, SENDERS, SENDERS, 10, 86_400_000);
        assertThatThrownBy(() -> run(false)).as("watermarks").hasMessageStartingWith("it does not fit");
        bounds = new LedgerSettings(folder, 100, 100, SENDERS, SENDERS, 1_000_000, 86_400_000);
        assertThatThrownBy(() -> run(false)).as("names").hasMessageStartingWith("it does not fit");
        assertThat(records()).isZero();

        bounds = new LedgerSettings(folder, 1L << 32, 1L << 32, SENDERS, SENDERS, 1_000_000, 86_400_000);
        assertThat(run(false)).isEqualTo(PARTITIONS);
    }

    @Test
    void a_collector_that_owns_partitions_is_named_as_the_reason() throws Exception {
        crashAt = -1;
        embedded(20);
        for (int i = 0; i < PARTITIONS; i++) {
            log.assign(i, "import");
        }
        log.assign(1, "collector");
        Loader loader = new Loader(log.new Loading(), PARTITIONS, this::ledger, () -> nanos, said.log());
        Importer importer = importer(log.new Of("import"), loader, false);

        assertThatThrownBy(importer::run)
                .hasMessage(
                        "collectors of the fleet own 1 of 5 partitions; stop all of them, and run the import again");
        assertThat(records()).isZero();
    }

    @Test
    void a_ledger_that_was_used_between_two_attempts_is_refused() throws Exception {
        embedded(20);
        for (int step = 0; written() == 0; step++) {
            log = new MemoryLog(PARTITIONS, random);
            steps = 0;
            crashAt = step;
            assertThatThrownBy(() -> run(false)).isInstanceOf(Killed.class);
            log.answered(true);
        }
        crashAt = -1;
        assertThat(written()).isLessThan(PARTITIONS);
        embedded(1);

        assertThatThrownBy(() -> run(false))
                .hasMessageContaining("an import was interrupted, and a collector has used the ledger since");
    }
}
