package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.agent.settings.SettingValue;
import java.util.ArrayList;
import java.util.List;
import net.bytebuddy.jar.asm.Opcodes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
                "a.B = {method} THROW | a/B | '' | {method} | THROW",
                "a.*#c* | a/* | c* | '' | ENTRY",
                "*Service exit | *Service | '' | '' | EXIT",
                "a.B#c( int ) = n,k=v | a/B | c | n,k=v | ENTRY"
            })
    void a_rule_has_classes_methods_a_name_and_a_moment(
            String text, String type, String method, String name, Moment when) {
        Rule rule = rule(text);

        assertThat(rule.type).isEqualTo(type);
        assertThat(rule.method).isEqualTo(method);
        assertThat(rule.mark.value).isEqualTo(name);
        assertThat(rule.mark.when).isEqualTo(when);
        assertThat(rule.subtypes).isFalse();
        assertThat(rule.annotation).isEmpty();
        assertThat(rule.isExact()).isEqualTo(!type.contains("*"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "+a.B | a/B | ''",
                "+ a.B#c | a/B | c",
                "+a.*B#c*(int) = n exit | a/*B | c*",
                "+a.B#<init> | a/B | <init>"
            })
    void a_rule_with_a_plus_includes_subtypes(String text, String type, String method) {
        Rule rule = rule(text);

        assertThat(rule.subtypes).isTrue();
        assertThat(rule.isExact()).isFalse();
        assertThat(rule.type).isEqualTo(type);
        assertThat(rule.method).isEqualTo(method);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "@a.B$C | La/B$C; | * | '' | ENTRY | true",
                "@a.B c.* | La/B; | c/* | '' | ENTRY | true",
                "@a.B c.D exit | La/B; | c/D | '' | EXIT | false",
                "@a.B throw | La/B; | * | '' | THROW | false",
                "@a.B *.d = n return | La/B; | */d | n | RETURN | false"
            })
    void a_rule_with_an_at_names_an_annotation_and_optionally_classes(
            String text, String annotation, String type, String name, Moment when, boolean plain) {
        Rule rule = rule(text);

        assertThat(rule.annotation).isEqualTo(annotation);
        assertThat(rule.type).isEqualTo(type);
        assertThat(rule.mark.value).isEqualTo(name);
        assertThat(rule.mark.when).isEqualTo(when);
        assertThat(rule.plain).isEqualTo(plain);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "#c | is not a class name",
                "'' | is not a class name",
                "a..B | is not a class name",
                ".a.B | is not a class name",
                "a/B#c | is not a class name",
                "a.B# | is not a method name",
                "a.B#<clinit> | is not a method name",
                "a.B#c#d | is not a method name",
                "a.B#<*> | is not a method name",
                "a b c | too many parts",
                "a.B#c = n entry more | too many parts",
                "a.B#c entry = n | too many parts",
                "@a.B c.* d.* | d.* is not a moment",
                "@a.B c.* d.* = n | too many parts",
                "a.B#c sometimes | sometimes is not a moment",
                "a.B#c = n sometimes | sometimes is not a moment",
                "a.B#c = | no name after =",
                "a.B(int) | (types) can only follow a method",
                "@a.B(int) | (types) can only follow a method",
                "a.B#c(int | ( and ) do not match",
                "a.B#c)int( | ( and ) do not match",
                "a.B#c(List<String>) | \"List<String>\" is not a type",
                "a.B#c(int,) | \"\" is not a type",
                "+@a.B | an annotation has none",
                "+ | is not a class name",
                "@a.* | is not an annotation",
                "@a.B#c | is not an annotation",
                "@ a.B | is not an annotation"
            })
    void an_invalid_rule_is_reported_with_its_place_the_error_and_the_grammar(String text, String wrong) {
        assertThatThrownBy(() -> rule(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("here: rule \"" + text + "\" is ignored: ")
                .hasMessageContaining(wrong)
                .hasMessageContaining("; a rule is [+] pkg.Class");
    }

    @ParameterizedTest
    @CsvSource({
        "a/*, a/B, true",
        "a/*, a/b/C$D, true",
        "a/*, ab/C, false",
        "*, a/B, true",
        "*B, a/BB, true",
        "*B, a/Bc, false",
        "a/*/B*e, a/b/c/Bee, true",
        "a/*/B*e, a/B, false",
        "a**b, ab, true",
        "a*b*, acbd, true",
        "a*b*c, acbdb, false",
        "a, a, true",
        "a, aa, false"
    })
    void a_star_stands_for_any_characters_also_dots(String pattern, String text, boolean matches) {
        assertThat(Rule.matches(pattern, text)).isEqualTo(matches);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "() | ()V | true",
                "() | (I)V | false",
                "(int,java.lang.String) | (ILjava/lang/String;)I | true",
                "(int,String) | (ILjava/lang/String;)I | true",
                "(int) | (ILjava/lang/String;)I | false",
                "(String[]) | ([Ljava/lang/String;)V | true",
                "(long...) | ([J)V | true",
                "(List) | (Ljava/util/List;)V | false",
                "(java.util.Map$Entry,int[][]) | (Ljava/util/Map$Entry;[[I)V | true",
                "(String) | (Lpkg/String;)V | false"
            })
    void types_are_written_in_full_except_those_of_java_lang(String types, String descriptor, boolean named) {
        assertThat(rule("a.B#c" + types).namesMethod(method("c", descriptor))).isEqualTo(named);
    }

    @ParameterizedTest
    @CsvSource({
        "getA, ()I, false",
        "getA, ()V, true",
        "getA, (I)I, true",
        "get, ()I, true",
        "getting, ()I, true",
        "isA, ()Z, false",
        "isA, ()I, true",
        "setA, (I)V, false",
        "setA, (II)V, true",
        "setA, ()V, true",
        "hashCode, ()I, false",
        "equals, (Ljava/lang/Object;)Z, false",
        "equals, (La/B;)Z, true",
        "toString, ()Ljava/lang/String;, false",
        "<init>, ()V, false",
        "work, ()V, true"
    })
    void a_star_does_not_match_getters_and_setters_and_an_exact_name_does(
            String name, String descriptor, boolean taken) {
        assertThat(rule("a.B#*").namesMethod(method(name, descriptor))).isEqualTo(taken);
        assertThat(rule("a.*#" + name).namesMethod(method(name, descriptor))).isTrue();
    }

    @Test
    void a_pattern_that_does_not_begin_with_a_star_matches_getters_and_setters() {
        TypeFile.Method getter = method("getName", "()I");

        assertThat(rule("a.B#get*").namesMethod(getter)).isTrue();
        assertThat(rule("a.B#*Name").namesMethod(getter)).isFalse();
        assertThat(rule("a.*").namesMethod(getter)).isFalse();
        assertThat(rule("a.B").namesMethod(getter)).isTrue();
    }

    @Test
    void a_rule_that_has_reached_its_limit_counts_only_the_methods_that_it_counted_before() {
        List<String> log = new ArrayList<>();
        RefusedMarks refusals = new RefusedMarks(log::add);
        Rule rule = rule("a.*");

        assertThat(rule.take("a/B", "one()V", 2, refusals)).isTrue();
        assertThat(rule.take("a/B", "two()V", 2, refusals)).isTrue();
        assertThat(rule.take("a/C", "three()V", 2, refusals)).isFalse();
        assertThat(rule.take("a/C", "four()V", 2, refusals)).isFalse();
        assertThat(rule.take("a/B", "one()V", 2, refusals)).isTrue();

        assertThat(log)
                .singleElement()
                .asString()
                .contains("has reached its limit (ruleLimit is 2): a.C.three and all later methods");
    }

    private static Rule rule(String text) {
        return new Rule(new SettingValue("here", text));
    }

    private static TypeFile.Method method(String name, String descriptor) {
        return new TypeFile.Method(Opcodes.ACC_PUBLIC, name, descriptor, new Annotations("a/B", false), false);
    }
}
