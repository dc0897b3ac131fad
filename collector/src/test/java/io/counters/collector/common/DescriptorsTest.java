package io.counters.collector.common;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DescriptorsTest {
    @Test
    void the_limit_is_more_than_this_test_uses() {
        assertThat(Descriptors.limit()).isBetween(20L, Long.MAX_VALUE - 1);
    }
}
