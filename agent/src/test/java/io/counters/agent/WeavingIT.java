package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.fixture.Isolated;
import io.counters.fixture.Marked;
import io.counters.fixture.Two;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a JVM with marked classes counts. One child runs for most tests; its class path does not have the annotation. */
class WeavingIT {
    private static final String FIXTURE = "io.counters.fixture.";

    private static Map<String, Long> sums = Map.of();
    private static ChildJvm.Ended child = new ChildJvm.Ended(-1, "", "");

    @BeforeAll
    static void run() throws Exception {
        try (Receiver receiver = new Receiver()) {
            child = ChildJvm.run(
                    receiver.arguments() + ",app=shop", List.of(ChildJvm.FIXTURES), Marked.class, "-Xverify:all");
            sums = receiver.sums();
        }
    }

    @Test
    void the_application_exits_normally_and_the_agent_prints_nothing_to_stdout() {
        assertThat(child.well().out()).isEmpty();
        assertThat(sums.keySet()).noneMatch(name -> name.startsWith("rejected"));
    }

    @Test
    void methods_of_every_kind_count_each_call() {
        assertThat(sums)
                .containsEntry(FIXTURE + "Marked.byDefault", 3L)
                .containsEntry("kind.private", 3L)
                .containsEntry("kind.static-final", 3L)
                .containsEntry("kind.synchronized", 3L)
                .containsEntry("recursive", 5L)
                .containsEntry("referenced", 1L);
    }

    @Test
    void a_return_of_each_type_counts_as_a_return_and_not_as_an_error() {
        assertThat(sums).containsEntry("returned", 5L).doesNotContainKeys("returned.errors", "returned.open");
    }

    @Test
    void each_moment_counts_the_calls_that_reach_it() {
        assertThat(sums)
                .containsEntry("outcome.entry", 5L)
                .containsEntry("outcome.return", 3L)
                .containsEntry("outcome.throw", 2L)
                .containsEntry("outcome.exit", 5L);
    }

    @Test
    void errors_count_under_their_own_name_or_with_a_suffix_of_the_metric() {
        assertThat(sums)
                .containsEntry("outcome.plus", 5L)
                .containsEntry("outcome.plus.errors", 2L)
                .containsEntry("outcome.tagged,a=1,b=2", 5L)
                .containsEntry("outcome.tagged.errors,a=1,b=2", 2L);
    }

    @Test
    void on_matches_the_named_classes_and_their_subclasses() {
        assertThat(sums)
                .containsEntry("some", 4L)
                .containsEntry("some.errors", 3L)
                .containsEntry("some.thrown", 1L);
    }

    @Test
    void in_flight_is_decremented_however_the_call_ends() {
        assertThat(sums)
                .containsEntry("flights", 2L)
                .doesNotContainKey("flights.open")
                .containsEntry("end.open", 1L);
    }

    @Test
    void an_amount_may_be_large_or_negative() {
        assertThat(sums)
                .containsEntry("amount.up", 5L)
                .containsEntry("amount.down", -2L)
                .containsEntry("amount.large", 1_000_000_000L);
    }

    @Test
    void several_marks_on_one_method_all_count() {
        assertThat(sums).containsEntry("several.entry", 2L).containsEntry("several.exit", 1L);
    }

    @Test
    void a_marked_class_counts_its_public_methods_except_those_of_object_bridges_and_marked_ones() {
        assertThat(sums)
                .containsEntry("on-class.open", 1L)
                .containsEntry("on-class.fixed", 2L)
                .containsEntry("on-class.replaced", 1L)
                .containsEntry("on-class.compareTo", 2L);
        assertThat(sums.keySet().stream().filter(name -> name.startsWith("on-class")))
                .hasSize(4);
    }

    @Test
    void constructors_count_at_entry_and_at_return() {
        assertThat(sums)
                .containsEntry("made.entry", 4L)
                .containsEntry("made.return", 3L)
                .containsEntry(FIXTURE + "Made.new", 1L);
    }

    @Test
    void moments_that_a_constructor_cannot_count_are_refused_and_its_other_counters_count() {
        assertThat(sums).containsEntry("made.kept", 2L).doesNotContainKeys("made.errors", "made.open", "made.exit");
        assertThat(child.err()).containsOnlyOnce("a constructor counts at ENTRY or RETURN only");
    }

    @Test
    void interfaces_records_enums_and_nested_classes_count() {
        assertThat(sums)
                .containsEntry("shape.default", 2L)
                .containsEntry("shape.private", 2L)
                .containsEntry("shape.static", 1L)
                .containsEntry("shape.record", 1L)
                .containsEntry("shape.enum", 1L)
                .containsEntry("shape.bridged", 1L);
    }

    @Test
    void an_override_without_a_mark_counts_only_when_it_calls_the_super_method() {
        assertThat(sums).containsEntry(FIXTURE + "Shapes.Nested.corners", 2L);
    }

    @Test
    void a_marked_abstract_method_is_logged_once() {
        assertThat(sums).doesNotContainKey("shape.abstract");
        assertThat(child.err()).containsOnlyOnce(FIXTURE + "Shapes.corners: an abstract method has no code");
    }

    @Test
    void a_marked_native_method_is_logged_once() {
        assertThat(child.err()).containsOnlyOnce("Proxied$Seen.inC: a native method has no code");
    }

    @Test
    void generated_methods_do_not_count_in_addition_to_the_method_itself() {
        assertThat(sums).containsEntry("proxied", 2L).containsEntry("seen", 1L);
    }

    @Test
    void replaced_characters_in_generated_names_are_not_logged() {
        assertThat(child.err()).doesNotContain("Shapes.Nested.corners");
    }

    @Test
    void without_the_agent_a_mark_does_nothing() throws Exception {
        ChildJvm.Ended alone = ChildJvm.start(List.of(), List.of(ChildJvm.FIXTURES), Marked.class.getName())
                .await()
                .well();

        assertThat(alone.out() + alone.err()).isEmpty();
    }

    @Test
    void default_names_carry_the_tags_of_the_settings() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.run(
                            receiver.arguments() + ",app=shop,tags='env=prod,app={app}'",
                            List.of(ChildJvm.FIXTURES),
                            Marked.class)
                    .well();

            assertThat(receiver.sums())
                    .containsEntry(FIXTURE + "Marked.byDefault,app=shop,env=prod", 3L)
                    .containsEntry("kind.private", 3L);
        }
    }

    @Test
    void code_with_handlers_loops_and_many_returns_works_and_counts() {
        assertThat(sums)
                .containsEntry("hard", 10L)
                .containsEntry("hard.errors", 3L)
                .containsEntry("hard.returned", 7L)
                .containsEntry("inside", 1L)
                .doesNotContainKey("inside.errors");
    }

    @Test
    void placeholders_in_names_are_filled_in() {
        assertThat(sums).containsEntry("shop/Marked-templates/io.counters.fixture", 1L);
    }

    @Test
    void characters_that_are_not_allowed_are_replaced_and_that_is_logged_once() {
        assertThat(sums).containsEntry("strange_name__strange", 1L);
        assertThat(child.err()).containsOnlyOnce("is counted as strange_name__strange");
    }

    @Test
    void a_refused_mark_is_logged_once_and_the_rest_counts() {
        assertThat(sums).containsEntry("kept", 1L).doesNotContainKey("later");
        assertThat(child.err())
                .containsOnlyOnce("is refused and not counted")
                .containsOnlyOnce("Marked.later: async is for");
    }

    @Test
    void classes_of_a_loader_that_sees_only_java_base_count() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.run(receiver.arguments(), List.of(ChildJvm.FIXTURES), Isolated.class, "-Xverify:all")
                    .well();

            assertThat(receiver.sums()).containsEntry("isolated", 2L);
        }
    }

    @Test
    void classes_of_the_boot_class_path_count() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.run(
                            receiver.arguments() + ",methods='*.Two#plain = two.plain'",
                            List.of(ChildJvm.CORE),
                            Two.class,
                            "-Xbootclasspath/a:" + ChildJvm.FIXTURES,
                            "-Xverify:all")
                    .well();

            assertThat(receiver.sums())
                    .containsEntry("two.marked", 2L)
                    .containsEntry("two.plain", 1L)
                    .hasSize(2);
        }
    }
}
