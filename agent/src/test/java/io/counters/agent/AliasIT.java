package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.fixture.Aliased;
import io.micrometer.core.aop.CountedAspect;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.aop.aspectj.annotation.AspectJProxyFactory;

/** What methods with annotations of other libraries count, in a JVM without these libraries. */
class AliasIT {
    private static final String OWN = "io.counters.fixture.Aliased.";
    private static final String ALL = ",alias='io.micrometer.core.annotation.Counted;"
            + "com.codahale.metrics.annotation.Counted;com.codahale.metrics.annotation.Metered;"
            + "com.codahale.metrics.annotation.ExceptionMetered;org.eclipse.microprofile.metrics.annotation.Counted'";

    private static Map<String, Long> sums = Map.of();
    private static ChildJvm.Ended child = new ChildJvm.Ended(-1, "", "");

    @BeforeAll
    static void run() throws Exception {
        try (Receiver receiver = new Receiver()) {
            child = ChildJvm.run(receiver.arguments() + ALL, List.of(ChildJvm.FIXTURES), Aliased.class, "-Xverify:all");
            sums = receiver.sums();
        }
    }

    @Test
    void the_application_runs_as_without_the_agent() {
        assertThat(child.well().out()).isEmpty();
        assertThat(child.err()).doesNotContain("suppressed while instrumenting: 1");
        assertThat(sums.keySet()).noneMatch(name -> name.startsWith("rejected"));
    }

    @Test
    void methods_with_the_annotation_of_micrometer_count_what_its_own_aspect_counts() throws Exception {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        AspectJProxyFactory proxies = new AspectJProxyFactory(new Aliased.Orders());
        proxies.setProxyTargetClass(true);
        proxies.addAspect(new CountedAspect(registry));
        Aliased.run(proxies.getProxy());
        Map<String, Long> expected = new HashMap<>();
        for (Counter counter : registry.get("method.counted").counters()) {
            expected.put(name(counter), (long) counter.count());
        }
        for (String name : List.of("orders.placed", "orders.staged")) {
            registry.get(name).counters().forEach(counter -> expected.put(name(counter), (long) counter.count()));
        }

        Map<String, Long> counted = new TreeMap<>(sums);
        counted.keySet().removeIf(name -> !name.contains("class=" + OWN + "Orders"));

        assertThat(expected)
                .hasSizeGreaterThan(8)
                .allSatisfy((name, count) -> assertThat(count).as(name).isPositive());
        assertThat(counted).isEqualTo(expected);
    }

    /** The name that a counter of Micrometer has here. */
    private static String name(Counter counter) {
        return counter.getId().getName()
                + counter.getId().getTags().stream()
                        .map(tag -> "," + tag.getKey() + "="
                                + (tag.getValue().isEmpty()
                                        ? "anonymous"
                                        : tag.getValue().replace('$', '.')))
                        .sorted()
                        .collect(Collectors.joining());
    }

    @Test
    void methods_with_annotations_of_dropwizard_count_calls_calls_in_progress_and_exceptions() {
        assertThat(sums)
                .containsEntry(OWN + "Dropwizard.total", 2L)
                .containsEntry(OWN + "Dropwizard.open", 1L)
                .containsEntry(OWN + "Dropwizard.plain", 1L)
                .containsEntry("meter.absolute", 1L)
                .containsEntry(OWN + "Dropwizard.failing.exceptions", 1L)
                .containsEntry(OWN + "Dropwizard.io", 1L);
    }

    @Test
    void methods_with_the_annotation_of_microprofile_count_with_its_tags() {
        assertThat(sums)
                .containsEntry(OWN + "Profile.plain", 1L)
                .containsEntry(OWN + "Profile.calls,a=1,b=2", 1L)
                .containsEntry("profile.absolute", 1L)
                .containsEntry("absolutelyItself", 1L);
    }

    @Test
    void an_annotation_on_a_class_counts_its_public_methods_unless_they_have_their_own() {
        String tags = ",class=" + OWN + "Whole,exception=none,method=";
        assertThat(sums)
                .containsEntry("whole" + tags + "one,result=success", 1L)
                .containsEntry("two" + tags + "two,result=success", 1L)
                .containsEntry(OWN + "Whole.meter", 2L)
                .containsEntry("io.counters.fixture.Whole2.one", 1L);
        assertThat(sums.keySet().stream().filter(name -> name.contains("Whole")))
                .hasSize(4);
    }

    @Test
    void without_the_setting_nothing_counts() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.run(receiver.arguments(), List.of(ChildJvm.FIXTURES), Aliased.class)
                    .well();

            assertThat(receiver.sums()).isEmpty();
        }
    }
}
