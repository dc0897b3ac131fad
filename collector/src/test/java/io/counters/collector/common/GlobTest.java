package io.counters.collector.common;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GlobTest {
    @ParameterizedTest
    @CsvSource({
        "'',        a,            true",
        "B,         abc,          true",
        "d,         abc,          false",
        "a*,        abc,          true",
        "a*,        A,            false",
        "*c,        abcbc,        true",
        "*b,        abc,          false",
        "a?c,       abc,          true",
        "a?c,       ac,           false",
        "*,         '',           true",
        "a*b*c,     axxbxxbxc,    true",
        "a*b*c,     axxcxxb,      false",
        "'*,sku=*', 'stock,sku=7', true",
        "orders.*,  ordersXplaced, false",
    })
    void a_pattern_matches(String pattern, String text, boolean matches) {
        assertThat(new Glob(pattern).matches(text)).isEqualTo(matches);
    }

    @Test
    void the_prefix_ends_before_the_first_star_or_question_mark() {
        assertThat(new Glob("a.b*c").prefix()).isEqualTo("a.b");
        assertThat(new Glob("?a").prefix()).isEmpty();
        assertThat(new Glob("a").prefix()).isEqualTo("a");
    }
}
