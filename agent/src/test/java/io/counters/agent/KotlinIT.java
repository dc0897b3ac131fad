package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.fixture.CallsKotlin;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import kotlin.KotlinVersion;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** One count for each call of what is one function in the Kotlin source, whatever kotlinc generates. */
class KotlinIT {
    private static Map<String, Long> sums = Map.of();
    private static ChildJvm.Ended child = new ChildJvm.Ended(-1, "", "");

    @BeforeAll
    static void run() throws Exception {
        Path stdlib = Path.of(KotlinVersion.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        try (Receiver receiver = new Receiver()) {
            child = ChildJvm.run(
                            receiver.arguments() + ",methods='io.counters.fixture.InCompanion#overloads=no.rule;"
                                    + "io.counters.fixture.WithOverloads#add=by.rule'",
                            List.of(ChildJvm.FIXTURES, stdlib),
                            CallsKotlin.class,
                            "-Xverify:all")
                    .well();
            sums = receiver.sums();
        }
    }

    @Test
    void top_level_functions_and_functions_with_default_arguments_count_once_a_call() {
        assertThat(sums)
                .containsEntry("kotlin.top", 2L)
                .containsEntry("kotlin.defaults", 2L)
                .containsEntry("kotlin.recursive", 3L);
    }

    @Test
    void overloads_that_kotlinc_generates_do_not_count_in_addition_to_the_function() {
        assertThat(sums).containsEntry("kotlin.overloads", 3L).containsEntry("kotlin.companion.overloads", 2L);
    }

    @Test
    void functions_of_companions_and_objects_count_once_also_through_their_static_doubles() {
        assertThat(sums)
                .containsEntry("kotlin.companion.instance", 1L)
                .containsEntry("kotlin.companion.static", 3L)
                .containsEntry("kotlin.object.instance", 1L)
                .containsEntry("kotlin.object.static", 2L);
    }

    @Test
    void a_rule_that_names_only_a_compilers_forwarder_is_refused() {
        assertThat(sums).containsEntry("by.rule", 3L).doesNotContainKey("no.rule");
        assertThat(child.err())
                .containsOnlyOnce("the compiler generated this method")
                .contains(
                        "InCompanion.overloads: the compiler generated this method", "InCompanion$Companion#overloads");
    }

    @Test
    void default_functions_of_interfaces_count_in_the_interface_only() {
        assertThat(sums).containsEntry("kotlin.interface", 3L).containsEntry("kotlin.generic", 2L);
    }

    @Test
    void a_function_that_forwards_in_its_own_source_counts() {
        assertThat(sums).containsEntry("kotlin.forwarding", 1L).containsEntry("kotlin.value", 1L);
    }

    @Test
    void a_suspend_function_counts_once_when_its_call_has_ended_however_often_it_is_resumed() {
        assertThat(sums)
                .containsEntry("kotlin.suspend", 1L)
                .containsEntry("kotlin.suspend.return", 1L)
                .containsEntry("kotlin.suspend.exit", 1L)
                .containsEntry("kotlin.suspend.never", 1L)
                .containsEntry("kotlin.suspend.recursive", 4L)
                .containsEntry("kotlin.suspend.member", 1L)
                .containsEntry("kotlin.suspend.extension", 1L)
                .doesNotContainKey("kotlin.suspend.return.errors");
    }

    @Test
    void a_suspend_function_that_fails_after_it_was_resumed_counts_as_thrown() {
        assertThat(sums)
                .containsEntry("kotlin.suspend.thrown", 1L)
                .containsEntry("kotlin.suspend.thrown.errors", 1L)
                .containsEntry("kotlin.suspend.thrown.throw", 1L);
    }

    @Test
    void a_suspend_function_that_is_never_resumed_counts() {
        assertThat(sums).containsEntry("kotlin.suspend.tail", 1L).containsEntry("kotlin.suspend.tail.return", 1L);
    }

    @Test
    void in_flight_is_refused_for_a_suspend_function_and_the_rest_counts() {
        assertThat(sums).containsEntry("kotlin.suspend.kept", 1L).doesNotContainKey("kotlin.suspend.open");
        assertThat(child.err()).containsOnlyOnce("InKotlin.refused: inFlight is ignored");
    }
}
