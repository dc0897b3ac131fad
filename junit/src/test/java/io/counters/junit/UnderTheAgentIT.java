package io.counters.junit;

import static io.counters.junit.CountedAssert.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.Count;
import io.counters.Counters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Runs in a JVM with {@code -javaagent:counters.jar=collector=none}, which the module's pom.xml sets. */
class UnderTheAgentIT {
    @RegisterExtension
    final CountersExtension extension = new CountersExtension();

    @Test
    void annotated_methods_count_and_the_api_counts_once(Counted counters) {
        annotated(1);
        annotated(2);
        Counters.increment("agent.api");

        assertThat(counters).counted("agent.annotated", 2).counted("agent.api", 1);
        assertThat(counters.amounts()).containsOnlyKeys("agent.annotated", "agent.api");
    }

    @Test
    void counts_of_one_name_by_annotation_and_by_api_add_up(Counted counters) {
        annotated(1);
        Counters.increment("agent.annotated");

        assertThat(counters).counted("agent.annotated", 2);
    }

    @Test
    void nothing_is_sent() {
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .contains("counters-watch")
                .doesNotContain("counters-sweep");
    }

    @Count("agent.annotated")
    private static int annotated(int argument) {
        return argument;
    }
}
