package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.agent.settings.Setting;
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
    void a_rule_names_classes_methods_a_name_and_a_moment(
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
    void a_plus_takes_subtypes_in(String text, String type, String method) {
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
    void an_at_names_an_annotation_and_perhaps_classes(
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
                "#c | names no class",
                "'' | names no class",
                "a..B | names no class",
                ".a.B | names no class",
                "a/B#c | names no class",
                "a.B# | names no method",
                "a.B#<clinit> | names no method",
                "a.B#c#d | names no method",
                "a.B#<*> | names no method",
                "a b c | a part too many",
                "a.B#c = n entry more | a part too many",
                "a.B#c entry = n | a part too many",
                "@a.B c.* d.* | d.* is no moment",
                "@a.B c.* d.* = n | a part too many",
                "a.B#c sometimes | sometimes is no moment",
                "a.B#c = n sometimes | sometimes is no moment",
                "a.B#c = | no name behind =",
                "a.B(int) | (types) stand behind a method",
                "@a.B(int) | (types) stand behind a method",
                "a.B#c(int | stands alone",
                "a.B#c)int( | stands alone",
                "a.B#c(List<String>) | \"List<String>\" is no type",
                "a.B#c(int,) | \"\" is no type",
                "+@a.B | not of an annotation",
                "+ | names no class",
                "@a.* | names no annotation",
                "@a.B#c | names no annotation",
                "@ a.B | names no annotation"
            })
    void what_is_no_rule_is_said_with_its_place_what_is_wrong_and_the_form(String text, String wrong) {
        assertThatThrownBy(() -> rule(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("here: rule \"" + text + "\" is left out: ")
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
    void a_star_is_any_letters_dots_too(String pattern, String text, boolean matches) {
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
    void types_are_written_in_full_but_for_java_lang(String types, String descriptor, boolean named) {
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
    void a_star_leaves_everyday_methods_out_and_a_name_does_not(String name, String descriptor, boolean taken) {
        assertThat(rule("a.B#*").namesMethod(method(name, descriptor))).isEqualTo(taken);
        assertThat(rule("a.*#" + name).namesMethod(method(name, descriptor))).isTrue();
    }

    @Test
    void what_a_name_begins_with_is_never_left_out() {
        TypeFile.Method getter = method("getName", "()I");

        assertThat(rule("a.B#get*").namesMethod(getter)).isTrue();
        assertThat(rule("a.B#*Name").namesMethod(getter)).isFalse();
        assertThat(rule("a.*").namesMethod(getter)).isFalse();
        assertThat(rule("a.B").namesMethod(getter)).isTrue();
    }

    @Test
    void beyond_its_limit_a_rule_takes_only_what_it_took() {
        List<String> log = new ArrayList<>();
        Refusals refusals = new Refusals(log::add);
        Rule rule = rule("a.*");

        assertThat(rule.take("a/B", "one()V", 2, refusals)).isTrue();
        assertThat(rule.take("a/B", "two()V", 2, refusals)).isTrue();
        assertThat(rule.take("a/C", "three()V", 2, refusals)).isFalse();
        assertThat(rule.take("a/C", "four()V", 2, refusals)).isFalse();
        assertThat(rule.take("a/B", "one()V", 2, refusals)).isTrue();

        assertThat(log).singleElement().asString().contains("stops at 2 methods: the next, a.C.three");
    }

    private static Rule rule(String text) {
        return new Rule(new Setting("here", text));
    }

    private static TypeFile.Method method(String name, String descriptor) {
        return new TypeFile.Method(Opcodes.ACC_PUBLIC, name, descriptor, new Annotations("a/B"), false);
    }
}
