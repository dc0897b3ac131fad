package io.counters.agent;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.Count;
import java.io.IOException;
import java.lang.instrument.ClassFileTransformer;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassWriter;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Class files. The agent leaves alone what it cannot read, and what the JVM accepts it still accepts when it is woven; the seeds
 * with marks must be. A file that both the JVM and ASM can read causes no error.
 */
@Tag("once")
@Tag("slow")
class WeavingFuzzTest {
    /** The name that the agent is told, because it leaves alone those that begin as ours do. */
    private static final String NAME = "some/Host";

    private static final String RULES = "methods='some.*#* = by.rule; io.counters.agent.*#* = by.rule'";
    private static final Pattern SUPPRESSED = Pattern.compile("errors suppressed while instrumenting: (\\d+)");

    private final ClassFileTransformer weaving;
    private final List<String> said = new ArrayList<>();
    private final Set<String> counted = new TreeSet<>();

    /** The names that a seed must count. */
    private final Map<ByteBuffer, Set<String>> marked = new HashMap<>();

    /** What is woven: marks of every kind on code of many shapes. */
    @Count
    static class Marked {
        @SuppressWarnings("UnusedVariable") // Written by what is woven.
        private int field;

        @Count("a")
        int sum(int... numbers) {
            int sum = 0;
            for (int number : numbers) {
                sum += number;
            }
            return sum;
        }

        @Count(
                value = "b",
                when = Count.When.RETURN,
                errors = "b.failed",
                on = {IOException.class, Error.class})
        <T> T call(Callable<T> work, @Nullable String unused) throws Exception {
            synchronized (this) {
                try {
                    return work.call();
                } finally {
                    field++;
                }
            }
        }

        @Count(value = "c", when = Count.When.EXIT)
        static String choose(Object value) {
            return switch (String.valueOf(value)) {
                case "x" -> "first";
                case "y" -> "second" + value;
                default -> {
                    Runnable run = () -> System.out.println(value);
                    yield run.toString();
                }
            };
        }
    }

    WeavingFuzzTest() throws Exception {
        AgentClasses agent = new AgentClasses();
        weaving = agent.weaving(
                agent.settings(RULES),
                name -> {
                    counted.add(name);
                    return counted.size();
                },
                said::add);
        marked.put(ByteBuffer.wrap(AgentClasses.bytes(Marked.class)), Set.of("a", "b", "b.failed", "c", "by.rule"));
        marked.put(ByteBuffer.wrap(AgentClasses.bytes(AgentClasses.class)), Set.of("by.rule"));
    }

    static Stream<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (Class<?> type : List.of(Marked.class, AgentClasses.class, List.class, Thread.State.class, Count.class)) {
            seeds.add(AgentClasses.bytes(type));
        }
        return seeds.stream();
    }

    /** Defines one class, under the name that it has. */
    private static final class OneClass extends ClassLoader {
        OneClass() {
            super(WeavingFuzzTest.class.getClassLoader());
        }

        /** Why the JVM refuses it, with all checks of its code; null if it accepts it. */
        @Nullable
        Throwable refusal(byte[] bytes) {
            try {
                Class<?> defined =
                        Class.forName(defineClass(null, bytes, 0, bytes.length).getName(), false, this);
                Method[] unused = defined.getDeclaredMethods();
                return null;
            } catch (LinkageError | ClassNotFoundException | SecurityException refused) {
                return refused;
            }
        }
    }

    /** Whether ASM reads all of it; what is wrong with it may be something that the JVM does not look at. */
    private static boolean isReadable(byte[] bytes) {
        try {
            new ClassReader(bytes).accept(new ClassWriter(0), 0);
            return true;
        } catch (RuntimeException refused) {
            return false;
        }
    }

    /** How many errors the agent has caught. */
    private int suppressed() throws ReflectiveOperationException {
        Matcher errors = SUPPRESSED.matcher(
                String.valueOf(weaving.getClass().getMethod("summary").invoke(weaving)));
        assertThat(errors.find()).isTrue();
        return Integer.parseInt(errors.group(1));
    }

    @MethodSource("seeds")
    @FuzzTest(maxDuration = "10s")
    void whatever_the_bytes_the_host_loads_the_class_as_before(byte[] bytes) throws Exception {
        said.clear();
        counted.clear();
        int errors = suppressed();
        byte[] before = bytes.clone();

        byte[] woven = weaving.transform(null, NAME, null, null, bytes);

        assertThat(bytes).as("the given bytes").isEqualTo(before);
        boolean isGood = new OneClass().refusal(before) == null;
        if (isGood && woven != null) {
            assertThat(new OneClass().refusal(woven))
                    .as("what was woven of a good class")
                    .isNull();
        }
        if (isGood && isReadable(before)) {
            assertThat(suppressed()).as("errors: %s", said).isEqualTo(errors);
        }
        Set<String> names = marked.get(ByteBuffer.wrap(before));
        if (names != null) {
            assertThat(new String(woven == null ? before : woven, ISO_8859_1))
                    .as("what was woven of a marked class")
                    .contains("java/lang/CountersCells");
            assertThat(counted).isEqualTo(names);
        }
    }
}
