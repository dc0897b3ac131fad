package io.counters.collector.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.ledger.Push;
import io.counters.testsupport.ServerProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pushes from the ledger to a real store, in rounds. */
abstract class PusherContract {
    static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    ServerProcess server;
    Store store;
    KeptLedger kept;
    Pusher pusher;
    final PatientClock clock = new PatientClock();

    /** A server that was just started and is empty. */
    abstract ServerProcess newServer() throws Exception;

    abstract Store open(ServerProcess server) throws IOException;

    /** How the server formats a number. */
    abstract String written(long number);

    @BeforeEach
    void open() throws Exception {
        server = newServer();
        store = open(server);
        restart();
    }

    @AfterEach
    void close() throws Exception {
        kept.close();
        store.close();
        server.close();
    }

    final void restart() throws IOException {
        if (kept != null) {
            kept.close();
        }
        kept = new KeptLedger(folder, true);
        pusher = new Pusher(kept.ledger, store, "", kept.said.log(), kept.metrics);
    }

    boolean round() {
        kept.commit.run();
        return pusher.run();
    }

    void pushAll() {
        await().atMost(PATIENCE).until(() -> {
            round();
            return kept.ledger.unanswered() == 0;
        });
    }

    @Test
    void with_a_prefix_every_key_has_it_and_keys_without_it_stay_unchanged() throws IOException {
        kept.datagram("increment a 5");
        pushAll();
        kept.close();
        kept = new KeptLedger(folder.resolve("another"), true);
        pusher = new Pusher(kept.ledger, store, "shop.", kept.said.log(), kept.metrics);
        kept.datagram("increment a 2");
        pushAll();
        kept.datagram("increment a 1");
        pushAll();

        assertThat(server.get("a")).isEqualTo("5");
        assertThat(server.get("shop.a")).isEqualTo("3");
        assertThat(kept.value("a")).isEqualTo(3);
    }

    /** Enough rounds for every key at rest to be read. */
    void seeAll() {
        for (int i = 0; i < 600; i++) {
            round();
        }
    }

    /** What the log reports about an HTTP server at the store's port. */
    String said() {
        return "answers with HTTP";
    }

    @Test
    void another_server_at_the_port_is_logged_once_and_counts_are_pushed_later() throws Exception {
        server.kill();
        store.close();
        try (Rubbish stranger = new Rubbish(server.port())) {
            stranger.become(Rubbish.Kind.HTTP);
            store = open(server);
            restart();
            pusher.begin();
            kept.datagram("increment a 5");
            for (int i = 0; i < 3; i++) {
                assertThat(round()).isFalse();
            }
            assertThat(kept.said.lines()).singleElement().asString().contains("gave no usable answer", said());
            assertThat(pusher.trouble()).contains(store + " does not answer");
        }

        server.start();
        await().atMost(PATIENCE).until(() -> {
            round();
            return server.get("a").equals("5");
        });
        assertThat(kept.said.lines()).hasSize(1);
    }

    @Test
    void counters_are_pushed_and_change_in_the_store() throws IOException {
        kept.datagram("increment a 5\ndecrement b 3");
        pushAll();
        kept.datagram("increment a 1\nincrement b 10");
        pushAll();
        kept.datagram("decrement b 8");
        pushAll();

        assertThat(server.get("a")).isEqualTo("6");
        assertThat(server.get("b")).isEqualTo(written(-1));
        assertThat(kept.said.lines()).isEmpty();
        assertThat(kept.counted("store_foreign_values_total")).isZero();
    }

    @Test
    void a_counter_starts_from_the_value_in_the_store() throws IOException {
        server.set("a", "1000");

        kept.datagram("increment a 5");
        pushAll();

        assertThat(server.get("a")).isEqualTo("1005");
        assertThat(kept.value("a")).isEqualTo(1005);
    }

    /** How many counters are many; a server that only tests have may take long for each. */
    int manyCounters() {
        return 20_000;
    }

    @Test
    void many_counters_are_pushed_and_are_right_after_a_restart() throws IOException {
        clock.bePatient();
        int count = manyCounters();
        String last = "counter." + (count - 1);
        for (int i = 0; i < count; i++) {
            kept.datagram("increment counter." + i + " " + i);
        }
        pushAll();
        restart();
        kept.datagram("increment " + last);
        pushAll();

        assertThat(server.get("counter.1234")).isEqualTo("1234");
        assertThat(server.get(last)).isEqualTo(Integer.toString(count));
        assertThat(kept.counted("store_doubts_total")).isZero();
        assertThat(kept.said.lines()).isEmpty();
    }

    @Test
    void a_store_that_restarted_empty_gets_every_value_again() throws Exception {
        kept.datagram("increment moving 5\nincrement resting 7\ndecrement below 2");
        pushAll();
        assertThat(pusher.trouble()).isEmpty();
        server.kill();
        kept.datagram("increment moving 1");
        kept.commit.run();
        assertThat(round()).isFalse();
        assertThat(kept.said.lines()).singleElement().asString().contains("gave no usable answer");
        assertThat(pusher.trouble()).contains(store + " does not answer");

        server.start();
        pushAll();
        assertThat(pusher.trouble()).isEmpty();
        await().atMost(PATIENCE).until(() -> {
            seeAll();
            pushAll();
            return server.get("resting").equals("7") && server.get("below").equals(written(-2));
        });

        assertThat(server.get("moving")).isEqualTo("6");
        assertThat(kept.counted("store_lost_keys_total")).isEqualTo(3);
    }

    @Test
    void a_server_that_hangs_makes_nothing_count_twice() throws Exception {
        kept.datagram("increment a 5");
        pushAll();
        server.hang();
        kept.datagram("increment a 2");
        assertThat(round()).isFalse();
        kept.datagram("increment a 3");
        assertThat(round()).isFalse();
        server.goOn();
        pushAll();

        assertThat(server.get("a")).isEqualTo("10");
        assertThat(kept.counted("store_foreign_values_total")).isZero();
        assertThat(kept.counted("store_doubts_total")).isEqualTo(1);
    }

    @Test
    void a_key_with_text_is_logged_and_its_counter_is_pushed_once_it_is_deleted() throws Exception {
        server.set("a", "hello");
        kept.datagram("increment a 5\nincrement b 1");
        round();
        round();
        round();
        assertThat(server.get("b")).isEqualTo("1");
        assertThat(server.get("a")).isEqualTo("hello");
        assertThat(kept.said.lines())
                .singleElement()
                .asString()
                .contains("refused the key a", "delete the key in the store");

        server.delete("a");
        seeAll();
        pushAll();

        assertThat(server.get("a")).isEqualTo("5");
    }

    @Test
    void a_value_of_another_writer_is_detected_and_overwritten() throws Exception {
        kept.datagram("increment a 5");
        pushAll();
        server.set("a", "12345");
        seeAll();
        pushAll();

        assertThat(server.get("a").trim()).as("padded if it got shorter").isEqualTo("5");
        assertThat(kept.counted("store_foreign_values_total")).isEqualTo(1);
    }

    @Test
    void every_key_at_rest_is_read_within_600_rounds() throws IOException {
        List<Push> looks = new ArrayList<>();
        Store holding = new Store() {
            @Override
            public List<Server> servers() {
                return List.of();
            }

            @Override
            public void send(Requests requests, Replies replies) {
                for (Push request : requests.take(Integer.MAX_VALUE)) {
                    if (request.kind() == Push.Kind.READ) {
                        looks.add(request);
                    }
                    replies.answered(
                            request,
                            request.kind() == Push.Kind.ADD || looks.size() > 7
                                    ? new Push.Holds(1)
                                    : new Push.Missing());
                }
            }

            @Override
            public String stamp(String key) {
                return "";
            }

            @Override
            public void stamp(String key, String text) {}

            @Override
            public String loss() {
                return "";
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        };
        Pusher into = new Pusher(kept.ledger, holding, "", kept.said.log(), kept.metrics);
        for (int i = 0; i < 7; i++) {
            kept.datagram("increment counter." + i);
        }
        into.begin();
        for (int round = 0; round < 2; round++) {
            kept.commit.run();
            into.run();
        }
        kept.commit.run();
        assertThat(kept.ledger.unanswered()).isZero();
        looks.clear();
        for (int i = 0; i < 8; i++) {
            looks.add(new Push(0, "", Push.Kind.READ, 0));
        }

        for (int i = 0; i < 600; i++) {
            into.run();
        }

        assertThat(looks.stream().skip(8).map(Push::key))
                .containsExactlyInAnyOrder(
                        "counter.0", "counter.1", "counter.2", "counter.3", "counter.4", "counter.5", "counter.6");
    }
}
