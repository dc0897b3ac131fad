package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.Outcome.Pause;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With real files and a time that stands still until a test advances it. */
class DeliveryScheduleTest {
    private static final int CONNECTIONS = 4;
    private static final int INTERVAL_SECONDS = 10;
    private static final long BEGIN = 5;

    private final Path folder;
    private long now = BEGIN;
    private Spool spool;
    private DeliverySchedule delivery;

    DeliveryScheduleTest(@TempDir Path folder) throws IOException {
        this.folder = folder;
        spool = new Spool(folder, 1L << 30);
        delivery = begun(spool);
    }

    private static DeliverySchedule begun(Spool of) {
        return new DeliverySchedule(of, CONNECTIONS, INTERVAL_SECONDS, new Random(1), BEGIN);
    }

    private void tick(long second, int points) throws IOException {
        String[] names = new String[points];
        for (int i = 0; i < points; i++) {
            names[i] = "c" + i;
        }
        TickPacker bodies =
                new TickPacker(new PutBodies(new Series("", List.of(new Series.Tag("src", "counters")))), 1024);
        delivery.begin(spool.write(second, new Snapshot(names, new long[points], points), bodies));
        // Long enough that replay may send a second's points.
        pass(Duration.ofSeconds(1));
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }

    private @Nullable Piece next() throws Exception {
        return delivery.next(now);
    }

    private Piece due() throws Exception {
        Piece piece = next();
        if (piece == null) {
            throw new AssertionError("nothing is due");
        }
        return piece;
    }

    private void confirm(Piece piece) {
        delivery.apply(piece, Outcome.confirmed(piece), now);
    }

    private void fail(Piece piece) {
        delivery.apply(piece, Outcome.unchanged(piece, Pause.SERVER), now);
    }

    /** Confirms pieces until none is due; returns the seconds of the points in their order. */
    private List<Long> confirmAll() throws Exception {
        List<Long> seconds = new ArrayList<>();
        for (Piece piece = next(); piece != null; piece = next()) {
            if (seconds.isEmpty() || seconds.get(seconds.size() - 1) != piece.second()) {
                seconds.add(piece.second());
            }
            confirm(piece);
        }
        return seconds;
    }

    @Test
    void the_current_tick_is_sent_first_and_then_the_oldest_first() throws Exception {
        tick(100, 10);
        tick(110, 10);
        tick(120, 10);
        tick(130, 500);

        assertThat(confirmAll()).containsExactly(130L, 100L, 110L, 120L);
        assertThat(spool.ticks()).isEmpty();
    }

    @Test
    void a_server_that_asks_to_wait_is_obeyed_whichever_request_failed_first() throws Exception {
        tick(100, 500);
        tick(110, 500);
        Piece reset = due();
        Piece throttled = due();
        pass(Duration.ofMillis(5));
        fail(reset);
        Outcome later = Outcome.unchanged(throttled, Pause.SERVER).after(Duration.ofSeconds(60));
        delivery.apply(throttled, later, now);

        pass(Duration.ofSeconds(59));
        assertThat(next()).isNull();
        pass(Duration.ofSeconds(7));
        assertThat(next()).isNotNull();
    }

    /** In order, all others wait for it: that is told, and it does not last for ever. */
    @Test
    void a_tick_that_cannot_be_read_delays_those_after_it_for_ten_minutes() throws Exception {
        delivery = DeliverySchedule.inOrder(spool, CONNECTIONS, new Random(1), now);
        tick(100, 10);
        tick(110, 10);
        Path file = file(100);
        Files.delete(file);
        Files.createDirectory(file);

        assertThatThrownBy(this::next).isExactlyInstanceOf(IOException.class);
        assertThat(delivery.isUnreadable()).isTrue();
        pass(Duration.ofMinutes(9));
        assertThatThrownBy(this::next).isExactlyInstanceOf(IOException.class);
        assertThat(next()).isNull();
        pass(Duration.ofMinutes(2));
        assertThatThrownBy(this::next).isInstanceOf(DamagedTick.class);

        assertThat(delivery.isUnreadable()).isFalse();
        assertThat(due().second()).isEqualTo(110);
    }

    private Path file(long second) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().startsWith(second + "-"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void a_new_tick_is_sent_before_older_ones_that_are_being_replayed() throws Exception {
        tick(100, 500);
        tick(110, 500);
        tick(120, 10);
        confirm(due());
        assertThat(due().second()).isEqualTo(100);

        tick(130, 10);

        assertThat(due().second()).isEqualTo(130);
        assertThat(due().second()).isEqualTo(100);
    }

    @Test
    void replay_uses_half_of_the_connections_and_the_current_tick_all() throws Exception {
        tick(100, 5_000);
        tick(110, 1);
        confirm(due());
        assertThat(due().second()).isEqualTo(100);
        assertThat(due().second()).isEqualTo(100);
        assertThat(next()).isNull();

        tick(120, 5_000);

        assertThat(due().second()).isEqualTo(120);
        assertThat(due().second()).isEqualTo(120);
        assertThat(next()).as("all connections are busy").isNull();
    }

    @Test
    void replay_keeps_its_rate() throws Exception {
        tick(100, 100_000);
        spool = new Spool(folder, 1L << 30);
        delivery = begun(spool);

        long replayed = 0;
        for (int millis = 0; millis < 4_000; millis += 10) {
            pass(Duration.ofMillis(10));
            for (Piece piece = next(); piece != null; piece = next()) {
                replayed += piece.points;
                confirm(piece);
            }
        }

        assertThat(replayed).as("four seconds, and the one before").isBetween(49_000L, 51_000L);
        pass(Duration.ofSeconds(1));
        assertThat(delivery.replayRate(now)).isBetween(7_500L, 10_500L);
        pass(Duration.ofSeconds(6));
        assertThat(delivery.replayRate(now)).isLessThan(100);
        pass(Duration.ofSeconds(6));
        assertThat(delivery.replayRate(now)).isZero();
    }

    @Test
    void with_large_ticks_replay_is_as_fast_as_ticking() throws Exception {
        tick(100, 150_000);
        tick(110, 200_000);
        long replayed = 0;
        for (int millis = 0; millis < 2_000; millis += 10) {
            pass(Duration.ofMillis(10));
            for (Piece piece = next(); piece != null; piece = next()) {
                replayed += piece.second() == 100 ? piece.points : 0;
                confirm(piece);
            }
        }

        assertThat(replayed).as("two seconds, and the one before").isBetween(59_000L, 61_500L);
    }

    @Test
    void after_a_failure_nothing_is_sent_for_a_while_and_then_one_at_a_time() throws Exception {
        tick(100, 1_000);
        Piece first = due();
        Piece second = due();
        fail(first);
        fail(second);

        assertThat(next()).isNull();
        pass(Duration.ofMillis(Pauses.MILLIS_MIN * 3 / 2));
        Piece probe = due();
        assertThat(next()).as("one at a time").isNull();
        assertThat(delivery.isInTrouble()).isTrue();
        confirm(probe);
        assertThat(delivery.isInTrouble()).isFalse();
        assertThat(next()).isNotNull();
        assertThat(next()).isNotNull();
    }

    @Test
    void pauses_double_up_to_their_bound_with_jitter() throws Exception {
        tick(100, 20_000);
        List<Long> pauses = new ArrayList<>();
        for (int i = 0; i < 14; i++) {
            fail(due());
            long begin = now;
            while (delivery.isPaused(now)) {
                pass(Duration.ofNanos(delivery.waitNanos(now)));
            }
            pauses.add((now - begin) / 1_000_000);
        }

        for (int i = 0; i < pauses.size(); i++) {
            long middle = Math.min(Pauses.SERVER_MILLIS_MAX, Pauses.MILLIS_MIN << i);
            assertThat(pauses.get(i)).isBetween(middle / 2, middle * 3 / 2 + 1);
        }
        assertThat(pauses.subList(8, 14)).doesNotHaveDuplicates();
    }

    @Test
    void a_piece_that_never_succeeds_blocks_no_other() throws Exception {
        tick(100, 500);
        tick(110, 1);
        Piece poisoned = null;
        for (int millis = 0; millis < 120_000 && delivery.olderPoints() > 100; millis += 10) {
            pass(Duration.ofMillis(10));
            Piece piece = next();
            if (piece == null) {
                continue;
            }
            if (poisoned == null || piece.attempts > 0) {
                poisoned = piece;
                fail(piece);
            } else {
                confirm(piece);
            }
        }

        assertThat(delivery.older()).hasSize(1);
        assertThat(delivery.olderPoints()).isLessThan(100);
    }

    @Test
    void a_tick_that_was_shed_while_its_request_was_in_flight_is_not_counted_twice() throws Exception {
        Spool small = new Spool(folder.resolve("small"), 4096);
        spool = small;
        delivery = begun(small);
        tick(100, 10);
        Piece underWay = due();
        tick(110, 10);

        assertThat(delivery.shed()).isEqualTo(10);
        assertThat(delivery.apply(underWay, Outcome.confirmed(underWay), now)).isFalse();
        assertThat(small.ticks()).extracting(TickFile::second).containsExactly(110L);
    }

    @Test
    void ticks_that_never_succeed_rest_so_that_later_ones_are_sent() throws Exception {
        int poisoned = DeliverySchedule.BEGUN_MAX + 20;
        for (int i = 0; i < poisoned + 3; i++) {
            tick(100 + 10L * i, 1);
        }
        confirm(due());
        long last = 100 + 10L * (poisoned - 1);

        List<Long> passed = new ArrayList<>();
        for (int millis = 0; millis < DeliverySchedule.REST_MILLIS / 2 && passed.size() < 2; millis += 10) {
            pass(Duration.ofMillis(10));
            Piece piece = next();
            if (piece != null && piece.second() <= last) {
                // Its request was answered, and its only point must be sent again.
                delivery.apply(piece, Outcome.unchanged(piece, Pause.PIECE), now);
            } else if (piece != null) {
                passed.add(piece.second());
                confirm(piece);
            }
        }

        assertThat(passed).containsExactly(last + 10, last + 20);
        assertThat(delivery.older()).as("ticks that wait are kept").hasSize(poisoned);
    }

    @Test
    void a_tick_that_cannot_be_read_now_is_kept_and_delays_no_other() throws Exception {
        tick(100, 10);
        tick(110, 10);
        tick(120, 10);
        confirm(due());
        Path file = spool.ticks().get(0).path();
        Path aside = Files.move(file, folder.resolve("aside"));
        // A file of which no byte can be read, by any user.
        Files.createDirectory(file);

        assertThatThrownBy(this::next).isInstanceOf(IOException.class);
        assertThat(confirmAll()).containsExactly(110L);
        assertThat(delivery.waitNanos(now)).isEqualTo(Duration.ofSeconds(1).toNanos());
        assertThat(delivery.older()).containsExactly(Map.entry(100L, 10));

        Files.delete(file);
        Files.move(aside, file);
        pass(Duration.ofSeconds(1));
        assertThat(confirmAll()).containsExactly(100L);
    }

    @Test
    void a_tick_whose_file_is_missing_is_dropped() throws Exception {
        tick(100, 10);
        tick(110, 10);
        confirm(due());
        Files.delete(spool.ticks().get(0).path());

        assertThatThrownBy(this::next).isInstanceOf(DamagedTick.class);
        assertThat(delivery.olderPoints()).isZero();
    }

    @Test
    void while_all_connections_are_busy_nothing_is_due_before_one_is_free() throws Exception {
        tick(100, 5_000);
        tick(110, 1);
        confirm(due());
        Piece replayed = due();
        due();

        assertThat(next()).isNull();
        assertThat(delivery.waitNanos(now)).as("half of them replay").isEqualTo(1_000_000_000);

        fail(replayed);
        pass(Duration.ofSeconds(1));
        assertThat(next()).as("one at a time").isNull();
        assertThat(delivery.waitNanos(now)).as("in trouble").isEqualTo(1_000_000_000);
    }

    @Test
    void the_time_since_a_metric_is_unknown_is_kept_when_its_tick_begins_again() throws Exception {
        tick(100, 1);
        Piece asked = due();
        assertThat(asked.unknownNanos(now)).isZero();
        delivery.apply(asked, Outcome.unchanged(asked, Pause.PIECE), now);
        tick(110, 1);
        confirm(due());

        Piece again = due();

        assertThat(again.second()).isEqualTo(100);
        assertThat(again.unknownNanos(now)).isEqualTo(1_000_000_000);
    }

    @Test
    void in_order_a_tick_begins_when_all_of_those_before_it_are_done() throws Exception {
        tick(100, 100);
        delivery = DeliverySchedule.inOrder(spool, CONNECTIONS, new Random(1), BEGIN);
        tick(110, 1);
        tick(120, 1);
        List<Piece> inFlight = new ArrayList<>();
        for (Piece piece = next(); piece != null; piece = next()) {
            inFlight.add(piece);
        }
        assertThat(inFlight).extracting(Piece::second).containsOnly(100L).hasSizeGreaterThan(1);

        Piece failed = inFlight.remove(0);
        inFlight.forEach(this::confirm);
        fail(failed);
        pass(Duration.ofMinutes(20));
        List<Long> seconds = new ArrayList<>();
        for (Piece piece = next(); piece != null; piece = next()) {
            seconds.add(piece.second());
            confirm(piece);
        }

        assertThat(seconds).startsWith(100L).endsWith(100L, 110L, 120L);
        assertThat(delivery.isDone()).isTrue();
    }

    @Test
    void in_order_the_pause_of_a_failure_is_at_least_what_the_server_asked_for() throws Exception {
        delivery = DeliverySchedule.inOrder(spool, CONNECTIONS, new Random(1), BEGIN);
        tick(100, 1);
        Piece piece = due();
        delivery.apply(piece, Outcome.unchanged(piece, Pause.SERVER).after(Duration.ofSeconds(30)), now);

        pass(Duration.ofSeconds(29));
        assertThat(next()).isNull();
        assertThat(delivery.waitNanos(now)).isEqualTo(Duration.ofSeconds(1).toNanos());
        pass(Duration.ofSeconds(3));
        assertThat(due().second()).isEqualTo(100);
    }

    @Test
    void ticks_that_are_read_ahead_are_sent_oldest_first_on_all_connections_without_a_limit() throws Exception {
        ReadAhead ahead = new ReadAhead("a topic");
        List<Long> done = new ArrayList<>();
        DeliverySchedule all = DeliverySchedule.oldestFirst(ahead, CONNECTIONS, new Random(1), BEGIN);
        TickPacker bodies =
                new TickPacker(new PutBodies(new Series("", List.of(new Series.Tag("src", "counters")))), 1024);
        String[] names = {"a"};
        for (long second : new long[] {130, 110, 120, 110, 140}) {
            all.add(ahead.write(second, new Snapshot(names, new long[] {7}, 1), bodies, () -> done.add(second)));
        }
        now++;

        List<Piece> pieces = new ArrayList<>();
        for (Piece piece = all.next(now); piece != null; piece = all.next(now)) {
            pieces.add(piece);
        }
        assertThat(pieces).extracting(Piece::second).containsExactly(110L, 110L, 120L, 130L);
        assertThat(all.older())
                .containsOnly(Map.entry(110L, 2), Map.entry(120L, 1), Map.entry(130L, 1), Map.entry(140L, 1));

        all.apply(pieces.get(2), Outcome.confirmed(pieces.get(2)), now);
        assertThat(done).containsExactly(120L);
        Piece last = all.next(now);
        assertThat(last == null ? 0 : last.second()).isEqualTo(140);
        assertThat(ahead.ticks()).hasSize(4);
        assertThat(all.isDone()).isFalse();
    }
}
