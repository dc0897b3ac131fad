package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.sun.management.ThreadMXBean;
import io.counters.collector.common.JoinedLines;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class MessageParserTest {
    /** What was parsed, as text in ISO 8859-1, so that each byte is one character. */
    static final class Taken implements MessageParser.Taker {
        final List<String> messages = new ArrayList<>();
        final List<String> keys = new ArrayList<>();
        final List<String> commands = new ArrayList<>();
        final List<MessageRejection> refused = new ArrayList<>();
        long passedOver;
        long joinedCounts;
        final List<String> unended = new ArrayList<>();

        @Override
        public void message(byte[] in, int begin, int end, int keyBegin, int keyEnd) {
            messages.add(new String(in, begin, end - begin, ISO_8859_1));
            keys.add(new String(in, keyBegin, keyEnd - keyBegin, ISO_8859_1));
        }

        @Override
        public void command(byte[] in, int begin, int end) {
            commands.add(new String(in, begin, end - begin, ISO_8859_1));
        }

        @Override
        public void refused(MessageRejection why, byte[] in, int begin, int end) {
            refused.add(why);
        }

        @Override
        public void passedOver(long bytes, long counts) {
            passedOver += bytes;
            joinedCounts += counts;
        }

        @Override
        public void unended(JoinedLines held, long bytes) {
            unended.add(bytes + " bytes, " + held.counts() + " counts");
        }
    }

    private final Taken taken = new Taken();
    private final MessageParser parser = new MessageParser(taken);

    static byte[] hex(String hex) {
        return HexFormat.of().parseHex(hex.replace(" ", ""));
    }

    static String text(byte[] bytes) {
        return new String(bytes, ISO_8859_1);
    }

    private int take(String text) {
        byte[] in = text.getBytes(ISO_8859_1);
        return parser.take(in, 0, in.length);
    }

    /** The first is the example in statsite's README, ("Conns", "c", 200); the others follow the same layout. */
    static List<String> golden() {
        return List.of(
                "aa 02 0600 0000000000006940 436f6e6e7300",
                "aa 01 0600 0000000000006940 436f6e6e7300",
                "aa 03 0600 9a9999999999b93f 436f6e6e7300",
                "aa 05 0600 00000000000059c0 436f6e6e7300",
                "aa 06 0600 000000000000f0bf 436f6e6e7300",
                "aa 04 0600 0400 436f6e6e7300 666f6f00");
    }

    @ParameterizedTest
    @MethodSource("golden")
    void a_binary_frame_is_forwarded_unchanged_with_its_key(String golden) {
        byte[] in = hex(golden);

        assertThat(parser.take(in, 0, in.length)).isEqualTo(in.length);

        assertThat(taken.messages).containsExactly(text(in));
        assertThat(taken.keys).containsExactly("Conns");
        assertThat(MessageParser.next(in, 0, in.length)).isEqualTo(in.length);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "mysql.queries:1381|kv\n",
                "api.session_created:114|ms\n",
                "rewards:1|c\n",
                "inventory:-7|c\n",
                "users:abe|s\n",
                "gauge:+4.5|g\n",
                "a:1|c|@0.1\n",
                "a:1|h\n",
                "a:1|d|#env:prod,dc:fra\n",
                "a:1|m\n",
                "a:1|k\n",
                "a:1|c|@0.1|#tag:value|c:container|T1656581400\n",
                "a:1|ms:2|c\n",
                "a:1:2:3|ms\n",
                "a b|c:1|c\r\n",
                "a:1|c\0\n",
                "a:1|ms \t\0\r\n",
                "a:1|c|@0.1 \0\n",
                "\u00e4\u0000:1|c\n",
            })
    void a_line_is_forwarded_unchanged(String line) {
        assertThat(take(line)).isEqualTo(line.length());

        assertThat(taken.messages).containsExactly(line);
        assertThat(taken.keys).containsExactly(line.substring(0, line.indexOf(':')));
        assertThat(taken.refused).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "a, NO_COLON",
        "a|c, NO_COLON",
        ":1|c, EMPTY_KEY",
        "a:1, NO_TYPE",
        "a:, NO_TYPE",
        "a:|c, EMPTY_VALUE",
        "a:1|, UNKNOWN_TYPE",
        "a:1|x, UNKNOWN_TYPE",
        "a:1|cc, UNKNOWN_TYPE",
        "a:1|C, UNKNOWN_TYPE",
        "incremental x, NO_COLON",
        "peer relay 1 00000000 a:1 0, NO_TYPE",
    })
    void a_bad_line_is_refused_alone(String line, MessageRejection why) {
        take("x:1|c\n" + line + "\r\ny:2|c\n");

        assertThat(taken.refused).containsExactly(why);
        assertThat(taken.messages).containsExactly("x:1|c\n", "y:2|c\n");
    }

    @Test
    void empty_lines_are_ignored() {
        take("\n\r\n\n");

        assertThat(taken.messages).isEmpty();
        assertThat(taken.refused).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"increment a\n", "decrement a 3\r\n", "from 0123456789abcdef 1 1\n", "signed a 1 0\n"})
    void our_own_commands_are_recognized(String line) {
        take(line);

        assertThat(taken.commands).containsExactly(line);
        assertThat(taken.messages).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "aa 00 0200 0000000000000000 6100, BINARY_TYPE",
        "aa 07 0200 0000000000000000 6100, BINARY_TYPE",
        "aa ff 0200 0000000000000000 6100, BINARY_TYPE",
        "aa 02 0000 0000000000000000, BINARY_KEY",
        "aa 02 0100 0000000000000000 00, BINARY_KEY",
        "aa 02 0200 0000000000000000 6161, BINARY_KEY",
        "aa 02 0300 0000000000000000 610000, BINARY_KEY",
        "aa 04 0200 0000 6100, BINARY_SET",
        "aa 04 0200 0200 6100 6161, BINARY_SET",
        "aa 04 0200 0300 6100 610000, BINARY_SET",
        "aa 04 0200 0200 6161 6100, BINARY_KEY",
    })
    void nothing_after_a_malformed_frame_is_parsed(String bad, MessageRejection why) {
        String all = "x:1|c\n" + text(hex(bad)) + "y:2|c\n";

        assertThat(take(all)).isEqualTo(-1);

        assertThat(taken.messages).containsExactly("x:1|c\n");
        assertThat(taken.refused).containsExactly(why);
    }

    @Test
    void keys_may_contain_any_byte_except_NUL() throws Exception {
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        frame.write(hex("aa 02 0001 0000000000000000"));
        for (int b = 1; b < 256; b++) {
            frame.write(b);
        }
        frame.write(0);

        take(text(frame.toByteArray()));

        assertThat(taken.keys).singleElement().satisfies(key -> assertThat(key).hasSize(255));
    }

    @Test
    void the_longest_frame_and_the_longest_line_are_accepted() {
        byte[] set = new byte[MessageParser.FRAME_BYTES_MAX];
        Arrays.fill(set, (byte) 'a');
        System.arraycopy(hex("aa 04 ffff ffff"), 0, set, 0, 6);
        set[6 + 65_534] = 0;
        set[set.length - 1] = 0;
        String line = "a".repeat(MessageParser.LINE_BYTES_MAX - 4) + ":1|c\n";

        take(text(set) + line + "a" + line);

        assertThat(taken.messages).containsExactly(text(set), line);
        assertThat(taken.refused).containsExactly(MessageRejection.LINE_TOO_LONG);
    }

    /** Lines, frames and commands in a row, which may arrive over one connection. */
    static String mixed() {
        StringBuilder all = new StringBuilder();
        for (String frame : golden()) {
            all.append(text(hex(frame)))
                    .append("a:1|c\n")
                    .append("increment b\n")
                    .append("bad\n");
            all.append(text(hex(frame))).append('\n');
        }
        return all.toString();
    }

    private static boolean feed(MessageAssembler assembler, byte[] part) {
        return assembler.take(part, part.length);
    }

    @Test
    void a_stream_may_be_cut_anywhere() {
        byte[] all = mixed().getBytes(ISO_8859_1);
        Taken whole = new Taken();
        new MessageParser(whole).take(all, 0, all.length);

        for (int cut = 0; cut <= all.length; cut++) {
            Taken parts = new Taken();
            MessageAssembler assembler = new MessageAssembler(parts);
            feed(assembler, Arrays.copyOfRange(all, 0, cut));
            feed(assembler, Arrays.copyOfRange(all, cut, all.length));

            assertThat(parts.messages).as("cut at %d", cut).isEqualTo(whole.messages);
            assertThat(parts.commands).isEqualTo(whole.commands);
            assertThat(parts.refused).isEqualTo(whole.refused);
        }
        assertThat(whole.messages).hasSize(3 * golden().size());
        assertThat(whole.commands).hasSize(golden().size());
    }

    static IntStream seeds() {
        return IntStream.range(0, 1000);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void random_bytes_in_random_pieces_end_and_stay_within_the_memory_limit(int seed) {
        Random random = new Random(seed);
        byte[] all = (mixed() + mixed()).getBytes(ISO_8859_1);
        for (int i = 0; i < random.nextInt(20); i++) {
            all[random.nextInt(all.length)] = (byte) random.nextInt(256);
        }
        Taken parts = new Taken();
        MessageAssembler assembler = new MessageAssembler(parts);

        assertThatCode(() -> {
                    boolean goesOn = true;
                    for (int at = 0; at < all.length && goesOn; ) {
                        int end = Math.min(all.length, at + 1 + random.nextInt(100));
                        goesOn = feed(assembler, Arrays.copyOfRange(all, at, end));
                        at = end;
                        assertThat(assembler.kept()).isLessThanOrEqualTo(MessageParser.FRAME_BYTES_MAX);
                    }
                })
                .doesNotThrowAnyException();
        parts.messages.forEach(message -> {
            byte[] in = message.getBytes(ISO_8859_1);
            assertThat(MessageParser.next(in, 0, in.length)).isEqualTo(in.length);
        });
    }

    /** A former version copied and parsed everything again at each byte: 10 GB for these messages. */
    @Test
    void messages_that_arrive_byte_by_byte_cost_no_more_than_their_length() {
        byte[] set = new byte[MessageParser.FRAME_BYTES_MAX];
        Arrays.fill(set, (byte) 'a');
        System.arraycopy(hex("aa 04 ffff ffff"), 0, set, 0, 6);
        set[6 + 65_534] = 0;
        set[set.length - 1] = 0;
        byte[] line = ("a".repeat(MessageParser.LINE_BYTES_MAX - 4) + ":1|c\r\n").getBytes(ISO_8859_1);
        MessageAssembler assembler = new MessageAssembler(taken);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        byte[] one = new byte[1];
        long before = threads.getCurrentThreadAllocatedBytes();

        for (byte[] message : List.of(set, line, set)) {
            for (byte b : message) {
                one[0] = b;
                assertThat(assembler.take(one, 1)).isTrue();
            }
        }

        assertThat(taken.messages).containsExactly(text(set), text(line), text(set));
        assertThat(assembler.kept()).isZero();
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(50L << 20);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST / HTTP/1.1\r\nHost: 127.0.0.1:8150\r\n\r\nincrement orders.placed 1000000\na:1|c\n",
                "GET /a:1|c| HTTP/1.1\r\n\r\na:1|c\n",
                "Host: 127.0.0.1\nincrement orders.placed\n",
                "Accept: 1|c\na:1|c\n",
                "\u0016\u0003\u0001\u0002\n\nincrement orders.placed\n",
            })
    void a_line_of_HTTP_ends_its_stream_and_nothing_from_it_on_counts(String request) {
        byte[] all = ("x:1|c\n" + request).getBytes(ISO_8859_1);
        for (int cut = 0; cut < all.length; cut++) {
            Taken parts = new Taken();
            MessageAssembler assembler = new MessageAssembler(parts);

            boolean goesOn = feed(assembler, Arrays.copyOfRange(all, 0, cut))
                    && feed(assembler, Arrays.copyOfRange(all, cut, all.length));

            assertThat(goesOn).as("cut at %d", cut).isFalse();
            assertThat(parts.messages).containsExactly("x:1|c\n");
            assertThat(parts.commands).isEmpty();
            assertThat(parts.refused)
                    .containsExactly(request.charAt(0) == 22 ? MessageRejection.TLS : MessageRejection.HTTP);
        }
    }

    @Test
    void a_connection_that_begins_with_TLS_ends_at_its_second_byte() {
        byte[] hello = "\u0016\u0003\u0001\u0002\u0000".getBytes(ISO_8859_1);
        for (int cut = 0; cut <= hello.length; cut++) {
            Taken parts = new Taken();
            MessageAssembler assembler = new MessageAssembler(parts);

            boolean goesOn = feed(assembler, Arrays.copyOfRange(hello, 0, cut))
                    && feed(assembler, Arrays.copyOfRange(hello, cut, hello.length));

            assertThat(goesOn).as("cut at %d", cut).isFalse();
            assertThat(parts.refused).containsExactly(MessageRejection.TLS);
        }
    }

    @Test
    void keys_that_begin_like_an_HTTP_request_are_accepted() {
        MessageAssembler assembler = new MessageAssembler(taken);
        String lines = "GET /users:12|ms\nput /x:1|c\ndelete /orders/1:3|c\nget http_requests:1|c\n";

        assertThat(feed(assembler, lines.getBytes(ISO_8859_1))).isTrue();

        assertThat(String.join("", taken.messages)).isEqualTo(lines);
        assertThat(taken.refused).isEmpty();
    }

    @Test
    void an_HTTP_request_line_that_does_not_end_ends_its_stream() {
        MessageAssembler assembler = new MessageAssembler(taken);
        byte[] part = ("GET /" + "a".repeat(40_000)).getBytes(ISO_8859_1);

        assertThat(feed(assembler, part)).isTrue();
        assertThat(feed(assembler, part)).isFalse();

        assertThat(taken.refused).containsExactly(MessageRejection.HTTP);
    }

    @Test
    void a_line_that_is_too_long_is_refused_alone_wherever_it_is_cut() {
        byte[] all = ("x:1|c\n" + "a".repeat(MessageParser.LINE_BYTES_MAX) + ":1|c\r\ny:1|c\n").getBytes(ISO_8859_1);
        for (int cut : new int[] {1, 6, 7, 40_000, 65_540, 65_541, 65_542, 65_543, all.length - 7, all.length - 6}) {
            Taken parts = new Taken();
            MessageAssembler assembler = new MessageAssembler(parts);
            feed(assembler, Arrays.copyOfRange(all, 0, cut));
            feed(assembler, Arrays.copyOfRange(all, cut, all.length));

            assertThat(parts.messages).as("cut at %d", cut).containsExactly("x:1|c\n", "y:1|c\n");
            assertThat(parts.refused).containsExactly(MessageRejection.LINE_TOO_LONG);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"host:", "Accept-Encoding:", "GET /", "GET ", "a:"})
    void whether_a_line_that_is_too_long_is_HTTP_does_not_depend_on_where_it_is_cut(String begin) {
        byte[] all =
                (begin + "x".repeat(MessageParser.LINE_BYTES_MAX + 20) + "|c HTTP/1.1\ny:1|c\n").getBytes(ISO_8859_1);
        Taken whole = new Taken();
        feed(new MessageAssembler(whole), all);
        int end = all.length - "\ny:1|c\n".length();

        assertThat(whole.refused)
                .containsExactly(
                        begin.equals("a:") || begin.equals("GET ")
                                ? MessageRejection.LINE_TOO_LONG
                                : MessageRejection.HTTP);
        for (int cut : new int[] {1, 3, 5, 16, 65_536, 65_537, 65_538, end - 10, end - 1, end, end + 1}) {
            Taken parts = new Taken();
            MessageAssembler assembler = new MessageAssembler(parts);
            boolean goesOn = feed(assembler, Arrays.copyOfRange(all, 0, cut))
                    && feed(assembler, Arrays.copyOfRange(all, cut, all.length));

            assertThat(parts.refused).as("cut at %d", cut).isEqualTo(whole.refused);
            assertThat(parts.messages).isEqualTo(whole.messages);
            assertThat(goesOn).isEqualTo(!whole.messages.isEmpty());
        }
    }

    @Test
    void only_the_first_two_bytes_of_a_connection_are_TLS_before_their_line_ends() {
        byte[] all = "\n\u0016\u0003".getBytes(ISO_8859_1);
        for (int cut = 0; cut <= all.length; cut++) {
            Taken parts = new Taken();
            MessageAssembler assembler = new MessageAssembler(parts);

            assertThat(feed(assembler, Arrays.copyOfRange(all, 0, cut))
                            && feed(assembler, Arrays.copyOfRange(all, cut, all.length)))
                    .as("cut at %d", cut)
                    .isTrue();
            assembler.end();

            assertThat(parts.refused).containsExactly(MessageRejection.LINE_CUT);
        }
    }

    @Test
    void a_line_that_is_too_long_is_refused_once_and_skipped_to_its_end() {
        MessageAssembler assembler = new MessageAssembler(taken);
        byte[] part = "a".repeat(50_000).getBytes(ISO_8859_1);
        for (int i = 0; i < 100; i++) {
            assertThat(feed(assembler, part)).isTrue();
            assertThat(assembler.kept()).isLessThanOrEqualTo(MessageParser.LINE_BYTES_MAX + 1);
        }
        feed(assembler, "a\nb:1|c\n".getBytes(ISO_8859_1));

        assertThat(taken.refused).containsExactly(MessageRejection.LINE_TOO_LONG);
        assertThat(taken.messages).containsExactly("b:1|c\n");
        assertThat(taken.passedOver).isEqualTo(100 * 50_000 + 1);
        assertThat(taken.unended).containsExactly("5000001 bytes, 0 counts");
        assembler.end();
        assertThat(taken.unended).hasSize(1);
    }

    @Test
    void counts_in_joined_lines_are_found_wherever_they_are_cut_and_never_decrease() {
        byte[] all = ("orders.placed:12|c|#port:80|c:abc".repeat(4000) + "\ny:1|c\n").getBytes(ISO_8859_1);
        int line = all.length - 7;
        for (int cut = 65_537; cut < 65_537 + 40; cut++) {
            Taken parts = new Taken();
            MessageAssembler assembler = new MessageAssembler(parts);
            JoinedLines first = new JoinedLines();
            first.read(all, 0, cut);

            feed(assembler, Arrays.copyOfRange(all, 0, cut));
            for (int at = cut; at < all.length; ) {
                long before = parts.joinedCounts;
                int end = Math.min(all.length, at + 1 + cut % 7);
                feed(assembler, Arrays.copyOfRange(all, at, end));
                at = end;
                assertThat(parts.joinedCounts).isGreaterThanOrEqualTo(before);
            }

            assertThat(parts.messages).containsExactly("y:1|c\n");
            if (cut == 65_537) {
                continue; // This may still be a line of 65,536 bytes; it is refused with the next byte.
            }
            assertThat(parts.refused).containsExactly(MessageRejection.LINE_TOO_LONG);
            assertThat(parts.passedOver).isEqualTo(line);
            assertThat(parts.unended).containsExactly(line + " bytes, 4000 counts");
            assertThat(first.counts() + parts.joinedCounts)
                    .as("counts reported, at most one too many")
                    .isBetween(4000L, 4001L);
        }
    }

    @Test
    void a_stream_that_was_refused_is_not_refused_again_at_its_end() {
        for (String bad : new String[] {"\u0016\u0003", "GET / HTTP/1.1\r\n", text(hex("aa 00 0000 0000"))}) {
            for (int cut = 0; cut < bad.length(); cut++) {
                Taken parts = new Taken();
                MessageAssembler assembler = new MessageAssembler(parts);

                assertThat(feed(assembler, bad.substring(0, cut).getBytes(ISO_8859_1))
                                && feed(assembler, bad.substring(cut).getBytes(ISO_8859_1)))
                        .isFalse();
                assembler.end();

                assertThat(parts.refused).as("%s cut at %d", bad, cut).hasSize(1);
            }
        }
    }
}
