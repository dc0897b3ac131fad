package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.agent.settings.Settings;
import io.counters.wire.NameTemplates;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.bytebuddy.jar.asm.AnnotationVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AliasTest {
    private static final String MICROMETER = "io.micrometer.core.annotation.Counted";

    private final List<String> log = new ArrayList<>();

    /** The attributes of the real annotation, from its library. */
    @ParameterizedTest
    @EnumSource(value = Alias.class, names = "MICROPROFILE_METERED", mode = EnumSource.Mode.EXCLUDE)
    void every_attribute_of_the_annotation_is_known(Alias alias) throws Exception {
        for (Method attribute : Class.forName(alias.type).getDeclaredMethods()) {
            assertThat(alias.attributes).contains(attribute.getName());
        }
    }

    @ParameterizedTest
    @EnumSource(Alias.class)
    void the_document_has_a_row_for_each_attribute(Alias alias) throws Exception {
        String page = Files.readString(Path.of("..", "docs", "annotations.md"));
        String section = page.substring(page.indexOf("## Annotations of other libraries"));
        Set<String> attributes = new TreeSet<>();
        Matcher rows = Pattern.compile("(?m)^\\| `" + Pattern.quote(alias.type) + "` \\| (.*?) \\|")
                .matcher(section);
        while (rows.find()) {
            Matcher names = Pattern.compile("`(\\w+)`").matcher(rows.group(1));
            while (names.find()) {
                attributes.add(names.group(1));
            }
        }

        assertThat(attributes).isEqualTo(new TreeSet<>(alias.attributes));
    }

    @Test
    void an_annotation_whose_attributes_are_not_known_is_refused_at_the_start_with_a_remedy() {
        rules("io.opentelemetry.instrumentation.annotations.WithSpan;" + MICROMETER + ";a.B*");

        assertThat(log)
                .satisfiesExactly(
                        span -> assertThat(span)
                                .startsWith(
                                        "agent arguments: alias io.opentelemetry.instrumentation.annotations.WithSpan"
                                                + " is ignored")
                                .contains(MICROMETER)
                                .endsWith("write a rule @io.opentelemetry.instrumentation.annotations.WithSpan = name"),
                        other -> assertThat(other).contains("alias a.B* is ignored"));
    }

    @Test
    void an_attribute_whose_meaning_is_not_known_is_refused_and_nothing_is_counted() {
        assertThat(listed(MICROMETER, "value", "orders", "every", 10)).isEmpty();
        assertThat(log)
                .singleElement()
                .asString()
                .isEqualTo("shop.Orders.place: @" + MICROMETER + " is not counted: the attribute every is not one of"
                        + " those whose meaning is known, value, extraTags, recordFailuresOnly, description; leave the"
                        + " attribute out, or count the method with @Count or a rule");
    }

    /** As of another version of the library. */
    @Test
    void an_attribute_of_another_type_is_refused_and_nothing_is_counted() {
        assertThat(listed(MICROMETER, "value", 7)).isEmpty();
        assertThat(listed(MICROMETER, "recordFailuresOnly", "always")).isEmpty();
        assertThat(listed(MICROMETER, "extraTags", "a")).isEmpty();
        assertThat(log)
                .extracting(line -> line.replaceAll(".* is not counted: (.*); leave.*", "$1"))
                .containsExactly(
                        "the attribute value has a value of another type than the one that is known",
                        "the attribute recordFailuresOnly has a value of another type than the one that is known",
                        "the attribute extraTags has a value of another type than the one that is known");
    }

    @Test
    void tags_that_are_not_pairs_are_refused() {
        assertThat(listed(MICROMETER, "extraTags", new String[] {"a", "1", "b"}))
                .isEmpty();
        assertThat(log).singleElement().asString().contains("extraTags has 3 texts; write keys and values in turn");
    }

    @Test
    void more_tags_than_a_name_may_have_are_refused() {
        assertThat(listed(MICROMETER, "extraTags", new String[] {"a", "1", "b", "2", "d", "3", "f", "4"}))
                .isEmpty();
        assertThat(log).hasSize(2).allMatch(line -> line.contains("is refused and not counted"));
    }

    @Test
    void texts_of_the_annotation_cannot_add_tags_or_placeholders() {
        assertThat(listed(MICROMETER, "value", "a,b=c{method}", "recordFailuresOnly", true))
                .containsExactly("shop.Orders#place() ="
                        + " a_b_c_method_,class=shop.Orders,exception={exception},method=place,result=failure throw");
    }

    @Test
    void each_annotation_counts_at_its_own_moment() {
        assertThat(listed("com.codahale.metrics.annotation.Metered"))
                .containsExactly("shop.Orders#place() = shop.Orders.place entry");
        assertThat(listed("com.codahale.metrics.annotation.Counted"))
                .containsExactly("shop.Orders#place() = shop.Orders.place in flight");
        assertThat(listed("com.codahale.metrics.annotation.Counted", "monotonic", true, "name", "placed"))
                .containsExactly("shop.Orders#place() = shop.Orders.placed entry");
        assertThat(listed("com.codahale.metrics.annotation.ExceptionMetered"))
                .containsExactly("shop.Orders#place() = shop.Orders.place.exceptions throw on java.lang.Exception");
        assertThat(listed("org.eclipse.microprofile.metrics.annotation.Metered", "tags", new String[] {"a=1"}))
                .containsExactly("shop.Orders#place() = shop.Orders.place,a=1 entry");
        assertThat(log).isEmpty();
    }

    private Rules rules(String aliases) {
        return Rules.read(Settings.read("alias='" + aliases + "'", new Properties(), Map.of()), log::add);
    }

    /** What a method {@code shop.Orders.place} with this annotation counts. */
    private List<String> listed(String annotation, Object... attributes) {
        ClassWriter type = new ClassWriter(0);
        type.visit(Opcodes.V17, Opcodes.ACC_PUBLIC, "shop/Orders", null, "java/lang/Object", null);
        MethodVisitor method = type.visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, "place", "()V", null, null);
        AnnotationVisitor marked = method.visitAnnotation("L" + annotation.replace('.', '/') + ";", true);
        for (int i = 0; i < attributes.length; i += 2) {
            if (attributes[i + 1] instanceof String[] texts) {
                AnnotationVisitor array = marked.visitArray((String) attributes[i]);
                for (String text : texts) {
                    array.visit(null, text);
                }
                array.visitEnd();
            } else {
                marked.visit((String) attributes[i], attributes[i + 1]);
            }
        }
        marked.visitEnd();
        method.visitCode();
        method.visitInsn(Opcodes.RETURN);
        method.visitMaxs(0, 0);
        method.visitEnd();
        type.visitEnd();
        return new Weaving(
                        rules(annotation),
                        new NameTemplates("host", "app", "", log::add),
                        () -> true,
                        String::length,
                        log::add)
                .list(AliasTest.class.getClassLoader(), "shop/Orders", type.toByteArray());
    }
}
