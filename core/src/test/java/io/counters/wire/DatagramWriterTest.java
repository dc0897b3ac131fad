package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
class DatagramWriterTest {
    private static final String LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";

    @Test
    void the_protocols_example_is_written_byte_for_byte() {
        DatagramWriter writer = new DatagramWriter(DatagramWriter.BYTES_DEFAULT);

        writer.from(ascii("8f2c6a1e0b7d4c93a5e1f07b"), 61_000, 58);
        writer.command(Verb.INCREMENT, ascii("orders.placed"), 3, 1207);
        writer.command(Verb.INCREMENT, ascii("carts.open"), 4, 911);
        writer.command(Verb.DECREMENT, ascii("carts.open"), 2, 880);

        assertThat(text(writer)).isEqualTo("""
                        from 8f2c6a1e0b7d4c93a5e1f07b 61000 58
                        increment orders.placed 3 1207
                        increment carts.open 4 911
                        decrement carts.open 2 880
                        """);
    }

    @Test
    void a_missing_total_is_left_out() {
        DatagramWriter writer = new DatagramWriter(512);

        writer.command(Verb.INCREMENT, ascii("a,b=c"), 0, Commands.NO_TOTAL);
        writer.command(Verb.DECREMENT, ascii("a"), 10, 10);

        assertThat(text(writer)).isEqualTo("increment a,b=c 0\ndecrement a 10 10\n");
    }

    @Test
    void the_largest_numbers_are_written_in_full() {
        DatagramWriter writer = new DatagramWriter(512);

        writer.from(ascii("s".repeat(64)), Long.MAX_VALUE, Long.MAX_VALUE);
        boolean fits = writer.command(Verb.INCREMENT, ascii("n".repeat(250)), 1L << 53, Long.MAX_VALUE);

        assertThat(fits).isTrue();
        assertThat(text(writer))
                .isEqualTo("from " + "s".repeat(64) + " 9223372036854775807 9223372036854775807\nincrement "
                        + "n".repeat(250) + " 9007199254740992 9223372036854775807\n");
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 513, 1432, 65_507})
    void a_datagram_never_exceeds_its_maximum_and_a_command_that_does_not_fit_is_not_written(int bytesMax) {
        DatagramWriter writer = new DatagramWriter(bytesMax);
        byte[] name = ascii("n".repeat(50));

        int commands = 0;
        while (writer.command(Verb.DECREMENT, name, 1L << 53, Long.MAX_VALUE)) {
            commands++;
        }
        int full = writer.length();
        boolean again = writer.command(Verb.INCREMENT, name, 1, 1);

        assertThat(again).isFalse();
        assertThat(writer.length())
                .isEqualTo(full)
                .isLessThanOrEqualTo(bytesMax)
                .isGreaterThan(bytesMax - 102);
        assertThat(RecordedCommands.datagram(Arrays.copyOf(writer.buffer(), writer.length())))
                .hasSize(commands)
                .containsOnly("DECREMENT " + "n".repeat(50) + " 9007199254740992 9223372036854775807");
    }

    @Test
    void a_cleared_writer_begins_an_empty_datagram() {
        DatagramWriter writer = new DatagramWriter(512);
        writer.command(Verb.INCREMENT, ascii("old"), 1, 1);

        writer.clear();

        assertThat(writer.length()).isZero();
        writer.command(Verb.INCREMENT, ascii("new"), 1, 1);
        assertThat(text(writer)).isEqualTo("increment new 1 1\n");
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 511, 65_508})
    void a_maximum_size_outside_its_range_is_refused(int bytesMax) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new DatagramWriter(bytesMax))
                .withMessageContaining(bytesMax + " bytes")
                .withMessageContaining("512 to 65507");
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void commands_that_were_written_are_read_back(int seed) {
        Random random = new Random(seed);
        DatagramWriter writer = new DatagramWriter(512 + random.nextInt(2_000));
        List<String> written = new ArrayList<>();

        if (random.nextBoolean()) {
            String sender = word(random, 16 + random.nextInt(49), LETTERS + ":");
            long age = number(random, Long.MAX_VALUE);
            long seq = Math.max(1, number(random, Long.MAX_VALUE));
            writer.from(ascii(sender), age, seq);
            written.add("from " + sender + " " + age + " " + seq);
        }
        while (true) {
            Verb verb = random.nextBoolean() ? Verb.INCREMENT : Verb.DECREMENT;
            String name = name(random);
            long amount = number(random, CommandReader.AMOUNT_MAX);
            long total = random.nextInt(4) == 0 ? Commands.NO_TOTAL : Math.max(amount, number(random, Long.MAX_VALUE));
            if (!writer.command(verb, ascii(name), amount, total)) {
                break;
            }
            written.add(verb + " " + name + " " + amount + (total == Commands.NO_TOTAL ? "" : " " + total));
        }

        assertThat(RecordedCommands.datagram(Arrays.copyOf(writer.buffer(), writer.length())))
                .isEqualTo(written);
    }

    static IntStream seeds() {
        return IntStream.range(0, 1_000);
    }

    private static String name(Random random) {
        StringBuilder name = new StringBuilder(word(random, 1 + random.nextInt(40), LETTERS));
        TreeMap<String, String> tags = new TreeMap<>();
        for (int i = random.nextInt(8); i > 0; i--) {
            tags.put(word(random, 1 + random.nextInt(8), LETTERS), word(random, 1 + random.nextInt(15), LETTERS));
        }
        tags.forEach((key, value) -> name.append(',').append(key).append('=').append(value));
        return name.toString();
    }

    private static String word(Random random, int length, String letters) {
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < length; i++) {
            word.append(letters.charAt(random.nextInt(letters.length())));
        }
        return word.toString();
    }

    /** From 0 to max, of any number of digits. */
    private static long number(Random random, long max) {
        return switch (random.nextInt(8)) {
            case 0 -> 0;
            case 1 -> max;
            default -> (random.nextLong() >>> (1 + random.nextInt(63))) % max;
        };
    }

    private static byte[] ascii(String text) {
        return text.getBytes(ISO_8859_1);
    }

    private static String text(DatagramWriter writer) {
        return new String(writer.buffer(), 0, writer.length(), ISO_8859_1);
    }
}
