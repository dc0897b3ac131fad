package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class SeenTopicsTest {
    private final SeenTopics seen = new SeenTopics();
    private final Uuid id = Uuid.randomUuid();

    @Test
    void a_topic_that_two_looks_do_not_find_is_gone() {
        seen.add("a", id);

        assertThat(seen.isGone("a")).isFalse();
        assertThat(seen.misses()).isTrue();
        assertThat(seen.isGone("a")).isTrue();
    }

    @Test
    void a_topic_that_is_found_again_is_missed_anew() {
        seen.add("a", id);
        seen.isGone("a");

        assertThat(seen.isOther("a", id)).isFalse();
        assertThat(seen.misses()).isFalse();
        assertThat(seen.isGone("a")).isFalse();
    }

    @Test
    void a_topic_that_was_never_there_is_neither_gone_nor_another_one() {
        assertThat(seen.isGone("a")).isFalse();
        assertThat(seen.isGone("a")).isFalse();
        assertThat(seen.misses()).isFalse();
        assertThat(seen.isOther("a", id)).isFalse();
    }

    @Test
    void a_topic_with_another_id_is_another_one_however_often_it_is_found() {
        seen.add("a", id);
        Uuid other = Uuid.randomUuid();

        assertThat(seen.isOther("a", other)).isTrue();
        seen.add("a", other);
        assertThat(seen.isOther("a", other)).isTrue();
    }

    @Test
    void a_broker_that_knows_no_ids_says_nothing_of_topics() {
        seen.add("a", Uuid.ZERO_UUID);
        assertThat(seen.isOther("a", id)).isFalse();

        seen.add("a", id);
        assertThat(seen.isOther("a", Uuid.ZERO_UUID)).isFalse();
        assertThat(seen.isOther("a", Uuid.randomUuid())).isTrue();
    }
}
