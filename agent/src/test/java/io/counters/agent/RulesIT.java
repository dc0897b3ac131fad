package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.fixture.Heirs;
import io.counters.fixture.OddLoaders;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which methods count in a JVM under the agent, and that {@code list} prints the same. */
class RulesIT {
    private static final String HEIRS = "io.counters.fixture.Heirs";
    private static final String ALWAYS = "service.twice stubborn base.guarded";

    @TempDir
    Path folder = Path.of("");

    @BeforeEach
    void copyTheApplication() throws Exception {
        ListIT.copyHeirs(folder);
    }

    @Test
    void an_override_counts_like_the_overridden_method_with_inherit() throws Exception {
        assertCounts("app=any", ALWAYS);
        assertCounts(
                "inherit=true",
                "service.twice stubborn base.guarded:3 service.serve/Heirs.Service:2 whole.one whole.two");
    }

    @Test
    void an_annotation_that_the_settings_name_counts_as_its_count_annotation_says() throws Exception {
        assertCounts(
                "metaAnnotations=H$Timed,methods=@H$Plain",
                ALWAYS + " timed.timed timed.both timed.errors"
                        + " H.Annotated.plain H.Annotated.both H.AnnotatedWhole.open");
        assertCounts(
                "inherit=true,methods='@H$Timed;@H$Timed = t exit;@H$Plain *Whole = p;@H$Remote = r'",
                "service.twice stubborn base.guarded:3 service.serve/Heirs.Service:2 whole.one whole.two"
                        + " timed.timed timed.both timed.errors t:3 p r");
    }

    @Test
    void each_rule_counts_the_methods_that_it_matches_in_addition_to_all_other_rules() throws Exception {
        Map<String, Integer> rules = new LinkedHashMap<>();
        rules.put("+H$Service#serve", 3);
        rules.put("+H$Service#serve(Object)", 3);
        rules.put("+H$Service#serve(String)", 0);
        rules.put("+H$Service#twice", 1);
        rules.put("+H$Base#twice", 0);
        rules.put("+H$Base#serve", 3);
        rules.put("+H$Lazy#serve", 0);
        rules.put("+H$Stubborn#serve", 2);
        rules.put("+*$Whole#*", 2);
        rules.put("+*$Whole", 3);
        rules.put("+java.lang.Runnable#run", 1);
        rules.put("+java.util.concurrent.Callable", 2);
        rules.put("+H$Whole#<init>", 1);
        rules.put("H$Bean*", 2);
        rules.put("H$Bean*#*", 2);
        rules.put("H$Bean*#get*", 2);
        rules.put("H$Beans#getName", 1);
        rules.put("H$Beans", 5);
        rules.put("H$Row#*", 1);
        rules.put("*.Heirs$Over*", 0);
        rules.put("*.Heirs$Over*#take", 4);
        rules.put("H$Over*#*", 4);
        rules.put("H$Over*#<init>", 1);
        rules.put("H$Overloads#take()", 1);
        rules.put("H$Overloads#take(int)", 1);
        rules.put("H$Overloads#take(String, int...)", 1);
        rules.put("H$Overloads#take(H$Row,java.lang.Object)", 1);
        rules.put("H$Overloads#take(Integer)", 0);
        rules.put("@H$Timed *$Annotated", 3);
        rules.put("@H$Timed no.such.*", 0);
        StringBuilder settings = new StringBuilder("app=any,methods='");
        StringBuilder expected = new StringBuilder(ALWAYS);
        int number = 0;
        for (Map.Entry<String, Integer> rule : rules.entrySet()) {
            settings.append(rule.getKey()).append(" = rule-").append(number).append(';');
            expected.append(rule.getValue() == 0 ? "" : " rule-" + number + ":" + rule.getValue());
            number++;
        }

        assertCounts(settings + "'", expected.toString());
    }

    @Test
    void a_rule_without_a_name_counts_under_the_name_of_the_class_that_counts() throws Exception {
        assertCounts("methods=+H$Base", ALWAYS + " H.Base.serve H.Impl.serve:2 H.Impl.own H.Stubborn.serve");
    }

    @Test
    void rules_with_the_same_name_and_moment_count_a_call_once() throws Exception {
        assertCounts(
                "methods=H$Overloads#take(int);*Overloads#take;+H$Overloads#*;"
                        + "H$Base#guarded = base.{method};H$Base#guarded = more",
                ALWAYS + " H.Overloads.take:4 more");
    }

    /**
     * Checks that the agent counts this, and that {@code list} prints it.
     *
     * @param given settings, in which {@code H} stands for the fixture
     * @param expected names, separated by blanks, each followed by {@code :} and a number if that is not 1; {@code H} stands
     *     for the fixture
     */
    private void assertCounts(String given, String expected) throws Exception {
        String settings = given.replaceAll("\\bH\\b", HEIRS);
        Map<String, Long> counts = new TreeMap<>();
        for (String name : expected.replaceAll("\\bH\\b", HEIRS).split(" ", -1)) {
            String[] parts = name.split(":", -1);
            counts.put(parts[0], parts.length == 1 ? 1 : Long.parseLong(parts[1]));
        }
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(
                            receiver.arguments() + "," + settings, List.of(folder), Heirs.class, "-Xverify:all")
                    .well();

            assertThat(receiver.sums()).as(child.err()).isEqualTo(counts);
            assertThat(child.out()).isEqualTo("done");
        }
        assertThat(ListIT.list(folder, settings).foretold()).isEqualTo(counts);
    }

    @Test
    void a_rule_stops_at_its_limit_and_that_is_logged_once() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(
                            receiver.arguments() + ",ruleLimit=3,methods=*#take = taken", List.of(folder), Heirs.class)
                    .well();

            assertThat(receiver.sums()).containsEntry("taken", 3L);
            assertThat(child.err())
                    .containsOnlyOnce("rule \"*#take = taken\" has reached its limit (ruleLimit is 3): " + HEIRS
                            + "$Overloads.take and all later methods");
        }
    }

    @Test
    void a_loader_that_loads_classes_to_find_a_resource_while_it_holds_its_locks_works_as_without_the_agent()
            throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(
                            receiver.arguments() + ",inherit=true", List.of(ChildJvm.FIXTURES), OddLoaders.class)
                    .well();

            assertThat(receiver.sums()).as(child.err()).containsEntry("odd.above", 2L);
            assertThat(child.out()).isEqualTo("done");
            assertThat(child.err())
                    .containsOnlyOnce("OddLoaders$Hidden: its class file cannot be read")
                    .doesNotContain("is loaded without being instrumented");
        }
    }

    @Test
    void a_missing_annotation_type_is_logged_once_and_affects_only_its_own_marks() throws Exception {
        Files.delete(folder.resolve("io/counters/fixture/Heirs$Timed.class"));
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(
                            receiver.arguments() + ",inherit=true,metaAnnotations=" + HEIRS + "$Timed,methods=" + HEIRS
                                    + "$Worker#call = c",
                            List.of(folder),
                            Heirs.class)
                    .well();

            assertThat(receiver.sums())
                    .containsEntry("c", 1L)
                    .containsEntry("whole.one", 1L)
                    .doesNotContainKey("timed.timed");
            assertThat(child.err()).containsOnlyOnce(HEIRS + "$Timed: its class file cannot be read");
        }
    }
}
