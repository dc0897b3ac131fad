package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A ledger kept as records is the same after each restart as one whose commits are kept in memory. */
@Tag("once")
@Tag("slow")
class LedgerRecordsTest {
    private static final int STEPS = 120;

    /** Longer than what a ledger may forget of when a stream was last heard. */
    private static final long A_WHILE = InboundStream.HEARD_EVERY_MILLIS + 1;

    private static final long A_DAY = 86_400_000;

    private long now = 1_000_000;
    private long wallSeconds = 1_700_000_000;
    private final Disk disk = new Disk();
    private final KeptRecords records = new KeptRecords();
    private Ledger expected = ledger(state());
    private Ledger kept = ledger(state());

    private static LedgerState state() {
        return new LedgerState(7, new SeededHash(new Random(1)));
    }

    private Ledger ledger(LedgerState state) {
        return new Ledger(
                LedgerSettings.in(Path.of("unused")), true, () -> now, () -> wallSeconds, state, new Metrics());
    }

    static LongStream seeds() {
        return LongStream.range(0, 100);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void what_is_loaded_is_what_was_written(long seed) {
        Random random = new Random(seed);
        int names = 1 + random.nextInt(300);
        int streams = 1 + random.nextInt(6);
        long[] seqs = new long[streams];
        for (int step = 0; step < STEPS; step++) {
            switch (random.nextInt(12)) {
                case 0 -> tick(random);
                case 1 -> remove("name." + random.nextInt(names));
                case 2 -> store(random);
                case 3 -> both("name." + random.nextInt(names) + ":" + (random.nextInt(2000) - 1000) / 1000.0 + "|c");
                case 4 -> {
                    now += random.nextInt(10) == 0 ? 2 * A_DAY : A_WHILE;
                    wallSeconds += 600;
                }
                case 5 -> {
                    disk.fail(expected);
                    records.fail(kept);
                }
                case 6 -> restart(random);
                case 7, 8 -> commit();
                default -> datagram(random, names, random.nextInt(streams), seqs);
            }
        }
        restart(random);
    }

    private void both(String datagram) {
        new Feed(expected).datagram(datagram);
        new Feed(kept).datagram(datagram);
    }

    private void datagram(Random random, int names, int stream, long[] seqs) {
        StringBuilder datagram = new StringBuilder(
                "from stream-of-a-sender-" + stream + " " + random.nextInt(1_000_000) + " " + ++seqs[stream]);
        for (int line = random.nextInt(100); line > 0; line--) {
            long amount = random.nextInt(5);
            long total = amount + random.nextInt(1_000) * (random.nextInt(2_000) == 0 ? 1L << 50 : 1);
            datagram.append(random.nextBoolean() ? "\nincrement name." : "\ndecrement name.")
                    .append(random.nextInt(names))
                    .append(' ')
                    .append(amount)
                    .append(random.nextInt(4) == 0 ? "" : " " + total);
        }
        both(datagram.toString());
    }

    private void tick(Random random) {
        long second = wallSeconds + random.nextInt(3);
        assertThat(kept.publishAt(second, 1)).isEqualTo(expected.publishAt(second, 1));
    }

    private void remove(String name) {
        assertThat(kept.remove(name)).isEqualTo(expected.remove(name));
    }

    private void store(Random random) {
        List<Push> requests = expected.take(50, 10);
        assertThat(kept.take(50, 10)).isEqualTo(requests);
        for (Push request : requests) {
            Push.Reply reply = random.nextBoolean() ? new Push.Missing() : new Push.Holds(random.nextInt(100) - 50);
            expected.answered(request, reply);
            kept.answered(request, reply);
        }
    }

    private void commit() {
        disk.commit(expected);
        records.commit(kept);
        assertSame();
    }

    private void restart(Random random) {
        expected.noteAll();
        kept.noteAll();
        commit();
        expected = ledger(disk.load(state()));
        kept = ledger(records.load(state(), random));
        assertSame();
        assertThat(kept.changes(LedgerRecords.WATERMARKS_AT_ONCE))
                .as("everything was loaded")
                .isNull();
        assertThat(expected.changes(1)).isNull();
    }

    private void assertSame() {
        assertThat(described(kept)).isEqualTo(described(expected));
    }

    private static List<String> described(Ledger ledger) {
        List<String> all = new ArrayList<>();
        Snapshot snapshot = ledger.snapshot();
        for (int i = 0; i < snapshot.size(); i++) {
            all.add(snapshot.names()[i] + " " + snapshot.values()[i]);
            all.add(String.valueOf(ledger.explain(snapshot.names()[i])));
        }
        ledger.reports().stream()
                .sorted(Comparator.comparing(StreamReport::sender))
                .forEach(report -> all.add(report.toString()));
        all.add(ledger.stamp() + " names " + ledger.namesBytes() + " watermarks " + ledger.watermarks() + " removed "
                + ledger.size() + " due " + ledger.unanswered());
        return all;
    }

    @Test
    void a_forgotten_stream_leaves_no_records() {
        StringBuilder datagram = new StringBuilder("from stream-of-a-sender-1 0 1");
        for (int i = 0; i < 200; i++) {
            datagram.append("\nincrement name.").append(i).append(" 1 1");
        }
        both(datagram.toString());
        commit();
        assertThat(records.size('s')).isEqualTo(1);
        assertThat(records.size('w')).as("200 watermarks in groups of 16").isEqualTo(13);
        now += 2 * A_DAY;

        commit();

        assertThat(kept.reports()).isEmpty();
        assertThat(records.size('s')).isZero();
        assertThat(records.size('w')).isZero();
    }

    @Test
    void a_stream_that_is_only_heard_is_written_once_in_a_while() {
        both("from stream-of-a-sender-1 0 1\nincrement name 1 1");
        commit();
        kept.announced("stream-of-a-sender-1".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1), 0, 20, 0, 0, 0);
        assertThat(kept.changes(LedgerRecords.WATERMARKS_AT_ONCE)).isNull();

        now += A_WHILE;
        kept.announced("stream-of-a-sender-1".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1), 0, 20, 0, 0, 0);

        Changes changes = Objects.requireNonNull(kept.changes(LedgerRecords.WATERMARKS_AT_ONCE));
        assertThat(changes.streams()).hasSize(1).allMatch(Changes.Watermarks::isRowChanged);
    }

    @Test
    void records_of_another_format_and_of_no_ledger_are_refused() {
        LedgerRecords.Collected other = new LedgerRecords.Collected();
        other.put(new byte[] {'h'}, new byte[] {99});
        LedgerRecords.Collected cut = new LedgerRecords.Collected();
        cut.put(new byte[] {'h'}, new byte[] {1, 5});

        assertThatThrownBy(() -> other.load(state())).hasMessageContaining("its format is 99");
        assertThatThrownBy(() -> cut.load(state())).hasMessageContaining("cut off");
        assertThatThrownBy(() -> cut.put(new byte[] {'x'}, new byte[0])).hasMessageContaining("unknown kind");
    }
}
