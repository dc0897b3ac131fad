package io.counters.emit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class StreamIdsTest {
    private static final String[] NONE = {};

    @TempDir
    Path folder = Path.of("");

    @Test
    void what_the_kernel_gives_is_the_id() throws Exception {
        Path file = Files.write(folder.resolve("urandom"), new byte[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 127, -128, -1, 9});

        assertThat(new StreamIds(file.toString(), NONE).get()).isEqualTo("000102030405060708" + "7f80ff");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void without_a_kernels_file_they_are_new_at_once_and_no_thread_gathers_bits() {
        Set<String> seen = new HashSet<>();
        Path cut = folder.resolve("missing");
        long begun = System.nanoTime();

        for (int i = 0; i < 2_000; i++) {
            // Each from the beginning, with nothing of the process's but its clocks.
            seen.add(new StreamIds(cut.toString(), NONE).get());
        }

        assertThat(seen).hasSize(2_000).allMatch(id -> id.matches("[0-9a-f]{24}"));
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(20));
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getThreadGroup() != null
                        && thread.getThreadGroup().getName().contains("SeedGenerator"));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void each_bit_of_them_is_set_in_about_half_of_them() {
        StreamIds ids = new StreamIds("none", NONE);
        int[] set = new int[96];
        for (int i = 0; i < 1_000; i++) {
            String id = ids.get();
            for (int bit = 0; bit < set.length; bit++) {
                set[bit] += Character.digit(id.charAt(bit / 4), 16) >> (bit % 4) & 1;
            }
        }

        for (int bit : set) {
            assertThat(bit).isBetween(350, 650);
        }
    }
}
