package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.agent.settings.Settings;
import io.counters.fixture.Forwards;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import org.junit.jupiter.api.Test;

/** Java's methods that look like forwarders, and those that are; of other languages, see {@code LanguagesIT}. */
class ForwardingTest {
    private final List<String> log = new ArrayList<>();

    @Test
    void an_overload_that_hands_on_to_the_same_counter_counts_there() throws Exception {
        assertThat(counted(Forwards.Handing.class))
                .containsExactlyInAnyOrder(
                        "a(int,long)",
                        "named(int)",
                        "boxed(java.lang.Long)",
                        "many(java.lang.Object[])",
                        "<init>(int)",
                        "below()",
                        "facade()");
        assertThat(counted(Forwards.Below.class)).isEmpty();
        assertThat(counted(Forwards.Facade.class)).isEmpty();
    }

    @Test
    void what_does_more_or_names_another_counter_counts_as_well() throws Exception {
        assertThat(counted(Forwards.Own.class))
                .containsExactlyInAnyOrder(
                        "other()",
                        "byDefault()",
                        "more()",
                        "later()",
                        "perhaps()",
                        "twice()",
                        "read(java.lang.String)",
                        "self()",
                        "wrapped(io.counters.fixture.Forwards$Own)",
                        "x(int)",
                        "byDefault(int)",
                        "y(int)",
                        "partly()");
        assertThat(list(Forwards.Own.class, "")).contains(Forwards.Own.class.getName() + "#partly() = partly entry");
    }

    @Test
    void a_call_of_another_object_is_a_persons_delegation() throws Exception {
        assertThat(counted(Forwards.Decorating.class)).containsExactly("x(int)");
    }

    @Test
    void a_rule_counts_where_the_call_ends_and_a_forwarder_that_is_named_alone() throws Exception {
        assertThat(list(Forwards.Ruled.class, "methods=" + Forwards.Ruled.class.getName() + "#take = t"))
                .containsExactly(Forwards.Ruled.class.getName() + "#take(int) = t entry");
        assertThat(list(Forwards.Ruled.class, "methods=" + Forwards.Ruled.class.getName() + "#take() = t"))
                .containsExactly(Forwards.Ruled.class.getName() + "#take() = t entry");
    }

    private List<String> counted(Class<?> type) throws IOException {
        return list(type, "").stream()
                .map(line -> line.substring(line.indexOf('#') + 1, line.indexOf(" = ")))
                .distinct()
                .toList();
    }

    private List<String> list(Class<?> type, String settings) throws IOException {
        Weaving weaving = new Weaving(
                Rules.read(Settings.read(settings, new Properties(), Map.of()), log::add),
                new Names("host", "app", "", log::add),
                () -> false,
                name -> 0,
                log::add);
        String name = type.getName().replace('.', '/');
        try (InputStream in = type.getResourceAsStream("/" + name + ".class")) {
            return weaving.list(
                    type.getClassLoader(), name, Objects.requireNonNull(in).readAllBytes());
        }
    }
}
