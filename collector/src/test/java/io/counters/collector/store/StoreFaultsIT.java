package io.counters.collector.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.ledger.KeptLedger;
import io.counters.testsupport.Memcached;
import io.counters.testsupport.ServerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Slow cases: long hangs, and servers that are too small. */
@Tag("once")
class StoreFaultsIT {
    private static final Duration HANG = Duration.ofSeconds(20);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    @Test
    void memcached_that_hung_for_20_s_has_every_count_once() throws Exception {
        try (Memcached server = new Memcached();
                Store store = new MemcachedStore(List.of(server.address()), Optional.empty(), System::nanoTime)) {
            hangAndCount(server, store);
        }
    }

    @Test
    void redis_that_hung_for_20_s_has_every_count_once() throws Exception {
        try (Redis server = new Redis();
                Store store = new RedisStore(List.of(server.address()), 0, false, Optional.empty(), System::nanoTime)) {
            hangAndCount(server, store);
        }
    }

    private void hangAndCount(ServerProcess server, Store store) throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, true)) {
            Pusher pusher = new Pusher(kept.ledger, store, "", kept.said.log(), kept.metrics);
            int[] counted = {0};
            Runnable count = () -> {
                for (int i = 0; i < 1000; i++) {
                    kept.datagram("increment counter." + i);
                }
                counted[0]++;
                kept.commit.run();
                pusher.run();
            };
            count.run();
            push(kept, pusher);
            server.hang();
            long end = System.nanoTime() + HANG.toNanos();
            try {
                await().atMost(HANG.multipliedBy(3))
                        .pollInterval(Duration.ofMillis(100))
                        .until(() -> {
                            count.run();
                            return System.nanoTime() > end;
                        });
            } finally {
                server.goOn();
            }
            push(kept, pusher);

            assertThat(counted[0]).isGreaterThan(10);
            for (int i = 0; i < 1000; i += 37) {
                assertThat(server.get("counter." + i).trim()).isEqualTo(String.valueOf(counted[0]));
            }
            assertThat(kept.counted("store_foreign_values_total"))
                    .as("nothing is counted twice")
                    .isZero();
            assertThat(kept.said.lines()).singleElement().asString().contains("gave no usable answer");
        }
    }

    private static void push(KeptLedger kept, Pusher pusher) {
        await().atMost(PATIENCE).until(() -> {
            kept.commit.run();
            pusher.run();
            return kept.ledger.unanswered() == 0;
        });
    }

    @Test
    void a_memcached_that_is_too_small_is_detected_and_logged() throws Exception {
        try (Memcached server = new Memcached();
                Store store = new MemcachedStore(List.of(server.address()), Optional.empty(), System::nanoTime)) {
            overfill(store, 1_200_000, "memcached is too small", "-m");
        }
    }

    @Test
    void a_redis_that_is_too_small_is_detected_and_logged() throws Exception {
        try (Redis server = new Redis("--maxmemory", "4mb", "--maxmemory-policy", "allkeys-lru");
                Store store = new RedisStore(List.of(server.address()), 0, false, Optional.empty(), System::nanoTime)) {
            overfill(store, 60_000, "Redis is too small", "maxmemory");
        }
    }

    private void overfill(Store store, int counters, String said, String remedy) throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, true)) {
            Pusher pusher = new Pusher(kept.ledger, store, "", kept.said.log(), kept.metrics);
            for (int i = 0; i < counters; i += 1000) {
                StringBuilder lines = new StringBuilder();
                for (int j = i; j < i + 1000; j++) {
                    lines.append("increment counter.").append(j).append('\n');
                }
                kept.datagram(lines.toString());
            }
            await().atMost(Duration.ofMinutes(3))
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> {
                        kept.commit.run();
                        while (pusher.run() && pusher.hasMore()) {
                            // Pushes the rest.
                        }
                        return kept.counted("store_lost_keys_total") > 1000;
                    });

            // On a busy machine the store may also answer too late, which is logged too.
            assertThat(kept.said.lines())
                    .filteredOn(line -> !line.contains("gave no usable answer"))
                    .singleElement()
                    .asString()
                    .contains(said, "evicted", remedy, "restored");
            assertThat(kept.value("counter.77")).as("the ledger is unaffected").isEqualTo(1);
        }
    }
}
