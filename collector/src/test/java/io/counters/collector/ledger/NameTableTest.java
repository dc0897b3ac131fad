package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.SeededHash;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NameTableTest {
    private final NameTable names = new NameTable(new SeededHash(new Random(1)));

    private static byte[] name(int number) {
        return ("counter." + number).getBytes(ISO_8859_1);
    }

    private int find(int number) {
        return names.find(name(number), 0, name(number).length);
    }

    @Test
    void every_name_is_found_while_a_grown_table_is_being_filled() {
        for (int number = 0; number < 20_000; number++) {
            assertThat(find(number)).isEqualTo(-1);
            assertThat(names.add(name(number), 0, name(number).length)).isEqualTo(number);
            for (int other = number; other > 0; other /= 2) {
                assertThat(find(other)).isEqualTo(other);
            }
        }
        for (int number = 0; number < 20_000; number++) {
            assertThat(find(number)).isEqualTo(number);
            assertThat(names.name(number)).isEqualTo("counter." + number);
        }
    }
}
