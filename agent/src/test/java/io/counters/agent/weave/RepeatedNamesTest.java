package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.annotation.Counted;
import com.codahale.metrics.annotation.ExceptionMetered;
import com.codahale.metrics.annotation.Metered;
import io.counters.Count;
import io.counters.agent.settings.Settings;
import io.counters.wire.NameTemplates;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import org.junit.jupiter.api.Test;

/** A method that several annotations mark with one name. */
class RepeatedNamesTest {
    private static final String OWN = "io.counters.agent.weave.RepeatedNamesTest";
    private static final String SETTINGS = "alias='com.codahale.metrics.annotation.Counted;"
            + "com.codahale.metrics.annotation.Metered;com.codahale.metrics.annotation.ExceptionMetered',"
            + "methods='*#wider = wider throw'";

    private final List<String> log = new ArrayList<>();

    static class Migrated {
        @Count
        @Metered
        void place() {}

        @Count
        @Metered(name = "ship")
        @Counted(monotonic = true)
        void ship() {}
    }

    @Test
    void a_name_that_two_annotations_give_in_different_ways_counts_once() throws Exception {
        assertThat(listed(Migrated.class))
                .containsExactly(
                        "shop.Migrated#place() = " + OWN + ".Migrated.place entry",
                        "shop.Migrated#ship() = " + OWN + ".Migrated.ship entry");
        assertThat(log).isEmpty();
    }

    static class Doubled {
        @Count("twice")
        @Count("twice")
        void place() {}
    }

    @Test
    void each_count_of_one_name_counts() throws Exception {
        assertThat(listed(Doubled.class))
                .containsExactly("shop.Doubled#place() = twice entry", "shop.Doubled#place() = twice entry");
    }

    static class Failing {
        @Count(value = "failed", when = Count.When.THROW, on = IOException.class)
        @ExceptionMetered(name = "failed", absolute = true, cause = IllegalStateException.class)
        void place() {}

        @ExceptionMetered(name = "all", absolute = true, cause = Throwable.class)
        @Count(value = "all", when = Count.When.THROW)
        void all() {}

        @Count(value = "wider", when = Count.When.THROW, on = IOException.class)
        void wider() {}
    }

    @Test
    void a_name_that_two_annotations_give_for_different_throwables_counts_once_for_the_throwables_of_both()
            throws Exception {
        assertThat(listed(Failing.class))
                .containsExactly(
                        "shop.Failing#place() = failed throw on java.io.IOException;java.lang.IllegalStateException",
                        "shop.Failing#all() = all throw",
                        "shop.Failing#wider() = wider throw");
    }

    @Counted(name = "none")
    interface WithoutCode {
        void place();
    }

    @Counted(name = "one")
    static class WithCode {
        public void place() {}
    }

    @Test
    void an_annotation_of_another_library_on_a_class_without_public_methods_is_reported() throws Exception {
        assertThat(listed(WithoutCode.class)).isEmpty();
        assertThat(log)
                .containsExactly(
                        OWN + "$WithoutCode: @com.codahale.metrics.annotation.Counted on a class applies to its public"
                                + " methods that have code, but there are none; annotate methods or the classes that implement it, or"
                                + " set inherit=true");
        assertThat(listed(WithCode.class)).hasSize(1);
        assertThat(log).hasSize(1);
    }

    static class Mixed {
        @Counted
        @Metered
        void place() {}

        @Count(value = "ship", inFlight = "ship")
        void ship() {}

        @Count(value = "one", inFlight = "open")
        @Counted(name = "open", absolute = true)
        void once() {}
    }

    @Test
    void calls_in_progress_are_not_added_to_the_counter_of_calls() throws Exception {
        assertThat(listed(Mixed.class))
                .containsExactly(
                        "shop.Mixed#place() = " + OWN + ".Mixed.place entry",
                        "shop.Mixed#ship() = ship entry",
                        "shop.Mixed#once() = one entry",
                        "shop.Mixed#once() = open in flight");
        assertThat(log)
                .containsExactly(
                        OWN + "$Mixed.place: calls in progress are not counted as " + OWN + ".Mixed.place, because the"
                                + " method counts calls under that name, too; give one of the two another name",
                        OWN + "$Mixed.ship: calls in progress are not counted as ship, because the method counts calls"
                                + " under that name, too; give one of the two another name");
    }

    private List<String> listed(Class<?> type) throws IOException {
        try (InputStream in = type.getResourceAsStream("RepeatedNamesTest$" + type.getSimpleName() + ".class")) {
            return new Weaving(
                            Rules.read(Settings.read(SETTINGS, new Properties(), Map.of()), log::add),
                            new NameTemplates("host", "app", "", log::add),
                            () -> true,
                            String::length,
                            log::add)
                    .list(
                            type.getClassLoader(),
                            "shop/" + type.getSimpleName(),
                            Objects.requireNonNull(in).readAllBytes());
        }
    }
}
