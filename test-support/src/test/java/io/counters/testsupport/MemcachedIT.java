package io.counters.testsupport;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MemcachedIT {
    @Test
    void stored_values_are_read_back_and_counters_may_be_negative() throws Exception {
        try (Memcached memcached = new Memcached()) {
            memcached.set("orders.placed", "12");
            memcached.set("stock.balance", "18446744073709551611");
            memcached.set("shrunk", "9 ");

            assertThat(memcached.get("orders.placed")).isEqualTo("12");
            assertThat(memcached.counter("stock.balance")).isEqualTo(-5);
            assertThat(memcached.counter("shrunk")).isEqualTo(9);
            assertThat(memcached.get("never.counted")).isEmpty();
            assertThat(memcached.counter("never.counted")).isNull();
        }
    }

    @Test
    void a_killed_memcached_restarts_empty_on_its_port() throws Exception {
        try (Memcached memcached = new Memcached()) {
            memcached.set("orders.placed", "12");
            int port = memcached.port();

            memcached.kill();
            memcached.start();

            assertThat(memcached.port()).isEqualTo(port);
            assertThat(memcached.get("orders.placed")).isEmpty();
        }
    }
}
