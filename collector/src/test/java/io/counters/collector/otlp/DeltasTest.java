package io.counters.collector.otlp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("slow")
class DeltasTest {
    private static final int GROUPS = 40_000;

    /** One request may have so many on a heap of 4 GB. Without an order, each would be compared with all before it. */
    @Test
    @Timeout(value = 10, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void times_whose_hashes_collide_are_found_as_soon_as_others() {
        Deltas deltas = new Deltas();
        byte[] hash = new byte[32];
        byte[] name = "a".getBytes(ISO_8859_1);
        for (int i = 1; i <= GROUPS; i++) {
            long end = (long) i << Integer.SIZE | (i ^ 7);
            assertThat(Long.hashCode(end)).isEqualTo(7);

            assertThat(deltas.add(hash, 0, end, hash, name, 1)).isTrue();
            assertThat(deltas.add(hash, 0, end, hash, name, 1)).as("again").isTrue();
        }
        List<Sums.Line> lines = new ArrayList<>();
        deltas.addTo(lines, new StreamId(), 0);

        assertThat(lines).hasSize(GROUPS).allMatch(line -> line.total() == 1);
    }
}
