package io.counters.collector.simulate;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class SimulateTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final StringWriter err = new StringWriter();

    private int simulate(String... arguments) {
        return new CommandLine(new Simulate(new PrintStream(out, true, UTF_8), System.err, () -> 0))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    @Test
    void the_output_ends_with_a_verdict_and_shows_the_loss_without_totals() {
        int status = simulate(
                "--seeds",
                "1..5",
                "--loss",
                "30%",
                "--duplicate",
                "10%",
                "--reorder",
                "20%",
                "--crash",
                "2%",
                "--reshard",
                "2%",
                "--restart",
                "1%",
                "--sweeps",
                "100");

        assertThat(status).isZero();
        assertThat(out.toString(UTF_8))
                .contains("everything at once: seeds 5, counters exact 25 of 25, wrong by 0.000%")
                .containsPattern("with totals=off, as StatsD would: seeds 5, counters exact \\d+ of 25, wrong by \\d+")
                .contains("a ledger without room", "a sender in quarantine")
                .contains("verdict: exact where exactness is guaranteed");
    }

    @Test
    void a_seed_can_be_replayed_step_by_step() {
        int status = simulate("--seed", "3", "--verbose", "--sweeps", "200", "--crash", "10%");

        assertThat(status).isZero();
        assertThat(out.toString(UTF_8))
                .contains("seed 3 step")
                .contains("is killed")
                .contains("seeds 1,");
    }

    @Test
    void invalid_shares_and_seeds_are_reported() {
        assertThat(simulate("--loss", "much")).isNotZero();
        assertThat(err.toString()).contains("much is not a share; write, for example, 30%");
        assertThat(simulate("--seeds", "2..1")).isNotZero();
        assertThat(err.toString()).contains("2..1: --seeds must be a range from low to high");
        assertThat(simulate("--seeds", "all")).isNotZero();
        assertThat(err.toString()).contains("--seeds is A..B or a number");
    }
}
