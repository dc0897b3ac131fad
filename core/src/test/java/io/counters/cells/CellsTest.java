package io.counters.cells;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.cells.LoaderOfCopies.CopiedCells;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

@Timeout(120)
class CellsTest {
    private static final int PLACES = 4096;
    private static final AtomicInteger NAMES = new AtomicInteger();

    private final String name = "cells.test." + NAMES.incrementAndGet();

    @Test
    void a_name_has_one_id_and_ids_are_dense() {
        CopiedCells cells = new CopiedCells();

        assertThat(cells.id("a")).isZero();
        assertThat(cells.id("b")).isEqualTo(1);
        assertThat(cells.id("a")).isZero();
        assertThat(CellSource.names(cells.sources().get(0))).isEqualTo(Map.of("a", 0, "b", 1));
    }

    @Test
    void counts_go_up_and_down_and_below_zero() {
        int id = Cells.id(name);

        Cells.increment(id);
        Cells.add(id, 10);
        Cells.decrement(id);
        Cells.add(id, -30);

        assertThat(Sums.of(name)).isEqualTo(-20);
    }

    @Test
    void eight_threads_count_exactly() throws Exception {
        int id = Cells.id(name);
        int down = Cells.id(name + ".down");

        inThreads(8, thread -> {
            for (int i = 0; i < 1_000_000; i++) {
                Cells.increment(id);
                Cells.decrement(down);
            }
            return 0;
        });

        assertThat(Sums.of(name)).isEqualTo(8_000_000);
        assertThat(Sums.of(name + ".down")).isEqualTo(-8_000_000);
    }

    @Test
    @Tag("slow")
    void sums_read_while_threads_count_never_fall_and_never_exceed_the_counts_begun() throws Exception {
        CopiedCells cells = new CopiedCells();
        int id = cells.id("short.lived");
        // Many blocks make reading slow, so that threads end in the middle of it.
        Thread widener = new Thread(() -> {
            for (int i = 1; i < Cells.COUNTERS_MAX; i++) {
                cells.add(cells.id("c" + i), 1);
            }
        });
        widener.start();
        widener.join();
        Object[] source = cells.sources().get(0);
        AtomicLong begun = new AtomicLong();
        AtomicBoolean enough = new AtomicBoolean();
        ExecutorService starters = Executors.newFixedThreadPool(2);

        List<Future<?>> starting = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            starting.add(starters.submit(() -> {
                while (!enough.get()) {
                    Thread shortLived = new Thread(() -> {
                        begun.addAndGet(1_000);
                        cells.add(id, 1_000);
                    });
                    shortLived.start();
                    shortLived.join();
                }
                return null;
            }));
        }
        await().until(() -> cells.sums().containsKey("short.lived"));
        long last = 0;
        for (int reading = 0; reading < 500; reading++) {
            long[] sums = new long[Cells.COUNTERS_MAX];
            CellSource.sum(source, sums);
            assertThat(sums[id]).isGreaterThanOrEqualTo(last).isLessThanOrEqualTo(begun.get());
            last = sums[id];
        }
        enough.set(true);
        for (Future<?> done : starting) {
            done.get(10, TimeUnit.SECONDS);
        }
        starters.shutdown();

        assertThat(last).isPositive();
        assertThat(cells.sums()).containsEntry("short.lived", begun.get());
    }

    @Test
    @Tag("slow")
    void dead_threads_leave_their_counts_but_no_rows() throws Exception {
        CopiedCells cells = new CopiedCells();
        int id = cells.id("short.lived");
        int threads = 20_000;
        AtomicInteger rowsMost = new AtomicInteger();

        for (int i = 0; i < threads; i++) {
            Thread shortLived = new Thread(() -> cells.add(id, 1));
            shortLived.start();
            shortLived.join();
            rowsMost.accumulateAndGet(rows(cells), Math::max);
        }

        assertThat(cells.sums()).isEqualTo(Map.of("short.lived", (long) threads));
        assertThat(rowsMost).as("while nothing reads").hasValueBetween(1, 64);
        assertThat(rows(cells)).as("after reading").isZero();
    }

    /** How many threads own a row. */
    private static int rows(CopiedCells cells) {
        Object[] owners = (Object[]) cells.sources().get(0)[1];
        synchronized (owners) {
            return (int) Arrays.stream(owners).filter(Objects::nonNull).count();
        }
    }

    @Test
    void a_dead_thread_is_not_referenced_after_the_cells_were_read() throws Exception {
        int id = Cells.id(name);
        WeakReference<Thread> dead = countInAThread(id);

        await().atMost(Duration.ofSeconds(60)).until(() -> {
            System.gc();
            return Sums.of(name) == 7 && dead.get() == null;
        });
    }

    private static WeakReference<Thread> countInAThread(int id) throws InterruptedException {
        Thread thread = new Thread(() -> Cells.add(id, 7));
        thread.start();
        thread.join();
        return new WeakReference<>(thread);
    }

    @Test
    void rows_grow_with_the_ids_and_keep_their_counts() throws Exception {
        CopiedCells cells = new CopiedCells();
        int counters = 5_000;

        inThreads(4, thread -> {
            for (int i = 0; i < counters; i++) {
                cells.add(cells.id("c" + i), i + 1);
                cells.add(cells.id("c" + i / 2), 1_000_000);
            }
            return 0;
        });

        Map<String, Long> sums = cells.sums();
        assertThat(sums).hasSize(counters);
        for (int i = 0; i < counters; i++) {
            long halves = 2 * i + 1 < counters ? 2 : 2 * i < counters ? 1 : 0;
            assertThat(sums.get("c" + i)).as("c%d", i).isEqualTo(4 * (i + 1 + halves * 1_000_000));
        }
    }

    @Test
    void sixty_thousand_counters_are_summed_into_an_array_of_any_length() {
        CopiedCells cells = new CopiedCells();
        for (int i = 0; i < 60_000; i++) {
            cells.add(cells.id("c" + i), 1);
        }
        Object[] source = cells.sources().get(0);
        long[] longer = new long[2 * Cells.COUNTERS_MAX + 2];
        long[] shorter = new long[300];

        CellSource.sum(source, longer);
        CellSource.sum(source, shorter);

        assertThat(longer).startsWith(1, 1, 1);
        assertThat(longer[59_999]).isEqualTo(1);
        assertThat(longer[60_000]).isZero();
        assertThat(shorter).containsOnly(1);
    }

    @Test
    void threads_with_the_same_first_place_count_exactly() throws Exception {
        int id = Cells.id(name);

        inThreadsOfOnePlace(16, () -> countTo(id, 10_000));

        assertThat(Sums.of(name)).isEqualTo(16 * 10_000);
    }

    @Test
    void threads_that_find_no_free_place_count_in_shared_blocks() throws Exception {
        CopiedCells cells = new CopiedCells();
        int id = cells.id("crowded");
        AtomicInteger rowsMost = new AtomicInteger();

        inThreadsOfOnePlace(24, () -> {
            for (int i = 0; i < 2_000; i++) {
                cells.add(id, 1);
            }
            rowsMost.accumulateAndGet(rows(cells), Math::max);
        });

        assertThat(cells.sums()).isEqualTo(Map.of("crowded", 24L * 2_000));
        assertThat(rowsMost).as("the other 8 have none").hasValue(16);
    }

    @Test
    void threads_with_the_same_first_place_count_exactly_while_their_rows_grow() throws Exception {
        CopiedCells cells = new CopiedCells();
        int counters = 2_000;

        inThreadsOfOnePlace(2, () -> {
            for (int i = 0; i < counters; i++) {
                cells.add(cells.id("c" + i), 1);
                cells.add(cells.id("c0"), 1);
                cells.add(cells.id("c" + i), 1);
            }
        });

        Map<String, Long> sums = cells.sums();
        assertThat(sums.remove("c0")).isEqualTo(2L * (counters + 2));
        assertThat(sums).hasSize(counters - 1);
        assertThat(sums.values()).containsOnly(4L);
    }

    @Test
    void a_thread_of_a_subclass_keeps_its_row_after_its_locals_are_cleared() throws Exception {
        CopiedCells cells = new CopiedCells();
        int id = cells.id("cleared");
        AtomicInteger rowsMost = new AtomicInteger();
        Runnable task = () -> {
            for (int i = 0; i < 100; i++) {
                cells.add(id, 1);
                cells.clearLocals();
            }
            rowsMost.accumulateAndGet(rows(cells), Math::max);
        };

        together(List.of(new Thread(task) {}, new Thread(task) {}));

        assertThat(cells.sums()).isEqualTo(Map.of("cleared", 200L));
        assertThat(rowsMost.get()).isLessThanOrEqualTo(2);
    }

    @Test
    void no_overridable_method_of_a_thread_is_called() throws Exception {
        CopiedCells cells = new CopiedCells();
        List<Thread> threads = new ArrayList<>();
        AtomicInteger called = new AtomicInteger();
        for (int i = 0; i < 20; i++) {
            threads.add(new TellTale(called, () -> {
                // Once with a row that grows, and once on the hot path.
                for (int counter = 0; counter < 100; counter++) {
                    cells.add(cells.id("c" + counter), 1);
                    cells.add(cells.id("c0"), 1);
                }
            }));
        }
        together(threads);

        assertThat(called).hasValue(0);
        assertThat(cells.sums()).hasSize(100).containsEntry("c0", 20L * 101).containsEntry("c99", 20L);
    }

    @Test
    @EnabledForJreRange(min = JRE.JAVA_21, disabledReason = "this JDK has no virtual threads: run it on 21 or newer")
    void virtual_threads_count_exactly_and_own_no_rows() throws Exception {
        CopiedCells cells = new CopiedCells();
        int id = cells.id("virtual");
        int high = cells.id("overwritten");
        for (int i = 0; i < 1_000; i++) {
            high = cells.id("c" + i);
        }
        int last = high;
        int threads = 10_000;
        CountDownLatch done = new CountDownLatch(threads);
        AtomicInteger virtual = new AtomicInteger();
        Executor starter = virtualThreads();

        for (int i = 0; i < threads; i++) {
            starter.execute(() -> {
                cells.add(id, 3);
                cells.add(last, -1);
                if (Thread.currentThread().getClass().getName().contains("VirtualThread")) {
                    virtual.incrementAndGet();
                }
                done.countDown();
            });
        }

        assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(virtual).hasValue(threads);
        assertThat(cells.sums()).isEqualTo(Map.of("virtual", 3L * threads, "c999", (long) -threads));
        assertThat(rows(cells)).isZero();
    }

    /** Calls {@code Executors.newVirtualThreadPerTaskExecutor()}, which does not exist in release 17. */
    private static Executor virtualThreads() throws ReflectiveOperationException {
        return (Executor)
                Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    }

    @Test
    void names_beyond_the_maximum_are_counted_together() {
        CopiedCells cells = new CopiedCells();
        for (int i = 0; i < Cells.COUNTERS_MAX; i++) {
            assertThat(cells.id("c" + i)).isEqualTo(i);
        }

        cells.add(cells.id("one.too.many"), 5);
        cells.add(cells.id("and.another"), 6);
        cells.add(cells.id("c99999"), 7);
        cells.add(cells.id(Cells.OVERFLOW), 8);

        assertThat(cells.id("one.too.many")).isEqualTo(Cells.COUNTERS_MAX);
        assertThat(cells.sums()).isEqualTo(Map.of(Cells.OVERFLOW, 19L, "c99999", 7L));
        assertThat(CellSource.names(cells.sources().get(0))).hasSize(Cells.COUNTERS_MAX + 1);
    }

    @Test
    void ids_that_many_threads_request_at_once_are_dense_and_stable() throws Exception {
        CopiedCells cells = new CopiedCells();
        int[][] ids = new int[4][1_000];

        inThreads(4, thread -> {
            for (int i = 0; i < 1_000; i++) {
                ids[thread][i] = cells.id("c" + i);
            }
            return 0;
        });

        assertThat(ids[1]).isEqualTo(ids[0]);
        assertThat(ids[3]).isEqualTo(ids[2]).isEqualTo(ids[0]);
        assertThat(ids[0]).containsOnlyOnce(IntStream.range(0, 1_000).toArray());
    }

    @Test
    void a_copy_that_joined_is_swept_by_name_and_only_once() {
        CopiedCells bridge = new CopiedCells();
        CopiedCells application = new CopiedCells();
        application.id("only.here");
        bridge.add(bridge.id("orders"), 5);
        application.add(application.id("orders"), 6);
        application.add(application.id("only.here"), 7);

        bridge.join(application.sources().get(0));
        bridge.join(application.sources().get(0));
        application.add(application.id("later"), 8);

        assertThat(bridge.sources()).hasSize(2);
        assertThat(bridge.sums()).isEqualTo(Map.of("orders", 11L, "only.here", 7L, "later", 8L));
        assertThat(application.sums()).isEqualTo(Map.of("orders", 6L, "only.here", 7L, "later", 8L));
    }

    @Test
    void an_unloaded_copy_is_folded_in_and_its_loader_is_not_referenced() throws Exception {
        CopiedCells bridge = new CopiedCells();
        bridge.add(bridge.id("orders"), 5);
        WeakReference<ClassLoader> loader = joinAndForget(bridge);
        assertThat(bridge.sources()).hasSize(2);

        await().atMost(Duration.ofSeconds(60)).until(() -> {
            System.gc();
            return loader.get() == null && bridge.sources().size() == 1;
        });

        assertThat(bridge.sums()).isEqualTo(Map.of("orders", 17L, "only.there", 7L));
        assertThat(bridge.sums()).as("once only").isEqualTo(Map.of("orders", 17L, "only.there", 7L));
    }

    @Test
    void copies_that_join_between_two_sweeps_release_the_dead_threads_of_earlier_ones() throws Exception {
        CopiedCells bridge = new CopiedCells();
        List<Object[]> sources = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            CopiedCells application = new CopiedCells();
            Thread thread = new Thread(() -> application.add(application.id("orders"), 1));
            thread.start();
            thread.join();
            sources.add(application.sources().get(0));
            bridge.join(sources.get(i));
        }

        long holding = sources.stream()
                .filter(source -> Arrays.stream((Thread[]) source[1]).anyMatch(Objects::nonNull))
                .count();

        assertThat(holding).isLessThan(16);
        assertThat(bridge.sums()).isEqualTo(Map.of("orders", 40L));
    }

    private static WeakReference<ClassLoader> joinAndForget(CopiedCells bridge) throws Exception {
        CopiedCells application = new CopiedCells();
        application.add(application.id("only.there"), 7);
        application.add(application.id("orders"), 6);
        inThreads(2, thread -> {
            application.add(application.id("orders"), 3);
            return 0;
        });
        bridge.join(application.sources().get(0));
        return new WeakReference<>(application.loader());
    }

    @Test
    void without_an_agent_there_is_no_bridge_to_join() {
        assertThat(Cells.joinBridge()).isFalse();
    }

    private static void countTo(int id, int counts) {
        for (int i = 0; i < counts; i++) {
            Cells.increment(id);
        }
    }

    /** Runs a task in {@code count} threads that begin at the same time. */
    private static void inThreads(int count, IntUnaryOperator task) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(count);
        Phaser together = new Phaser(count);
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int thread = i;
            running.add(threads.submit(() -> {
                together.arriveAndAwaitAdvance();
                return task.applyAsInt(thread);
            }));
        }
        for (Future<?> done : running) {
            done.get(60, TimeUnit.SECONDS);
        }
        threads.shutdown();
        assertThat(threads.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    }

    /** Runs a task in {@code count} threads that are alive together and first look for their rows in the same place. */
    // getId is deprecated since 19 in favor of threadId, which does not exist in release 17.
    @SuppressWarnings("deprecation")
    private static void inThreadsOfOnePlace(int count, Runnable task) throws Exception {
        List<Thread> threads = new ArrayList<>();
        CountDownLatch all = new CountDownLatch(count);
        Runnable together = () -> {
            task.run();
            all.countDown();
            try {
                all.await();
            } catch (InterruptedException ended) {
                Thread.currentThread().interrupt();
            }
        };
        // An id cannot be chosen, so threads are created until their ids fit; only those are started.
        Thread first = new Thread(together);
        for (Thread thread = first; threads.size() < count; thread = new Thread(together)) {
            if ((thread.getId() - first.getId()) % PLACES == 0) {
                threads.add(thread);
            }
        }
        together(threads);
    }

    private static void together(List<Thread> threads) throws InterruptedException {
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join(60_000);
            assertThat(thread.isAlive()).isFalse();
        }
    }

    /** Counts the calls of all methods that a subclass of Thread can override, once it runs. */
    private static final class TellTale extends Thread {
        private final AtomicInteger called;
        private final Runnable task;

        TellTale(AtomicInteger called, Runnable task) {
            this.called = called;
            this.task = task;
        }

        @SuppressWarnings("ReferenceEquality") // Its equals is one of the counted methods.
        private void told() {
            if (Thread.currentThread() == this) {
                called.incrementAndGet();
            }
        }

        @Override
        public void run() {
            task.run();
        }

        // Deprecated since 19, but older libraries override it.
        @SuppressWarnings("deprecation")
        @Override
        public long getId() {
            told();
            return 7;
        }

        @Override
        public boolean isInterrupted() {
            told();
            return super.isInterrupted();
        }

        @Override
        public ClassLoader getContextClassLoader() {
            told();
            return super.getContextClassLoader();
        }

        @Override
        public State getState() {
            told();
            return super.getState();
        }

        @Override
        public UncaughtExceptionHandler getUncaughtExceptionHandler() {
            told();
            return super.getUncaughtExceptionHandler();
        }

        @Override
        public StackTraceElement[] getStackTrace() {
            told();
            return super.getStackTrace();
        }

        @Override
        public int hashCode() {
            told();
            return 7;
        }

        @Override
        public boolean equals(Object other) {
            told();
            return true;
        }

        @Override
        public String toString() {
            told();
            return "";
        }
    }
}
