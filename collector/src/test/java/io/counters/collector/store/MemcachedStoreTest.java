package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.ledger.Push;
import io.counters.collector.ledger.Push.Exists;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Missing;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import io.counters.testsupport.Memcached;
import io.counters.testsupport.ServerProcess;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("once")
@Tag("slow")
class MemcachedStoreTest extends StoreContract {
    @TempDir
    Path folder;

    @Override
    ServerProcess newServer() throws IOException {
        return new Memcached();
    }

    @Override
    Store open(InetSocketAddress address) {
        return new MemcachedStore(List.of(address), Optional.empty(), clock);
    }

    @Override
    String written(long number) {
        return Long.toUnsignedString(number);
    }

    @Test
    void the_server_is_described_with_its_memory() throws Exception {
        send(Kind.ADD, "a", 5);

        assertThat(store.servers()).singleElement().satisfies(found -> {
            assertThat(found.text()).matches("\\S+:\\d+: memcached \\d+\\.\\S+, memory 0 of \\d+ MB, evictions 0");
            assertThat(found.loses()).isFalse();
        });
    }

    @Test
    void answers_of_any_length_are_separated() throws Exception {
        server.set("counter.1", "x".repeat(300_000));
        server.set("counter.2", "");
        server.set("counter.4", "7");

        assertThat(send(store, requests(6, Kind.READ, 0)))
                .containsEntry("counter.0", new Missing())
                .containsEntry("counter.1", new Refused(Store.NO_NUMBER))
                .containsEntry("counter.2", new Refused(Store.NO_NUMBER))
                .containsEntry("counter.3", new Missing())
                .containsEntry("counter.4", new Holds(7))
                .containsEntry("counter.5", new Missing())
                .hasSize(6);
        assertThat(send(store, requests(6, Kind.ADD, 3)))
                .containsEntry("counter.0", new Holds(3))
                .containsEntry("counter.1", new Exists())
                .containsEntry("counter.4", new Exists())
                .containsEntry("counter.5", new Holds(3))
                .hasSize(6);
    }

    @Test
    void two_servers_share_the_keys_and_one_continues_while_the_other_is_down() throws Exception {
        try (Memcached second = new Memcached();
                MemcachedStore both = new MemcachedStore(
                        List.of(server.address(), second.address()), Optional.empty(), System::nanoTime)) {
            assertThat(both.toString())
                    .isEqualTo("memcached at " + server.address().getHostString() + ":"
                            + server.address().getPort() + ", 127.0.0.1:"
                            + second.address().getPort());
            assertThat(send(both, requests(200, Kind.ADD, 4)).values()).containsOnly(new Holds(4));
            int onFirst = 0;
            for (int i = 0; i < 200; i++) {
                boolean first = server.get("counter." + i).equals("4");
                assertThat(second.get("counter." + i).equals("4")).isNotEqualTo(first);
                onFirst += first ? 1 : 0;
            }
            assertThat(onFirst).isBetween(20, 180);

            second.kill();
            for (Kind kind : List.of(Kind.INCREMENT, Kind.READ)) {
                Map<String, Reply> replies = send(both, requests(200, kind, 1));

                assertThat(replies.values().stream().filter(new Holds(5)::equals))
                        .hasSize(onFirst);
                assertThat(replies.values().stream().filter(Unknown.class::isInstance))
                        .hasSize(200 - onFirst);
            }
            second.start();
            await().atMost(PATIENCE)
                    .until(() -> !send(both, requests(200, Kind.READ, 0)).values().stream()
                            .anyMatch(Unknown.class::isInstance));
        }
    }

    @Test
    void one_server_of_three_that_hangs_delays_the_others_once_and_gets_no_more_requests() throws Exception {
        try (Memcached second = new Memcached();
                Memcached third = new Memcached();
                MemcachedStore all = new MemcachedStore(
                        List.of(server.address(), second.address(), third.address()),
                        Optional.empty(),
                        System::nanoTime)) {
            send(all, requests(3000, Kind.ADD, 4));
            third.hang();
            long onThird;
            try {
                onThird = unanswered(send(all, requests(3000, Kind.INCREMENT, 1)));
                assertThat(onThird).isBetween(300L, 2000L);
                long begin = System.nanoTime();
                for (int i = 0; i < 10; i++) {
                    Map<String, Reply> replies = send(all, requests(3000, Kind.INCREMENT, 1));
                    assertThat(unanswered(replies)).isEqualTo(onThird);
                }
                assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
            } finally {
                third.goOn();
            }
            await().atMost(PATIENCE).until(() -> unanswered(send(all, requests(3000, Kind.READ, 0))) == 0);
            assertThat(send(all, requests(3000, Kind.READ, 0)).values())
                    .as("each request was executed once")
                    .containsOnly(new Holds(15), new Holds(5));
        }
    }

    private static long unanswered(Map<String, Reply> replies) {
        return replies.values().stream().filter(Unknown.class::isInstance).count();
    }

    private Memcached locked() throws IOException {
        Files.writeString(
                folder.resolve("memcached.conf"),
                "mech_list: plain\npwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: "
                        + folder.resolve("sasldb2") + "\n");
        return new Memcached(Map.of("SASL_CONF_PATH", folder.toString()), "-S");
    }

    private static Store open(Memcached server, StoreLogin login) throws IOException {
        return new MemcachedStore(List.of(server.address()), Optional.of(login), System::nanoTime);
    }

    @Test
    void with_a_wrong_login_requests_end_in_time_without_an_answer() throws Exception {
        try (Memcached locked = locked();
                Store stranger = open(locked, new StoreLogin("me", "wrong"))) {
            assertUnansweredInTime(stranger, List.of(new Push(0, "a", Kind.ADD, 1)));
        }
    }

    @Test
    void a_login_by_sasl_is_accepted() throws Exception {
        Path adding = Path.of("/usr/sbin/saslpasswd2");
        assumeThat(adding)
                .as("saslpasswd2, of Debian's package sasl2-bin, creates the password file")
                .exists();
        Process saslpasswd = new ProcessBuilder(
                        adding.toString(),
                        "-p",
                        "-c",
                        "-a",
                        "memcached",
                        "-f",
                        folder.resolve("sasldb2").toString(),
                        "me")
                .start();
        saslpasswd.getOutputStream().write("hunter2\n".getBytes(US_ASCII));
        saslpasswd.getOutputStream().close();
        assertThat(saslpasswd.waitFor()).isZero();

        try (Memcached locked = locked();
                Store known = open(locked, new StoreLogin("me", "hunter2"))) {
            await().atMost(PATIENCE)
                    .until(() ->
                            send(known, List.of(new Push(0, "a", Kind.ADD, 7))).containsValue(new Exists()));
            assertThat(send(known, List.of(new Push(0, "a", Kind.INCREMENT, -8))))
                    .containsValue(new Holds(-1));
        }
    }

    @Test
    void the_buffers_of_many_servers_stay_within_a_share_of_the_heap() {
        assertThat(MemcachedStore.window(1, 256 << 20)).isEqualTo(8000);
        assertThat(MemcachedStore.window(3, 256 << 20)).isEqualTo(8000);
        for (int servers : new int[] {10, 20, 50, 100}) {
            long both = 2L * servers * MemcachedStore.bufferBytes(MemcachedStore.window(servers, 1L << 30));
            assertThat(both).as("%s servers", servers).isLessThan((1L << 30) / 12);
        }
    }
}
