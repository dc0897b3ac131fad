package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.fixture.Isolated;
import io.counters.fixture.Marked;
import io.counters.fixture.Two;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a JVM with marked classes counts, one child for most of it. The annotation is not on the child's class path. */
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
    void the_application_does_what_it_did_and_its_stdout_is_its_own() {
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
    void each_type_of_return_counts_as_a_return_and_no_error() {
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
    void errors_count_under_a_name_of_their_own_or_behind_the_metric() {
        assertThat(sums)
                .containsEntry("outcome.plus", 5L)
                .containsEntry("outcome.plus.errors", 2L)
                .containsEntry("outcome.tagged,a=1,b=2", 5L)
                .containsEntry("outcome.tagged.errors,a=1,b=2", 2L);
    }

    @Test
    void on_takes_the_named_classes_and_their_subclasses() {
        assertThat(sums)
                .containsEntry("some", 4L)
                .containsEntry("some.errors", 3L)
                .containsEntry("some.thrown", 1L);
    }

    @Test
    void what_is_in_flight_goes_down_however_the_call_ends() {
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
    void a_marked_class_counts_its_public_methods_but_for_objects_bridges_and_those_with_a_mark() {
        assertThat(sums)
                .containsEntry("on-class.open", 1L)
                .containsEntry("on-class.fixed", 2L)
                .containsEntry("on-class.replaced", 1L)
                .containsEntry("on-class.compareTo", 2L);
        assertThat(sums.keySet().stream().filter(name -> name.startsWith("on-class")))
                .hasSize(4);
    }

    @Test
    void constructors_count_at_entry_and_when_constructed() {
        assertThat(sums)
                .containsEntry("made.entry", 4L)
                .containsEntry("made.return", 3L)
                .containsEntry(FIXTURE + "Made.new", 1L);
    }

    @Test
    void a_constructor_without_handler_is_refused_that_and_keeps_the_rest() {
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
    void an_override_without_the_mark_counts_only_when_it_calls_up() {
        assertThat(sums).containsEntry(FIXTURE + "Shapes.Nested.corners", 2L);
    }

    @Test
    void an_abstract_method_is_one_line() {
        assertThat(sums).doesNotContainKey("shape.abstract");
        assertThat(child.err()).containsOnlyOnce(FIXTURE + "Shapes.corners: an abstract method has no code");
    }

    @Test
    void a_native_method_is_one_line() {
        assertThat(child.err()).containsOnlyOnce("Proxied$Seen.inC: a native method has no code");
    }

    @Test
    void what_is_generated_does_not_count_beside_the_method_itself() {
        assertThat(sums).containsEntry("proxied", 2L).containsEntry("seen", 1L);
    }

    @Test
    void names_that_nobody_wrote_are_nothing_to_complain_about() {
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
    void code_with_handlers_loops_and_many_returns_is_left_as_it_was() {
        assertThat(sums)
                .containsEntry("hard", 10L)
                .containsEntry("hard.errors", 3L)
                .containsEntry("hard.returned", 7L)
                .containsEntry("inside", 1L)
                .doesNotContainKey("inside.errors");
    }

    @Test
    void templates_are_filled_in() {
        assertThat(sums).containsEntry("shop/Marked-templates/io.counters.fixture", 1L);
    }

    @Test
    void strange_letters_are_replaced_and_said_once() {
        assertThat(sums).containsEntry("strange_name__strange", 1L);
        assertThat(child.err()).containsOnlyOnce("is counted as strange_name__strange");
    }

    @Test
    void what_is_refused_is_said_once_and_the_rest_counts() {
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
