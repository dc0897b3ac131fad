package io.counters.collector.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Missing;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import io.counters.testsupport.Memcached;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import net.spy.memcached.ops.OperationState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A real memcached under a name whose addresses the test sets, with a clock that the test sets. */
@Tag("slow")
class MemcachedServerTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long GIVEN_UP =
            Duration.ofSeconds(MemcachedServer.GIVEN_UP_SECONDS).toNanos();

    private final AtomicReference<InetAddress[]> addresses = new AtomicReference<>(new InetAddress[0]);
    private final AtomicLong nanos = new AtomicLong();
    private Memcached memcached;
    private MemcachedServer server;

    @BeforeAll
    static void quiet() {
        System.setProperty("net.spy.log.LoggerImpl", "net.spy.memcached.compat.log.SLF4JLogger");
    }

    @BeforeEach
    void open() throws IOException {
        memcached = new Memcached();
        server = new MemcachedServer(
                "cache:11211", memcached.port(), addresses::get, Optional.empty(), 100_000, nanos::get);
    }

    @AfterEach
    void close() {
        server.close();
        memcached.close();
    }

    private void resolveTo(String... texts) throws IOException {
        InetAddress[] found = new InetAddress[texts.length];
        for (int i = 0; i < texts.length; i++) {
            found[i] = InetAddress.getByName(texts[i]);
        }
        addresses.set(found);
    }

    private Pipeline.Batch asked() {
        Pipeline.Batch batch = new Pipeline.Batch("cache:11211", List.of(new Push(0, "a", Kind.READ, 0)));
        try {
            server.ask(new MemcachedBatch(batch));
        } catch (Pipeline.Unavailable none) {
            batch.answerRest(new Unknown(String.valueOf(none.getMessage())));
        }
        return batch;
    }

    private Reply answer() {
        server.tend();
        Pipeline.Batch batch = asked();
        await().atMost(PATIENCE).until(() -> batch.answers().get(0) != null);
        return batch.answers().get(0);
    }

    private void awaitAnswers() {
        await().atMost(PATIENCE).until(() -> answer() instanceof Missing);
    }

    @Test
    void a_name_that_resolves_late_is_connected_when_it_does() throws Exception {
        assertThat(answer()).isEqualTo(new Unknown("cache:11211 does not resolve; check --store"));

        resolveTo("127.0.0.1");

        awaitAnswers();
    }

    @Test
    void a_client_whose_thread_ended_is_replaced_and_its_requests_are_answered() throws Exception {
        resolveTo("127.0.0.1");
        awaitAnswers();
        memcached.hang();
        Pipeline.Batch before = asked();
        try {
            server.ask(new Dying());
            memcached.goOn();
            await().atMost(PATIENCE).until(() -> {
                server.tend();
                return before.answers().get(0) != null;
            });

            awaitAnswers();
        } finally {
            memcached.goOn();
        }
    }

    /** Throws OutOfMemoryError when it is answered. */
    private static final class Dying extends BinaryOperation {
        Dying() {
            super("cache:11211");
        }

        @Override
        public void initialize() {
            java.nio.ByteBuffer out = java.nio.ByteBuffer.allocate(HEADER_BYTES);
            put(out, (byte) 0x0a, 0, 0, new byte[0], 0);
            setBuffer(out.flip());
        }

        @Override
        boolean answered(java.nio.ByteBuffer header, java.nio.ByteBuffer body) {
            assertThat(getState()).isEqualTo(OperationState.READING);
            throw new OutOfMemoryError("simulated");
        }

        @Override
        void unanswered(String why) {
            // The test needs no answer.
        }
    }

    @Test
    void the_name_of_a_server_without_a_connection_for_30_s_is_resolved_again() throws Exception {
        resolveTo("127.0.0.2");
        memcached.kill();
        server.tend();
        resolveTo("127.0.0.1");
        memcached.start();
        // The server listens only on 127.0.0.1.
        assertThat(answer()).isInstanceOf(Unknown.class);
        nanos.addAndGet(GIVEN_UP - 1);
        assertThat(answer()).isInstanceOf(Unknown.class);

        nanos.addAndGet(1_000_000);

        awaitAnswers();
    }

    @Test
    void a_server_that_hangs_is_replaced_only_if_its_name_has_another_address() throws Exception {
        try (Rubbish silent = new Rubbish("127.0.0.2", memcached.port())) {
            resolveTo("127.0.0.2");
            server.tend();
            Pipeline.Batch[] batch = {asked()};
            await().atMost(PATIENCE).until(() -> {
                batch[0] = batch[0].answers().get(0) == null ? batch[0] : asked();
                return silent.answered() > 0;
            });
            nanos.addAndGet(2 * GIVEN_UP);
            server.tend();
            assertThat(batch[0].answers().get(0)).as("it may still answer").isNull();

            resolveTo("127.0.0.1", "127.0.0.3");
            server.tend();

            assertThat(batch[0].answers().get(0)).isInstanceOf(Unknown.class);
            awaitAnswers();
        }
    }

    @Test
    void a_text_can_be_written_and_read_and_statistics_end() throws Exception {
        resolveTo("127.0.0.1");
        awaitAnswers();
        MemcachedRequest set = MemcachedRequest.set("cache:11211", "m", "some text");
        MemcachedRequest get = MemcachedRequest.get("cache:11211", "m");
        MemcachedRequest missing = MemcachedRequest.get("cache:11211", "none");
        MemcachedRequest statistics = MemcachedRequest.statistics("cache:11211");

        for (MemcachedRequest request : List.of(set, get, missing, statistics)) {
            server.ask(request);
        }

        assertThat(set.done())
                .succeedsWithin(PATIENCE)
                .satisfies(answers -> assertThat(answers.get(0).isFound()).isTrue());
        assertThat(get.done())
                .succeedsWithin(PATIENCE)
                .satisfies(answers -> assertThat(answers.get(0).text()).isEqualTo("some text"));
        assertThat(missing.done())
                .succeedsWithin(PATIENCE)
                .satisfies(answers -> assertThat(answers.get(0).isMissing()).isTrue());
        assertThat(statistics.done())
                .succeedsWithin(PATIENCE)
                .satisfies(answers -> assertThat(answers).anySatisfy(answer -> {
                    assertThat(answer.name()).isEqualTo("evictions");
                    assertThat(answer.text()).isEqualTo("0");
                }));
        Pipeline.Batch batch = new Pipeline.Batch("cache:11211", List.of(new Push(0, "b", Kind.ADD, 3)));
        server.ask(new MemcachedBatch(batch));
        await().atMost(PATIENCE).until(() -> new Holds(3).equals(batch.answers().get(0)));
    }
}
