package io.counters.packaging;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GzipTest {
    private static final byte[] PLAIN = "increment a\n".repeat(1000).getBytes(US_ASCII);

    @Test
    void a_file_is_replaced_by_a_compressed_one(@TempDir Path folder) throws IOException {
        Path file = Files.write(folder.resolve("counters.1"), PLAIN);

        Gzip.main(new String[] {file.toString()});

        assertThat(file).doesNotExist();
        try (GZIPInputStream plain =
                new GZIPInputStream(new ByteArrayInputStream(Files.readAllBytes(folder.resolve("counters.1.gz"))))) {
            assertThat(plain.readAllBytes()).isEqualTo(PLAIN);
        }
    }

    @Test
    void the_header_has_no_name_and_no_time_and_says_that_nothing_compresses_more() throws IOException {
        byte[] header = Arrays.copyOf(Gzip.compress(PLAIN), 9);

        assertThat(header).containsExactly(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2);
    }
}
