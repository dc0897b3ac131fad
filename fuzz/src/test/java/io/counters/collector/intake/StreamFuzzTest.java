package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.ledger.MemoryLedger;
import io.counters.collector.tap.Tap;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.ForeignProtocol;
import io.counters.wire.PlainForeign;
import io.counters.wire.Rejection;
import io.counters.wire.StatsdName;
import io.counters.wire.Verb;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;

/** A TCP stream after two bytes, which say how it is cut into reads. */
@Tag("once")
@Tag("slow")
class StreamFuzzTest {
    private static final int READ_BYTES = 64 * 1024;

    static Stream<byte[]> seeds() {
        return Stream.of(
                        "increment a 5\r\ndecrement b 2\r\n\r\nfrom -\nb:3|c\nincrement c 10 400\nincrement c 14",
                        DatagramFuzzTest.FROM + "10 1\nincrement a 5 7\nfrom -\nincrement a 5 7\ncut off",
                        DatagramFuzzTest.FROM + "10 1\nincrement a 5 7\nfrom x\nincrement a 5 7\na:0.25|c\na:0.5|c\n",
                        "increment " + "x".repeat(3000) + "\nincrement a\n",
                        "from " + "x".repeat(1100) + "\nincrement a 1 5\n",
                        "POST /" + "x".repeat(1100) + " HTTP/1.1\r\nHost: here\r\n\r\nincrement a\n",
                        "increment b\nhost:" + "x".repeat(1100) + "|c\nincrement a\n",
                        "GET " + "x".repeat(1100) + " HTTP/1.1\nincrement a\nhost:1|c\nHost: h\nincrement a\n",
                        "\26\3\1\2\0\1increment a\n",
                        "\n\26\3\1\2\0\1\nincrement a\n")
                .map(text -> ("\1\7" + text).getBytes(ISO_8859_1));
    }

    @MethodSource("seeds")
    @DictionaryEntries({
        "increment ",
        "from 8f2c6a1e0b7d4c93a5e1f07b 1 1",
        "from -",
        "GET / HTTP/1.1",
        "Host: h",
        "a:1|c"
    })
    @FuzzTest(maxDuration = "10s")
    void a_stream_counts_the_same_however_it_is_cut(byte[] bytes) throws IOException {
        if (bytes.length < 2 || bytes.length > READ_BYTES / 2) {
            return;
        }
        byte[] stream = Arrays.copyOfRange(bytes, 2, bytes.length);
        Random cuts = new Random(bytes[0]);
        int longest = 1 + (bytes[1] & 0xff) * 4;

        SortedMap<String, Long> entire = read(ByteBuffer.wrap(stream), () -> READ_BYTES);
        SortedMap<String, Long> inParts = read(ByteBuffer.wrap(stream), () -> 1 + cuts.nextInt(longest));

        assertThat(inParts).isEqualTo(entire);
        PlainSums model = model(stream);
        SortedMap<String, Long> expected = model.values();
        assertThat(entire.keySet()).isEqualTo(expected.keySet());
        entire.forEach((name, value) -> {
            if (model.isExact(name)) {
                assertThat(value).as(name).isEqualTo(expected.get(name));
            }
        });
    }

    private static SortedMap<String, Long> read(ByteBuffer stream, IntSupplier cuts) throws IOException {
        MemoryLedger kept = new MemoryLedger();
        Lines lines = new Lines(
                LineTarget.of(kept.ledger),
                250,
                StatsdName.cleaning(List.of()),
                Optional.empty(),
                new Tap(InstantSource.system(), 0),
                kept.faults,
                kept.metrics);
        TcpConnection connection = new TcpConnection(new CutStream(stream, cuts), Optional.empty(), lines, 0);
        ByteBuffer buffer = ByteBuffer.allocate(READ_BYTES);
        while (connection.read(buffer.clear(), 0)) {
            // Until its end, or until it uses another protocol.
        }
        connection.end();
        return kept.values();
    }

    /** The sums of the lines that end, up to the first one of HTTP or TLS. */
    private static PlainSums model(byte[] stream) {
        UpToForeign lines = new UpToForeign();
        CommandReader reader = new CommandReader(lines, StatsdName.cleaning(List.of()));
        lines.isForeign = PlainForeign.isTls(new String(stream, ISO_8859_1));
        int begin = 0;
        for (int at = 0; at < stream.length && !lines.isForeign; at++) {
            if (stream[at] == '\n') {
                String line = new String(stream, begin, at - begin, ISO_8859_1);
                assertThat(ForeignProtocol.isHttp(stream, begin, at))
                        .as(line)
                        .isEqualTo(PlainForeign.isForeign(line, CommandReader.LINE_BYTES_MAX));
                reader.lines(stream, begin, at + 1);
                begin = at + 1;
            }
        }
        return lines.sums;
    }

    /** Adds up the lines until one is rejected that is one of another protocol. */
    private static final class UpToForeign implements Commands {
        final PlainSums sums = new PlainSums();
        boolean isForeign;

        @Override
        public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
            sums.from(bytes, begin, end, ageMillis, seq);
        }

        @Override
        public void fromNobody() {
            sums.fromNobody();
        }

        @Override
        public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
            sums.command(verb, bytes, begin, end, amount, total);
        }

        @Override
        public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
            sums.fraction(bytes, begin, end, integer, rest);
        }

        @Override
        public void rejected(Rejection why, byte[] bytes, int begin, int end) {
            isForeign |= PlainForeign.isForeign(
                    new String(bytes, begin, end - begin, ISO_8859_1), CommandReader.LINE_BYTES_MAX);
        }
    }
}
