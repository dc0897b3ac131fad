package io.counters.collector.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Reply;
import io.counters.collector.ledger.Push.Unknown;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MemcachedStoreTest extends StoreContract {
    @Override
    ServerProcess newServer() throws IOException {
        return new Memcached();
    }

    @Override
    Store open(ServerProcess server) throws IOException {
        return new MemcachedStore(List.of(server.address()), Optional.empty(), System::nanoTime);
    }

    @Override
    String written(long number) {
        return Long.toUnsignedString(number);
    }

    @Test
    void two_servers_share_the_keys_and_one_serves_on_while_the_other_is_gone() throws Exception {
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
    void a_host_that_does_not_resolve_is_refused_with_its_name() {
        assertThatThrownBy(() -> new MemcachedStore(
                        List.of(InetSocketAddress.createUnresolved("no-such-host.invalid", 11211)),
                        Optional.empty(),
                        System::nanoTime))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no-such-host.invalid")
                .hasMessageContaining("--store");
    }
}
