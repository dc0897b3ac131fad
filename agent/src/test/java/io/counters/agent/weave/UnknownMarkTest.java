package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.agent.settings.Settings;
import io.counters.wire.NameTemplates;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Consumer;
import net.bytebuddy.jar.asm.AnnotationVisitor;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.jar.asm.Type;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A {@code @Count} that this agent does not understand, as of a newer counters-core. */
class UnknownMarkTest {
    private static final String WHEN = "Lio/counters/Count$When;";

    private final List<String> log = new ArrayList<>();

    /** What is not understood, and what the message says of it. */
    enum Unknown {
        CONSTANT("when = LATE", mark -> mark.visitEnum("when", WHEN, "LATE")),
        ELEMENT("weight", mark -> mark.visit("weight", 2)),
        ENUM("unit = CALLS", mark -> mark.visitEnum("unit", WHEN, "CALLS")),
        PRIMITIVES("weights", mark -> mark.visit("weights", new int[] {1})),
        TEXTS("tags", mark -> array(mark, "tags", texts -> texts.visit(null, "a=b"))),
        ANNOTATION("unless", mark -> mark.visitAnnotation("unless", "La/B;").visitEnd()),
        TYPE_OF_VALUE("amount", mark -> mark.visit("amount", "two")),
        TYPE_OF_ON("on", mark -> mark.visit("on", Type.getObjectType("a/B"))),
        TEXT_IN_ON("on", mark -> array(mark, "on", on -> on.visit(null, "a.B"))),
        ENUM_IN_ON("on", mark -> array(mark, "on", on -> on.visitEnum(null, WHEN, "EXIT"))),
        ANNOTATION_IN_ON(
                "on",
                mark -> array(
                        mark, "on", on -> on.visitAnnotation(null, "La/B;").visitEnd())),
        METHOD_IN_ON("on", mark -> array(mark, "on", on -> on.visit(null, Type.getMethodType("()V")))),
        ARRAY_IN_ON("on", mark -> array(mark, "on", on -> on.visit(null, Type.getType("[I"))));

        final String told;

        @SuppressWarnings("ImmutableEnumChecker") // A method.
        final Consumer<AnnotationVisitor> mark;

        Unknown(String told, Consumer<AnnotationVisitor> mark) {
            this.told = told;
            this.mark = mark;
        }

        private static void array(AnnotationVisitor mark, String element, Consumer<AnnotationVisitor> elements) {
            AnnotationVisitor array = mark.visitArray(element);
            elements.accept(array);
            array.visitEnd();
        }
    }

    @ParameterizedTest
    @EnumSource
    void it_is_told_and_the_other_methods_count(Unknown unknown) {
        byte[] type = type(false, unknown.mark);

        assertThat(listed("", type)).containsExactly("shop.Orders#plain() = shop.plain entry");
        assertThat(log).containsExactly(message("shop.Orders.placed", unknown.told));
    }

    @Test
    void a_rule_for_the_same_name_replaces_it() {
        byte[] type = type(false, Unknown.ELEMENT.mark);

        assertThat(listed("methods=shop.Orders#placed = shop.orders", type))
                .contains("shop.Orders#placed() = shop.orders entry");
    }

    @Test
    void on_a_class_it_is_told_once() {
        byte[] type = type(true, Unknown.CONSTANT.mark);

        assertThat(listed("", type)).containsExactly("shop.Orders#plain() = shop.plain entry");
        assertThat(log).containsExactly(message("shop.Orders", "when = LATE"));
    }

    @Test
    void on_an_annotation_type_it_is_told_and_the_rule_that_names_the_annotation_is_not_called_idle() {
        ClassWriter audited = new ClassWriter(0);
        audited.visit(
                Opcodes.V17,
                Opcodes.ACC_PUBLIC | Opcodes.ACC_INTERFACE | Opcodes.ACC_ABSTRACT | Opcodes.ACC_ANNOTATION,
                "shop/Audited",
                null,
                "java/lang/Object",
                new String[] {"java/lang/annotation/Annotation"});
        mark(audited.visitAnnotation(Mark.COUNT, false), "shop.audited", Unknown.ELEMENT.mark);
        audited.visitEnd();

        assertThat(built("metaAnnotations=shop.Audited", "shop/Audited", audited, annotation -> {}))
                .isEqualTo("methods that count: 0, classes: 0, class files written: 0");
        assertThat(log).containsExactly(message("shop.Audited", "weight"));
    }

    @Test
    void a_rule_for_another_librarys_annotation_with_an_unknown_attribute_is_not_called_idle() {
        String counted = "io/micrometer/core/annotation/Counted";

        assertThat(built(
                        "alias=io.micrometer.core.annotation.Counted",
                        counted,
                        new ClassWriter(0),
                        annotation -> annotation.visit("every", 10)))
                .isEqualTo("methods that count: 0, classes: 0, class files written: 0");
        assertThat(log)
                .singleElement()
                .asString()
                .startsWith("shop.Orders.placed: @io.micrometer.core.annotation.Counted is not counted: ");
    }

    /** The summary of a build of a class whose method {@code placed} has this annotation, which the loader finds. */
    private String built(
            String settings, String annotation, ClassWriter ofAnnotation, Consumer<AnnotationVisitor> attributes) {
        ClassLoader loader = new ClassLoader(UnknownMarkTest.class.getClassLoader()) {
            @Override
            public @Nullable InputStream getResourceAsStream(String name) {
                return name.equals("shop/Audited.class")
                        ? new ByteArrayInputStream(ofAnnotation.toByteArray())
                        : super.getResourceAsStream(name);
            }
        };
        ClassWriter type = new ClassWriter(0);
        type.visit(Opcodes.V17, Opcodes.ACC_PUBLIC, "shop/Orders", null, "java/lang/Object", null);
        method(type, "placed", method -> {
            AnnotationVisitor visitor = method.visitAnnotation("L" + annotation + ";", true);
            attributes.accept(visitor);
            visitor.visitEnd();
        });
        type.visitEnd();
        Weaving weaving = weaving(settings);
        assertThat(weaving.forBuild(loader, "shop/Orders", type.toByteArray())).isNull();
        return weaving.summaryForBuild(0);
    }

    private static String message(String place, String unknown) {
        return place + ": @Count is not counted: " + unknown
                + " is not understood; use a counters.jar that is as new as the counters-core that this class was compiled with";
    }

    /** A class with a method that counts as {@code shop.plain}, and others, which, or the class, have the mark. */
    private static byte[] type(boolean onType, Consumer<AnnotationVisitor> mark) {
        ClassWriter type = new ClassWriter(0);
        type.visit(Opcodes.V17, Opcodes.ACC_PUBLIC, "shop/Orders", null, "java/lang/Object", null);
        if (onType) {
            mark(type.visitAnnotation(Mark.COUNT, false), "shop.orders", mark);
        }
        method(type, "plain", method -> mark(method.visitAnnotation(Mark.COUNT, false), "shop.plain", none -> {}));
        method(type, "placed", method -> {
            if (!onType) {
                mark(method.visitAnnotation(Mark.COUNT, false), "shop.orders", mark);
            }
        });
        method(type, "refused", method -> {});
        type.visitEnd();
        return type.toByteArray();
    }

    private static void mark(AnnotationVisitor count, String name, Consumer<AnnotationVisitor> mark) {
        count.visit("value", name);
        mark.accept(count);
        count.visitEnd();
    }

    private static void method(ClassVisitor type, String name, Consumer<MethodVisitor> annotations) {
        MethodVisitor method = type.visitMethod(Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, name, "()V", null, null);
        annotations.accept(method);
        method.visitCode();
        method.visitInsn(Opcodes.RETURN);
        method.visitMaxs(0, 0);
        method.visitEnd();
    }

    private List<String> listed(String settings, byte[] type) {
        return weaving(settings).list(UnknownMarkTest.class.getClassLoader(), "shop/Orders", type);
    }

    private Weaving weaving(String settings) {
        return new Weaving(
                Rules.read(Settings.read(settings, new Properties(), Map.of()), log::add),
                new NameTemplates("host", "app", "", log::add),
                () -> true,
                String::length,
                log::add);
    }
}
