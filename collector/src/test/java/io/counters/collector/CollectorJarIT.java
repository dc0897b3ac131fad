package io.counters.collector;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The files of collector.jar that are not classes. */
class CollectorJarIT {
    private static String text(String entry) throws IOException {
        try (JarFile jar = new JarFile("target/collector.jar");
                InputStream in = jar.getInputStream(jar.getEntry(entry))) {
            return new String(in.readAllBytes(), UTF_8);
        }
    }

    @Test
    void it_has_our_license_and_our_notice_with_those_of_the_libraries() throws IOException {
        String notice = Files.readString(Path.of("../NOTICE"));

        assertThat(text("META-INF/LICENSE")).isEqualTo(Files.readString(Path.of("../LICENSE")));
        assertThat(text("META-INF/NOTICE"))
                .startsWith(notice)
                .containsOnlyOnce(notice)
                .contains("Jackson JSON processor");
    }

    @ParameterizedTest
    @CsvSource({
        "META-INF/licenses/lettuce-core, Redis Ltd",
        "META-INF/licenses/slf4j, QOS.ch",
        "META-INF/licenses/sqlite-jdbc, David Crawshaw",
        "META-INF/licenses/HdrHistogram, Gil Tene",
        "META-INF/licenses/kafka-clients-NOTICE, The Apache Software Foundation",
        "META-INF/licenses/lz4, Yann Collet",
        "META-INF/FastDoubleParser-LICENSE, Werner Randelshofer"
    })
    void it_has_the_licenses_of_the_libraries(String entry, String author) throws IOException {
        assertThat(text(entry)).contains("Copyright", author);
    }
}
