package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PartitionsTest {
    private static int of(String name, int partitions) {
        byte[] bytes = ("<" + name + ">").getBytes(ISO_8859_1);
        return Partitions.of(bytes, 1, bytes.length - 1, partitions, new CRC32C());
    }

    /** The first is the check value of the CRC's definition, 0xE3069283. */
    @ParameterizedTest
    @CsvSource({
        "123456789,          64,   3",
        "123456789,          1000, 755",
        "orders.placed,      64,   35",
    })
    void names_stay_where_they_are_in_every_version(String name, int partitions, String partition) {
        assertThat(of(name, partitions)).isEqualTo(Integer.parseInt(partition));
    }

    @Test
    void a_prefix_becomes_a_name_that_kafka_allows() {
        assertThat(Topics.of("").lines()).isEqualTo("counters.lines");
        assertThat(Topics.of("shop.").ledger()).isEqualTo("shop.ledger");
        assertThat(Topics.of("eu/shop/").ticks()).isEqualTo("eu.shop.ticks");
    }
}
