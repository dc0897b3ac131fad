package io.counters;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

import io.counters.cells.CellSource;
import io.counters.cells.Cells;
import io.counters.cells.LoaderOfCopies;
import io.counters.cells.Sums;
import io.counters.emit.CollectorSocket;
import io.counters.wire.Rejection;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

// These tests close emitters explicitly.
@SuppressWarnings("try")
@Timeout(180)
class CountersTest {
    private static final AtomicInteger NAMES = new AtomicInteger();

    private final String name = "counters.test." + NAMES.incrementAndGet();
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final PrintStream stderr = System.err;

    @BeforeEach
    void listen_to_stderr() {
        System.setErr(new PrintStream(said, true, UTF_8));
    }

    @AfterEach
    void give_stderr_back() {
        System.setErr(stderr);
    }

    @Test
    void counts_by_name_and_by_handle_go_to_the_same_counter() {
        Counter counter = Counters.counter(name);

        counter.increment();
        counter.add(10);
        counter.decrement();
        Counters.increment(name);
        Counters.add(name, -30);
        Counters.decrement(name);

        assertThat(Sums.of(name)).isEqualTo(-20);
        assertThat(counter.name()).isEqualTo(name);
        assertThat(counter).hasToString("Counter[" + name + "]");
        assertThat(Counters.counter(name)).isSameAs(counter);
        assertThat(said()).isEmpty();
    }

    @Test
    void tags_in_any_order_are_one_counter() {
        Counters.increment(name + ",b=2,a=1");
        Counters.counter(name + ",a=1,b=2").increment();

        assertThat(Counters.counter(name + ",b=2,a=1").name()).isEqualTo(name + ",a=1,b=2");
        assertThat(Sums.of(name + ",a=1,b=2")).isEqualTo(2);
        assertThat(Sums.of(name + ",b=2,a=1")).isZero();
    }

    @Test
    void tags_as_pairs_are_the_tags_of_a_name_in_any_order() {
        Counters.counter(name, "b", "2", "a", "1").increment();
        Counters.counter(name, "a", "1", "b", "2").increment();
        Counters.counter(name + ",b=2", "a", "1").increment();
        Counters.counter(name, new String[0]).add(5);

        assertThat(Sums.of(name + ",a=1,b=2")).isEqualTo(3);
        assertThat(Sums.of(name)).isEqualTo(5);
        assertThat(Counters.counter(name, "b", "2", "a", "1"))
                .isSameAs(Counters.counter(name, "b", "2", "a", "1"))
                .isSameAs(Counters.counter(name + ",b=2,a=1"))
                .hasToString("Counter[" + name + ",a=1,b=2]");
        assertThat(said()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource
    void tags_that_break_the_rules_are_refused_like_a_name_that_does(String rule, String[] tags) throws Exception {
        Application application = new Application();
        Class<?>[] types = {String.class, String[].class};

        Object counter = application.call("counter", types, "paid", tags);
        Object again = application.call("counter", types, "paid", tags);

        assertThat(counter).hasToString("Counter[counters.refused]").isSameAs(again);
        assertThat(said())
                .as("logged once")
                .singleElement()
                .asString()
                .startsWith("counters: the name \"paid,")
                .endsWith(" is refused: " + rule + "; it is counted as counters.refused");
    }

    static Stream<Arguments> tags_that_break_the_rules_are_refused_like_a_name_that_does() {
        String letters = Rejection.NAME_LETTER.rule();
        String form = Rejection.TAG_FORM.rule();
        return Stream.of(
                tags(form, "method"),
                tags(form, "method", "card", "currency"),
                tags(form, "method", ""),
                tags(form, "", "card"),
                tags(form, "method", null),
                tags(form, null, "card"),
                Arguments.of(form, null),
                tags(letters, "method", "credit card"),
                tags(letters, "méthode", "card"),
                tags(letters, "method", "card,currency=eur"),
                tags(letters, "method", "a=b"),
                tags(letters, "method=card,currency", "eur"),
                tags(Rejection.REPEATED_TAG.rule(), "method", "card", "method", "cash"),
                tags(
                        Rejection.TOO_MANY_TAGS.rule(),
                        IntStream.range(0, 16).mapToObj(i -> "t" + i).toArray(String[]::new)),
                tags(Rejection.NAME_TOO_LONG.rule(), "method", "x".repeat(250)));
    }

    private static Arguments tags(String rule, @Nullable String... tags) {
        return Arguments.of(rule, tags);
    }

    @Test
    void literals_and_computed_strings_of_one_name_are_one_counter() {
        for (int i = 0; i < 3; i++) {
            Counters.increment("counters.test.literal");
            Counters.increment(new String("counters.test.literal".toCharArray()));
            Counters.increment("counters.test." + (i < 9 ? "literal" : ""));
        }

        assertThat(Sums.of("counters.test.literal")).isEqualTo(9);
    }

    @Test
    void names_that_share_a_slot_of_the_cache_are_counted_apart() {
        // "Aa" and "BB" have the same hash, so every pair of names built from them has too.
        String one = (name + ".AaAa").intern();
        String other = (name + ".BBBB").intern();
        String third = (name + ".AaBB").intern();
        assertThat(one.hashCode()).isEqualTo(other.hashCode()).isEqualTo(third.hashCode());

        for (int i = 0; i < 100; i++) {
            Counters.increment(one);
            Counters.add(other, 2);
            Counters.increment(one);
            Counters.decrement(third);
        }

        assertThat(Sums.of(one)).isEqualTo(200);
        assertThat(Sums.of(other)).isEqualTo(200);
        assertThat(Sums.of(third)).isEqualTo(-100);
    }

    @Test
    void many_threads_count_many_names_exactly() throws Exception {
        String[] names = new String[3_000];
        for (int i = 0; i < names.length; i++) {
            names[i] = (name + "." + i).intern();
        }
        ExecutorService threads = Executors.newFixedThreadPool(8);

        List<Future<?>> running = new ArrayList<>();
        for (int thread = 0; thread < 8; thread++) {
            running.add(threads.submit(() -> {
                for (int i = 0; i < 10 * names.length; i++) {
                    Counters.increment(names[i % names.length]);
                }
            }));
        }
        for (Future<?> done : running) {
            done.get(30, TimeUnit.SECONDS);
        }
        threads.shutdown();

        long[] sums = new long[Cells.COUNTERS_MAX];
        CellSource.sum(Cells.sources().get(0), sums);
        for (String counted : names) {
            assertThat(sums[Cells.id(counted)]).as(counted).isEqualTo(80);
        }
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"", " ", "a b", "ä", "a,b", "a,b=", "a,b=1,b=2", "a\nincrement b"})
    void a_bad_name_is_counted_as_refused_and_never_throws(String bad) throws Exception {
        Application application = new Application();

        application.count("increment", bad);
        application.count("increment", bad);
        application.count("decrement", bad);
        Object counter = application.call("counter", new Class<?>[] {String.class}, bad);

        assertThat(application.sum(Counters.REFUSED)).isEqualTo(1);
        assertThat(counter).hasToString("Counter[counters.refused]");
        assertThat(said())
                .singleElement()
                .asString()
                .startsWith("counters: the name \"")
                .contains("is refused")
                .endsWith("it is counted as counters.refused");
    }

    @Test
    void a_bad_name_that_many_threads_use_at_once_is_logged_once() throws Exception {
        Application application = new Application();
        ExecutorService threads = Executors.newFixedThreadPool(8);

        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < 800; i++) {
            String bad = "bad name " + i / 80;
            running.add(threads.submit(() -> {
                application.count("increment", bad);
                return null;
            }));
        }
        for (Future<?> done : running) {
            done.get(30, TimeUnit.SECONDS);
        }
        threads.shutdown();

        assertThat(application.sum(Counters.REFUSED)).isEqualTo(800);
        assertThat(said()).hasSize(10).doesNotHaveDuplicates();
    }

    @Test
    void messages_end_after_twenty_and_each_is_a_single_line_of_limited_length() throws Exception {
        Application application = new Application();

        for (int i = 0; i < 100; i++) {
            application.count("increment", "bad\n\u001b[31m\u00e4 " + i + "x".repeat(300 * (i % 2)));
        }

        assertThat(application.sum(Counters.REFUSED)).isEqualTo(100);
        assertThat(said())
                .hasSize(21)
                .allSatisfy(line -> assertThat(line).startsWith("counters: ").matches("[ -~]{1,300}"));
        assertThat(said().get(20)).contains("suppressed").contains(Counters.REFUSED);
    }

    @Test
    void start_sends_counts_from_before_and_after_it_and_close_sends_the_last_ones() throws Exception {
        Application application = new Application();
        application.count("increment", "before");
        try (CollectorSocket collector = new CollectorSocket()) {
            AutoCloseable sending = application.start(collector);
            application.count("increment", "after");
            application.count("decrement", "below.zero");
            await().until(() -> collector.received().value("before") == 1
                    && collector.received().value("after") == 1
                    && collector.received().value("below.zero") == -1);

            application.count("increment", "after");
            sending.close();
            sending.close();

            await().until(() -> collector.received().value("after") == 2);
            assertThat(collector.received().values()).containsOnlyKeys("before", "after", "below.zero");
            assertThat(collector.received().rejections()).isEmpty();
        }
        assertThat(said()).isEmpty();
    }

    @Test
    void a_second_start_does_nothing_and_logs_that_once() throws Exception {
        Application application = new Application();
        try (CollectorSocket first = new CollectorSocket();
                CollectorSocket second = new CollectorSocket();
                AutoCloseable sending = application.start(first)) {
            AutoCloseable other = application.start(second);
            AutoCloseable another = application.start(second);
            application.count("increment", "a");

            other.close();
            another.close();
            application.count("increment", "a");

            await().until(() -> first.received().value("a") == 2);
            assertThat(second.received().values()).isEmpty();
            assertThat(sending).isNotNull();
        }
        assertThat(said()).containsExactly("counters: Counters.start does nothing: an earlier start already sends");
    }

    @Test
    void a_start_after_close_sends_only_counts_that_were_not_sent() throws Exception {
        Application application = new Application();
        application.count("increment", "a");
        try (CollectorSocket collector = new CollectorSocket()) {
            AutoCloseable first = application.start(collector);
            await().until(() -> collector.received().value("a") == 1);
            first.close();
            application.count("increment", "a");
            application.count("increment", "b");

            AutoCloseable again = application.start(collector);

            await().until(() -> collector.received().value("b") == 1);
            again.close();
            assertThat(collector.received().value("a")).isEqualTo(2);
            assertThat(collector.received().streams()).hasSize(2);
        }
        assertThat(said()).isEmpty();
    }

    @Test
    void what_start_sends_is_sent_before_a_checkpoint_and_a_restored_process_has_a_stream_of_its_own()
            throws Exception {
        Application application = new Application();
        try (CollectorSocket collector = new CollectorSocket();
                AutoCloseable sending = application.start(collector)) {
            application.count("increment", "a");
            jdk.crac.Core.getGlobalContext().beforeCheckpoint(jdk.crac.Core.getGlobalContext());
            await().until(() -> collector.received().value("a") == 1);
            application.count("increment", "a");

            jdk.crac.Core.getGlobalContext().afterRestore(jdk.crac.Core.getGlobalContext());

            await().until(() -> collector.received().value("a") == 2);
            assertThat(collector.received().streams()).hasSize(2);
            assertThat(sending).isNotNull();
        }
        assertThat(said()).isEmpty();
    }

    @Test
    void a_collector_without_a_valid_address_is_refused_at_once() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Counters.start("collector:port"))
                .withMessageContaining("\"collector:port\"")
                .withMessageContaining("11212");
    }

    private List<String> said() {
        return said.toString(UTF_8).lines().toList();
    }

    /** A separate application: all static state is fresh. */
    private static final class Application {
        private static final String[] COPIED = {"io.counters.Counter", "io.counters.cells.Cell", "io.counters.emit."};

        private final ClassLoader loader = new LoaderOfCopies(COPIED);

        void count(String method, String name) throws Exception {
            call(method, new Class<?>[] {String.class}, name);
        }

        AutoCloseable start(CollectorSocket collector) throws Exception {
            return (AutoCloseable) call(
                    "start", new Class<?>[] {String.class}, collector.settings().toString());
        }

        long sum(String name) throws Exception {
            Class<?> cells = loader.loadClass(Cells.class.getName());
            int id = (Integer) cells.getMethod("id", String.class).invoke(null, name);
            long[] sums = new long[id + 1];
            List<?> sources = (List<?>) cells.getMethod("sources").invoke(null);
            CellSource.sum((Object[]) sources.get(0), sums);
            return sums[id];
        }

        Object call(String method, Class<?>[] types, Object... arguments) throws Exception {
            try {
                Object answer = loader.loadClass(Counters.class.getName())
                        .getMethod(method, types)
                        .invoke(null, arguments);
                return answer == null ? "" : answer;
            } catch (InvocationTargetException thrown) {
                throw new AssertionError(thrown.getCause());
            }
        }
    }
}
