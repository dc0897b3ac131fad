package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Exists;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import io.counters.testsupport.ServerProcess;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("once")
@Tag("slow")
class RedisStoreTest extends StoreContract {
    @TempDir
    Path folder;

    @Override
    ServerProcess newServer() throws IOException {
        return new Redis();
    }

    @Override
    Store open(InetSocketAddress address) {
        return new RedisStore(List.of(address), 0, false, Optional.empty(), clock);
    }

    @Override
    String written(long number) {
        return Long.toString(number);
    }

    @Test
    void a_key_is_changed_even_if_the_server_has_forgotten_the_script() throws IOException {
        send(Kind.ADD, "a", 5);
        assertThat(send(Kind.INCREMENT, "a", 1)).isEqualTo(new Holds(6));

        server.ask("SCRIPT FLUSH", 1);

        assertThat(send(Kind.INCREMENT, "a", 1)).isEqualTo(new Holds(7));
    }

    @Test
    void the_server_is_described_with_what_it_does_when_its_memory_is_full() throws IOException {
        send(Kind.ADD, "a", 5);
        assertThat(store.servers()).singleElement().satisfies(found -> {
            assertThat(found.text()).matches("Redis \\d+\\.\\S+, maxmemory unlimited, maxmemory-policy noeviction");
            assertThat(found.loses()).isFalse();
        });

        server.ask("CONFIG SET maxmemory 100mb", 1);
        server.ask("CONFIG SET maxmemory-policy allkeys-lru", 1);

        assertThat(store.servers()).singleElement().satisfies(found -> {
            assertThat(found.text()).endsWith(", maxmemory 100.00M, maxmemory-policy allkeys-lru");
            assertThat(found.loses()).isTrue();
        });
    }

    @Test
    void a_key_of_another_type_is_refused() throws IOException {
        server.ask("HSET a field 1", 1);

        assertThat(send(Kind.INCREMENT, "a", 1)).isEqualTo(new Refused(Store.NO_NUMBER));
        assertThat(send(Kind.READ, "a", 0)).isEqualTo(new Refused(Store.NO_NUMBER));
    }

    @Test
    void a_request_is_refused_with_the_remedy_if_memory_is_full() throws IOException {
        send(Kind.ADD, "a", 5);
        server.ask("CONFIG SET maxmemory 1", 1);

        for (Push request : List.of(new Push(0, "a", Kind.INCREMENT, 1), new Push(1, "b", Kind.ADD, 1))) {
            assertThat(send(request.kind(), request.key(), request.number()))
                    .asString()
                    .startsWith("Refused")
                    .contains("maxmemory");
        }
        assertThat(send(Kind.READ, "a", 0)).isEqualTo(new Holds(5));
        server.ask("CONFIG SET maxmemory 0", 1);

        assertThat(send(Kind.INCREMENT, "a", 1)).isEqualTo(new Holds(6));
    }

    @Test
    void a_request_to_a_replica_is_refused_with_the_remedy() throws IOException {
        send(Kind.ADD, "a", 5);
        server.ask("REPLICAOF 127.0.0.1 1", 1);

        assertThat(send(Kind.INCREMENT, "a", 1))
                .asString()
                .startsWith("Refused")
                .contains("replica");
    }

    @Test
    void a_login_is_accepted_and_a_wrong_one_is_reported() throws Exception {
        try (Redis locked = new Redis("--requirepass", "hunter2", "--user", "me", "on", ">hunter3", "~*", "+@all");
                Store byPassword = open(locked, new StoreLogin("", "hunter2"));
                Store byUser = open(locked, new StoreLogin("me", "hunter3"));
                Store byNobody = open(locked, new StoreLogin("me", "wrong1"))) {
            List<Push> add = List.of(new Push(0, "a", Kind.ADD, 1));

            assertThat(send(byPassword, add)).containsValue(new Holds(1));
            assertThat(send(byUser, add)).containsValue(new Exists());
            assertThat(send(byNobody, add).values())
                    .singleElement()
                    .asString()
                    .startsWith("Unknown")
                    .contains("WRONGPASS")
                    .doesNotContain("wrong1");
        }
    }

    private static Store open(Redis server, StoreLogin login) {
        return new RedisStore(List.of(server.address()), 0, false, Optional.of(login), System::nanoTime);
    }

    @Test
    void three_nodes_of_a_cluster_share_the_keys_and_two_continue_while_one_hangs() throws Exception {
        String[] member = {"--cluster-enabled", "yes", "--cluster-node-timeout", "60000", "--dir", folder.toString()};
        try (Redis one = member("1", member);
                Redis two = member("2", member);
                Redis three = member("3", member)) {
            Process joining = new ProcessBuilder(
                            "redis-cli",
                            "--cluster",
                            "create",
                            "127.0.0.1:" + one.port(),
                            "127.0.0.1:" + two.port(),
                            "127.0.0.1:" + three.port(),
                            "--cluster-yes")
                    .redirectErrorStream(true)
                    .start();
            assertThat(new String(joining.getInputStream().readAllBytes(), US_ASCII))
                    .contains("All 16384 slots covered");
            assertThat(joining.waitFor()).isZero();
            try (Store cluster = new RedisStore(
                    List.of(one.address(), two.address()), 0, false, Optional.empty(), System::nanoTime)) {
                await().atMost(PATIENCE)
                        .until(() -> send(cluster, requests(300, Kind.ADD, -3)).values().stream()
                                .noneMatch(Unknown.class::isInstance));
                assertThat(send(cluster, requests(300, Kind.INCREMENT, 5)).values())
                        .containsOnly(new Holds(2));
                three.hang();
                try {
                    long answered = answered(send(cluster, requests(300, Kind.READ, 0)));
                    assertThat(answered).isBetween(150L, 250L);
                    long begin = System.nanoTime();
                    for (int i = 0; i < 10; i++) {
                        assertThat(answered(send(cluster, requests(300, Kind.READ, 0))))
                                .isEqualTo(answered);
                    }
                    assertThat(Duration.ofNanos(System.nanoTime() - begin))
                            .as("it is not waited for again")
                            .isLessThan(Duration.ofSeconds(10));
                } finally {
                    three.goOn();
                }
                await().atMost(PATIENCE).until(() -> answered(send(cluster, requests(300, Kind.READ, 0))) == 300);
            }
        }
    }

    private static Redis member(String name, String[] options) throws IOException {
        List<String> all = new ArrayList<>(List.of(options));
        all.addAll(List.of("--cluster-config-file", "nodes-" + name));
        return new Redis(all.toArray(String[]::new));
    }

    private static long answered(Map<String, Reply> replies) {
        return replies.values().stream().filter(new Holds(2)::equals).count();
    }
}
