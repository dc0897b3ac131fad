package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.Count;
import java.io.IOException;
import java.lang.instrument.ClassFileTransformer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;

/** Class files. The agent leaves alone what it cannot read, and what the JVM accepts it still accepts when it is woven. */
@Tag("once")
@Tag("slow")
class WeavingFuzzTest {
    private static final String NAME = "some.Host";

    private final ClassFileTransformer weaving;
    private final List<String> said = new ArrayList<>();

    /** What is woven: marks of every kind on code of many shapes. */
    @Count
    static class Marked {
        private int field;

        @Count("a")
        int sum(int... numbers) {
            int sum = 0;
            for (int number : numbers) {
                sum += number;
            }
            return sum;
        }

        @Count(value = "b", when = Count.When.RETURN, errors = "b.failed")
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
        weaving = agent.weaving(agent.settings("methods=some.*#* = by.rule"), said::add);
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

        /** Whether the JVM accepts it, with all checks of its code. */
        boolean accepts(byte[] bytes) {
            try {
                Class.forName(defineClass(null, bytes, 0, bytes.length).getName(), false, this)
                        .getDeclaredMethods();
                return true;
            } catch (LinkageError | ClassNotFoundException | SecurityException refused) {
                return false;
            }
        }
    }

    @MethodSource("seeds")
    @FuzzTest(maxDuration = "10s")
    void whatever_the_bytes_the_host_loads_the_class_as_before(byte[] bytes) throws Exception {
        said.clear();
        byte[] before = bytes.clone();

        byte[] woven = weaving.transform(null, NAME.replace('.', '/'), null, null, bytes);

        assertThat(bytes).as("the given bytes").isEqualTo(before);
        if (woven != null && new OneClass().accepts(before)) {
            assertThat(new OneClass().accepts(woven))
                    .as("what was woven of a good class")
                    .isTrue();
        }
    }
}
