package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.ledger.Changes.StreamRow;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class RowCheckTest {
    private final RowCheck check = new RowCheck();

    /** The CRC-32C of bytes in hex, of which spaces separate the columns. */
    private static int crc(String hex) {
        CRC32C crc = new CRC32C();
        crc.update(HexFormat.of().parseHex(hex.replace(" ", "")));
        return (int) crc.getValue();
    }

    private static String number(long number) {
        return String.format(Locale.ROOT, "%016x", number);
    }

    @Test
    void a_check_is_the_crc_of_the_tables_number_and_the_columns() {
        assertThat(crc("313233343536373839"))
                .as("the CRC-32C that standards give for 123456789")
                .isEqualTo(0xe3069283);
        assertThat(check.watermark(1, 2, 3, -1)).isEqualTo(crc("07 " + number(1) + number(2) + number(3) + number(-1)));
        assertThat(check.counter(5, "a,b=\u00e9")).isEqualTo(crc("01 " + number(5) + number(5) + " 612c623de9"));
        assertThat(check.block(0, new byte[] {1, 2}, new byte[] {}))
                .isEqualTo(crc("02 " + number(0) + number(2) + " 0102 " + number(0)));
        assertThat(check.fact(3, new byte[] {9}, null, new byte[] {8, 7}, null))
                .isEqualTo(crc("04 " + number(3) + number(1) + "09" + number(0) + number(2) + "0807" + number(0)));
        assertThat(check.rest(3, new byte[] {9})).isEqualTo(crc("03 " + number(3) + number(1) + "09"));
        assertThat(check.moved(3, new byte[] {9})).isEqualTo(crc("05 " + number(3) + number(1) + "09"));
        assertThat(check.uncounted(4, 5, -6)).isEqualTo(crc("08 " + number(4) + number(5) + number(-6)));
        assertThat(check.published(new UsedSeconds.Run(7, 8, 9)))
                .isEqualTo(crc("09 " + number(7) + number(8) + number(9)));
        assertThat(check.meta(new TreeMap<>(Map.of("b", 2L, "a", 1L))))
                .isEqualTo(crc("00 " + number(1) + "61" + number(1) + number(1) + "62" + number(2)));
    }

    @Test
    void the_check_of_a_stream_contains_everything_that_is_in_its_row() {
        StreamRow row = new StreamRow(1, "2b", true, false, 3, 99, new Arrivals(4, 5, 6, 7, 8), 9);
        StringBuilder hex = new StringBuilder("06" + number(1) + number(2) + "3262" + number(1) + number(0));
        for (long column = 3; column <= 11; column++) {
            hex.append(number(column));
        }

        assertThat(check.stream(row, 10, 11)).isEqualTo(crc(hex.toString()));
    }

    @Test
    void equal_columns_in_different_tables_have_different_checks() {
        byte[] numbers = new byte[512];

        assertThat(check.rest(1, numbers)).isNotEqualTo(check.moved(1, numbers));
        assertThat(check.uncounted(1, 2, 3)).isNotEqualTo(check.published(new UsedSeconds.Run(1, 2, 3)));
    }
}
