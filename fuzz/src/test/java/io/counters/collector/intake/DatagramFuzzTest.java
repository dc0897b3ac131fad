package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.common.AddressKey;
import io.counters.collector.ledger.MemoryLedger;
import io.counters.collector.tap.Tap;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.StatsdName;
import io.counters.wire.Verb;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;

/** Datagrams, separated by the byte 0xFF, which no line may contain; then the same once more, in the opposite order. */
@Tag("once")
@Tag("slow")
class DatagramFuzzTest {
    private static final byte SEPARATOR = (byte) 0xFF;

    static final String FROM = "from 8f2c6a1e0b7d4c93a5e1f07b ";

    static Stream<byte[]> seeds() {
        return Stream.of(
                        "increment YourAwesomeCounter",
                        FROM + "61000 58\nincrement orders.placed 3 1207\nincrement carts.open 4 911\n"
                                + "decrement carts.open 2 880\n",
                        FROM + "1 1\nincrement a 5 5\n\u00ff" + FROM + "2 2\nincrement a 0 7\r\n\r\ndecrement a 1 1",
                        FROM + "1 1\nincrement a 1 9007199254740993\n\u00ff" + FROM + "2 2\nincrement a 1 3",
                        "signed key-1 1700000000000 0123456789abcdef0123456789abcdef\n" + FROM + "1 1\nincrement a 1 1",
                        "a:1|c\na:-1|c|@0.1\na:0.25|c|#host:b,zone:c\na:1:2:3|c\na;k=v:1e3|c\na[k=v]:+3|c\0 \n",
                        "a,x=1,y=2:3|c\nincrement a,y=2,x=1 4\nincrement counters.overflow\n",
                        "GET / HTTP/1.1\r\nHost: h\r\n\r\nincrement a 1\n",
                        "a:1|ca:1|c\n_e{5,4}:title|text\n_sc|Redis|0\nt:1|ms\n",
                        "increment a 9007199254740992\n\u00fffrom - \nfrom x\nincrement a 1 9223372036854775807")
                .map(text -> text.getBytes(ISO_8859_1));
    }

    @MethodSource("seeds")
    @DictionaryEntries({
        "increment ",
        "decrement ",
        "from 8f2c6a1e0b7d4c93a5e1f07b ",
        "signed ",
        "|c",
        "|c|@0.1",
        "|#k:v",
        ",k=v",
        "9007199254740992",
        "9223372036854775807",
        "1e18"
    })
    @FuzzTest(maxDuration = "10s")
    void any_datagrams_change_the_sums_as_the_protocol_says(byte[] bytes) {
        MemoryLedger kept = new MemoryLedger();
        Lines lines = new Lines(
                LineTarget.of(kept.ledger),
                250,
                StatsdName.cleaning(List.of()),
                Optional.empty(),
                new Tap(InstantSource.system(), 0),
                kept.faults,
                kept.metrics);
        Source source = new Source("UDP", false, () -> "127.0.0.1:4711");
        source.addressKey = AddressKey.ipv4(0x7f00_0001);
        PlainSums model = new PlainSums();
        CommandReader plain = new CommandReader(model, StatsdName.cleaning(List.of()));
        List<byte[]> datagrams = split(bytes);
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < datagrams.size(); i++) {
                byte[] datagram = datagrams.get(round == 0 ? i : datagrams.size() - 1 - i);
                lines.datagram(source, datagram, 0, datagram.length);
                plain.datagram(datagram, 0, datagram.length);
            }
        }

        SortedMap<String, Long> values = kept.values();
        SortedMap<String, Long> expected = model.values();
        assertThat(values.keySet()).isEqualTo(expected.keySet());
        values.forEach((name, value) -> {
            if (model.isExact(name)) {
                assertThat(value).as(name).isEqualTo(expected.get(name));
            }
        });
        assertThat(kept.reloaded()).isEqualTo(values);
        datagrams.forEach(DatagramFuzzTest::readsCommandsByTheGrammar);
    }

    private static List<byte[]> split(byte[] bytes) {
        List<byte[]> parts = new ArrayList<>();
        int begin = 0;
        for (int at = 0; at <= bytes.length; at++) {
            if (at == bytes.length || bytes[at] == SEPARATOR) {
                parts.add(java.util.Arrays.copyOfRange(bytes, begin, at));
                begin = at + 1;
            }
        }
        return parts;
    }

    /** Each line by itself, which must be a command exactly if the grammar says so; StatsD lines have a colon. */
    private static void readsCommandsByTheGrammar(byte[] datagram) {
        for (String ended : new String(datagram, ISO_8859_1).split("\n", -1)) {
            String line = ended.endsWith("\r") ? ended.substring(0, ended.length() - 1) : ended;
            if (line.indexOf(':') >= 0) {
                continue;
            }
            LastCommand last = new LastCommand();
            byte[] bytes = (line + "\n").getBytes(ISO_8859_1);
            new CommandReader(last).lines(bytes, 0, bytes.length);
            assertThat(last.command).as(line).isEqualTo(PlainGrammar.command(line));
        }
    }

    private static final class LastCommand implements Commands {
        private Optional<String> command = Optional.empty();

        @Override
        public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
            // No command.
        }

        @Override
        public void fromNobody() {
            // No command.
        }

        @Override
        public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
            String name = new String(bytes, begin, end - begin, ISO_8859_1);
            command = Optional.of(Objects.toString(verb).toLowerCase(java.util.Locale.ROOT) + " " + name + " " + amount
                    + " " + total);
        }

        @Override
        public void rejected(Rejection why, byte[] bytes, int begin, int end) {
            // No command.
        }
    }
}
