package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("once")
class StatsdLineTest {
    /** These lines have the same result in both modes. */
    @ParameterizedTest
    @MethodSource
    void a_valid_line_is_one_command(String line, String command) {
        assertThat(RecordedCommands.datagram(line)).as("strict").containsExactly(command);
        assertThat(RecordedCommands.stream(line)).as("on a stream").containsExactly(command);
        assertThat(RecordedCommands.cleanedDatagram(line.getBytes(ISO_8859_1)))
                .as("clean")
                .containsExactly(command);
    }

    static Stream<Arguments> a_valid_line_is_one_command() {
        return Stream.of(
                // decimals that are whole numbers
                arguments("a:2.0|c", "INCREMENT a 2"),
                arguments("a:2.|c", "INCREMENT a 2"),
                arguments("a:+2.000|c", "INCREMENT a 2"),
                arguments("a:-2.0|c", "DECREMENT a 2"),
                arguments("a:1e3|c", "INCREMENT a 1000"),
                arguments("a:1E3|c", "INCREMENT a 1000"),
                arguments("a:1.5e+3|c", "INCREMENT a 1500"),
                arguments("a:-1e3|c", "DECREMENT a 1000"),
                arguments("a:2500e-2|c", "INCREMENT a 25"),
                arguments("a:9.007199254740992e15|c", "INCREMENT a 9007199254740992"),
                arguments("a:0.0|c", "INCREMENT a 0"),
                arguments("a:-0|c", "INCREMENT a 0"),
                arguments("a:0e9999999999999|c", "INCREMENT a 0"),
                arguments("a:000000000000000000000000000007|c", "INCREMENT a 7"),
                arguments("a:2." + "0".repeat(400) + "|c", "INCREMENT a 2"),
                arguments("a:0." + "0".repeat(20) + "1e21|c", "INCREMENT a 1"),
                arguments("a:1" + "0".repeat(300) + "e-300|c", "INCREMENT a 1"),
                // fractions
                arguments("a:0.25|c", "ADD a 0.25"),
                arguments("a:.5|c", "ADD a 0.5"),
                arguments("a:1.5|c", "ADD a 1.5"),
                arguments("a:-0.25|c", "ADD a -0.25"),
                arguments("a:-1.5|c", "ADD a -1.5"),
                arguments("a:1e-3|c", "ADD a 0.001"),
                arguments("a:0.30000000000000004|c", "ADD a 0.30000000000000004"),
                arguments("a:0.000000000000000001|c", "ADD a 0.000000000000000001"),
                arguments("a:-0.000000000000000001|c", "ADD a -0.000000000000000001"),
                arguments("a:9007199254740991.999|c", "ADD a 9007199254740991.999"),
                // more digits are rounded up to the larger number
                arguments("a:0.0000000000000000001|c", "ADD a 0.000000000000000001"),
                arguments("a:-0.0000000000000000001|c", "INCREMENT a 0"),
                arguments("a:1e-400|c", "ADD a 0.000000000000000001"),
                arguments("a:1e-99999999999|c", "ADD a 0.000000000000000001"),
                arguments("a:-1e-400|c", "INCREMENT a 0"),
                arguments("a:0.1000000000000000055511151231257827|c", "ADD a 0.100000000000000006"),
                arguments("a:-0.1000000000000000055511151231257827|c", "ADD a -0.100000000000000005"),
                arguments("a:0.9999999999999999999|c", "INCREMENT a 1"),
                // rates
                arguments("a:1|c|@0.75", "ADD a 1.333333333333333334"),
                arguments("a:-1|c|@0.75", "ADD a -1.333333333333333333"),
                arguments("a:3|c|@0.75", "INCREMENT a 4"),
                arguments("a:0.25|c|@0.5", "ADD a 0.5"),
                arguments("a:1|c|@0.4", "ADD a 2.5"),
                arguments("a:-1|c|@0.4", "ADD a -2.5"),
                arguments("a:1.5|c|@0.1", "INCREMENT a 15"),
                arguments("a:1|c|@1e-3", "INCREMENT a 1000"),
                arguments("a:1|c|@0.3333333333333333", "ADD a 3.000000000000000301"),
                arguments("a:1|c|@0.33333333333333333333333", "ADD a 3.000000000000000001"),
                arguments("a:1|c|@10e-1", "INCREMENT a 1"),
                arguments("a:1|c|@1.000000000000000000000000", "INCREMENT a 1"),
                arguments("a:0|c|@1E-999999999", "INCREMENT a 0"),
                arguments("a:1e-300|c|@1e-300", "INCREMENT a 1"),
                arguments("a:1e-30|c|@1e-15", "ADD a 0.000000000000001"),
                // several values
                arguments("a:1:2:3|c", "INCREMENT a 6"),
                arguments("a:1:-2|c", "DECREMENT a 1"),
                arguments("a:0.5:0.25:-1|c", "ADD a -0.25"),
                arguments("a:0.5:0.5|c", "INCREMENT a 1"),
                arguments("a:1:2|c|@0.5|#k:v", "INCREMENT a,k=v 6"),
                arguments("a:1:2|c|#k:v|@0.5|c:x", "INCREMENT a,k=v 6"),
                arguments("a" + ":9007199254740992".repeat(59) + "|c", "INCREMENT a " + 59 * (1L << 53)),
                arguments("a" + ":-9007199254740992".repeat(55) + "|c", "DECREMENT a " + 55 * (1L << 53)),
                // fields that do not change the count
                arguments("a:1|c|z:x", "INCREMENT a 1"),
                arguments("a:1|c|x", "INCREMENT a 1"),
                arguments("a:1|c|x|#k:v|~|@0.5", "INCREMENT a,k=v 2"),
                arguments("a:1|c|T1656581400|c:in-1|e:it-x|card:low", "INCREMENT a 1"),
                // the end of the line
                arguments("a:1|c\0", "INCREMENT a 1"),
                arguments("a:1|c \n", "INCREMENT a 1"),
                arguments("a:1|c\t \0\0\r\n", "INCREMENT a 1"),
                arguments("a:1|c|#k:v \0", "INCREMENT a,k=v 1"),
                arguments("a:1|c|@0.5 \r\n", "INCREMENT a 2"),
                arguments("a:1|c\n\0", "INCREMENT a 1"));
    }

    @ParameterizedTest
    @MethodSource
    void an_invalid_line_is_rejected_with_the_rule(String line, Rejection why) {
        assertThat(RecordedCommands.datagram(line)).as("strict").containsExactly(why + " <" + line + ">");
        assertThat(RecordedCommands.cleanedDatagram(line.getBytes(ISO_8859_1)))
                .as("clean")
                .containsExactly(why + " <" + line + ">");
    }

    static Stream<Arguments> an_invalid_line_is_rejected_with_the_rule() {
        return Stream.of(
                // the type of another line without a line break before its name, which would be read as the end of a
                // tag
                arguments("a:1|c|#t:vb:1|c", Rejection.LINES_JOINED),
                arguments("a:1|c|#t:vb:1|g", Rejection.LINES_JOINED),
                arguments("a:1|c|#t:vb:1|ms", Rejection.LINES_JOINED),
                arguments("a:1|c|#t:vb:1|h", Rejection.LINES_JOINED),
                arguments("a:1|c|#t:vb:1|d", Rejection.LINES_JOINED),
                arguments("a:1|c|#t:vb:1|m", Rejection.LINES_JOINED),
                arguments("a:1|c|#t:vb:1|k", Rejection.LINES_JOINED),
                arguments("a:1|c|#t:vb:1|kv", Rejection.LINES_JOINED),
                arguments("a:1|c|#t:vusers:abe|s", Rejection.LINES_JOINED),
                arguments("a:.|c", Rejection.STATSD_VALUE),
                arguments("a:+|c", Rejection.STATSD_VALUE),
                arguments("a:-.|c", Rejection.STATSD_VALUE),
                arguments("a:+-1|c", Rejection.STATSD_VALUE),
                arguments("a:1.2.3|c", Rejection.STATSD_VALUE),
                arguments("a:1e|c", Rejection.STATSD_VALUE),
                arguments("a:1e+|c", Rejection.STATSD_VALUE),
                arguments("a:e3|c", Rejection.STATSD_VALUE),
                arguments("a:1e3.5|c", Rejection.STATSD_VALUE),
                arguments("a:1,5|c", Rejection.STATSD_VALUE),
                arguments("a:1_000|c", Rejection.STATSD_VALUE),
                arguments("a:0x10|c", Rejection.STATSD_VALUE),
                arguments("a:1f|c", Rejection.STATSD_VALUE),
                arguments("a:NaN|c", Rejection.STATSD_VALUE),
                arguments("a:Infinity|c", Rejection.STATSD_VALUE),
                arguments("a: 1|c", Rejection.STATSD_VALUE),
                arguments("a:1 |c", Rejection.STATSD_VALUE),
                arguments("a:\u00b2|c", Rejection.STATSD_VALUE),
                arguments("a:1:|c", Rejection.STATSD_VALUE),
                arguments("a:1::2|c", Rejection.STATSD_VALUE),
                arguments("a:1:x|c", Rejection.STATSD_VALUE),
                arguments("a:x:y|c", Rejection.STATSD_VALUE),
                arguments("a:9007199254740992.1|c", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:-9007199254740992.1|c", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:1e16|c", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:1e400|c", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:1e99999999999|c", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:1:9007199254740993|c", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:1|c|@1.1102230246251565E-16", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:1|c|@1E-99999999999", Rejection.AMOUNT_TOO_LARGE),
                arguments("a:1|c|@2e0", Rejection.STATSD_RATE),
                arguments("a:1|c|@1e1", Rejection.STATSD_RATE),
                arguments("a:1|c|@1.0000000000000000001", Rejection.STATSD_RATE),
                arguments("a:1|c|@0.000000000000000000000", Rejection.STATSD_RATE),
                arguments("a:1|c|@-1", Rejection.STATSD_RATE),
                arguments("a:1|c|@0,5", Rejection.STATSD_RATE),
                arguments("a:b:1|c", Rejection.STATSD_COLON),
                arguments("Foo::Bar.baz:1|c", Rejection.STATSD_COLON),
                arguments("10.0.0.1:80.hits:1|c", Rejection.STATSD_COLON),
                arguments("a:b:1|g", Rejection.STATSD_TYPE),
                arguments("a:1|c:2", Rejection.LINES_JOINED),
                arguments("a:1|c:2|c", Rejection.LINES_JOINED),
                // another line begins after the tag
                arguments("a:1|c|#k:vb:2|c", Rejection.LINES_JOINED),
                arguments("a:1|c|#k:vb:2|ms", Rejection.LINES_JOINED),
                arguments("a:1|c|#k:vb:2|m", Rejection.LINES_JOINED),
                arguments("a:1|c|#k:vb:2|kv", Rejection.LINES_JOINED));
    }

    @ParameterizedTest
    @MethodSource
    void a_line_that_needs_cleaning_counts_and_is_rejected_if_strict(String line, String command, Rejection strict) {
        String bytes = new String(line.getBytes(UTF_8), ISO_8859_1);

        assertThat(RecordedCommands.cleanedDatagram(line.getBytes(UTF_8))).containsExactly(command);
        assertThat(RecordedCommands.datagram(bytes)).containsExactly(strict + " <" + bytes + ">");
    }

    static Stream<Arguments> a_line_that_needs_cleaning_counts_and_is_rejected_if_strict() {
        return Stream.of(
                arguments("a b:2|c|@0.5", "INCREMENT a_b 4", Rejection.NAME_LETTER),
                arguments("größe:0.5|c", "ADD gr__e 0.5", Rejection.NAME_LETTER),
                // numbers in addresses and times are not values
                arguments("n;host=10.0.0.1:8080:1|c", "INCREMENT n,host=10.0.0.1_8080 1", Rejection.STATSD_COLON),
                arguments("n,host=a:8080:1|c", "INCREMENT n,host=a_8080 1", Rejection.STATSD_COLON),
                arguments("n#t=12:30:45:2|c", "INCREMENT n,t=12_30_45 2", Rejection.STATSD_COLON),
                arguments("n[host=a:8080]:3|c", "INCREMENT n,host=a_8080 3", Rejection.STATSD_COLON),
                arguments("n[u=http://x/,k=v]m:3|c", "INCREMENT nm,k=v,u=http_//x/ 3", Rejection.STATSD_COLON),
                arguments("n[host=a:8080]:1:2|c", "INCREMENT n,host=a_8080 3", Rejection.STATSD_COLON),
                arguments(
                        "n,id=2024-01-01T00:00:00+00:00:1|c",
                        "INCREMENT n,id=2024-01-01T00_00_00_00_00 1",
                        Rejection.STATSD_COLON),
                arguments("n;host=::1:4|c", "INCREMENT n,host=__1 4", Rejection.STATSD_COLON),
                arguments("n;u=http://x:1|c", "INCREMENT n,u=http_//x 1", Rejection.STATSD_COLON),
                arguments("a:1|c|", "INCREMENT a 1", Rejection.STATSD_FORM),
                arguments("a:1|c||#k:v|", "INCREMENT a,k=v 1", Rejection.STATSD_FORM),
                arguments("a:1|c|#", "INCREMENT a 1", Rejection.TAG_FORM),
                arguments("a:-1|c|#k", "DECREMENT a,k=true 1", Rejection.TAG_FORM),
                arguments("a:1|c|#k:v,", "INCREMENT a,k=v 1", Rejection.TAG_FORM),
                arguments("a:1|c|#k:1,k:2", "INCREMENT a,k=2 1", Rejection.REPEATED_TAG),
                arguments("a:1|c|#k:v:w", "INCREMENT a,k=v_w 1", Rejection.NAME_LETTER));
    }

    @Test
    void commands_are_never_cleaned() {
        assertThat(RecordedCommands.cleanedDatagram(
                        "increment a b\nincrement \u00fc\nincrement a;k=v".getBytes(ISO_8859_1)))
                .containsExactly(
                        "AMOUNT_FORM <increment a b>",
                        "NAME_LETTER <increment \u00fc>",
                        "NAME_LETTER <increment a;k=v>");
    }

    @Test
    void each_cleaning_is_reported_once_per_line_and_only_for_lines_that_count() {
        RecordedCleanings recorded = new RecordedCleanings();
        byte[] bytes = "a b c:1|c|#x y:z z,k,j\na b:x|c\na:1|c|#a,b,c,d,e,f,g,h\na:1|c|#k:v\n".getBytes(ISO_8859_1);

        new CommandReader(recorded, StatsdName.cleaning(List.of())).datagram(bytes, 0, bytes.length);

        assertThat(recorded.all).containsExactly(Cleaning.NAME_LETTER, Cleaning.TAG_LETTER, Cleaning.TAG_WITHOUT_VALUE);
    }

    private static final class RecordedCleanings implements Commands {
        final List<Cleaning> all = new ArrayList<>();

        @Override
        public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {}

        @Override
        public void fromNobody() {}

        @Override
        public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {}

        @Override
        public void rejected(Rejection why, byte[] bytes, int begin, int end) {}

        @Override
        public void cleaned(Cleaning why) {
            if (all.size() < 100) {
                all.add(why);
            }
        }
    }

    /** A request that a web page makes a browser send must end the connection, not become a counter. */
    @Test
    void an_http_request_is_not_cleaned_into_a_counter() {
        String request = "GET /?a:1|c|x HTTP/1.1";

        assertThat(RecordedCommands.cleanedDatagram(request.getBytes(ISO_8859_1)))
                .containsExactly("NAME_LETTER <" + request + ">");
    }

    @Test
    void a_fraction_is_rounded_half_up_by_default() {
        List<String> seen = new ArrayList<>();
        Commands commands = new Commands() {
            @Override
            public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {}

            @Override
            public void fromNobody() {}

            @Override
            public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
                seen.add(verb + " " + amount);
            }

            @Override
            public void rejected(Rejection why, byte[] bytes, int begin, int end) {}
        };
        byte[] bytes = "a:0.5|c\na:0.49|c\na:-0.5|c\na:-0.51|c\na:-2.5|c\na:2.5|c".getBytes(ISO_8859_1);

        new CommandReader(commands).datagram(bytes, 0, bytes.length);

        assertThat(seen)
                .containsExactly(
                        "INCREMENT 1", "INCREMENT 0", "INCREMENT 0", "DECREMENT 1", "DECREMENT 2", "INCREMENT 3");
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void a_line_adds_the_exact_result_rounded_up_to_a_step(int seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 50; i++) {
            BigDecimal rate = random.nextBoolean() ? BigDecimal.ONE : rate(random);
            StringBuilder values = new StringBuilder("a");
            BigDecimal exact = BigDecimal.ZERO;
            for (int left = random.nextInt(3); left >= 0; left--) {
                BigDecimal value = value(random);
                values.append(':').append(random.nextBoolean() ? value.toPlainString() : value.toString());
                exact = exact.add(value.divide(rate, 18, RoundingMode.CEILING));
            }
            String line = values + "|c" + (rate.compareTo(BigDecimal.ONE) == 0 ? "" : "|@" + rate);

            String seen = RecordedCommands.datagram(line).get(0);

            BigDecimal amount = new BigDecimal(seen.substring(seen.lastIndexOf(' ') + 1));
            assertThat(seen.startsWith("DECREMENT") ? amount.negate() : amount)
                    .as(line)
                    .isEqualByComparingTo(exact);
        }
    }

    private static BigDecimal value(Random random) {
        BigDecimal value = BigDecimal.valueOf(random.nextLong() >> random.nextInt(64), random.nextInt(30));
        return value.abs().compareTo(new BigDecimal("1e9")) > 0 ? BigDecimal.valueOf(random.nextInt(), 3) : value;
    }

    private static BigDecimal rate(Random random) {
        return switch (random.nextInt(3)) {
            case 0 -> BigDecimal.valueOf(1 + random.nextInt(1000), 3);
            case 1 -> new BigDecimal(Math.max(1e-5, random.nextDouble())).round(new MathContext(17));
            default -> BigDecimal.valueOf(Math.max(1e-5, random.nextFloat()));
        };
    }

    @Test
    void unusual_lines_allocate_nothing() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        byte[] bytes = """
                a:1|c|@0.75
                a:0.25|c|@0.3333333333333333
                a:1:2:3|c|#y:2,x:1,k,dd.internal.entity_id:x
                a b:1e3|c|z:x
                n;k=v:-1.5|c
                """.getBytes(ISO_8859_1);
        CommandReader reader =
                new CommandReader(new RecordedCleanings(), StatsdName.cleaning(List.of("pod", "container")));
        for (int i = 0; i < 1_000; i++) {
            reader.datagram(bytes, 0, bytes.length);
        }
        long before = threads.getCurrentThreadAllocatedBytes();

        for (int i = 0; i < 1_000; i++) {
            reader.datagram(bytes, 0, bytes.length);
        }

        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(20_000);
    }

    static IntStream seeds() {
        return IntStream.range(0, 200);
    }
}
