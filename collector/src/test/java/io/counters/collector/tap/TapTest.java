package io.counters.collector.tap;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.Glob;
import io.counters.collector.common.LineSender;
import io.counters.wire.Rejection;
import io.counters.wire.StatsdName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TapTest {
    private static final LineSender SENDER = new LineSender() {
        @Override
        public String protocol() {
            return "UDP";
        }

        @Override
        public long addressKey() {
            return AddressKey.ipv4(0x7f00_0001);
        }

        @Override
        public int port() {
            return 4711;
        }

        @Override
        public String text() {
            return "127.0.0.1:4711";
        }
    };

    private final Tap tap = new Tap(() -> Instant.ofEpochMilli(5), 1L << 30);

    private void receive(String text) {
        byte[] bytes = text.getBytes(ISO_8859_1);
        tap.received(SENDER, bytes, 0, bytes.length);
    }

    private LineEvents events(String pattern, int linesMax, AtomicLong nanos) {
        return new LineEvents(new TapReader(tap), new Glob(pattern), linesMax, 20, StatsdName.strict(), nanos::get);
    }

    /** All events so far. */
    private static String read(LineEvents events) {
        StringBuilder out = new StringBuilder();
        boolean hasMore = true;
        while (hasMore) {
            hasMore = events.append(out);
        }
        return out.toString();
    }

    @Test
    void a_tap_without_listeners_is_closed_and_keeps_nothing() {
        receive("increment a");
        assertThat(tap.isOpen()).isFalse();
        tap.open();
        assertThat(tap.isOpen()).isTrue();

        assertThat(tap.run()).isPositive();

        assertThat(tap.isOpen()).isFalse();
        assertThat(new TapReader(tap).next()).isNull();
    }

    @Test
    void a_reader_sees_what_was_received_since_it_began() {
        tap.open();
        receive("increment before");
        TapReader reader = new TapReader(tap);
        assertThat(reader.isOpen()).isTrue();

        receive("increment a");
        receive("increment b");

        assertThat(new String(requireNonNull(reader.next()).bytes(), ISO_8859_1))
                .isEqualTo("increment a");
        assertThat(new String(requireNonNull(reader.next()).bytes(), ISO_8859_1))
                .isEqualTo("increment b");
        assertThat(reader.next()).isNull();
        assertThat(reader.takeMissed()).isZero();
    }

    @Test
    void what_is_overwritten_before_it_is_read_is_counted() {
        tap.open();
        TapReader reader = new TapReader(tap);
        assertThat(reader.isOpen()).isTrue();
        for (int i = 0; i < Tap.SLOTS + 10; i++) {
            receive("increment a" + i);
        }

        int seen = 0;
        while (reader.next() != null) {
            seen++;
        }

        assertThat(seen).isEqualTo(Tap.SLOTS);
        assertThat(reader.takeMissed()).isEqualTo(10);
        assertThat(reader.takeMissed()).isZero();
    }

    @Test
    void if_memory_is_full_the_oldest_datagrams_are_dropped() {
        Tap small = new Tap(() -> Instant.EPOCH, 50 * 100);
        small.open();
        TapReader reader = new TapReader(small);
        assertThat(reader.isOpen()).isTrue();
        byte[] bytes = new byte[40];
        for (int i = 0; i < 5; i++) {
            small.received(SENDER, bytes, 0, bytes.length);
        }

        assertThat(requireNonNull(reader.next()).number()).isEqualTo(3);
        assertThat(requireNonNull(reader.next()).number()).isEqualTo(4);
        assertThat(reader.next()).isNull();
        assertThat(reader.takeMissed()).isEqualTo(3);
        small.received(SENDER, new byte[101], 0, 101);
        assertThat(reader.next()).isNull();
        assertThat(reader.takeMissed()).isEqualTo(1);
    }

    @Test
    void room_is_made_at_once_however_much_was_overwritten_before() {
        tap.open();
        Tap.Ring ring = requireNonNull(tap.ring());
        for (int i = 0; i < 10 * Tap.SLOTS; i++) {
            receive("b");
        }
        assertThat(ring.bytes()).isEqualTo(Tap.SLOTS);

        assertThat(ring.forgetOldest()).isTrue();

        assertThat(ring.bytes()).isEqualTo(Tap.SLOTS - 1);
        for (int i = 1; i < Tap.SLOTS; i++) {
            assertThat(ring.forgetOldest()).isTrue();
        }
        assertThat(ring.forgetOldest()).isFalse();
        assertThat(ring.bytes()).isZero();
    }

    @Test
    void a_thread_that_was_overtaken_by_a_round_does_not_replace_what_is_newer() {
        tap.open();
        Tap.Ring ring = requireNonNull(tap.ring());
        TapReader reader = new TapReader(tap);
        assertThat(reader.isOpen()).isTrue();
        for (int i = 0; i < Tap.SLOTS + 1; i++) {
            receive("new");
        }
        long bytes = ring.bytes();
        byte[] late = "late".getBytes(ISO_8859_1);

        ring.put(new Received(0, 5, SENDER.protocol(), SENDER.addressKey(), SENDER.port(), null, late, true));

        assertThat(ring.bytes()).isEqualTo(bytes);
        for (int i = 1; i < Tap.SLOTS + 1; i++) {
            assertThat(requireNonNull(reader.next()).number()).isEqualTo(i);
        }
        assertThat(reader.takeMissed()).isEqualTo(1);
    }

    @Test
    void each_datagram_of_several_threads_is_read_once_or_counted_as_missed() throws Exception {
        tap.open();
        TapReader reader = new TapReader(tap);
        assertThat(reader.isOpen()).isTrue();
        int each = 50_000;
        ExecutorService threads = Executors.newFixedThreadPool(3);
        List<Future<?>> writing = new ArrayList<>();
        for (int thread = 0; thread < 3; thread++) {
            writing.add(threads.submit(() -> {
                for (int i = 0; i < each; i++) {
                    receive("increment a");
                }
            }));
        }
        long seen = 0;
        long missed = 0;
        boolean isWriting = true;
        while (isWriting) {
            isWriting = !writing.stream().allMatch(Future::isDone);
            for (Received next = reader.next(); next != null; next = reader.next()) {
                seen++;
            }
            missed += reader.takeMissed();
        }
        threads.shutdown();

        assertThat(seen + missed).isEqualTo(3L * each);
        assertThat(seen).isPositive();
    }

    @Test
    void rejected_lines_have_the_collectors_reason_and_are_cut() {
        tap.open();
        LineEvents events = events("", 100, new AtomicLong());
        assertThat(read(events)).isEqualTo("event: open\ndata: {}\n\n");
        byte[] bad = "\"<b>\u0001".concat("x".repeat(300)).getBytes(ISO_8859_1);

        tap.rejected(SENDER, Rejection.UNKNOWN_VERB, bad, 0, bad.length);
        receive("b@d\nincrement " + "n".repeat(21) + "\nincrement ok 2 7");

        assertThat(read(events))
                .isEqualTo("event: line\ndata: {\"at\":5,\"protocol\":\"UDP\",\"from\":\"127.0.0.1:4711\","
                        + "\"rejected\":\"unknown_verb\",\"line\":\"\\\"<b>\\u0001" + "x".repeat(195) + "...\"}\n\n"
                        + "event: line\ndata: {\"at\":5,\"protocol\":\"UDP\",\"from\":\"127.0.0.1:4711\","
                        + "\"name\":\"ok\",\"amount\":2,\"total\":7}\n\n");
    }

    @Test
    void lines_beyond_the_rate_are_left_out_and_counted() {
        AtomicLong nanos = new AtomicLong();
        tap.open();
        LineEvents events = events("a", 10, nanos);
        read(events);

        receive("increment a\n".repeat(30) + "increment b");
        assertThat(read(events))
                .endsWith("event: left_out\ndata: {\"shown\": 10, \"matching\": 30, \"datagrams_not_read\": 0}\n\n");

        nanos.set(500_000_000);
        receive("increment a\n".repeat(4));
        assertThat(read(events)).doesNotContain("left_out").contains("\"name\":\"a\"");
    }

    @Test
    void what_was_left_out_is_told_once_a_second() {
        AtomicLong nanos = new AtomicLong(Long.MAX_VALUE);
        tap.open();
        LineEvents events = events("a", 10, nanos);
        read(events);
        receive("increment a\n".repeat(11));
        assertThat(read(events)).contains("{\"shown\": 10, \"matching\": 11,");

        for (int i = 0; i < 9; i++) {
            nanos.addAndGet(100_000_000);
            receive("increment a\n".repeat(11));
            assertThat(read(events)).doesNotContain("left_out");
        }
        nanos.addAndGet(100_000_000);

        assertThat(read(events)).contains("{\"shown\": 9, \"matching\": 99,");
    }

    @Test
    void the_number_of_lines_read_at_once_is_limited() {
        tap.open();
        LineEvents events = events("nothing", 10, new AtomicLong());
        read(events);
        for (int i = 0; i < 30; i++) {
            receive("increment a\n".repeat(100));
        }

        assertThat(read(events))
                .isEqualTo("event: left_out\ndata: {\"shown\": 0, \"matching\": 0, \"datagrams_not_read\": 10}\n\n");
        receive("increment nothing");
        assertThat(read(events)).contains("\"name\":\"nothing\"");
    }
}
