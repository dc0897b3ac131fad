package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.agent.settings.Settings;
import io.counters.wire.NameTemplates;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import net.bytebuddy.jar.asm.AnnotationVisitor;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Supertypes, read from class files that the tests generate. */
class HierarchyTest {
    private final List<String> log = new ArrayList<>();
    private final Files files = new Files();

    /** A loader that returns class files as resources, and fails if it is asked to load a class. */
    private static final class Files extends ClassLoader {
        final Map<String, byte[]> bytes = new HashMap<>();
        final List<String> asked = new ArrayList<>();

        Files() {
            super(null);
        }

        @Override
        public @Nullable InputStream getResourceAsStream(String name) {
            asked.add(name);
            byte[] file = bytes.get(name);
            return file == null ? null : new ByteArrayInputStream(file);
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) {
            throw new AssertionError(name + " is loaded");
        }

        /** Methods are written {@code name descriptor}, after a {@code @} if marked, and a {@code -} if package-private. */
        byte[] write(String name, @Nullable String above, String interfaces, String... methods) {
            ClassWriter writer = new ClassWriter(0);
            String[] types = interfaces.isEmpty() ? new String[0] : interfaces.split(" ", -1);
            writer.visit(Opcodes.V1_8, Opcodes.ACC_PUBLIC, name, null, above, types);
            for (String method : methods) {
                String[] parts = method.replaceAll("[@-]", "").split(" ", -1);
                int access = method.contains("-") ? 0 : Opcodes.ACC_PUBLIC;
                MethodVisitor visitor = writer.visitMethod(access, parts[0], parts[1], null, null);
                if (method.startsWith("@")) {
                    AnnotationVisitor annotation = visitor.visitAnnotation(Mark.COUNT, true);
                    annotation.visit("value", name + "." + parts[0]);
                    annotation.visitEnd();
                }
                visitor.visitCode();
                visitor.visitInsn(Opcodes.RETURN);
                visitor.visitMaxs(0, 9);
                visitor.visitEnd();
            }
            writer.visitEnd();
            bytes.put(name + ".class", writer.toByteArray());
            return writer.toByteArray();
        }
    }

    @Test
    void the_superclasses_come_first_then_the_interfaces_near_ones_first() {
        files.write("A", "java/lang/Object", "I J");
        files.write("B", "A", "K");
        files.write("I", "java/lang/Object", "");
        files.write("J", "java/lang/Object", "L");
        files.write("K", "java/lang/Object", "I");
        files.write("L", "java/lang/Object", "");
        files.write("M", "java/lang/Object", "");

        assertThat(hierarchy("").above(files, "B", new String[] {"M"}).keySet())
                .containsExactly("B", "A", "M", "K", "I", "J", "L");
    }

    @Test
    void the_search_ends_if_types_are_their_own_supertypes() {
        files.write("A", "B", "I");
        files.write("B", "A", "");
        files.write("I", "java/lang/Object", "I");

        assertThat(hierarchy("").above(files, "A", new String[0]).keySet()).containsExactly("A", "B", "I");
    }

    @Test
    void a_file_is_read_once_and_missing_or_broken_files_are_logged_once() {
        files.write("A", "Missing", "Cut");
        files.bytes.put("Cut.class", Arrays.copyOf(files.write("Cut", "A", ""), 20));
        Hierarchy hierarchy = hierarchy("");

        for (int i = 0; i < 3; i++) {
            assertThat(hierarchy.above(files, "A", new String[0]).keySet()).containsExactly("A", "Missing", "Cut");
        }

        assertThat(files.asked).containsExactlyInAnyOrder("A.class", "Missing.class", "Cut.class");
        assertThat(log)
                .singleElement()
                .asString()
                .startsWith("Missing: its class file cannot be read (its loader has no such");
        assertThat(hierarchy.unread()).isEqualTo(2);
    }

    @Test
    void files_of_a_loader_that_throws_are_logged_once_and_counted() {
        Hierarchy hierarchy = hierarchy("");
        ClassLoader odd = new ClassLoader(null) {
            @Override
            public InputStream getResourceAsStream(String name) {
                throw new StackOverflowError();
            }
        };

        for (int i = 0; i < 30; i++) {
            assertThat(hierarchy.find(odd, "A" + i).file).isNull();
        }

        assertThat(log)
                .containsExactly(
                        "A0: its class file cannot be read (java.lang.StackOverflowError), so its annotations and"
                                + " methods are ignored; further such supertypes are not logged");
        assertThat(hierarchy.unread()).isEqualTo(30);
    }

    @Test
    void a_loader_is_compared_by_identity_and_none_of_its_overridden_methods_is_called() {
        Hierarchy hierarchy = hierarchy("");
        ClassLoader contrary = new ClassLoader(null) {
            @Override
            public int hashCode() {
                throw new IllegalStateException("must not be called");
            }

            @Override
            public boolean equals(Object other) {
                throw new IllegalStateException("must not be called");
            }

            @Override
            public String toString() {
                throw new IllegalStateException("must not be called");
            }
        };

        assertThat(hierarchy.find(contrary, "A")).isSameAs(hierarchy.find(contrary, "A"));
        assertThat(log).hasSize(1);
    }

    @Test
    void types_of_the_jdk_are_read_only_if_a_rule_names_one() {
        assertThat(hierarchy("").above(files, "java/lang/Thread", new String[0]).keySet())
                .containsExactly("java/lang/Thread");
        assertThat(hierarchy("methods=+java.lang.Runnable")
                        .above(files, "java/lang/Thread", new String[0])
                        .keySet())
                .containsExactly("java/lang/Thread", "java/lang/Runnable");
        assertThat(files.asked).isEmpty();
    }

    @Test
    void the_number_of_cached_types_is_bounded() {
        Hierarchy hierarchy = hierarchy("");
        files.write("A", "java/lang/Object", "");
        for (int i = 0; i < 5000; i++) {
            files.bytes.put("a" + i + ".class", files.bytes.get("A.class"));
            hierarchy.find(files, "a" + i);
        }
        files.asked.clear();

        hierarchy.find(files, "a4999");
        hierarchy.find(files, "a1");

        assertThat(files.asked).containsExactly("a1.class");
    }

    @Test
    void the_nearest_mark_applies_and_superclasses_precede_interfaces() {
        files.write("I", "java/lang/Object", "", "@m ()V", "@n ()V");
        files.write("A", "java/lang/Object", "I", "@m ()V");
        files.write("B", "A", "I", "m ()V", "n ()V");

        assertThat(list("inherit=true", files.write("C", "B", "I", "m ()V", "n ()V", "o ()V")))
                .containsExactly("C#m() = A.m entry", "C#n() = I.n entry");
        assertThat(list("inherit=true", files.write("C", "B", "I", "@m ()V"))).containsExactly("C#m() = C.m entry");
        assertThat(list("inherit=false", files.write("C", "B", "I", "m ()V"))).isEmpty();
    }

    @Test
    void a_method_with_other_parameters_or_access_is_not_an_override() {
        files.write("p/A", "java/lang/Object", "", "@-here ()V", "@with (I)V", "@back ()I");

        assertThat(list(
                        "inherit=true",
                        files.write("q/B", "p/A", "", "here ()V", "with (J)V", "with (I)V", "back ()V")))
                .containsExactly("q.B#with(int) = p/A.with entry", "q.B#back() = p/A.back entry");
        assertThat(list("inherit=true", files.write("p/B", "p/A", "", "-here ()V")))
                .containsExactly("p.B#here() = p/A.here entry");
    }

    @Test
    void a_class_that_the_jdk_does_not_have_belongs_to_the_application_even_in_a_package_of_the_jdk() {
        files.write("javax/servlet/Servlet", "java/lang/Object", "", "service ()V");
        files.write("javax/servlet/GenericServlet", "java/lang/Object", "javax/servlet/Servlet");

        assertThat(list(
                        "methods=+javax.servlet.Servlet#service",
                        files.write("javax/servlet/HttpServlet", "javax/servlet/GenericServlet", "", "service ()V")))
                .containsExactly("javax.servlet.HttpServlet#service() = javax.servlet.HttpServlet.service entry");
        assertThat(list(
                        "methods=javax.swing.*#service",
                        files.write("javax/swing/JFrame", "java/lang/Object", "", "service ()V")))
                .isEmpty();
    }

    @Test
    void a_class_in_a_package_of_another_agent_belongs_to_the_application_if_its_loader_does() {
        byte[] bytes = files.write("datadog/Orders", "java/lang/Object", "", "@m ()V", "n ()V");
        ClassLoader application = new ClassLoader(ClassLoader.getSystemClassLoader()) {};

        assertThat(list("methods=datadog.*#n = n", bytes))
                .containsExactly("datadog.Orders#m() = datadog/Orders.m entry");
        assertThat(weaving("methods=datadog.*#n = n").list(application, "datadog/Orders", bytes))
                .containsExactly("datadog.Orders#m() = datadog/Orders.m entry", "datadog.Orders#n() = n entry");
    }

    @Test
    void a_class_with_a_name_like_a_tools_counts_for_its_own_marks() {
        files.write("p/A", "java/lang/Object", "", "@m ()V", "n ()V");

        assertThat(list("methods=p.*#n = n", files.write("p/A$$ByteBuddy$1", "p/A", "", "@m ()V", "@own ()V", "n ()V")))
                .containsExactly(
                        "p.A$$ByteBuddy$1#m() = p/A..ByteBuddy.1.m entry",
                        "p.A$$ByteBuddy$1#own() = p/A..ByteBuddy.1.own entry");
    }

    @Test
    void a_class_on_the_boot_class_path_counts_for_its_mark() {
        Weaving weaving = weaving("");

        assertThat(weaving.list(null, "p/A", files.write("p/A", "java/lang/Object", "", "@m ()V")))
                .containsExactly("p.A#m() = p/A.m entry");
    }

    private List<String> list(String settings, byte[] bytes) {
        return weaving(settings).list(files, new ClassReader(bytes).getClassName(), bytes);
    }

    private Weaving weaving(String settings) {
        return new Weaving(
                rules(settings), new NameTemplates("host", "app", "", log::add), () -> false, name -> 0, log::add);
    }

    private Hierarchy hierarchy(String settings) {
        return new Hierarchy(rules(settings), log::add);
    }

    private Rules rules(String settings) {
        return Rules.read(Settings.read(settings, new Properties(), Map.of()), log::add);
    }
}
