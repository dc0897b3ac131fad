package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.agent.settings.Settings;
import io.counters.fixture.OnClass;
import io.counters.wire.NameTemplates;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import net.bytebuddy.jar.asm.Attribute;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.jar.asm.commons.ClassRemapper;
import net.bytebuddy.jar.asm.commons.Remapper;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class BuildMarkTest {
    private final List<String> log = new ArrayList<>();
    private final Weaving weaving = new Weaving(
            Rules.read(Settings.read("", new Properties(), Map.of()), log::add),
            new NameTemplates("host", "app", "", log::add),
            () -> true,
            String::length,
            log::add);

    @Test
    void the_agent_leaves_a_class_alone_that_a_build_has_woven() throws Exception {
        byte[] original = bytes();
        byte[] woven = woven(original);

        assertThat(transformed(original)).isNotNull();
        assertThat(transformed(woven)).isNull();
        assertThat(BuildMark.hasOriginal(woven, original)).isTrue();
        assertThat(BuildMark.hasOriginal(woven, woven)).isFalse();
    }

    @Test
    void the_mark_survives_tools_that_rename_types_and_tools_that_drop_attributes() throws Exception {
        byte[] woven = woven(bytes());
        ClassWriter stripped = new ClassWriter(0);
        new ClassReader(woven)
                .accept(
                        new ClassVisitor(Opcodes.ASM9, stripped) {
                            @Override
                            public void visitAttribute(Attribute dropped) {}
                        },
                        0);

        assertThat(transformed(shaded(bytes()))).isNotNull();
        assertThat(transformed(shaded(woven))).isNull();
        assertThat(transformed(stripped.toByteArray())).isNull();
    }

    /** The class after a tool has moved the API below another package. */
    private static byte[] shaded(byte[] bytes) {
        ClassWriter shaded = new ClassWriter(0);
        new ClassReader(bytes)
                .accept(
                        new ClassRemapper(shaded, new Remapper(Opcodes.ASM9) {
                            @Override
                            public String map(String type) {
                                return type.startsWith("io/counters/") ? "shop/own/" + type : type;
                            }
                        }),
                        0);
        return shaded.toByteArray();
    }

    private static byte[] woven(byte[] original) {
        byte[] woven = new BuildMarkTest()
                .weaving.forBuild(BuildMarkTest.class.getClassLoader(), "io/counters/fixture/OnClass", original);
        return Objects.requireNonNull(woven);
    }

    private byte @Nullable [] transformed(byte[] bytes) {
        return weaving.transform(BuildMarkTest.class.getClassLoader(), "shop/OnClass", null, null, bytes);
    }

    private static byte[] bytes() throws IOException {
        try (InputStream in = OnClass.class.getResourceAsStream("OnClass.class")) {
            return Objects.requireNonNull(in).readAllBytes();
        }
    }
}
