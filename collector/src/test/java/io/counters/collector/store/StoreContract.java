package io.counters.collector.store;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Exists;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Missing;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import io.counters.testsupport.ServerProcess;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every store must do, tested with real servers. */
abstract class StoreContract {
    static final Duration PATIENCE = Duration.ofSeconds(60);

    /** A store reports a result for each request within a few seconds, whatever the server does; on a busy machine later. */
    static final Duration BOUND = Duration.ofSeconds(10);

    ServerProcess server;
    Store store;
    final PatientClock clock = new PatientClock();

    /** A server that was just started and is empty. */
    abstract ServerProcess newServer() throws Exception;

    final Store open(ServerProcess running) {
        return open(running.address());
    }

    abstract Store open(InetSocketAddress address);

    /** How the server formats a number. */
    abstract String written(long number);

    /** The values that a key that was 5, and was incremented by 2 during a hang, may have afterwards. */
    Reply[] afterHang() {
        return new Reply[] {new Holds(7)};
    }

    @BeforeEach
    void open() throws Exception {
        server = newServer();
        store = open(server);
        // A busy machine may not connect within the time that the first requests have.
        await().atMost(PATIENCE).until(() -> !(send(Kind.READ, "a", 0) instanceof Unknown));
    }

    @AfterEach
    void close() throws Exception {
        store.close();
        server.close();
    }

    Reply send(Kind kind, String key, long number) {
        return requireNonNull(
                send(store, List.of(new Push(0, key, kind, number))).get(key));
    }

    /** The reply to each request by its key; checks that each one is answered once. */
    static Map<String, Reply> send(Store store, List<Push> requests) {
        Map<String, Reply> replies = new ConcurrentHashMap<>();
        store.send(
                source(requests),
                (request, reply) -> assertThat(replies.put(request.key(), reply))
                        .as("a second reply to %s", request)
                        .isNull());
        return replies;
    }

    /** Returns these requests. */
    static Store.Requests source(List<Push> requests) {
        Iterator<Push> left = requests.iterator();
        return max -> {
            List<Push> some = new ArrayList<>();
            while (some.size() < max && left.hasNext()) {
                some.add(left.next());
            }
            return some;
        };
    }

    /** How many keys are many; a server that only tests have may take long for each. */
    int manyKeys() {
        return 20_000;
    }

    static List<Push> requests(int count, Kind kind, long number) {
        List<Push> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            requests.add(new Push(i, "counter." + i, kind, number));
        }
        return requests;
    }

    @Test
    void a_key_is_added_changed_and_read() throws IOException {
        assertThat(send(Kind.READ, "a", 0)).isEqualTo(new Missing());
        assertThat(send(Kind.ADD, "a", 5)).isEqualTo(new Holds(5));
        assertThat(send(Kind.INCREMENT, "a", 37)).isEqualTo(new Holds(42));
        assertThat(send(Kind.READ, "a", 0)).isEqualTo(new Holds(42));

        assertThat(server.get("a")).isEqualTo("42");
    }

    @Test
    void adding_an_existing_key_changes_nothing() throws IOException {
        server.set("a", "7");

        assertThat(send(Kind.ADD, "a", 5)).isEqualTo(new Exists());

        assertThat(server.get("a")).isEqualTo("7");
    }

    @Test
    void incrementing_a_missing_key_changes_nothing() throws IOException {
        assertThat(send(Kind.INCREMENT, "a", 5)).isEqualTo(new Missing());

        assertThat(server.get("a")).isEmpty();
    }

    @Test
    void a_counter_can_fall_below_zero_and_rise_again() throws IOException {
        assertThat(send(Kind.ADD, "a", 5)).isEqualTo(new Holds(5));
        assertThat(send(Kind.INCREMENT, "a", -8)).isEqualTo(new Holds(-3));
        assertThat(server.get("a")).isEqualTo(written(-3));
        assertThat(send(Kind.READ, "a", 0)).isEqualTo(new Holds(-3));
        assertThat(send(Kind.INCREMENT, "a", 10)).isEqualTo(new Holds(7));

        assertThat(send(Kind.READ, "a", 0)).isEqualTo(new Holds(7));
    }

    @Test
    void minus_one_is_stored_and_read() throws IOException {
        assertThat(send(Kind.ADD, "a", -1)).isEqualTo(new Holds(-1));
        assertThat(server.get("a")).isEqualTo(written(-1));
        assertThat(send(Kind.INCREMENT, "a", -1)).isEqualTo(new Holds(-2));
        assertThat(send(Kind.INCREMENT, "a", 1)).isEqualTo(new Holds(-1));
        assertThat(send(Kind.INCREMENT, "a", 1)).isEqualTo(new Holds(0));
    }

    @Test
    void the_smallest_and_the_largest_value_are_exact() {
        assertThat(send(Kind.ADD, "a", Long.MIN_VALUE)).isEqualTo(new Holds(Long.MIN_VALUE));
        assertThat(send(Kind.INCREMENT, "a", Long.MAX_VALUE)).isEqualTo(new Holds(-1));
        assertThat(send(Kind.INCREMENT, "a", Long.MIN_VALUE)).isEqualTo(new Holds(Long.MAX_VALUE));
        assertThat(send(Kind.READ, "a", 0)).isEqualTo(new Holds(Long.MAX_VALUE));
    }

    @Test
    void a_value_that_got_shorter_is_read() {
        send(Kind.ADD, "a", 100);
        assertThat(send(Kind.INCREMENT, "a", -1)).isEqualTo(new Holds(99));

        assertThat(send(Kind.READ, "a", 0)).isEqualTo(new Holds(99));
    }

    @Test
    void a_key_with_text_is_refused_and_others_are_executed() throws IOException {
        server.set("a", "hello");

        assertThat(send(Kind.INCREMENT, "a", 1)).isInstanceOf(Refused.class);
        assertThat(send(Kind.READ, "a", 0)).isInstanceOf(Refused.class);
        assertThat(send(Kind.ADD, "b", 1)).isEqualTo(new Holds(1));
        server.delete("a");

        assertThat(send(Kind.ADD, "a", 1)).isEqualTo(new Holds(1));
    }

    @Test
    void the_longest_name_with_tags_can_be_a_key() throws IOException {
        String name = "requests/total.of-all_kinds,host=" + "h".repeat(217);
        assertThat(name).hasSize(250);

        assertThat(send(Kind.ADD, name, 3)).isEqualTo(new Holds(3));

        assertThat(server.get(name)).isEqualTo("3");
    }

    @Test
    void thousands_of_keys_are_added_changed_and_read_at_once() {
        int count = manyKeys();
        clock.bePatient();

        assertThat(send(store, requests(count, Kind.ADD, -3)).values())
                .hasSize(count)
                .containsOnly(new Holds(-3));
        assertThat(send(store, requests(count, Kind.INCREMENT, 5)).values())
                .hasSize(count)
                .containsOnly(new Holds(2));
        assertThat(send(store, requests(count, Kind.READ, 0)).values())
                .hasSize(count)
                .containsOnly(new Holds(2));
    }

    @Test
    void one_round_can_mix_reads_and_writes() {
        send(Kind.ADD, "counter.0", 1);
        List<Push> round = new ArrayList<>(requests(3, Kind.READ, 0));
        round.add(new Push(3, "x", Kind.ADD, 9));
        round.add(new Push(4, "y", Kind.INCREMENT, 9));

        assertThat(send(store, round))
                .isEqualTo(Map.of(
                        "counter.0", new Holds(1),
                        "counter.1", new Missing(),
                        "counter.2", new Missing(),
                        "x", new Holds(9),
                        "y", new Missing()));
    }

    @Test
    void requests_to_a_stopped_server_have_no_answer_and_work_after_its_restart() throws Exception {
        send(Kind.ADD, "a", 5);
        server.kill();

        for (Kind kind : Kind.values()) {
            assertUnansweredInTime(List.of(new Push(0, "a", kind, 5)));
        }
        server.start();

        await().atMost(PATIENCE).until(() -> send(Kind.READ, "a", 0).equals(new Missing()));
        assertThat(send(Kind.ADD, "a", 6)).isEqualTo(new Holds(6));
    }

    @Test
    void requests_to_a_server_that_hangs_end_in_time_and_work_after_the_hang() throws Exception {
        send(Kind.ADD, "a", 5);
        server.hang();
        try {
            assertUnansweredInTime(List.of(new Push(0, "a", Kind.INCREMENT, 2)));
            assertUnansweredInTime(List.of(new Push(0, "a", Kind.READ, 0)));
        } finally {
            server.goOn();
        }

        await().atMost(PATIENCE).until(() -> send(Kind.READ, "a", 0) instanceof Holds);
        assertThat(send(Kind.READ, "a", 0))
                .as("executed late, but before any read")
                .isIn((Object[]) afterHang());
    }

    @Test
    void a_full_round_to_a_server_that_hangs_ends_in_time() throws Exception {
        send(Kind.ADD, "a", 5);
        server.hang();
        try {
            assertUnansweredInTime(requests(Pusher.ROUND, Kind.READ, 0));
        } finally {
            server.goOn();
        }
    }

    @Test
    void other_servers_at_the_port_do_not_end_the_client() throws Exception {
        send(Kind.ADD, "a", 5);
        server.kill();
        Map<Rubbish.Kind, Store> stores = new EnumMap<>(Rubbish.Kind.class);
        try {
            try (Rubbish stranger = new Rubbish(server.port())) {
                for (Rubbish.Kind kind : Rubbish.Kind.values()) {
                    stranger.become(kind);
                    Store fresh = open(server);
                    stores.put(kind, fresh);
                    await(kind.name()).atMost(PATIENCE).until(() -> {
                        assertUnansweredInTime(List.of(new Push(0, "a", Kind.READ, 0)));
                        assertUnansweredInTime(fresh, List.of(new Push(0, "a", Kind.READ, 0)));
                        return stranger.answered() >= 2;
                    });
                }
            }
            server.start();

            await().atMost(PATIENCE).until(() -> send(Kind.READ, "a", 0).equals(new Missing()));
            assertThat(send(Kind.ADD, "a", 6)).isEqualTo(new Holds(6));
            stores.forEach((kind, fresh) -> await(kind.name())
                    .atMost(PATIENCE)
                    .until(() ->
                            send(fresh, List.of(new Push(0, "a", Kind.READ, 0))).containsValue(new Holds(6))));
        } finally {
            stores.values().forEach(Store::close);
        }
    }

    @Test
    void requests_to_a_host_that_does_not_resolve_end_in_time_with_its_name() throws Exception {
        long begin = System.nanoTime();
        try (Store nowhere = open(InetSocketAddress.createUnresolved("no-such-host.invalid", server.port()))) {
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(BOUND);
            assertUnansweredInTime(nowhere, List.of(new Push(0, "a", Kind.ADD, 1)));
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(send(nowhere, List.of(new Push(0, "a", Kind.ADD, 1)))
                                    .values())
                            .singleElement()
                            .asString()
                            .contains("no-such-host.invalid"));
        }
    }

    void assertUnansweredInTime(List<Push> requests) {
        assertUnansweredInTime(store, requests);
    }

    static void assertUnansweredInTime(Store store, List<Push> requests) {
        long begin = System.nanoTime();
        assertThat(send(store, requests).values()).isNotEmpty().hasOnlyElementsOfType(Unknown.class);
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(BOUND);
    }
}
