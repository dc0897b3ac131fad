package io.counters.cells;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.cells.LoaderOfCopies.CopiedCells;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** Measures the memory figures of {@link Cells}; {@code -Dcounters.threads=1000000} runs the long form. */
@Timeout(300)
@Tag("slow")
class CellsMemoryTest {
    private static final int COUNTERS = 10_000;
    private static final int SHORT_LIVED = Integer.getInteger("counters.threads", 30_000);

    private final CopiedCells cells = new CopiedCells();
    private final int[] ids = new int[COUNTERS];

    @BeforeEach
    void warm_up() throws Exception {
        cells.add(cells.id("warm"), 1);
        join(start(() -> cells.add(0, 1)));
    }

    @Test
    void a_counter_needs_its_name_and_64_bytes_and_8_to_16_bytes_per_living_thread_that_counts_it() throws Exception {
        long before = heapBytes();
        name();
        long named = heapBytes();
        CountDownLatch counted = new CountDownLatch(10);
        CountDownLatch enough = new CountDownLatch(1);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            threads.add(start(() -> {
                countAll();
                counted.countDown();
                await(enough);
            }));
        }
        counted.await();
        long rows = heapBytes();
        enough.countDown();
        for (Thread thread : threads) {
            join(thread);
        }
        cells.sums();
        long folded = heapBytes();

        long perCounter = (named - before) / COUNTERS;
        double perCounterAndThread = (rows - named) / 10.0 / COUNTERS;
        System.out.printf(
                "bytes: %d per counter, %.1f per counter and living thread%n", perCounter, perCounterAndThread);
        assertThat(perCounter).isBetween(50L + 64, 200L + 64);
        assertThat(perCounterAndThread).isBetween(8.0, 16.5);
        assertThat(folded - named).as("dead threads leave nothing").isLessThan(8L * COUNTERS);
        assertThat(cells.sums()).hasSize(COUNTERS + 1);
    }

    @Test
    void a_thread_with_few_counters_takes_under_400_bytes() throws Exception {
        // The first threads of a JVM, and the first collections of its heap, leave other things behind.
        run(1_000);
        heapBytes();
        cells.sums();
        CountDownLatch enough = new CountDownLatch(1);
        int threads = 1_000;
        CountDownLatch ready = new CountDownLatch(threads);
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch counted = new CountDownLatch(threads);
        List<Thread> all = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            all.add(start(() -> {
                ready.countDown();
                await(go);
                cells.add(0, 1);
                counted.countDown();
                await(enough);
            }));
        }
        ready.await();
        long before = heapBytes();
        go.countDown();
        counted.await();
        long after = heapBytes();
        enough.countDown();
        for (Thread thread : all) {
            join(thread);
        }

        System.out.printf("bytes: %d per living thread with few counters%n", (after - before) / threads);
        assertThat((after - before) / threads).isBetween(200L, 400L);
        assertThat(cells.sums()).isEqualTo(Map.of("warm", threads + 1_000 + 2L));
    }

    @Test
    void short_lived_threads_do_not_grow_the_heap_without_sweeps() throws Exception {
        run(SHORT_LIVED / 10);
        long early = heapBytes();
        run(SHORT_LIVED - SHORT_LIVED / 10);
        long late = heapBytes();

        System.out.printf("bytes: %d more after %d threads%n", late - early, SHORT_LIVED);
        assertThat(late - early).isLessThan(300_000);
        assertThat(cells.sums()).isEqualTo(Map.of("warm", SHORT_LIVED + 2L));
    }

    @Test
    @EnabledForJreRange(min = JRE.JAVA_21, disabledReason = "this JDK has no virtual threads: run it on 21 or newer")
    void a_hundred_thousand_living_virtual_threads_share_64_bytes_per_counter() throws Exception {
        name();
        int threads = 100_000;
        Executor starter = (Executor)
                Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        CountDownLatch ready = new CountDownLatch(threads);
        CountDownLatch counted = new CountDownLatch(threads);
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch enough = new CountDownLatch(1);
        for (int i = 0; i < threads; i++) {
            int mine = i;
            starter.execute(() -> {
                ready.countDown();
                await(go);
                cells.add(ids[mine % COUNTERS], 1);
                counted.countDown();
                await(enough);
            });
        }
        ready.await();
        go.countDown();
        counted.await();
        long bytes = sharedBytes();
        enough.countDown();

        System.out.printf("bytes: %d per counter for 100,000 virtual threads%n", bytes / COUNTERS);
        assertThat(bytes).isBetween(64L * COUNTERS, 68L * COUNTERS);
        assertThat(Arrays.stream((Object[]) cells.sources().get(0)[1]).filter(Objects::nonNull))
                .as("only the dead warm-up thread has a row, which is not folded yet")
                .hasSizeLessThanOrEqualTo(2);
        assertThat(cells.sums().values().stream().mapToLong(Long::longValue).sum())
                .isEqualTo(threads + 2L);
    }

    @Test
    void a_counter_with_an_id_counts_without_memory() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process full = new ProcessBuilder(
                        java,
                        "-Xmx24m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        NoMemory.class.getName())
                .redirectErrorStream(true)
                .start();

        String said = new String(full.getInputStream().readAllBytes(), UTF_8);

        assertThat(said.trim()).isEqualTo("met null, counted 2000");
        assertThat(full.waitFor()).isZero();
    }

    /**
     * The memory of the blocks that virtual and dead threads use. The heap is no measure, because stacks change it by
     * more.
     */
    private long sharedBytes() {
        AtomicReferenceArray<?> blocks =
                (AtomicReferenceArray<?>) cells.sources().get(0)[3];
        long longs = 0;
        for (int i = 0; i < blocks.length(); i++) {
            AtomicLongArray block = (AtomicLongArray) blocks.get(i);
            longs += block == null ? 0 : block.length();
        }
        return Long.BYTES * longs;
    }

    private void name() {
        for (int i = 0; i < COUNTERS; i++) {
            ids[i] = cells.id("some.service.and.its.counter." + i);
        }
    }

    private void countAll() {
        for (int i = COUNTERS - 1; i >= 0; i--) {
            cells.add(ids[i], 1);
        }
    }

    private void run(int threads) throws InterruptedException {
        for (int i = 0; i < threads; i++) {
            join(start(() -> cells.add(0, 1)));
        }
    }

    private static Thread start(Runnable task) {
        Thread thread = new Thread(null, task, "counting", 64 * 1024);
        thread.start();
        return thread;
    }

    private static void join(Thread thread) throws InterruptedException {
        thread.join(60_000);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private static long heapBytes() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 4; i++) {
            System.gc();
            least = Math.min(
                    least,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }
}
