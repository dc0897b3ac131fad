package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.common.JoinedLines;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;

/** What StatsD and statsite clients send to the proxy, lines and binary frames, after two bytes that say how it is cut. */
@Tag("once")
@Tag("slow")
class MessagesFuzzTest {
    private static final int MEMORY_MAX = 2 * MessageParser.FRAME_BYTES_MAX;

    /** What was parsed or refused, in the words of {@link PlainMessages}. */
    private static final class Taken implements MessageParser.Taker {
        final List<String> all = new ArrayList<>();
        final ByteArrayOutputStream messages = new ByteArrayOutputStream();

        /** Where each of the messages ends. */
        final List<Integer> ends = new ArrayList<>();

        boolean hasRefused;

        @Override
        public void message(byte[] in, int begin, int end, int keyBegin, int keyEnd) {
            all.add(PlainMessages.message(text(in, begin, end), text(in, keyBegin, keyEnd)));
            messages.write(in, begin, end - begin);
            ends.add(messages.size());
        }

        @Override
        public void command(byte[] in, int begin, int end) {
            all.add(PlainMessages.command(text(in, begin, end)));
        }

        @Override
        public void refused(MessageRejection why, byte[] in, int begin, int end) {
            assertThat(begin).isLessThanOrEqualTo(end);
            all.add(why.name());
            hasRefused = true;
        }

        @Override
        public void passedOver(long bytes, long counts) {
            assertThat(bytes).isNotNegative();
            assertThat(counts).isNotNegative();
        }

        @Override
        public void unended(JoinedLines held, long bytes) {
            assertThat(bytes).isPositive();
        }
    }

    private static String text(byte[] in, int begin, int end) {
        return new String(in, begin, end - begin, ISO_8859_1);
    }

    static Stream<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        for (String frame : List.of(
                "aa0206000000000000006940436f6e6e7300",
                "aa0106000000000000006940436f6e6e7300",
                "aa0306009a9999999999b93f436f6e6e7300",
                "aa05060000000000000059c0436f6e6e7300",
                "aa0606000000000000f0bf000000436f6e6e7300",
                "aa0406000400436f6e6e7300666f6f00",
                "aa0206000000000000006940436f6e6e7300aa0406000400436f6e6e7300666f6f00")) {
            seeds.add(HexFormat.of().parseHex("0105" + frame));
        }
        for (String lines : List.of(
                "mysql.queries:1381|kv\napi.session_created:114|ms\nrewards:1|c\ninventory:-7|c\nusers:abe|s\n",
                "a:1|c|@0.1|#tag:value|c:container|T1656581400\r\na:1:2:3|ms\nbad\n:1|c\na:|c\na:1|zz\na:1|x\na:1|C\n",
                "increment a 5\nfrom 8f2c6a1e0b7d4c93a5e1f07b 1 1\nincrement a 1 1\nfrom -\n",
                "x".repeat(66_000) + "\na:1|c\n",
                "a:1|c\nhost:" + "x".repeat(66_000) + "|c\na:1|c\n",
                "GET /" + "x".repeat(66_000) + " HTTP/1.1\na:1|c\n",
                "a:1|c \t\0\na:1|c \0|x\na|b:1:2|kv:3|c\n:\n|\n\r\n\n\26\3",
                "GET / HTTP/1.1\r\nHost: h\r\n\r\na:1|c\n",
                "\26\3\1\2\0\1a:1|c\n")) {
            seeds.add(("\1" + (lines.length() > 1000 ? "\u00ff" : "\5") + lines).getBytes(ISO_8859_1));
        }
        return seeds.stream();
    }

    @MethodSource("seeds")
    @DictionaryEntries({":1|c", "|kv", "increment ", "from -"})
    @FuzzTest(maxDuration = "10s")
    void a_stream_has_the_same_messages_however_it_is_cut_and_they_are_found_again_in_a_queue(byte[] bytes) {
        if (bytes.length < 2) {
            return;
        }
        byte[] stream = Arrays.copyOfRange(bytes, 2, bytes.length);
        Random cuts = new Random(bytes[0]);
        int longest = 1 + (bytes[1] & 0xff) * 4;

        Taken entire = take(stream, () -> Integer.MAX_VALUE);
        Taken inParts = take(stream, () -> 1 + cuts.nextInt(longest));

        assertThat(entire.all).isEqualTo(PlainMessages.of(text(stream, 0, stream.length), true));
        assertThat(inParts.all).isEqualTo(entire.all);
        // As in a queue, which keeps no list of lengths.
        byte[] queue = entire.messages.toByteArray();
        List<Integer> found = new ArrayList<>();
        for (int at = 0; at < queue.length; ) {
            at = MessageParser.next(queue, at, queue.length);
            found.add(at);
        }
        assertThat(found).isEqualTo(entire.ends);
        Taken datagram = new Taken();
        int end = new MessageParser(datagram).take(stream, 0, stream.length);
        assertThat(end).isBetween(-1, stream.length);
        assertThat(datagram.all).isEqualTo(PlainMessages.of(text(stream, 0, stream.length), false));
        if (!entire.hasRefused) {
            assertThat(datagram.all).as("as a datagram").isEqualTo(entire.all);
        }
    }

    private static Taken take(byte[] stream, IntSupplier cuts) {
        Taken taken = new Taken();
        MessageAssembler assembler = new MessageAssembler(taken);
        boolean goesOn = true;
        for (int at = 0, end; at < stream.length && goesOn; at = end) {
            end = (int) Math.min(stream.length, at + (long) cuts.getAsInt());
            byte[] read = Arrays.copyOfRange(stream, at, end);
            goesOn = assembler.take(read, read.length);
            assertThat(assembler.kept()).isLessThan(MEMORY_MAX);
        }
        assembler.end();
        return taken;
    }
}
