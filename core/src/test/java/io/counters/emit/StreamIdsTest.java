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
    void the_kernels_random_bytes_are_the_id() throws Exception {
        Path file = Files.write(folder.resolve("urandom"), new byte[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 127, -128, -1, 9});

        assertThat(new StreamIds(file.toString(), NONE).get()).isEqualTo("000102030405060708" + "7f80ff");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void ids_without_a_kernel_file_are_new_and_need_no_entropy_thread() {
        Set<String> seen = new HashSet<>();
        Path cut = folder.resolve("missing");
        long begun = System.nanoTime();

        for (int i = 0; i < 2_000; i++) {
            // Each id is mixed from the beginning, from the clocks of this process only.
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
    void each_bit_is_set_in_about_half_of_the_ids() {
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
