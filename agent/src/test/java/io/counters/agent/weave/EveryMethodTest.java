package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.agent.weave.ClassMarks.Said;
import io.counters.wire.NameTemplates;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import kotlin.KotlinVersion;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.assertj.core.api.Assertions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Inserts all kinds of counting calls into every method of large jars, and checks that this JVM's verifier accepts them. */
class EveryMethodTest {
    private final RefusedMarks refusals = new RefusedMarks(line -> {});

    @SuppressWarnings("ReturnValueIgnored") // The call links the class, and so verifies it.
    @ParameterizedTest
    @ValueSource(classes = {KotlinVersion.class, Assertions.class, ByteBuddy.class})
    void every_class_of_a_large_jar_verifies(Class<?> in) throws Exception {
        Path path =
                Path.of(in.getProtectionDomain().getCodeSource().getLocation().toURI());
        Map<String, byte[]> woven = new HashMap<>();
        try (JarFile jar = new JarFile(path.toFile())) {
            for (JarEntry entry : jar.stream().toList()) {
                String file = entry.getName();
                if (file.endsWith(".class") && !file.startsWith("META-INF/") && !file.endsWith("-info.class")) {
                    try (InputStream bytes = jar.getInputStream(entry)) {
                        String name = file.substring(0, file.length() - 6).replace('/', '.');
                        woven.put(name, woven(bytes.readAllBytes()));
                    }
                }
            }
        }
        Woven loader = new Woven(woven);
        List<String> broken = new ArrayList<>();
        int linked = 0;

        for (String name : woven.keySet()) {
            try {
                loader.loadClass(name).getDeclaredMethods();
                linked++;
            } catch (NoClassDefFoundError optional) {
                // An optional dependency of the jar is missing.
            } catch (LinkageError refused) {
                broken.add(name + ": " + refused.getMessage());
            }
        }

        assertThat(broken).isEmpty();
        assertThat(linked).isGreaterThan(800).isGreaterThan(woven.size() * 9 / 10);
    }

    private byte[] woven(byte[] bytes) throws IOException {
        ClassReader reader = new ClassReader(bytes);
        Map<String, MethodCounts> all = new HashMap<>();
        NameTemplates names = new NameTemplates("host", "app", "", line -> {});
        reader.accept(
                new ClassVisitor(Opcodes.ASM9) {
                    @Override
                    public @Nullable MethodVisitor visitMethod(
                            int access,
                            String name,
                            String descriptor,
                            @Nullable String signature,
                            String @Nullable [] exceptions) {
                        if ((access & (Opcodes.ACC_ABSTRACT | Opcodes.ACC_NATIVE)) == 0 && !name.equals("<clinit>")) {
                            MethodCounts counts = new MethodCounts();
                            for (Mark mark : marks()) {
                                counts.add(Said.count(mark, reader.getClassName()), names, refusals, name, descriptor);
                            }
                            all.put(name + descriptor, counts);
                        }
                        return null;
                    }
                },
                ClassReader.SKIP_CODE);
        byte[] written = WovenClass.write(bytes, reader, all, Callee.bridge(String::length), refusals);
        return written == null ? bytes : written;
    }

    private static List<Mark> marks() {
        List<Mark> marks = new ArrayList<>();
        for (Moment when : Moment.values()) {
            Mark mark = new Mark();
            mark.value = "every." + when;
            mark.when = when;
            mark.amount = when == Moment.EXIT ? 7 : 1;
            mark.errors = "+.errors";
            mark.inFlight = "every.open";
            if (when == Moment.THROW) {
                mark.on.add("java.io.IOException");
                mark.async = true;
            }
            marks.add(mark);
        }
        return marks;
    }

    private static final class Woven extends ClassLoader {
        private final Map<String, byte[]> classes;

        Woven(Map<String, byte[]> classes) {
            super(EveryMethodTest.class.getClassLoader());
            this.classes = classes;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            byte[] bytes = classes.get(name);
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                if (loaded != null) {
                    return loaded;
                }
                return bytes == null ? super.loadClass(name, resolve) : defineClass(name, bytes, 0, bytes.length);
            }
        }
    }
}
