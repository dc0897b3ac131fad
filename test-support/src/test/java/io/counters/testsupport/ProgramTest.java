package io.counters.testsupport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class ProgramTest {
    @Test
    void output_and_exit_status_are_known_after_the_end() throws Exception {
        try (Program program = Program.start("sh", "-c", "echo one; echo two; echo oh >&2; exit 3")) {
            assertThat(program.awaitEnd()).isEqualTo(3);
            assertThat(program.output()).containsExactly("one", "two");
            assertThat(program.errors()).containsExactly("oh");
        }
    }

    @Test
    void lines_are_numbered_from_the_first_one_although_only_the_last_ones_are_kept() throws Exception {
        try (Program program = Program.start("sh", "-c", "seq 10001 >&2")) {
            program.awaitEnd();

            assertThat(program.errorLines()).isEqualTo(10_001);
            assertThat(program.errorsAfter(9_999)).containsExactly("10000", "10001");
            assertThatThrownBy(() -> program.errorsAfter(0)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void awaitLine_returns_the_groups_of_a_line_of_a_running_program() throws Exception {
        try (Program program = Program.start("sh", "-c", "echo starting; echo listening on 4711 >&2; exec sleep 60")) {
            assertThat(program.awaitLine("listening on (\\d+)").group(1)).isEqualTo("4711");
            assertThat(program.isRunning()).isTrue();
        }
    }

    @Test
    void awaitLine_fails_with_the_whole_output_if_the_line_never_appears() throws Exception {
        try (Program program = Program.start("sh", "-c", "echo no luck today")) {
            assertThatThrownBy(() -> program.awaitLine("listening"))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("listening")
                    .hasMessageContaining("no luck today");
        }
    }

    @Test
    void stop_can_be_trapped_and_kill_cannot() throws Exception {
        String polite = "trap 'echo goodbye; exit 7' TERM; echo ready; while :; do sleep 0.05; done";

        try (Program stopped = Program.start("sh", "-c", polite);
                Program killed = Program.start("sh", "-c", polite)) {
            stopped.awaitLine("ready");
            killed.awaitLine("ready");
            killed.kill();

            assertThat(stopped.stop()).isEqualTo(7);
            assertThat(stopped.output()).endsWith("goodbye");
            assertThat(killed.output()).endsWith("ready");
        }
    }

    @Test
    void a_signal_is_sent_by_its_name() throws Exception {
        try (Program program = Program.start(
                "bash", "-c", "trap 'echo interrupted; exit' INT; echo ready; while :; do sleep 0.05; done")) {
            program.awaitLine("ready");

            program.signal("INT");

            assertThat(program.awaitEnd()).isZero();
            assertThat(program.output()).endsWith("interrupted");
        }
    }

    @Test
    void close_also_ends_child_processes() throws Exception {
        List<ProcessHandle> children;
        try (Program program = Program.start("sh", "-c", "sleep 60 & echo ready; wait")) {
            program.awaitLine("ready");
            children = program.descendants();
        }

        assertThat(children).hasSize(1);
        children.get(0).onExit().join();
    }

    @Test
    void java_starts_the_JDK_that_runs_the_tests() throws Exception {
        try (Program java = Program.java("-XshowSettings:properties", "-version")) {
            assertThat(java.awaitEnd()).isZero();
            assertThat(java.errors())
                    .anySatisfy(line -> assertThat(line).contains("java.home = " + System.getProperty("java.home")));
        }
    }
}
