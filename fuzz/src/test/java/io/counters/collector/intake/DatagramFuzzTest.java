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
import io.counters.wire.SigningKey;
import io.counters.wire.StatsdName;
import io.counters.wire.Verb;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Datagrams, separated by the byte 0xFF, which no line may contain; then the same once more, in the opposite order. Before them
 * one byte says whether the collector has keys, one which of the datagrams the target signs, and one what is wrong with the
 * signature of one of them.
 */
@Tag("once")
@Tag("slow")
class DatagramFuzzTest {
    private static final byte SEPARATOR = (byte) 0xFF;
    private static final long MILLIS = 1_700_000_000_000L;
    private static final long WINDOW_MILLIS = 300_000;

    static final String FROM = "from 8f2c6a1e0b7d4c93a5e1f07b ";

    /** The keys by their IDs, and with what the names begin that they sign. */
    private static final Map<String, String> SECRETS = Map.of(
            "key-1", "0123456789abcdef", "shop", "a secret of thirty-two characters", "other", "not the collector's");

    private static final Map<String, String> PREFIXES = Map.of("key-1", "", "shop", "orders.");

    private enum Signing {
        NONE,
        ACCEPTED,
        REQUIRED
    }

    /** With which key and at what time a datagram is signed, and whether one digit of the MAC is wrong. */
    private enum Signature {
        GOOD("key-1", 0, false),
        OF_A_PREFIX("shop", 0, false),
        JUST_IN_TIME("key-1", -WINDOW_MILLIS, false),
        AHEAD("key-1", WINDOW_MILLIS, false),
        TOO_OLD("key-1", -WINDOW_MILLIS - 1, false),
        TOO_FAR_AHEAD("key-1", WINDOW_MILLIS + 1, false),
        OF_NO_KEY("other", 0, false),
        WRONG("key-1", 0, true);

        private final String id;
        private final long aheadMillis;
        private final boolean isWrong;

        Signature(String id, long aheadMillis, boolean isWrong) {
            this.id = id;
            this.aheadMillis = aheadMillis;
            this.isWrong = isWrong;
        }

        byte[] sign(byte[] lines) {
            String signed = PlainSignature.sign(
                    id, Objects.requireNonNull(SECRETS.get(id)), MILLIS + aheadMillis, new String(lines, ISO_8859_1));
            int digit = signed.indexOf('\n') - 1;
            char other = signed.charAt(digit) == '0' ? '1' : '0';
            return (isWrong ? signed.substring(0, digit) + other + signed.substring(digit + 1) : signed)
                    .getBytes(ISO_8859_1);
        }
    }

    @SuppressWarnings("EnumOrdinal") // As an input has them.
    static Stream<byte[]> seeds() {
        List<String> lines = List.of(
                "increment YourAwesomeCounter",
                FROM + "61000 58\nincrement orders.placed 3 1207\nincrement carts.open 4 911\n"
                        + "decrement carts.open 2 880\n",
                FROM + "1 1\nincrement a 5 5\n\u00ff" + FROM + "2 2\nincrement a 0 7\r\n\r\ndecrement a 1 1",
                FROM + "1 1\nincrement a 1 9007199254740993\n\u00ff" + FROM + "2 2\nincrement a 1 3",
                "signed key-1 1700000000000 0123456789abcdef0123456789abcdef\n" + FROM + "1 1\nincrement a 1 1",
                "a:1|c\na:-1|c|@0.1\na:0.25|c|#host:b,zone:c\na:1:2:3|c\na;k=v:1e3|c\na[k=v]:+3|c\0 \n",
                "a:5|c|@0.3\na:-.5|c\na:9007199254740993|c\na:2:3|c|@1.5\nb,y=2,x=1:7|c|#k:v\nb,x=1,x=2:7|c\n",
                "a,x=1,y=2:3|c\nincrement a,y=2,x=1 4\nincrement counters.overflow\n",
                "GET / HTTP/1.1\r\nHost: h\r\n\r\nincrement a 1\n",
                "a:1|ca:1|c\n_e{5,4}:title|text\n_sc|Redis|0\nt:1|ms\n",
                "increment a 9007199254740992\n\u00fffrom - \nfrom x\nincrement a 1 9223372036854775807");
        List<byte[]> seeds = new ArrayList<>();
        for (Signing signing : Signing.values()) {
            for (String text : lines) {
                for (String signs : signing == Signing.NONE ? List.of("\0\0") : List.of("\0\0", "\3\0")) {
                    seeds.add(((char) signing.ordinal() + signs + text).getBytes(ISO_8859_1));
                }
            }
            for (Signature one : Signature.values()) {
                seeds.add(((char) signing.ordinal() + "\7" + (char) one.ordinal() + FROM
                                + "1 1\nincrement orders.placed 1 1\nincrement a 1 1\nincrement orders.open 1\n\u00ff"
                                + FROM
                                + "2 2\nincrement orders.placed 1 3\nx:0.5|c\norders.paid:1|c")
                        .getBytes(ISO_8859_1));
            }
        }
        return seeds.stream();
    }

    @MethodSource("seeds")
    @DictionaryEntries({
        "increment ",
        "decrement ",
        "from 8f2c6a1e0b7d4c93a5e1f07b ",
        "signed key-1 ",
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
        if (bytes.length < 3) {
            return;
        }
        Signing signing = Signing.values()[(bytes[0] & 0xff) % Signing.values().length];
        List<byte[]> datagrams = signed(split(Arrays.copyOfRange(bytes, 3, bytes.length)), bytes[1], bytes[2]);
        MemoryLedger kept = signing == Signing.REQUIRED ? MemoryLedger.ofSigned() : new MemoryLedger();
        Lines lines = new Lines(
                LineTarget.of(kept.ledger),
                250,
                StatsdName.cleaning(List.of()),
                keys(signing, kept),
                new Tap(InstantSource.system(), 0),
                kept.faults,
                kept.metrics);
        Source source = new Source("UDP", false, () -> "127.0.0.1:4711");
        source.addressKey = AddressKey.ipv4(0x7f00_0001);
        Model model = new Model(signing);
        datagrams.forEach(datagram -> lines.datagram(source, datagram, 0, datagram.length));
        datagrams.forEach(model::datagram);
        SortedMap<String, Long> once = kept.values();
        for (int i = datagrams.size() - 1; i >= 0; i--) {
            lines.datagram(source, datagrams.get(i), 0, datagrams.get(i).length);
            model.datagram(datagrams.get(i));
        }

        SortedMap<String, Long> values = kept.values();
        SortedMap<String, Long> expected = model.sums.values();
        assertThat(values.keySet()).isEqualTo(expected.keySet());
        values.forEach((name, value) -> {
            if (model.sums.isExact(name)) {
                assertThat(value).as(name).isEqualTo(expected.get(name));
            }
        });
        if (signing == Signing.REQUIRED && !model.sums.hasRefused()) {
            assertThat(values).as("whoever sends them again").isEqualTo(once);
        }
        assertThat(sum(kept, "intake_refused_datagrams_total")).isEqualTo(model.refused);
        assertThat(sum(kept, "intake_signed_datagrams_total")).isEqualTo(model.verified);
        assertThat(kept.reloaded()).isEqualTo(values);
        datagrams.forEach(DatagramFuzzTest::readsCommandsByTheGrammar);
    }

    private static Optional<Keys> keys(Signing signing, MemoryLedger kept) {
        if (signing == Signing.NONE) {
            return Optional.empty();
        }
        List<SigningKey> keys = PREFIXES.entrySet().stream()
                .map(key -> new SigningKey(
                        key.getKey(),
                        Objects.requireNonNull(SECRETS.get(key.getKey())).getBytes(ISO_8859_1),
                        key.getValue()))
                .toList();
        return Optional.of(new Keys(
                new KeySettings(Path.of("none"), keys, signing == Signing.REQUIRED),
                () -> MILLIS,
                kept.faults,
                kept.metrics));
    }

    private static long sum(MemoryLedger kept, String metric) {
        return kept.metrics.values().entrySet().stream()
                .filter(one -> one.getKey().startsWith(metric))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    private static List<byte[]> split(byte[] bytes) {
        List<byte[]> parts = new ArrayList<>();
        int begin = 0;
        for (int at = 0; at <= bytes.length; at++) {
            if (at == bytes.length || bytes[at] == SEPARATOR) {
                parts.add(Arrays.copyOfRange(bytes, begin, at));
                begin = at + 1;
            }
        }
        return parts;
    }

    /** The datagrams, of which those are signed that have a bit; one of them in the way that the last byte says, the others well. */
    private static List<byte[]> signed(List<byte[]> datagrams, byte which, byte how) {
        List<byte[]> signed = new ArrayList<>();
        for (int i = 0; i < datagrams.size(); i++) {
            Signature one = Signature.values()[i == (how >> 4 & 7) ? how & 7 : 0];
            signed.add((which >> (i & 7) & 1) == 0 ? datagrams.get(i) : one.sign(datagrams.get(i)));
        }
        return signed;
    }

    /** What docs/protocol.md says of datagrams, signed and unsigned ones. */
    private static final class Model {
        final Signing signing;
        final PlainSums sums;
        final CommandReader unsigned;
        long refused;
        long verified;

        Model(Signing signing) {
            this.signing = signing;
            sums = new PlainSums(signing == Signing.REQUIRED);
            unsigned = new CommandReader(sums, StatsdName.cleaning(List.of()));
        }

        void datagram(byte[] datagram) {
            String text = new String(datagram, ISO_8859_1);
            if (signing != Signing.NONE && PlainSignature.isSigned(text)) {
                Optional<PlainSignature.Verified> found =
                        PlainSignature.verify(text, SECRETS, MILLIS).filter(by -> PREFIXES.containsKey(by.id()));
                found.ifPresent(this::verified);
                refused += found.isEmpty() ? 1 : 0;
            } else if (signing == Signing.REQUIRED && !text.matches("[\r\n]*")) {
                refused++;
            } else {
                unsigned.datagram(datagram, 0, datagram.length);
            }
        }

        private void verified(PlainSignature.Verified by) {
            verified++;
            String prefix = Objects.requireNonNull(PREFIXES.get(by.id()));
            byte[] lines = by.lines().getBytes(ISO_8859_1);
            new CommandReader(new Totals(sums, prefix), StatsdName.cleaning(List.of()))
                    .datagram(lines, 0, lines.length);
        }
    }

    /** Of a signed datagram only the totals of a stream count, of names that begin with the prefix of its key. */
    private static final class Totals implements Commands {
        private final PlainSums sums;
        private final String prefix;
        private boolean isInStream;

        Totals(PlainSums sums, String prefix) {
            this.sums = sums;
            this.prefix = prefix;
        }

        @Override
        public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
            isInStream = true;
            sums.from(bytes, begin, end, ageMillis, seq);
        }

        @Override
        public void fromNobody() {
            isInStream = false;
            sums.fromNobody();
        }

        @Override
        public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
            if (isInStream
                    && total != NO_TOTAL
                    && new String(bytes, begin, end - begin, ISO_8859_1).startsWith(prefix)) {
                sums.command(verb, bytes, begin, end, amount, total);
            }
        }

        @Override
        public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
            // Has no total.
        }

        @Override
        public void rejected(Rejection why, byte[] bytes, int begin, int end) {
            // Counts nothing.
        }
    }

    /** Each line by itself, which must count exactly what the grammar says. */
    private static void readsCommandsByTheGrammar(byte[] datagram) {
        for (String ended : new String(datagram, ISO_8859_1).split("\n", -1)) {
            String line = ended.endsWith("\r") ? ended.substring(0, ended.length() - 1) : ended;
            Optional<String> read = read(ended, StatsdName.strict());
            if (PlainGrammar.covers(line)) {
                assertThat(read).as(line).isEqualTo(PlainGrammar.read(line));
                if (line.indexOf('=') < 0 && !line.contains("|#")) {
                    assertThat(read(ended, StatsdName.cleaning(List.of())))
                            .as("there is nothing to clean in %s", line)
                            .isEqualTo(read);
                }
            } else if (read.isPresent()) {
                assertThat(line).as("a counter").matches("(?s)[^|]*:[^|]*\\|c(?:\\|.*|[ \t\r\0]*)");
            }
        }
    }

    private static Optional<String> read(String line, StatsdName names) {
        LastCommand last = new LastCommand();
        byte[] bytes = (line + "\n").getBytes(ISO_8859_1);
        new CommandReader(last, names).lines(bytes, 0, bytes.length);
        return last.command;
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
            command = Optional.of(
                    Objects.toString(verb).toLowerCase(Locale.ROOT) + " " + name + " " + amount + " " + total);
        }

        @Override
        public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
            command = Optional.of(PlainGrammar.said(
                    new String(bytes, begin, end - begin, ISO_8859_1),
                    BigDecimal.valueOf(rest, 18).add(BigDecimal.valueOf(integer))));
        }

        @Override
        public void rejected(Rejection why, byte[] bytes, int begin, int end) {
            // No command.
        }
    }
}
