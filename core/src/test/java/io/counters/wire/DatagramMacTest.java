package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class DatagramMacTest {
    private static final String SECRET = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    private static final String LINES =
            "from 8f2c6a1e0b7d4c93a5e1f07b 61000 58\nincrement orders.placed 3 1207\ndecrement carts.open 2 880\n";
    private static final long TIME = 1_764_547_200_000L;

    private final SignedLine line = new SignedLine();
    private final DatagramMac mac = new DatagramMac();

    private static SigningKey key(String id, String hex) {
        return new SigningKey(id, HexFormat.of().parseHex(hex), "");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }

    private boolean matches(SigningKey key, byte[] datagram) {
        return SignedLine.isAt(datagram, 0, datagram.length)
                && line.read(datagram, 0, datagram.length)
                && mac.matches(key, line, datagram, datagram.length);
    }

    /** The MACs are those of {@code openssl dgst -sha256 -mac HMAC -macopt hexkey:...}, over the time's line and the lines. */
    @ParameterizedTest
    @CsvSource({
        "000102030405060708090a0b0c0d0e0f, d2d64cb1636843c9e953cca095c89104",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f, 4a39c6c8aeea294dfe313d135fc48d4d",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                + "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f, 94d551773a4abff466850b5df238fac6",
    })
    void a_signed_datagram_is_the_one_that_openssl_would_sign(String secret, String expected) {
        DatagramWriter writer = new DatagramWriter(DatagramWriter.BYTES_DEFAULT, key("shop-1", secret));

        writer.clearToSign(TIME);
        writer.from(bytes("8f2c6a1e0b7d4c93a5e1f07b"), 61_000, 58);
        writer.command(Verb.INCREMENT, bytes("orders.placed"), 3, 1207);
        writer.command(Verb.DECREMENT, bytes("carts.open"), 2, 880);
        writer.sign();

        byte[] written = Arrays.copyOf(writer.buffer(), writer.length());
        assertThat(new String(written, ISO_8859_1)).isEqualTo("signed shop-1 " + TIME + " " + expected + "\n" + LINES);
        assertThat(matches(key("shop-1", secret), written)).isTrue();
    }

    @Test
    void a_signed_line_alone_signs_no_line() {
        byte[] alone = bytes("signed shop-1 1764547200000 77c217e01d0782bf10adad7ab52e1f43");

        assertThat(matches(key("shop-1", SECRET), alone)).isTrue();
        assertThat(matches(key("shop-1", SECRET), bytes(new String(alone, ISO_8859_1) + "\r\n")))
                .isTrue();
        assertThat(line.linesBegin()).isEqualTo(alone.length + 2);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void a_mac_is_that_of_the_jdks_own_hmac(int seed) throws Exception {
        Random random = new Random(seed);
        byte[] secret = new byte[16 + random.nextInt(49)];
        random.nextBytes(secret);
        byte[] lines = new byte[random.nextInt(3_000)];
        random.nextBytes(lines);
        Mac theirs = Mac.getInstance("HmacSHA256");
        theirs.init(new SecretKeySpec(secret, "HmacSHA256"));
        theirs.update(bytes("k 17\n"));
        String hex = HexFormat.of().formatHex(theirs.doFinal(lines), 0, 16);
        byte[] head = bytes("signed k 17 " + hex + "\n");
        byte[] datagram = Arrays.copyOf(head, head.length + lines.length);
        System.arraycopy(lines, 0, datagram, head.length, lines.length);

        assertThat(matches(new SigningKey("k", secret, ""), datagram)).isTrue();
    }

    static int[] seeds() {
        return new Random(1).ints(200).toArray();
    }

    @Test
    void a_datagram_with_any_other_byte_does_not_match() {
        byte[] good = bytes("signed shop-1 " + TIME + " 4a39c6c8aeea294dfe313d135fc48d4d\n" + LINES);
        assertThat(matches(key("shop-1", SECRET), good)).isTrue();

        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 1;
            assertThat(matches(key("shop-1", SECRET), bad)).as("byte %s", i).isFalse();
            assertThat(matches(key("shop-1", SECRET), Arrays.copyOf(good, i)))
                    .as("cut after %s", i)
                    .isFalse();
        }
        assertThat(matches(key("shop-1", SECRET), bytes(new String(good, ISO_8859_1) + "\n")))
                .isFalse();
        assertThat(matches(key("shop-1", SECRET.replace("1f", "1e")), good)).isFalse();
        assertThat(matches(key("shop-1", SECRET), good)).isTrue();
    }

    @Test
    void a_datagram_that_was_not_begun_to_be_signed_has_no_signed_line() {
        DatagramWriter writer = new DatagramWriter(DatagramWriter.BYTES_DEFAULT, key("shop-1", SECRET));
        writer.clearToSign(TIME);
        writer.from(bytes("8f2c6a1e0b7d4c93a5e1f07b"), 1, 1);
        writer.sign();

        writer.clear();
        writer.from(bytes("8f2c6a1e0b7d4c93a5e1f07b"), 1, 1);
        writer.sign();

        assertThat(new String(writer.buffer(), 0, writer.length(), ISO_8859_1))
                .isEqualTo("from 8f2c6a1e0b7d4c93a5e1f07b 1 1\n");
    }

    @Test
    void the_smallest_datagram_has_room_for_the_longest_signed_line_and_the_longest_command() {
        DatagramWriter writer = new DatagramWriter(DatagramWriter.BYTES_MIN, key("k".repeat(32), SECRET));

        writer.clearToSign(Long.MAX_VALUE);
        writer.from(bytes("s".repeat(64)), Long.MAX_VALUE, Long.MAX_VALUE);
        boolean fits = writer.command(Verb.INCREMENT, bytes("n".repeat(250)), 1L << 53, Long.MAX_VALUE);
        writer.sign();

        assertThat(fits).isTrue();
        assertThat(writer.length()).isLessThanOrEqualTo(DatagramWriter.BYTES_MIN);
        assertThat(matches(key("k".repeat(32), SECRET), Arrays.copyOf(writer.buffer(), writer.length())))
                .isTrue();
    }
}
