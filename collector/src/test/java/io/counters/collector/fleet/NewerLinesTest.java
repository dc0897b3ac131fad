package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.common.Threads;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NewerLinesTest {
    private static ConsumerRecord<byte[], byte[]> record() {
        return new ConsumerRecord<>("shop.lines", 3, 17, new byte[0], "increment a\n".getBytes(US_ASCII));
    }

    private static ConsumerRecord<byte[], byte[]> of(String format) {
        ConsumerRecord<byte[], byte[]> record = record();
        record.headers().add("format", format.getBytes(US_ASCII));
        return record;
    }

    @Test
    void lines_of_this_version_and_of_all_before_are_merged() {
        assertThatCode(() -> NewerLines.refuse(record())).doesNotThrowAnyException();
        assertThatCode(() -> NewerLines.refuse(of("1"))).doesNotThrowAnyException();
    }

    @Test
    void a_header_without_a_value_is_not_the_format_of_this_version() {
        ConsumerRecord<byte[], byte[]> record = record();
        record.headers().add("format", null);

        assertThatThrownBy(() -> NewerLines.refuse(record))
                .isInstanceOf(Threads.MustEnd.class)
                .hasMessageContaining("have format null");
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "10", "", "x"})
    void lines_of_a_newer_version_end_the_process_and_wait(String format) {
        assertThatThrownBy(() -> NewerLines.refuse(of(format)))
                .isInstanceOf(Threads.MustEnd.class)
                .hasMessage("lines of partition 3, offset 17, have format " + format + ", which a newer version of the"
                        + " collector has written, and this version reads 1; they wait for a collector of that version:"
                        + " upgrade this one");
    }
}
