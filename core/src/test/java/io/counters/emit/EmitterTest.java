package io.counters.emit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.cells.Cells;
import io.counters.ring.KetamaHash;
import io.counters.ring.KetamaRing;
import io.counters.testsupport.Ports;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

// These tests close emitters explicitly; closing twice is allowed.
@SuppressWarnings("try")
@Timeout(180)
class EmitterTest {
    private static final AtomicInteger NAMES = new AtomicInteger();

    private final String name = "emitter.test." + NAMES.incrementAndGet();
    private final List<String> log = new CopyOnWriteArrayList<>();

    /** The sweep of an earlier test may still be waiting for a name server. */
    @BeforeEach
    void wait_for_earlier_sweeps_to_end() {
        await().atMost(Duration.ofSeconds(60)).until(() -> sweepThreads().isEmpty());
    }

    @Test
    void counts_from_before_and_after_the_start_arrive_exactly_without_log_messages() {
        int id = Cells.id(name);
        Cells.add(id, 5);
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter = new Emitter(collector.settings(), log::add)) {
            emitter.start();
            Cells.add(id, 6);
            await().until(() -> collector.received().value(name) == 11);

            Cells.add(id, -20);

            await().until(() -> collector.received().value(name) == -9);
            assertThat(collector.received().streams())
                    .singleElement()
                    .asString()
                    .matches("[0-9a-f]{24}");
            assertThat(collector.received().rejections()).isEmpty();
        }
        assertThat(log).isEmpty();
    }

    @Test
    void the_sweep_thread_is_a_named_daemon_that_ends_with_the_emitter() {
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter = new Emitter(collector.settings(), log::add)) {
            assertThat(sweepThreads()).isEmpty();

            emitter.start();

            assertThat(sweepThreads()).singleElement().matches(Thread::isDaemon);
            emitter.close();
            // On a busy machine close() may return before it has ended.
            await().until(() -> sweepThreads().isEmpty());
            emitter.close();
        }
    }

    @Test
    void a_collector_that_starts_late_receives_everything_and_its_absence_is_logged_once() throws Exception {
        int id = Cells.id(name);
        int port = Ports.reserve();
        EmitterSettings settings = EmitterSettings.to("127.0.0.1:" + port).sweepMillis(10);
        try (Emitter emitter = new Emitter(settings, log::add)) {
            emitter.start();
            Cells.add(id, 1);
            await().until(() -> !log.isEmpty());
            Cells.add(id, 49);
            await().during(Duration.ofMillis(200)).until(() -> log.size() == 1);

            try (CollectorSocket collector = new CollectorSocket(port)) {
                await().until(() -> collector.received().value(name) == 50);
            }
        }
        assertThat(log)
                .singleElement()
                .asString()
                .startsWith("collector 127.0.0.1:" + port + ": no program listens there")
                .endsWith("totals are repeated");
    }

    @Test
    @Tag("slow")
    void a_name_that_does_not_resolve_is_logged_once_and_counts_are_kept() {
        int id = Cells.id(name);
        Cells.add(id, 7);
        CounterTable table = new CounterTable();
        try (Emitter emitter =
                new Emitter(EmitterSettings.to("no-such-host.invalid:11212").sweepMillis(10), table, log::add)) {
            emitter.start();
            await().atMost(Duration.ofSeconds(60)).until(() -> !log.isEmpty());
            // The look-up is repeated after 1 s and 2 s.
            await().during(Duration.ofMillis(2_200)).until(() -> log.size() == 1);
        }

        assertThat(log)
                .containsExactly("collector no-such-host.invalid:11212: its name does not resolve; it is tried"
                        + " again, and counts are kept until then");
        try (CollectorSocket collector = new CollectorSocket();
                Emitter next = new Emitter(collector.settings(), table, log::add)) {
            next.start();
            await().until(() -> collector.received().value(name) == 7);
        }
    }

    @Test
    void close_sends_all_totals_three_times_with_amount_0_in_the_repeats() {
        int id = Cells.id(name);
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter = new Emitter(collector.settings().sweepMillis(60_000), log::add)) {
            emitter.start();
            Cells.add(id, 3);

            emitter.close();

            await().until(() ->
                    collector.received().value(name) == 3 && told(collector).size() == 3);
            assertThat(told(collector))
                    .containsExactly(
                            "increment " + name + " 3 3", "increment " + name + " 0 3", "increment " + name + " 0 3");
        }
        assertThat(log).isEmpty();
    }

    @Test
    void counts_of_a_jvm_that_is_still_ending_are_sent() {
        int id = Cells.id(name);
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter = new Emitter(collector.settings().sweepMillis(60_000), log::add)) {
            emitter.start();
            Cells.add(id, 3);

            emitter.end();
            await().until(() -> collector.received().value(name) == 3);
            Cells.add(id, 4);
            await().until(() -> collector.received().value(name) == 7);
            Cells.add(id, 5);
            emitter.close();

            await().until(() -> collector.received().value(name) == 12);
            await().until(() -> sweepThreads().isEmpty());
        }
        assertThat(log).isEmpty();
    }

    @Test
    void close_without_totals_sends_amounts_once() {
        int id = Cells.id(name);
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter =
                        new Emitter(collector.settings().sweepMillis(60_000).totals(false), log::add)) {
            emitter.start();
            Cells.add(id, 3);

            emitter.close();

            await().until(() -> collector.received().value(name) == 3);
            assertThat(told(collector)).containsExactly("increment " + name + " 3");
            assertThat(collector.received().streams()).isEmpty();
        }
    }

    @Test
    @Tag("slow")
    void an_application_that_interrupts_every_thread_loses_nothing() {
        int id = Cells.id(name);
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter = new Emitter(collector.settings(), log::add)) {
            emitter.start();
            Thread sweep = sweepThreads().get(0);
            for (int i = 0; i < 20_000; i++) {
                sweep.interrupt();
                Cells.add(id, 1);
                if (i % 1_000 == 0) {
                    collector.received();
                }
            }

            await().until(() -> collector.received().value(name) == 20_000);
            assertThat(sweep.isAlive()).isTrue();
            sweep.interrupt();
            Cells.add(id, 1);
            emitter.close();
            await().until(() -> collector.received().value(name) == 20_001);
        }
        assertThat(log).isEmpty();
    }

    @Test
    void close_in_an_interrupted_thread_returns_and_keeps_the_interrupt_flag() {
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter = new Emitter(collector.settings(), log::add)) {
            emitter.start();
            Thread.currentThread().interrupt();

            emitter.close();

            assertThat(Thread.interrupted()).isTrue();
            await().until(() -> sweepThreads().isEmpty());
        }
    }

    @Test
    void an_emitter_that_was_never_started_closes() {
        Emitter emitter = new Emitter(EmitterSettings.to("127.0.0.1"), log::add);

        emitter.close();
        emitter.close();

        assertThat(sweepThreads()).isEmpty();
        assertThat(log).isEmpty();
    }

    @Test
    void each_name_arrives_exactly_at_the_collector_that_owns_it_on_the_ring() {
        try (CollectorSocket first = new CollectorSocket();
                CollectorSocket second = new CollectorSocket();
                CollectorSocket third = new CollectorSocket()) {
            List<CollectorSocket> collectors = List.of(first, second, third);
            List<String> addresses =
                    collectors.stream().map(one -> one.settings().toString()).toList();
            KetamaRing ring = new KetamaRing(addresses, 3, 1, 1);
            EmitterSettings settings = EmitterSettings.to(
                            addresses.get(0) + "*3;" + addresses.get(1) + ";" + addresses.get(2) + "*1")
                    .sweepMillis(10);
            List<Map<String, Long>> expected = List.of(new TreeMap<>(), new TreeMap<>(), new TreeMap<>());
            CountedCells cells = new CountedCells();
            for (int i = 0; i < 500; i++) {
                String counted = name + "." + i;
                cells.add(counted, i - 250L);
                if (i != 250) {
                    expected.get(owner(ring, counted)).put(counted, i - 250L);
                }
            }
            try (Emitter emitter = new Emitter(settings, cells.table(), log::add)) {
                emitter.start();

                for (int i = 0; i < 3; i++) {
                    CollectorSocket collector = collectors.get(i);
                    assertThat(expected.get(i)).hasSizeGreaterThan(10);
                    Map<String, Long> its = expected.get(i);
                    await().until(() -> its.equals(collector.received().values()));
                    assertThat(collector.received().streams()).hasSize(1);
                }
            }
        }
        assertThat(log).isEmpty();
    }

    @Test
    void a_name_server_that_hangs_delays_neither_other_collectors_nor_close() throws Exception {
        CountDownLatch hanging = new CountDownLatch(1);
        CountedCells cells = new CountedCells();
        try (CollectorSocket collector = new CollectorSocket()) {
            List<String> addresses = List.of("hangs.invalid:11212", collector.settings() + "", "known.invalid:9");
            KetamaRing ring = new KetamaRing(addresses, 1, 1, 1);
            Set<String> its = new TreeSet<>();
            // The collector's port is another in each run, and so are the names that it owns.
            for (int i = 0; i < 300; i++) {
                cells.add(name + "." + i, 1);
                if (owner(ring, name + "." + i) == 1) {
                    its.add(name + "." + i);
                }
            }
            assertThat(its).isNotEmpty();
            CounterTable table = cells.table();
            try (Emitter emitter = new Emitter(
                    EmitterSettings.to(String.join(";", addresses)).sweepMillis(10), table, log::add, host -> {
                        if (host.equals("hangs.invalid")) {
                            awaited(hanging);
                        }
                        return new InetAddress[] {InetAddress.getLoopbackAddress()};
                    })) {
                emitter.start();

                await().until(() -> collector.received().values().keySet().equals(its) && !log.isEmpty());
                long begun = System.nanoTime();
                emitter.close();

                assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(10));
            }
            assertThat(collector.received().values().keySet()).isEqualTo(its);
            for (int i = 0; i < 300; i++) {
                int owner = owner(ring, name + "." + i);
                assertThat(table.unassigned(table.index(name + "." + i)))
                        .as("counts for the other collector are kept")
                        .isEqualTo(owner == 0 ? 1 : 0);
            }
        } finally {
            hanging.countDown();
        }
        assertThat(log).singleElement().asString().contains("known.invalid:9: no program listens there");
    }

    @Test
    void a_program_that_ends_before_a_refusal_was_reported_logs_it_at_its_end() throws Exception {
        int id = Cells.id(name);
        int port = Ports.reserve();
        Cells.add(id, 3);
        try (Emitter emitter =
                new Emitter(EmitterSettings.to("127.0.0.1:" + port).sweepMillis(60_000), log::add)) {
            emitter.start();
        }

        // On a busy machine close() may return before it is logged.
        await().until(() -> !log.isEmpty());
        assertThat(log)
                .singleElement()
                .isEqualTo("collector 127.0.0.1:" + port
                        + ": no program listened there when this program ended; counts that it"
                        + " had not received by then are lost");
    }

    @Test
    void a_collector_whose_address_is_found_only_at_the_end_receives_the_last_sweep() {
        int id = Cells.id(name);
        Cells.add(id, 3);
        try (CollectorSocket collector = new CollectorSocket()) {
            Emitter emitter = new Emitter(
                    EmitterSettings.to("collector:" + collector.port()).sweepMillis(60_000),
                    new CounterTable(),
                    log::add,
                    host -> new InetAddress[] {InetAddress.getLoopbackAddress()});
            emitter.start();

            emitter.close();

            await().until(() -> collector.received().value(name) == 3);
        }
        assertThat(log).isEmpty();
    }

    @Test
    void senders_with_different_lists_and_a_sender_whose_list_has_changed_stay_exact() {
        CountedCells one = new CountedCells();
        CountedCells other = new CountedCells();
        CounterTable table = one.table();
        try (CollectorSocket first = new CollectorSocket();
                CollectorSocket second = new CollectorSocket()) {
            String both = first.settings() + ";" + second.settings();
            for (int i = 0; i < 100; i++) {
                one.add(name + "." + i, 2);
                other.add(name + "." + i, 40);
            }
            try (Emitter emitter = new Emitter(EmitterSettings.to(both).sweepMillis(10), table, log::add);
                    Emitter beside = new Emitter(second.settings(), other.table(), log::add)) {
                emitter.start();
                beside.start();
                await().until(() -> sumsOf(first, second, 42));
            }
            for (int i = 0; i < 100; i++) {
                one.add(name + "." + i, 100);
            }
            try (Emitter again = new Emitter(first.settings(), table, log::add)) {
                again.start();
                await().until(() -> sumsOf(first, second, 142));
            }
        }
        assertThat(log).isEmpty();
    }

    private boolean sumsOf(CollectorSocket first, CollectorSocket second, long expected) {
        TotalsReceiver one = first.received();
        TotalsReceiver other = second.received();
        for (int i = 0; i < 100; i++) {
            String counted = name + "." + i;
            if (one.value(counted) + other.value(counted) != expected) {
                return false;
            }
        }
        return true;
    }

    private static int owner(KetamaRing ring, String counted) {
        byte[] bytes = counted.getBytes(ISO_8859_1);
        return ring.owner(bytes, 0, bytes.length, new KetamaHash());
    }

    private static void awaited(CountDownLatch latch) {
        try {
            latch.await(30, TimeUnit.SECONDS);
        } catch (InterruptedException ended) {
            throw new AssertionError(ended);
        }
    }

    private List<String> told(CollectorSocket collector) {
        return collector.datagrams().stream()
                .flatMap(datagram -> new String(datagram, ISO_8859_1).lines())
                .filter(line -> line.contains(" " + name + " "))
                .toList();
    }

    private static List<Thread> sweepThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("counters-sweep"))
                .toList();
    }
}
