package io.counters.benchmarks.collector;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class TallyTest {
    @Test
    void line_breaks_in_any_bytes_are_counted() {
        Random random = new Random(1);
        Tally tally = new Tally();
        long lines = 0;
        for (int length = 0; length < 1000; length++) {
            byte[] bytes = new byte[length + 10];
            for (int i = 0; i < bytes.length; i++) {
                // Many line breaks, and many bytes that differ from a line break by one bit.
                bytes[i] = (byte) (random.nextBoolean() ? '\n' : '\n' ^ 1 << random.nextInt(8));
                lines += i < length && bytes[i] == '\n' ? 1 : 0;
            }

            tally.add(bytes, length);
        }
        tally.show();

        assertThat(tally.lines()).isEqualTo(lines);
        assertThat(tally.datagrams()).isEqualTo(1000);
    }
}
