package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.counters.cells.Cells;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

class BridgeTest {
    @Test
    @EnabledForJreRange(
            min = JRE.JAVA_19,
            disabledReason = "threads of this JDK have no threadId; run this test on 19 or newer")
    void the_changed_cells_use_the_final_thread_id_and_detect_that() throws Exception {
        assertThat(isIdFinal(Bridge.withThreadId(cells()))).isTrue();
        assertThat(isIdFinal(cells())).isFalse();
    }

    @Test
    void exactly_one_constant_is_replaced() throws Exception {
        byte[] before = cells();
        byte[] after = Bridge.withThreadId(before);

        assertThat(after).hasSize(before.length + "threadId".length() - "getId".length());
        assertThat(new String(after, StandardCharsets.ISO_8859_1))
                .doesNotContain("\005getId")
                .contains("\010threadId");
        assertThatIllegalStateException().isThrownBy(() -> Bridge.withThreadId(after));
    }

    private static boolean isIdFinal(byte[] bytes) throws ReflectiveOperationException {
        Class<?> cells = new ClassLoader(null) {
            @Override
            protected Class<?> findClass(String name) throws ClassNotFoundException {
                try {
                    byte[] found = name.equals(Cells.class.getName()) ? bytes : bytes("CellSource.class");
                    return defineClass(name, found, 0, found.length);
                } catch (IOException unreadable) {
                    throw new ClassNotFoundException(name, unreadable);
                }
            }
        }.loadClass(Cells.class.getName());
        int id = (Integer) cells.getMethod("id", String.class).invoke(null, "any");
        cells.getMethod("increment", int.class).invoke(null, id);
        Field known = cells.getDeclaredField("ID_IS_FINAL");
        known.setAccessible(true);
        return known.getBoolean(null);
    }

    private static byte[] cells() throws IOException {
        return bytes("Cells.class");
    }

    private static byte[] bytes(String file) throws IOException {
        try (InputStream in = Cells.class.getResourceAsStream(file)) {
            return Agent.all(in);
        }
    }
}
