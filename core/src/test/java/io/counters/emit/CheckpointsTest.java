package io.counters.emit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import jdk.crac.Core;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Checkpoints of CRaC, of which test-support has a stand-in, by it and by the real {@code org.crac}, which passes on to it. */
@Timeout(180)
class CheckpointsTest {
    private static final ClassLoader LOADER = CheckpointsTest.class.getClassLoader();

    private final List<String> log = new CopyOnWriteArrayList<>();

    /** On a busy machine an emitter of an earlier test may not have closed its sockets yet. */
    @BeforeEach
    void wait_for_earlier_sweeps_to_end() {
        await().until(() -> threads("counters-sweep").isEmpty());
    }

    @Test
    void a_program_is_told_by_the_jvm_and_by_the_library_as_long_as_its_registration_is_kept() throws Exception {
        for (String api : List.of(Checkpoints.OF_THE_JVM, Checkpoints.OF_THE_APPLICATION)) {
            Told told = new Told();
            Checkpoints kept = new Checkpoints(told);

            assertThat(kept.register(api, LOADER)).as(api).isTrue();
            System.gc();
            Core.checkpointRestore();
            Core.checkpointRestore();

            assertThat(told.of).as(api).containsExactly("before", "after", "before", "after");
            assertThat(kept).isNotNull();
        }
    }

    @Test
    void without_crac_nothing_is_registered_and_nothing_printed() throws Exception {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream stderr = System.err;
        System.setErr(new PrintStream(said, true, UTF_8));
        try {
            Checkpoints checkpoints = new Checkpoints(new Told());

            assertThat(checkpoints.register(Checkpoints.OF_THE_JVM, null)).isFalse();
            assertThat(checkpoints.register(Checkpoints.OF_THE_APPLICATION, ClassLoader.getPlatformClassLoader()))
                    .isFalse();
        } finally {
            System.setErr(stderr);
        }
        assertThat(said.toString(UTF_8)).isEmpty();
    }

    @Test
    void the_library_in_a_jvm_without_crac_takes_the_registration_and_does_nothing() throws Exception {
        URL library = org.crac.Core.class.getProtectionDomain().getCodeSource().getLocation();
        Told told = new Told();
        try (URLClassLoader alone = new URLClassLoader(new URL[] {library}, ClassLoader.getPlatformClassLoader())) {
            assertThat(new Checkpoints(told).register(Checkpoints.OF_THE_APPLICATION, alone))
                    .isTrue();
        }
        assertThat(told.of).isEmpty();
    }

    @Test
    void a_registered_resource_is_equal_to_itself_only() {
        Checkpoints checkpoints = new Checkpoints(new Told());
        List<Object> resources = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            resources.add(java.lang.reflect.Proxy.newProxyInstance(
                    LOADER, new Class<?>[] {jdk.crac.Resource.class}, checkpoints));
        }

        assertThat(resources.get(0))
                .isEqualTo(resources.get(0))
                .isNotEqualTo(resources.get(1))
                .hasToString("counters");
        assertThat(resources.get(0).hashCode()).isNotEqualTo(resources.get(1).hashCode());
    }

    @Test
    void before_a_checkpoint_all_is_sent_and_closed_and_after_it_a_new_stream_begins_where_the_name_is_looked_up_again()
            throws Exception {
        CountedCells cells = new CountedCells();
        AtomicInteger lookUps = new AtomicInteger();
        try (CollectorSocket collector = new CollectorSocket()) {
            long sockets = sockets();
            EmitterSettings settings = EmitterSettings.to("collector:" + collector.port());
            try (Emitter emitter = new Emitter(settings.sweepMillis(20), cells.table(), log::add, host -> {
                lookUps.incrementAndGet();
                return new InetAddress[] {InetAddress.getLoopbackAddress()};
            })) {
                cells.add("a", 3);
                emitter.start();
                await().until(() -> collector.received().value("a") == 3);
                int before = lookUps.get();
                cells.add("a", 4);

                emitter.beforeCheckpoint();
                emitter.beforeCheckpoint();

                assertThat(sockets()).as("open sockets").isEqualTo(sockets);
                await().until(() -> collector.received().value("a") == 7);
                await().until(() -> threads("counters-resolve").isEmpty());
                cells.add("a", 100);
                int datagrams = collector.datagrams().size();
                await().during(Duration.ofMillis(200)).until(() -> {
                    collector.received();
                    return collector.datagrams().size() == datagrams;
                });
                assertThat(lookUps.get()).isEqualTo(before);

                emitter.afterRestore();
                await().until(() -> collector.received().value("a") == 107);
                assertThat(collector.received().streams()).hasSizeGreaterThanOrEqualTo(2);
                assertThat(lookUps.get()).isGreaterThan(before);
            }
            // On a busy machine close() may return before they are closed.
            await().until(() -> sockets() == sockets);
        }
        assertThat(log).isEmpty();
    }

    @Test
    void an_emitter_that_ends_while_its_process_is_checkpointed_sends_what_was_counted_since() {
        CountedCells cells = new CountedCells();
        try (CollectorSocket collector = new CollectorSocket()) {
            Emitter emitter = new Emitter(collector.settings(), cells.table(), log::add);
            cells.add("a", 1);
            emitter.start();
            emitter.beforeCheckpoint();
            cells.add("a", 2);

            emitter.close();

            await().until(() -> collector.received().value("a") == 3);
            emitter.beforeCheckpoint();
            emitter.afterRestore();
        }
        assertThat(log).isEmpty();
    }

    @Test
    void what_has_no_address_yet_is_sent_after_the_restore_in_the_stream_that_all_copies_share() {
        CountedCells cells = new CountedCells();
        List<InetAddress> known = new CopyOnWriteArrayList<>();
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter = new Emitter(
                        EmitterSettings.to("collector:" + collector.port()).sweepMillis(20),
                        cells.table(),
                        log::add,
                        host -> known.toArray(InetAddress[]::new))) {
            cells.add("a", 3);
            emitter.start();
            emitter.beforeCheckpoint();
            cells.add("a", 4);
            known.add(InetAddress.getLoopbackAddress());

            emitter.afterRestore();

            await().until(() -> collector.received().value("a") == 7);
            assertThat(collector.received().streams()).hasSize(2);
            // A collector that has forgotten the stream, which other copies send too, must not count it again.
            assertThat(lines(collector)).contains("increment a 0 3").doesNotContain("increment a 3 3");
        }
    }

    @Test
    void what_is_counted_while_a_name_is_looked_up_before_a_checkpoint_is_sent_before_it() {
        CountedCells cells = new CountedCells();
        CountDownLatch never = new CountDownLatch(1);
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter = new Emitter(
                        EmitterSettings.to("collector:" + collector.port()).sweepMillis(60_000),
                        cells.table(),
                        log::add,
                        host -> {
                            InetAddress[] found = slowly(never, 200);
                            cells.add("a", 4);
                            return found;
                        })) {
            cells.add("a", 3);
            emitter.start();

            emitter.beforeCheckpoint();

            await().until(() -> collector.received().value("a") == 7);
            assertThat(collector.received().streams()).hasSize(2);
        }
    }

    @Test
    void a_look_up_that_is_repeated_while_a_checkpoint_is_prepared_has_ended_before_it() {
        CountedCells cells = new CountedCells();
        CountDownLatch again = new CountDownLatch(2);
        CountDownLatch never = new CountDownLatch(1);
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter = new Emitter(
                        EmitterSettings.to("collector:" + collector.port()).sweepMillis(20),
                        cells.table(),
                        log::add,
                        host -> {
                            again.countDown();
                            return again.getCount() > 0 ? new InetAddress[0] : slowly(never, 250);
                        })) {
            emitter.start();
            await().until(() -> again.getCount() == 0);

            emitter.beforeCheckpoint();

            assertThat(threads("counters-resolve")).isEmpty();
        }
    }

    @Test
    void streams_of_before_a_checkpoint_are_not_repeated_to_a_collector_that_has_moved_meanwhile() throws Exception {
        CountedCells cells = new CountedCells();
        List<InetAddress> known = new CopyOnWriteArrayList<>(List.of(InetAddress.getLoopbackAddress()));
        InetAddress other = InetAddress.getByAddress(new byte[] {127, 0, 0, 2});
        try (CollectorSocket collector = new CollectorSocket();
                CollectorSocket moved = new CollectorSocket(other, collector.port());
                Emitter emitter = new Emitter(
                        EmitterSettings.to("collector:" + collector.port()).sweepMillis(20),
                        cells.table(),
                        log::add,
                        host -> known.toArray(InetAddress[]::new))) {
            cells.add("a", 3);
            emitter.start();
            await().until(() -> collector.received().value("a") == 3);
            emitter.beforeCheckpoint();
            known.set(0, other);
            cells.add("a", 4);

            emitter.afterRestore();

            await().until(() -> moved.received().value("a") > 0);
            assertThat(moved.received().value("a")).isEqualTo(4);
            assertThat(log).containsExactly("collector collector:" + collector.port() + " has moved to 127.0.0.2");
        }
    }

    @Test
    void streams_end_before_a_checkpoint_though_it_can_not_be_prepared() {
        CountedCells cells = new CountedCells();
        CountDownLatch looking = new CountDownLatch(1);
        List<String> thrown = new CopyOnWriteArrayList<>();
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter = new Emitter(
                        EmitterSettings.to("127.0.0.1:" + collector.port() + "*20;unknown:1")
                                .sweepMillis(1_500),
                        cells.table(),
                        line -> {
                            if (line.contains("does not resolve") && thrown.isEmpty()) {
                                thrown.add(line);
                                throw new IllegalStateException("of the test");
                            }
                            log.add(line);
                        },
                        host -> {
                            await().until(() -> looking.getCount() == 0);
                            return new InetAddress[0];
                        })) {
            // The unknown one may own some of them.
            List.of("a", "b", "c", "d", "e").forEach(name -> cells.add(name, 3));
            emitter.start();
            await().until(() -> !collector.received().values().isEmpty());
            String owned = collector.received().values().keySet().iterator().next();
            looking.countDown();
            await().until(() -> threads("counters-resolve").stream()
                    .allMatch(thread -> Stream.of(thread.getStackTrace())
                            .anyMatch(frame -> frame.getMethodName().equals("pause"))));

            emitter.beforeCheckpoint();
            emitter.afterRestore();
            cells.add(owned, 4);

            await().until(() -> collector.received().value(owned) == 7);
            assertThat(thrown).hasSize(1);
            assertThat(collector.received().streams()).hasSize(2);
        }
    }

    @Test
    void a_program_that_fails_does_not_make_the_checkpoint_fail() throws Exception {
        Checkpoints kept = new Checkpoints(new Checkpointed() {
            @Override
            public void beforeCheckpoint() {
                throw new OutOfMemoryError("of the test");
            }

            @Override
            public void afterRestore() {
                throw new IllegalStateException("of the test");
            }
        });

        assertThat(kept.register(Checkpoints.OF_THE_JVM, LOADER)).isTrue();
        Core.checkpointRestore();
        assertThat(kept).isNotNull();
    }

    @Test
    void a_name_that_is_looked_up_slowly_is_awaited_and_its_look_up_has_ended() {
        CountedCells cells = new CountedCells();
        CountDownLatch asked = new CountDownLatch(1);
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter = new Emitter(
                        EmitterSettings.to("collector:" + collector.port()),
                        cells.table(),
                        log::add,
                        host -> slowly(asked, 700))) {
            cells.add("a", 3);
            emitter.start();

            emitter.beforeCheckpoint();

            assertThat(threads("counters-resolve")).isEmpty();
            await().until(() -> collector.received().value("a") == 3);
        }
        assertThat(log).isEmpty();
    }

    @Test
    void a_checkpoint_right_after_a_restore_sends_what_was_counted_between() {
        CountedCells cells = new CountedCells();
        try (CollectorSocket collector = new CollectorSocket();
                Emitter emitter = new Emitter(collector.settings(), cells.table(), log::add)) {
            emitter.start();
            for (int i = 1; i <= 20; i++) {
                emitter.beforeCheckpoint();
                emitter.afterRestore();
                cells.add("a", 5);
                emitter.beforeCheckpoint();

                int sum = 5 * i;
                // What was sent is in the socket; what comes later would come from a copy, too.
                await().until(() -> collector.received().value("a") == sum);
                emitter.afterRestore();
            }
        }
    }

    /** A look-up that takes so long. */
    private static InetAddress[] slowly(CountDownLatch asked, long millis) {
        try {
            asked.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException ended) {
            throw new AssertionError(ended);
        }
        return new InetAddress[] {InetAddress.getLoopbackAddress()};
    }

    private static List<String> lines(CollectorSocket collector) {
        return collector.datagrams().stream()
                .flatMap(bytes -> new String(bytes, UTF_8).lines())
                .toList();
    }

    private static List<Thread> threads(String name) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals(name))
                .toList();
    }

    /** The open sockets of this JVM. */
    private static long sockets() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return files.filter(CheckpointsTest::isSocket).count();
        }
    }

    private static boolean isSocket(Path file) {
        try {
            return Files.readSymbolicLink(file).toString().startsWith("socket:");
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }

    private static final class Told implements Checkpointed {
        final List<String> of = new ArrayList<>();

        @Override
        public void beforeCheckpoint() {
            of.add("before");
        }

        @Override
        public void afterRestore() {
            of.add("after");
        }
    }
}
