package io.counters.micrometer;

import static io.counters.junit.CountedAssert.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.counters.Counters;
import io.counters.junit.Counted;
import io.counters.junit.CountersExtension;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MockClock;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(CountersExtension.class)
class CountersMeterRegistryTest {
    private static final String FAULTS = "counters.micrometer.faults,reason=";

    private final List<String> info = new CopyOnWriteArrayList<>();
    private final List<String> log = new CopyOnWriteArrayList<>();
    private final CountersMeterRegistry registry = registry(Clock.SYSTEM, log::add);

    /** Its functions may take their time when they are read for the last time: the machine may be busy. */
    private CountersMeterRegistry registry(Clock clock, Consumer<String> warnings) {
        return new CountersMeterRegistry(clock, info::add, warnings, 60_000);
    }

    @AfterEach
    void close() {
        registry.close();
    }

    @Test
    void a_counter_counts_under_its_name_and_tags(Counted counters) {
        Counter placed = Counter.builder("orders.placed")
                .tag("method", "card")
                .tag("currency", "eur")
                .register(registry);

        placed.increment();
        placed.increment(41);

        assertThat(counters).counted("orders.placed,currency=eur,method=card", 42);
        assertThat(placed.count()).isEqualTo(42);
        assertThat(log).isEmpty();
    }

    @Test
    void meters_registries_and_the_api_share_the_counter_of_a_name(Counted counters) {
        MeterRegistry other = registry(Clock.SYSTEM, log::add);

        registry.counter("shared").increment();
        other.counter("shared").increment();
        Counters.increment("shared");

        assertThat(counters).counted("shared", 3);
        other.close();
    }

    @Test
    void two_threads_that_register_one_meter_get_the_same(Counted counters) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        CountDownLatch together = new CountDownLatch(4);
        List<Future<Counter>> registered = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            registered.add(threads.submit(() -> {
                together.countDown();
                together.await();
                Counter counter = registry.counter("of.threads");
                for (int n = 0; n < 10_000; n++) {
                    counter.increment();
                    counter.increment(0.25);
                }
                return counter;
            }));
        }

        for (Future<Counter> each : registered) {
            assertThat(each.get()).isSameAs(registered.get(0).get());
        }
        assertThat(counters).counted("of.threads", 50_000);
        threads.shutdown();
    }

    /** 0.1 and the like are no binary fractions; as decimals they add up to a whole without an error. */
    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.7, 1.3, 1999.99, 0.000001, 1234567.1, 0.3333333333333333, 1e-9, 123456789.000001})
    void fractions_add_up_to_a_millionth(double amount, Counted counters) {
        String name = "fractions.n" + Double.doubleToLongBits(amount);
        Counter counter = registry.counter(name);

        for (int i = 0; i < 1_000; i++) {
            counter.increment(amount);
        }

        double exact = java.math.BigDecimal.valueOf(amount).movePointRight(3).doubleValue();
        assertThat(counter.count()).isCloseTo(exact, within(1e-6));
        // What is left of the fraction began at a random one.
        long whole = (long) (exact + 1e-7);
        assertThat(counters.amounts().getOrDefault(name, 0L))
                .isBetween(whole, Math.abs(exact - whole) < 1e-7 ? whole : whole + 1);
    }

    @Test
    void a_fraction_outlives_its_meter(Counted counters) {
        Counter first = registry.counter("fraction.kept");
        first.increment(0.75);
        registry.remove(first);

        Counter second = registry.counter("fraction.kept");
        second.increment(0.25);

        assertThat(second).isNotSameAs(first);
        assertThat(second.count()).isEqualTo(0.25);
        assertThat(counters).counted("fraction.kept", 1);
    }

    @Test
    void fractions_of_two_registries_are_one(Counted counters) {
        MeterRegistry other = registry(Clock.SYSTEM, log::add);

        registry.counter("fraction.shared").increment(0.5);
        other.counter("fraction.shared").increment(0.5);

        assertThat(counters).counted("fraction.shared", 1);
        other.close();
    }

    /** As 1,000 processes would that add 0.5 each; the standard deviation is 16. */
    @Test
    void fractions_that_are_left_are_right_on_average(Counted counters) {
        for (int i = 0; i < 1_000; i++) {
            registry.counter("left.over" + i).increment(0.5);
        }

        assertThat(counters.amounts().values().stream()
                        .mapToLong(Long::longValue)
                        .sum())
                .isBetween(380L, 620L);
    }

    @Test
    void amounts_that_are_negative_or_no_numbers_are_counted_as_faults_and_logged_once(Counted counters) {
        Counter counter = registry.counter("wrong");
        DistributionSummary summary = registry.summary("wrong.summary");

        counter.increment(-1);
        counter.increment(-0.5);
        counter.increment(Double.NaN);
        counter.increment(Double.POSITIVE_INFINITY);
        counter.increment(0x1p63);
        summary.record(Double.POSITIVE_INFINITY);
        counter.increment(0);
        counter.increment(0x1p62);

        assertThat(counters)
                .counted("wrong", 1L << 62)
                .counted(FAULTS + "negative", 2)
                .counted(FAULTS + "not_finite", 4);
        assertThat(log)
                .containsExactly(
                        "the meter wrong: it was given the negative amount -1.0; a meter only rises, so it is not counted. Further"
                                + " cases are not logged, and are counted as " + FAULTS + "negative",
                        "the meter wrong: it was given NaN, which is no number below 2^63; it is not counted. Further cases are"
                                + " not logged, and are counted as " + FAULTS + "not_finite");
    }

    @Test
    void a_timer_counts_calls_and_whole_nanoseconds(Counted counters) {
        Timer timer = registry.timer("checkout", "shop", "1");

        timer.record(3, TimeUnit.MILLISECONDS);
        timer.record(Duration.ofNanos(7));

        assertThat(counters).counted("checkout.count,shop=1", 2).counted("checkout.total,shop=1", 3_000_007);
        assertThat(timer.count()).isEqualTo(2);
        assertThat(timer.totalTime(TimeUnit.NANOSECONDS)).isEqualTo(3_000_007);
        assertThat(timer.max(TimeUnit.MILLISECONDS)).isEqualTo(3);
    }

    @Test
    void a_summary_counts_records_and_adds_up_amounts(Counted counters) {
        DistributionSummary summary = registry.summary("basket");

        summary.record(2.5);
        summary.record(2.5);
        summary.record(-1);

        assertThat(counters).counted("basket.count", 2).counted("basket.total", 5);
        assertThat(summary.totalAmount()).isEqualTo(5);
        assertThat(summary.max()).isEqualTo(2.5);
    }

    @Test
    @org.junit.jupiter.api.Tag("slow")
    void a_function_counter_is_read_every_10_seconds_by_a_daemon_thread(Counted counters) {
        AtomicLong hits = new AtomicLong(5);
        FunctionCounter counter =
                FunctionCounter.builder("cache.hits", hits, AtomicLong::get).register(registry);

        assertThat(counters).within(Duration.ofSeconds(30)).counted("cache.hits", 5);
        assertThat(counter.count()).isEqualTo(5);
        // Threads of registries that other tests have closed may still be ending.
        await().untilAsserted(
                        () -> assertThat(threads()).allMatch(Thread::isDaemon).hasSize(1));
    }

    @Test
    void functions_are_read_for_a_last_time_when_their_meter_is_removed_or_the_registry_is_closed(Counted counters) {
        AtomicLong removed = new AtomicLong();
        AtomicLong closed = new AtomicLong();
        FunctionCounter counter = FunctionCounter.builder("last.removed", removed, AtomicLong::get)
                .register(registry);
        FunctionTimer.builder("last.closed", closed, AtomicLong::get, AtomicLong::get, TimeUnit.MICROSECONDS)
                .register(registry);

        removed.set(3);
        registry.remove(counter);
        closed.set(4);
        registry.close();
        registry.close();

        assertThat(counters)
                .counted("last.removed", 3)
                .counted("last.closed.count", 4)
                .counted("last.closed.total", 4_000);
        removed.set(100);
        closed.set(100);
        registry.readFunctions();
        assertThat(counters).counted("last.removed", 3).counted("last.closed.count", 4);
        assertThat(log).isEmpty();
    }

    @Test
    void meters_of_a_closed_registry_continue_to_count_and_removing_one_does_no_harm(Counted counters) {
        Counter counter = registry.counter("after.close");
        FunctionCounter function = FunctionCounter.builder("after.close.function", new AtomicLong(), AtomicLong::get)
                .register(registry);
        registry.close();

        counter.increment();
        registry.remove(function);

        assertThat(counters).counted("after.close", 1);
    }

    @Test
    void a_function_that_falls_fails_or_is_no_number_is_a_fault(Counted counters) {
        double[] value = {10.9};
        FunctionCounter.builder("odd", value, of -> {
                    if (of[0] == 666) {
                        throw new IllegalStateException("closed");
                    }
                    return of[0];
                })
                .register(registry);

        for (double next : new double[] {10.9, 11.1, Double.NaN, 4, 666, 6}) {
            value[0] = next;
            registry.readFunctions();
        }

        assertThat(counters)
                .counted("odd", 17)
                .counted(FAULTS + "not_finite", 1)
                .counted(FAULTS + "fell", 1)
                .counted(FAULTS + "failed", 1);
        assertThat(log)
                .hasSize(3)
                .anySatisfy(line -> assertThat(line)
                        .startsWith("the meter odd: its function failed: java.lang.IllegalStateException: closed; "));
    }

    @Test
    void a_function_that_falls_a_little_counts_above_its_highest_value(Counted counters) {
        AtomicLong value = new AtomicLong();
        FunctionCounter.builder("dips", value, AtomicLong::get).register(registry);

        for (long next : new long[] {100, 99, 100, 60, 101}) {
            value.set(next);
            registry.readFunctions();
        }

        assertThat(counters).counted("dips", 101).counted(FAULTS + "fell", 2);
    }

    @Test
    void a_function_that_falls_to_half_has_begun_again(Counted counters) {
        AtomicLong value = new AtomicLong();
        FunctionCounter.builder("begins.again", value, AtomicLong::get).register(registry);

        for (long next : new long[] {100, 5, 8, 0, 1}) {
            value.set(next);
            registry.readFunctions();
        }

        assertThat(counters).counted("begins.again", 109).counted(FAULTS + "fell", 2);
    }

    @Test
    void a_function_counts_once_though_it_is_registered_again_and_elsewhere(Counted counters) {
        AtomicLong value = new AtomicLong(1000);
        FunctionCounter.Builder<AtomicLong> function = FunctionCounter.builder("once", value, AtomicLong::get);
        FunctionTimer.Builder<AtomicLong> timer =
                FunctionTimer.builder("once.timed", value, AtomicLong::get, of -> 2 * of.get(), TimeUnit.NANOSECONDS);
        CountersMeterRegistry other = registry(Clock.SYSTEM, log::add);
        FunctionCounter first = function.register(registry);
        timer.register(registry);
        timer.register(other);
        registry.readFunctions();

        registry.remove(first);
        function.register(registry);
        function.register(other);
        registry.readFunctions();
        value.set(1001);
        other.readFunctions();
        registry.readFunctions();

        assertThat(counters)
                .counted("once", 1001)
                .counted("once.timed.count", 1001)
                .counted("once.timed.total", 2002);
        assertThat(log).isEmpty();
        other.close();
    }

    @Test
    void functions_of_one_object_whose_tags_were_left_out_add_up(Counted counters) {
        AtomicLong value = new AtomicLong(3);
        for (String last : new String[] {"1", "2"}) {
            FunctionCounter.builder("cut", value, AtomicLong::get)
                    .tag("a", "x".repeat(242))
                    .tag("b", last)
                    .register(registry);
        }
        registry.readFunctions();

        assertThat(counters.amounts().entrySet().stream()
                        .filter(each -> each.getKey().startsWith("cut")))
                .hasSize(1)
                .allSatisfy(each -> assertThat(each.getValue()).isEqualTo(6));
    }

    @Test
    void a_log_that_fails_does_not_end_the_reading(Counted counters) {
        CountersMeterRegistry unlogged = registry(Clock.SYSTEM, line -> {
            throw new IllegalStateException("no log");
        });
        for (int i = 0; i < 8; i++) {
            AtomicLong value = new AtomicLong(i);
            FunctionCounter.builder("unlogged", value, of -> Math.floorDiv(10L, of.get()))
                    .tag("n", "" + i)
                    .register(unlogged);
        }

        unlogged.readFunctions();

        assertThat(counters)
                .counted(FAULTS + "failed", 1)
                .counted("unlogged,n=1", 10)
                .counted("unlogged,n=7", 1);
        unlogged.close();
    }

    @Test
    void a_function_that_blocks_while_the_application_runs_is_a_fault(Counted counters) throws Exception {
        MockClock clock = new MockClock();
        CountersMeterRegistry watched = registry(clock, log::add);
        CountDownLatch reads = new CountDownLatch(1);
        CountDownLatch returns = new CountDownLatch(1);
        FunctionCounter hangs = FunctionCounter.builder("hangs", reads, of -> {
                    of.countDown();
                    try {
                        returns.await();
                    } catch (InterruptedException closed) {
                        Thread.currentThread().interrupt();
                    }
                    return 1;
                })
                .register(watched);
        // Reads it without waiting for it.
        watched.remove(hangs);
        reads.await();

        clock.add(Duration.ofMillis(9_999));
        watched.watchFunctions();
        assertThat(log).noneMatch(line -> line.contains("hangs"));
        clock.add(Duration.ofMillis(1));
        watched.watchFunctions();
        watched.watchFunctions();

        assertThat(log)
                .anyMatch(line -> line.startsWith("the meter hangs: its function has not returned for 10 s, and no"));
        assertThat(counters).counted(FAULTS + "blocked", 1);
        returns.countDown();
        watched.close();
        assertThat(counters).counted("hangs", 1);
    }

    @Test
    @org.junit.jupiter.api.Tag("slow")
    void a_function_that_blocks_does_not_block_the_end(Counted counters) {
        CountersMeterRegistry hurried = new CountersMeterRegistry(Clock.SYSTEM, info::add, log::add);
        CountDownLatch blocks = new CountDownLatch(1);
        AtomicLong hits = new AtomicLong(1);
        FunctionCounter.builder("blocking", hits, of -> {
                    try {
                        blocks.await();
                    } catch (InterruptedException closed) {
                        Thread.currentThread().interrupt();
                    }
                    return of.get();
                })
                .register(hurried);
        long begun = System.nanoTime();

        hurried.close();

        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(20));
        assertThat(counters).counted(FAULTS + "blocked", 1);
        await().untilAsserted(() -> assertThat(threads()).isEmpty());
    }

    /** Whichever of the two is read first removes the other one, and blocks until the registry gives it up. */
    @Test
    void a_function_whose_meter_is_removed_while_the_registry_is_closed_is_read_for_a_last_time(Counted counters) {
        CountersMeterRegistry hurried = new CountersMeterRegistry(Clock.SYSTEM, info::add, log::add);
        CountDownLatch never = new CountDownLatch(1);
        AtomicBoolean first = new AtomicBoolean(true);
        AtomicLong value = new AtomicLong(3);
        List<FunctionCounter> meters = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            int other = 1 - i;
            meters.add(FunctionCounter.builder("removed" + i, value, of -> {
                        if (first.getAndSet(false)) {
                            hurried.remove(meters.get(other));
                            try {
                                never.await();
                            } catch (InterruptedException closed) {
                                return of.get();
                            }
                        }
                        return of.get();
                    })
                    .register(hurried));
        }

        hurried.close();

        assertThat(counters)
                .within(Duration.ofSeconds(30))
                .counted("removed0", 3)
                .counted("removed1", 3);
        assertThat(value).as("is kept until here").hasValue(3);
    }

    @Test
    void characters_that_a_name_may_not_have_are_replaced_and_empty_tags_are_left_out(Counted counters) {
        registry.counter("http requests", "uri", "/orders/{id}", "größe", "ü😀", "none", "", "a,b", "c=d")
                .increment();

        assertThat(counters).counted("http_requests,a_b=c_d,gr__e=__,uri=/orders/_id_", 1);
        assertThat(log).isEmpty();
    }

    @Test
    void tags_that_do_not_fit_are_left_out_in_the_order_of_their_keys(Counted counters) {
        List<Tag> tags = new ArrayList<>();
        for (int i = 1; i <= 9; i++) {
            tags.add(Tag.of("k" + i, "v"));
        }

        registry.counter("many.tags", tags).increment();
        registry.counter("long.tags", Tags.of("a", "x".repeat(250), "b", "1")).increment();
        registry.timer("many.timed", tags).record(Duration.ofNanos(1));

        assertThat(counters)
                .counted("many.tags,k1=v,k2=v,k3=v,k4=v,k5=v,k6=v,k7=v", 1)
                .counted("long.tags,b=1", 1)
                .counted(FAULTS + "tags", 4);
        assertThat(log)
                .hasSize(3)
                .contains("the meter many.tags: the tags k8, k9 were left out of"
                        + " many.tags,k1=v,k2=v,k3=v,k4=v,k5=v,k6=v,k7=v; a name has at most 7 tags and 250 bytes; meters"
                        + " that differ in these tags only add up. Further cases of this name are not logged, and are"
                        + " counted as " + FAULTS + "tags")
                .anyMatch(line -> line.startsWith("the meter long.tags: the tags a were left out of long.tags,b=1; "))
                .anyMatch(
                        line -> line.startsWith("the meter many.timed: the tags k8, k9 were left out of many.timed.c"));
        for (int i = 0; i < 2 * Faults.SAID_MAX; i++) {
            registry.counter("tagged" + i, tags);
        }
        registry.counter("negative").increment(-1);
        assertThat(log).hasSize(Faults.SAID_MAX + 1).last().asString().startsWith("the meter negative: ");
    }

    @Test
    void gauges_and_other_meters_are_not_sent_which_is_logged_once(Counted counters) {
        registry.gauge("queue.size", new AtomicLong(3));
        registry.more().longTaskTimer("running").start();
        registry.gauge("other.size", new AtomicLong(4));
        registry.readFunctions();

        assertThat(counters.amounts()).isEmpty();
        assertThat(log).isEmpty();
        assertThat(info)
                .containsExactly(
                        "gauges, long task timers and meters of custom types, such as queue.size, are not sent:"
                                + " they are no counters; a registry for them can be beside this one");
    }

    private static List<Thread> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("counters-micrometer"))
                .toList();
    }
}
