package io.counters.collector.common;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JoinedLinesTest {
    private static JoinedLines read(String text) {
        JoinedLines joined = new JoinedLines();
        joined.read(text.getBytes(ISO_8859_1), 0, text.length());
        return joined;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "a:1|ca:1|cb:2|g 3 2",
                "c370.orders:visitor|sc370.orders:12.5|g 2 0",
                "users:abe|sorders:1|c 2 1",
                "users:|sorders:1|c 2 1",
                "users:a/b?c=d|sorders:1|cusers:x|s 3 1",
                "orders:1|cusers:abe|s 2 1",
                "load:1.|gorders:5|c 2 1",
                "t:1e3|morders:5|c 2 1",
                "kv:x|kvorders:5|c 2 1",
                "d:x|d|#env:prodorders:5|c|@0.1 2 1",
                "d:x|h|@0.5orders:5|c 2 1",
                "s:x|s|#env:prod|c:ci-abc|T1656581400orders:5|c 2 1",
                "_e{5,4}:title|textorders:1|c 2 1",
                "orders:1|c_e{5,4}:title|text|#env:prod 2 1",
                "_sc|disk|0|h:host|m:badorders:1|c 2 1",
                "orders:1|c_sc|disk|0 2 1",
                "_sc|disk|0_sc|net|0 2 0",
            })
    void joined_lines_are_counted_whatever_their_values_are(String text, long lines, long counts) {
        assertThat(read(text).lines()).isEqualTo(lines);
        assertThat(read(text).counts()).isEqualTo(counts);
    }

    @Test
    void joined_commands_are_counted() {
        assertThat(read("increment aincrement bdecrement c").counts()).isEqualTo(3);
        assertThat(read("increment aorders:1|c").counts()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "users:abe|s",
                "users:abc_sc|s",
                "users:abc_e{|s",
                "a:x|c|@0.1|#port:80,env:prod|c:ci-abc|e:it-false,cn-x|card:low|T1656581400",
                "a:x|h|#env:prod|card:low|c:ci-abc",
                "a:x|d|#env:prod|s:x|k:y|h:z|m:text",
                "_e{5,17}:title|some text: 5 of 7|d:1656581400|h:host|k:key|p:low|t:info|s:source|#env:prod|c:ci-abc",
                "_e{4,8}:a: b|c d|more|h:host",
                "_sc|disk|2|d:1656581400|h:host|#env:prod|m:disk is full|c:ci-abc",
                "path_e{id}:x|g",
                "Host: 127.0.0.1:8125",
            })
    void a_single_line_is_counted_once_whatever_its_fields_are(String line) {
        assertThat(read(line).lines()).isLessThan(2);
    }

    @Test
    void the_sum_of_taken_counts_only_grows_and_is_at_most_one_too_high() {
        String text = "a:1|c|#port:80|c:abc".repeat(100);
        JoinedLines joined = new JoinedLines();
        long taken = 0;
        for (byte letter : text.getBytes(ISO_8859_1)) {
            joined.read(new byte[] {letter}, 0, 1);
            long more = joined.takeCounts();
            assertThat(more).isNotNegative();
            taken += more;
        }

        assertThat(taken).isBetween(100L, 101L);
        assertThat(joined.counts()).isEqualTo(100);
    }

    @Test
    void a_single_line_has_no_joined_counts() {
        JoinedLines joined = read("a:1|c");

        assertThat(joined.takeCounts()).isZero();

        joined.read("b:1|c".getBytes(ISO_8859_1), 0, 5);
        assertThat(joined.takeCounts()).isEqualTo(2);
    }
}
