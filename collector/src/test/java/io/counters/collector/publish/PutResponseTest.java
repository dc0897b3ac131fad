package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers of a TSD, and of other servers in its place. */
class PutResponseTest {
    private static final int CHARS_MAX = 1 << 20;

    private static Answer read(int status, String body) throws IOException {
        return read(status, new StringReader(body), 10);
    }

    private static Answer read(int status, Reader body, int points) throws IOException {
        return PutResponse.read(status, new BoundedText(body, CHARS_MAX), points);
    }

    private static String error(String metric, String reason) {
        return "{\"datapoint\":{\"metric\":\"" + metric
                + "\",\"tags\":{\"b\":\"2\",\"a\":\"1\"},\"value\":1,\"timestamp\":2},\"error\":\"" + reason + "\"}";
    }

    @Test
    void the_reasons_of_points_are_found_by_metric_and_tags_in_any_order() throws Exception {
        Answer answer = read(
                400,
                "{\"errors\":[" + error("m", "Invalid x")
                        + ",{\"error\":\"of none\"},{\"datapoint\":null,\"error\":\"y\"}],"
                        + "\"success\":3,\"other\":{\"a\":[1,{\"b\":null}]},\"timeouts\":2,\"failed\":1}");

        assertThat(answer)
                .isEqualTo(new Answer.Counted(
                        java.util.Map.of(
                                PutResponse.key(
                                        "{\"tags\":{\"a\":\"1\",\"b\":\"2\"},\"metric\":\"m\",\"timestamp\":5}"),
                                "Invalid x"),
                        3,
                        2));
    }

    @Test
    void an_answer_keeps_no_more_points_than_the_request_had_and_equal_reasons_once() throws Exception {
        String reason = "Storage exception: " + "x".repeat(1000);
        String errors =
                IntStream.range(0, 500).mapToObj(i -> error("m" + i, reason)).collect(Collectors.joining(","));

        Answer answer = read(200, "{\"failed\":500,\"errors\":[" + errors + "]}");

        assertThat(answer).isInstanceOfSatisfying(Answer.Counted.class, counted -> {
            assertThat(counted.reasons()).hasSize(10);
            assertThat(counted.reasons().values()).allSatisfy(kept -> {
                assertThat(kept).hasSize(PutResponse.REASON_CHARS_MAX);
                assertThat(kept).isSameAs(counted.reasons().values().iterator().next());
            });
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "no JSON",
                "<html>",
                "null",
                "[]",
                "7",
                "{",
                "{\"failed\":0",
                "{\"failed\":0}}",
                "{\"failed\":-5}",
                "{\"failed\":1e300}",
                "{\"failed\":9223372036854775807,\"timeouts\":9223372036854775807}",
                "{\"failed\":\"many\"}",
                "{\"failed\":{}}",
                "{\"failed\":0,\"errors\":7}",
                "{\"failed\":0,\"errors\":[7]}",
                "{\"success\":3}",
                "{}"
            })
    void an_answer_that_is_not_opentsdbs_is_a_problem_that_may_pass(String body) throws Exception {
        assertThat(read(200, body))
                .isInstanceOfSatisfying(
                        Answer.Trouble.class,
                        trouble -> assertThat(trouble.maySize()).isFalse());
        assertThat(read(400, body)).isInstanceOf(Answer.Trouble.class);
        assertThat(read(500, body)).isInstanceOf(Answer.Trouble.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[", "{\"a\":", "{\"errors\":["})
    void an_answer_with_endless_nesting_is_invalid_and_overflows_no_stack(String part) throws Exception {
        assertThat(read(400, part.repeat(100_000))).isInstanceOf(Answer.Trouble.class);
        assertThat(read(400, "{\"x\":" + part.repeat(100_000))).isInstanceOf(Answer.Trouble.class);
        assertThat(read(400, "{\"errors\":[{\"datapoint\":{\"tags\":{\"x\":" + part.repeat(100_000)))
                .isInstanceOf(Answer.Trouble.class);
    }

    @Test
    void an_answer_that_is_too_long_as_a_whole_or_in_a_part_may_be_caused_by_the_size_of_the_request()
            throws Exception {
        for (String body : new String[] {
            "{\"errors\":[" + (error("m", "Invalid x") + ",").repeat(20_000),
            "{\"error\":\"" + "x".repeat(CHARS_MAX / 2),
            "{\"" + "x".repeat(CHARS_MAX / 2) + "\":1,\"failed\":0}",
            " ".repeat(CHARS_MAX + 1),
        }) {
            assertThat(read(200, body)).isInstanceOfSatisfying(Answer.Trouble.class, trouble -> {
                assertThat(trouble.maySize()).isTrue();
                assertThat(trouble.why()).contains("more than").hasSizeLessThan(400);
            });
        }
        assertThat(read(200, "{\"failed\":0," + "\"x\":[1,2,3],".repeat(CHARS_MAX / 20) + "\"y\":0}"))
                .as("long, with short parts")
                .isInstanceOf(Answer.Counted.class);
    }

    @Test
    void a_connection_that_breaks_is_an_io_exception() {
        Reader breaking = new StringReader("{\"failed\":0") {
            @Override
            public int read(char[] into, int begin, int length) throws IOException {
                int count = super.read(into, begin, length);
                if (count < 0) {
                    throw new IOException("reset");
                }
                return count;
            }
        };

        assertThatThrownBy(() -> read(200, breaking, 10))
                .isInstanceOf(IOException.class)
                .hasMessage("reset");
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 400, 500})
    void any_answer_is_read_to_its_end_with_little_memory(int status) throws Exception {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            String alphabet = "{}[]\",:0123456789abcdeftruenull \\\n\33failederrors";
            String body = random.ints(random.nextInt(3000), 0, alphabet.length())
                    .mapToObj(i -> String.valueOf(alphabet.charAt(i)))
                    .collect(Collectors.joining());

            Answer answer = read(status, (seed % 2 == 0 ? "{\"failed\":" : "") + body);

            assertThat(answer)
                    .as("seed %s", seed)
                    .isInstanceOfSatisfying(
                            Answer.Trouble.class,
                            trouble -> assertThat(trouble.why())
                                    .hasSizeLessThan(400)
                                    .doesNotContain("\33", "\n"));
        }
    }
}
