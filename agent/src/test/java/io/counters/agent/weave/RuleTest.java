package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.agent.settings.Setting;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RuleTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a.B#c | a/B | c | '' | ENTRY",
                "a.B | a/B | '' | '' | ENTRY",
                "B#<init> return | B | <init> | '' | RETURN",
                "a.B$C#d = n,k=v Exit | a/B$C | d | n,k=v | EXIT",
                "a.B#c=n | a/B | c | n | ENTRY",
                "a.B = {method} THROW | a/B | '' | {method} | THROW"
            })
    void a_rule_names_a_class_a_method_a_name_and_a_moment(
            String text, String owner, String method, String name, Moment when) {
        Rule rule = new Rule(new Setting("here", text));

        assertThat(rule.owner).isEqualTo(owner);
        assertThat(rule.method).isEqualTo(method);
        assertThat(rule.mark.value).isEqualTo(name);
        assertThat(rule.mark.when).isEqualTo(when);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "#c",
                "a.B#",
                "a b c",
                "a.B#c sometimes",
                "a.B#c = n sometimes",
                "a.B#c = ",
                "a.B#c = n entry more",
                "a.B#c entry = n",
                "a.B#<clinit>",
                "+a.B#c",
                "@a.B",
                "a.*#c",
                "a.B#c(int)",
                "a/B#c"
            })
    void what_is_no_rule_is_said_with_its_place_and_the_form(String text) {
        assertThatThrownBy(() -> new Rule(new Setting("here", text)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("here: rule \"" + text + "\" is left out")
                .hasMessageContaining("a rule is pkg.Class");
    }
}
