package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.agent.settings.Settings;
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

/** Supertypes as class files made up for the purpose tell them. */
class HierarchyTest {
    private final List<String> log = new ArrayList<>();
    private final Files files = new Files();

    /** A loader of class files that never loads one. */
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

        /** Methods are written {@code name descriptor}, in front a {@code @} if marked, then a {@code -} if package-private. */
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
    void types_that_stand_above_themselves_end_too() {
        files.write("A", "B", "I");
        files.write("B", "A", "");
        files.write("I", "java/lang/Object", "I");

        assertThat(hierarchy("").above(files, "A", new String[0]).keySet()).containsExactly("A", "B", "I");
    }

    @Test
    void a_file_is_read_once_and_what_is_none_is_said_once() {
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
                .startsWith("Missing: its class file can't be read (its loader has no such");
        assertThat(hierarchy.unread()).isEqualTo(2);
    }

    @Test
    void a_loader_may_throw_anything_and_the_missing_files_are_one_line_and_a_number() {
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
                        "A0: its class file can't be read (java.lang.StackOverflowError); what stands in it counts"
                                + " nothing. Further such supertypes are only counted");
        assertThat(hierarchy.unread()).isEqualTo(30);
    }

    @Test
    void a_loader_is_known_by_what_it_is_and_none_of_its_own_methods_says_so() {
        Hierarchy hierarchy = hierarchy("");
        ClassLoader contrary = new ClassLoader(null) {
            @Override
            public int hashCode() {
                throw new IllegalStateException("nobody's business");
            }

            @Override
            public boolean equals(Object other) {
                throw new IllegalStateException("nobody's business");
            }

            @Override
            public String toString() {
                throw new IllegalStateException("nobody's business");
            }
        };

        assertThat(hierarchy.find(contrary, "A")).isSameAs(hierarchy.find(contrary, "A"));
        assertThat(log).hasSize(1);
    }

    @Test
    void the_jdk_is_read_for_rules_that_name_it_only() {
        assertThat(hierarchy("").above(files, "java/lang/Thread", new String[0]).keySet())
                .containsExactly("java/lang/Thread");
        assertThat(hierarchy("methods=+java.lang.Runnable")
                        .above(files, "java/lang/Thread", new String[0])
                        .keySet())
                .containsExactly("java/lang/Thread", "java/lang/Runnable");
        assertThat(files.asked).isEmpty();
    }

    @Test
    void what_it_remembers_is_bounded() {
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
    void the_nearest_mark_holds_whatever_an_interface_says() {
        files.write("I", "java/lang/Object", "", "@m ()V", "@n ()V");
        files.write("A", "java/lang/Object", "I", "@m ()V");
        files.write("B", "A", "I", "m ()V", "n ()V");

        assertThat(list("inherit=true", files.write("C", "B", "I", "m ()V", "n ()V", "o ()V")))
                .containsExactly("C#m() = A.m entry", "C#n() = I.n entry");
        assertThat(list("inherit=true", files.write("C", "B", "I", "@m ()V"))).containsExactly("C#m() = C.m entry");
        assertThat(list("inherit=false", files.write("C", "B", "I", "m ()V"))).isEmpty();
    }

    @Test
    void what_looks_alike_is_no_override() {
        files.write("p/A", "java/lang/Object", "", "@-here ()V", "@with (I)V", "@back ()I");

        assertThat(list(
                        "inherit=true",
                        files.write("q/B", "p/A", "", "here ()V", "with (J)V", "with (I)V", "back ()V")))
                .containsExactly("q.B#with(int) = p/A.with entry", "q.B#back() = p/A.back entry");
        assertThat(list("inherit=true", files.write("p/B", "p/A", "", "-here ()V")))
                .containsExactly("p.B#here() = p/A.here entry");
    }

    @Test
    void a_package_that_the_jdk_has_too_is_the_applications_where_the_class_is() {
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
    void another_agents_package_is_the_applications_where_its_loader_is() {
        byte[] bytes = files.write("datadog/Orders", "java/lang/Object", "", "@m ()V", "n ()V");
        ClassLoader application = new ClassLoader(ClassLoader.getSystemClassLoader()) {};

        assertThat(list("methods=datadog.*#n = n", bytes))
                .containsExactly("datadog.Orders#m() = datadog/Orders.m entry");
        assertThat(weaving("methods=datadog.*#n = n").list(application, "datadog/Orders", bytes))
                .containsExactly("datadog.Orders#m() = datadog/Orders.m entry", "datadog.Orders#n() = n entry");
    }

    @Test
    void a_name_like_a_tools_takes_no_mark_away() {
        files.write("p/A", "java/lang/Object", "", "@m ()V", "n ()V");

        assertThat(list("methods=p.*#n = n", files.write("p/A$$ByteBuddy$1", "p/A", "", "@m ()V", "@own ()V", "n ()V")))
                .containsExactly(
                        "p.A$$ByteBuddy$1#m() = p/A..ByteBuddy.1.m entry",
                        "p.A$$ByteBuddy$1#own() = p/A..ByteBuddy.1.own entry");
    }

    @Test
    void what_stands_on_the_boot_class_path_counts_by_its_mark() {
        Weaving weaving = weaving("");

        assertThat(weaving.list(null, "p/A", files.write("p/A", "java/lang/Object", "", "@m ()V")))
                .containsExactly("p.A#m() = p/A.m entry");
    }

    private List<String> list(String settings, byte[] bytes) {
        return weaving(settings).list(files, new ClassReader(bytes).getClassName(), bytes);
    }

    private Weaving weaving(String settings) {
        return new Weaving(rules(settings), new Names("host", "app", "", log::add), () -> false, name -> 0, log::add);
    }

    private Hierarchy hierarchy(String settings) {
        return new Hierarchy(rules(settings), log::add);
    }

    private Rules rules(String settings) {
        return Rules.read(Settings.read(settings, new Properties(), Map.of()), log::add);
    }
}
