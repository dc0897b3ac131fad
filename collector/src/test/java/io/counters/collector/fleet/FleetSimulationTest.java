package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.fleet.FleetSimulation.Scenario;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A fleet is exact in the simulation, and is not if one of its rules is left out. */
@Tag("once")
@Tag("slow")
class FleetSimulationTest {
    private static final int SEEDS = 120;

    @ParameterizedTest
    @EnumSource
    void every_sum_is_exact_and_no_second_is_published_twice(Scenario scenario) throws IOException {
        List<String> wrong = new ArrayList<>();
        for (long seed = 0; seed < SEEDS; seed++) {
            wrong.addAll(new FleetSimulation(seed, scenario, null).run());
        }

        assertThat(wrong).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void the_simulation_sees_when_a_rule_is_left_out(Rule rule) throws IOException {
        Scenario scenario = switch (rule) {
            case BACKLOG_IN_THE_AGE, CLOCKS_AGREE -> Scenario.CROWDED;
            case JUMPS_APART -> Scenario.HIJACKED;
            default -> Scenario.FAULTS;
        };

        List<String> wrong = List.of();
        for (long seed = 0; seed < SEEDS && wrong.isEmpty(); seed++) {
            wrong = new FleetSimulation(seed, scenario, rule).run();
        }

        assertThat(wrong).isNotEmpty();
    }

    @Test
    void a_seed_always_has_the_same_outcome() throws IOException {
        FleetSimulation one = new FleetSimulation(7, Scenario.FAULTS, null);
        FleetSimulation other = new FleetSimulation(7, Scenario.FAULTS, null);

        assertThat(one.run()).isEqualTo(other.run());
        assertThat(one.digest()).isEqualTo(other.digest());
    }
}
