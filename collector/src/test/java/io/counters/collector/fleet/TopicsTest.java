package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TopicsTest {
    private final Topics topics = Topics.of("shop/");

    @Test
    void the_group_of_a_sink_is_named_after_the_sink() {
        assertThat(topics.sink("opentsdb-tsd1.example-4242")).isEqualTo("shop.sink.opentsdb-tsd1.example-4242");
        assertThat(topics.sink("opentsdb-::1-4242")).isEqualTo("shop.sink.opentsdb---1-4242");
        assertThat(topics.sink("stdout")).isEqualTo("shop.sink.stdout");
    }

    @Test
    void a_very_long_name_becomes_one_that_Kafka_allows_and_stays_unique() {
        Topics longest = Topics.of("p".repeat(100));
        String one = longest.sink("opentsdb-" + "h".repeat(253) + "-4242");
        String other = longest.sink("opentsdb-" + "h".repeat(253) + "-4243");

        assertThat(one).isNotEqualTo(other).hasSizeLessThan(250).matches("[A-Za-z0-9._-]+");
        assertThat(longest.sink("opentsdb-" + "h".repeat(253) + "-4242")).isEqualTo(one);
    }
}
