package io.counters.collector.simulate;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.simulate.World.Outcome;
import io.counters.collector.simulate.World.Plan;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs the simulation, and checks that it fails when a rule is broken. The command runs many more seeds. */
@Tag("once")
@Tag("slow")
class WorldTest {
    private static final int SEEDS = 15;
    private static final Odds USUAL = new Odds(0.3, 0.1, 0.2, 0.02, 0.02, 0.01, 0.05, 0.01);

    private static List<Outcome> run(Scenario scenario, Odds odds, boolean totals, Sabotage sabotage) {
        return Simulate.run(new Plan(scenario, odds, 400, 6, 5, totals, sabotage), 1, SEEDS, line -> {}, () -> {});
    }

    private static List<String> wrong(List<Outcome> outcomes) {
        return outcomes.stream()
                .flatMap(outcome -> outcome.wrong().stream().map(line -> "seed " + outcome.seed() + ": " + line))
                .toList();
    }

    /** Rewrites each line of a datagram; an empty line is left out. */
    private static Sabotage lines(UnaryOperator<String> rewrite) {
        return Sabotage.of(datagram -> new String(datagram, ISO_8859_1)
                .lines()
                .map(rewrite)
                .filter(line -> !line.isEmpty())
                .reduce("", (before, line) -> before + line + "\n")
                .getBytes(ISO_8859_1));
    }

    @ParameterizedTest
    @EnumSource
    void every_scenario_meets_its_guarantee(Scenario scenario) {
        Odds odds = scenario.isExact() ? USUAL : USUAL.withoutCrashes();

        List<Outcome> outcomes = run(scenario, odds, true, Sabotage.NONE);

        assertThat(wrong(outcomes)).isEmpty();
        assertThat(outcomes).hasSize(SEEDS).allMatch(outcome -> outcome.counted() > 1000);
        assertThat(outcomes).allMatch(outcome -> !scenario.isExact() || outcome.exact() == 5);
    }

    @Test
    void without_totals_the_same_seeds_lose_as_much_as_statsd() {
        List<Outcome> outcomes = run(Scenario.EVERYTHING, USUAL, false, Sabotage.NONE);

        double counted = outcomes.stream().mapToDouble(Outcome::counted).sum();
        double missed = outcomes.stream().mapToDouble(Outcome::missed).sum();
        assertThat(missed / counted).isBetween(0.05, 0.6);
    }

    @Test
    void a_seed_always_has_the_same_outcome() {
        Plan plan = new Plan(Scenario.EVERYTHING, USUAL, 100, 6, 5, false, Sabotage.NONE);

        assertThat(new World(7, plan, line -> {}).run()).isEqualTo(new World(7, plan, line -> {}).run());
    }

    @Test
    void the_simulation_detects_senders_that_do_not_repeat_totals() {
        List<Outcome> outcomes =
                run(Scenario.EVERYTHING, USUAL, true, lines(line -> line.matches("\\S+ \\S+ 0 \\d+") ? "" : line));

        assertThat(wrong(outcomes)).isNotEmpty();
    }

    @Test
    void the_simulation_detects_a_ledger_that_ignores_the_watch() {
        List<Outcome> outcomes = run(
                Scenario.SUSPENDED,
                USUAL.withoutCrashes(),
                true,
                lines(line -> line.replaceFirst("^from (\\S+) \\d+ ", "from $1 0 ")));

        assertThat(wrong(outcomes)).isNotEmpty();
    }

    @Test
    void the_simulation_detects_a_disk_that_keeps_half_of_a_commit() {
        assertThat(wrong(run(Scenario.EVERYTHING, USUAL, true, Sabotage.of(Sabotage.Broken.HALF_COMMITS))))
                .isNotEmpty();
    }

    @Test
    void the_simulation_detects_a_ledger_that_relies_on_the_wall_clock() {
        assertThat(wrong(run(Scenario.EVERYTHING, USUAL, true, Sabotage.of(Sabotage.Broken.WALL_CLOCK))))
                .isNotEmpty();
    }

    @Test
    void the_simulation_detects_a_forged_total_that_is_accepted() {
        List<Outcome> outcomes = run(
                Scenario.HIJACKED,
                USUAL.withoutCrashes(),
                true,
                lines(line -> line.replaceFirst(" 922337\\d+$", " " + (1L << 52))));

        assertThat(wrong(outcomes)).isNotEmpty();
    }

    /** With so few faults that the bound is narrow. */
    @ParameterizedTest
    @EnumSource(names = {"FULL", "CROWDED"})
    void the_simulation_detects_dropped_streams_that_return_with_age_0(Scenario scenario) {
        Odds calm = new Odds(0.01, 0.01, 0, 0, 0.02, 0.01, 0, 0);
        assertThat(wrong(run(scenario, calm, true, Sabotage.NONE))).isEmpty();

        List<Outcome> outcomes =
                run(scenario, calm, true, lines(line -> line.replaceFirst("^from (\\S+) \\d+ ", "from $1 0 ")));

        assertThat(wrong(outcomes)).isNotEmpty();
    }

    @Test
    void the_simulation_detects_senders_that_send_amounts_instead_of_totals() {
        List<Outcome> outcomes = run(
                Scenario.EVERYTHING,
                USUAL,
                true,
                lines(line -> line.replaceFirst("^((?:in|de)crement \\S+ (\\d+)) \\d+$", "$1 $2")));

        assertThat(wrong(outcomes)).isNotEmpty();
    }
}
