package io.counters.collector.query;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("slow")
class EngineTest {
    private static final int BITS = 15;

    private static SubQuery by(String... keys) {
        List<Filter> filters = new ArrayList<>();
        for (String key : keys) {
            filters.add(new Filter(Filter.Type.WILDCARD, key, "*", true));
        }
        return new SubQuery("m", Objects.requireNonNull(AggregateFunction.named("sum")), null, null, filters, false);
    }

    private static TimeSeries series(String... tags) {
        TreeMap<String, String> all = new TreeMap<>();
        for (int i = 0; i < tags.length; i += 2) {
            all.put(tags[i], tags[i + 1]);
        }
        return new TimeSeries("m" + all, "m", all);
    }

    @Test
    void series_with_the_same_values_of_the_asked_keys_are_a_group_and_one_without_the_key_is_of_none_of_them() {
        TimeSeries first = series("a", "1", "b", "2", "c", "3");
        TimeSeries same = series("a", "1", "b", "2", "c", "4");
        TimeSeries other = series("a", "1", "b", "3");
        TimeSeries without = series("a", "1");

        assertThat(Engine.groups(by("a", "b"), List.of(first, other, same, without)))
                .containsExactly(List.of(first, same), List.of(other), List.of(without));
    }

    /** Whoever sends names chooses the tags. Lists of values have no order, so each would be compared with all before it. */
    @Test
    @Timeout(value = 10, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void values_whose_hashes_collide_are_found_as_soon_as_others() {
        List<TimeSeries> all = new ArrayList<>();
        for (int i = 0; i < 1 << BITS; i++) {
            StringBuilder value = new StringBuilder();
            for (int bit = 0; bit < BITS; bit++) {
                value.append((i >> bit & 1) == 0 ? "Aa" : "BB");
            }
            assertThat(value.toString().hashCode()).isEqualTo("Aa".repeat(BITS).hashCode());
            all.add(series("k", value.toString()));
        }

        assertThat(Engine.groups(by("k"), all)).hasSize(1 << BITS);
    }
}
