package io.counters.collector.prometheus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.http.RequestException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamePatternsTest {
    @ParameterizedTest
    @CsvSource({
        "orders.placed, orders.placed,  true",
        "orders.placed, orders.placed2, false",
        "orders.placed, orders_placed,  false",
        "orders,        orders.placed,  false",
        "orders*,       orders,         true",
        "orders.*,      orders.placed,  true",
        "orders.*,      orders,         false",
        "*placed,       orders.placed,  true",
        "*placed,       placed.orders,  false",
        "*.*.x,         a.b.c.x,        true",
        "*.*.x,         a.x,            false",
        "a*b*c,         a-b-b-c,        true",
        "a*b*c,         acb,            false",
        "*,             a,              true",
        "**,            a,              true",
    })
    void a_star_stands_for_any_characters(String pattern, String name, boolean matches) {
        assertThat(new NamePatterns(List.of(pattern)).match(name)).isEqualTo(matches);
    }

    @Test
    void one_of_several_patterns_is_enough_and_without_any_all_names_match() {
        NamePatterns two = new NamePatterns(List.of("a*", "b*"));

        assertThat(two.match("a.x")).isTrue();
        assertThat(two.match("b.x")).isTrue();
        assertThat(two.match("c.x")).isFalse();
        assertThat(new NamePatterns(List.of()).match("c.x")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "a,x=1", "a{x}", "a.+", "\u00e4", "a\u0161"})
    void a_pattern_that_matches_no_name_is_refused(String pattern) {
        assertThatThrownBy(() -> new NamePatterns(List.of("a", pattern)))
                .isInstanceOf(RequestException.class)
                .hasMessageStartingWith("the parameter match is \"");
    }
}
