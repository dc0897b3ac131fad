package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.SignedText;
import io.counters.collector.ledger.KeptLedger;
import io.counters.wire.KeyLines;
import io.counters.wire.StatsdName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a collector with keys accepts and refuses. */
class SigningTest {
    private static final String HEX = "0123456789abcdef".repeat(4);
    private static final String FROM = "from 8f2c6a1e0b7d4c93a5e1f07b 1000 ";
    private static final long NOW = 1_764_547_200_000L;

    @TempDir
    Path folder;

    private final Source udp = new Source("UDP", false, () -> "127.0.0.1:4711");
    private KeptLedger kept;
    private Path file;
    private long wallMillis = NOW;

    @BeforeEach
    void open() throws IOException {
        kept = new KeptLedger(folder, false);
        file = folder.resolve("keys");
        write("shop " + HEX + "\nweb " + HEX + " prefix=web.\n");
    }

    @AfterEach
    void close() throws IOException {
        kept.close();
    }

    private void write(String text) throws IOException {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    private Keys keys(boolean isRequired) throws IOException {
        KeySettings settings =
                new KeySettings(file, KeyLines.of(Files.readString(file)).keys(), isRequired);
        return new Keys(settings, () -> wallMillis, kept.said.log(), kept.metrics);
    }

    private Lines lines(Keys keys) {
        return KeptIntake.lines(kept, KeptIntake.NAME_BYTES_MAX, StatsdName.cleaning(List.of()), Optional.of(keys));
    }

    private Lines required() throws IOException {
        return lines(keys(true));
    }

    private void send(Lines to, byte[] datagram) {
        to.datagram(udp, datagram, 0, datagram.length);
    }

    private void send(Lines to, String datagram) {
        send(to, datagram.getBytes(ISO_8859_1));
    }

    private static byte[] signed(String id, long millis, String text) {
        return SignedText.of(id, HEX, millis, text);
    }

    private static byte[] signed(String text) {
        return signed("shop", NOW, text);
    }

    private long refused(String reason, String key) {
        return kept.counted("intake_refused_datagrams_total{key=\"" + key + "\",reason=\"" + reason + "\"}");
    }

    private long rejected(String reason) {
        return kept.counted("intake_rejected_lines_total{reason=\"" + reason + "\"}");
    }

    @Test
    void a_signed_datagram_counts_and_so_does_none_that_is_not_signed() throws Exception {
        Lines lines = required();

        send(lines, signed(FROM + "1\nincrement a 3 3\ndecrement b 2 2\n"));
        send(lines, "increment a 1000");
        send(lines, FROM + "2\nincrement a 1 1000");
        send(lines, "a:1000|c\na:1000|c\n");

        assertThat(kept.values()).isEqualTo(Map.of("a", 3L, "b", -2L));
        assertThat(kept.counted("intake_signed_datagrams_total{key=\"shop\"}")).isEqualTo(1);
        assertThat(refused("unsigned", "none")).isEqualTo(3);
        assertThat(rejected("unsigned")).isEqualTo(3);
        assertThat(kept.said.lines().get(0))
                .contains("UDP line \"increment a 1000\" was rejected (unsigned): ")
                .contains("--signing accepted; sent by 127.0.0.1:4711");
    }

    @Test
    void what_one_bit_changes_does_not_count() throws Exception {
        Lines lines = required();
        byte[] good = signed(FROM + "1\nincrement a 3 3\n");

        for (int i = 0; i < 8 * good.length; i++) {
            byte[] bad = good.clone();
            bad[i / 8] ^= (byte) (1 << i % 8);
            send(lines, bad);
        }

        assertThat(kept.values()).isEmpty();
        assertThat(kept.ledger.streams()).isZero();
        assertThat(refused("signed_mac", "shop")).isGreaterThan(8L * 20);
        assertThat(refused("signed_mac", "shop")
                        + refused("unsigned", "none")
                        + refused("signed_form", "none")
                        + refused("key_unknown", "unknown"))
                .isEqualTo(8L * good.length);
        send(lines, good);
        assertThat(kept.values()).isEqualTo(Map.of("a", 3L));
    }

    @Test
    void the_key_of_another_id_or_with_another_secret_does_not_fit() throws Exception {
        Lines lines = required();

        send(lines, signed("shop2", NOW, FROM + "1\nincrement a 1 1"));
        send(lines, SignedText.of("shop", "00".repeat(32), NOW, FROM + "1\nincrement a 1 1"));
        for (int i = 0; i < 1000; i++) {
            send(lines, signed("unknown-" + i, NOW, FROM + "1\nincrement a 1 1"));
        }

        assertThat(kept.values()).isEmpty();
        assertThat(refused("key_unknown", "unknown")).isEqualTo(1001);
        assertThat(refused("signed_mac", "shop")).isEqualTo(1);
        assertThat(kept.metrics.values().keySet().stream()
                        .filter(metric -> metric.startsWith("intake_refused_datagrams_total")))
                .as("labels do not grow with what strangers send")
                .hasSize(2 * 2 + 3);
    }

    @ParameterizedTest
    @CsvSource({"-300001, 0", "-300000, 1", "0, 1", "300000, 1", "300001, 0"})
    void a_datagram_is_accepted_up_to_five_minutes_from_its_time(long ahead, long value) throws Exception {
        send(required(), signed("shop", NOW + ahead, FROM + "1\nincrement a 1 1"));

        assertThat(kept.value("a")).isEqualTo(value);
        assertThat(refused("signed_time", "shop")).isEqualTo(1 - value);
    }

    @Test
    void replayed_and_reordered_datagrams_change_nothing() throws Exception {
        Lines lines = required();
        byte[][] sent = new byte[50][];
        long total = 0;
        for (int i = 0; i < sent.length; i++) {
            total += i + 1;
            sent[i] = signed("shop", NOW + i * 1000L, FROM + (i + 1) + "\nincrement a " + (i + 1) + " " + total);
        }

        Random random = new Random(1);
        for (byte[] datagram : sent) {
            send(lines, datagram);
            for (int again = 0; again < 10; again++) {
                send(lines, sent[random.nextInt(sent.length)]);
            }
        }

        assertThat(kept.value("a")).isEqualTo(total);
    }

    @Test
    void in_a_signed_datagram_only_lines_with_totals_of_its_stream_count() throws Exception {
        Lines lines = required();

        send(lines, signed("increment without.from 1 1\n"));
        send(lines, signed("increment a 1\n" + FROM + "1\nincrement late.from 1 1\n"));
        send(lines, signed(FROM + "2\nincrement no.total 1\nno.total:1|c\nfraction:0.5|c\nincrement good 1 1\n"));

        assertThat(kept.values()).isEqualTo(Map.of("good", 1L));
        assertThat(rejected("signed_total")).isEqualTo(6);
        assertThat(rejected("from_place")).isEqualTo(1);
    }

    @Test
    void a_key_with_a_prefix_signs_only_names_that_begin_with_it() throws Exception {
        send(
                required(),
                signed("web", NOW, FROM + "1\nincrement web.hits 1 1\nincrement web 1 1\nincrement shop.hits 1 1"));

        assertThat(kept.values()).isEqualTo(Map.of("web.hits", 1L));
        assertThat(rejected("key_prefix")).isEqualTo(2);
        assertThat(kept.counted("intake_refused_signed_lines_total{key=\"web\",reason=\"key_prefix\"}"))
                .isEqualTo(2);
    }

    @Test
    void where_unsigned_lines_are_accepted_a_wrong_signature_is_still_refused() throws Exception {
        Lines lines = lines(keys(false));

        send(lines, "increment plain\nstatsd:2|c");
        send(lines, signed(FROM + "1\nincrement a 3 3"));
        send(lines, signed("other", NOW, FROM + "2\nincrement a 1 1000"));
        byte[] tcp = "increment by.tcp\n".getBytes(ISO_8859_1);
        lines.lines(new Source("TCP", true, () -> "127.0.0.1:4712"), tcp, 0, tcp.length);
        send(lines, "increment plain");

        assertThat(kept.values()).isEqualTo(Map.of("plain", 2L, "statsd", 2L, "a", 3L, "by.tcp", 1L));
        assertThat(refused("key_unknown", "unknown")).isEqualTo(1);
    }

    @Test
    void where_signatures_are_required_a_tcp_connection_is_ended_and_an_empty_datagram_is_nothing() throws Exception {
        Lines lines = required();
        Source tcp = new Source("TCP", true, () -> "127.0.0.1:4712");
        byte[] text = "increment a\nincrement b\n".getBytes(ISO_8859_1);

        lines.lines(tcp, text, 0, text.length);
        send(lines, "\n");
        send(lines, "");

        assertThat(tcp.isForeign).isTrue();
        assertThat(kept.values()).isEmpty();
        assertThat(rejected("unsigned")).isEqualTo(1);
        assertThat(kept.said.lines()).singleElement().asString().contains("nothing over TCP", "sent by 127.0.0.1:4712");
    }

    @Test
    void keys_are_replaced_when_two_readings_find_the_same_new_ones() throws Exception {
        Keys keys = keys(true);
        Lines lines = lines(keys);
        byte[] next = signed("next", NOW, FROM + "1\nincrement a 1 1");
        write("shop " + HEX + "\nnext " + HEX + "\n");

        keys.look();
        send(lines, next);
        long before = kept.value("a");
        keys.look();
        send(lines, next);

        assertThat(before).isZero();
        assertThat(kept.value("a")).isEqualTo(1);

        write("next " + HEX + "\n");
        keys.reload();
        send(lines, signed(FROM + "2\nincrement a 1 2"));
        send(lines, signed("next", NOW, FROM + "3\nincrement a 1 3"));
        assertThat(refused("key_unknown", "unknown")).isEqualTo(2);
        assertThat(kept.value("a")).isEqualTo(3);
        assertThat(keys).hasToString("next; signatures are required");
    }

    @ParameterizedTest
    @ValueSource(strings = {"shop 123", "", "shop\n", "\0\0"})
    void a_file_with_errors_keeps_the_old_keys_and_is_logged_once_a_minute_without_any_key(String text)
            throws Exception {
        Keys keys = keys(true);
        Lines lines = lines(keys);
        write(text);

        for (int i = 0; i < 5; i++) {
            keys.look();
        }
        keys.reload();
        send(lines, signed(FROM + "1\nincrement a 1 1"));

        assertThat(kept.value("a")).isEqualTo(1);
        assertThat(kept.said.lines()).singleElement().asString().contains(file.toString(), "the old keys stay in use");
        assertThat(kept.counted("intake_bad_key_files_total")).isGreaterThanOrEqualTo(4);
        Files.delete(file);
        keys.look();
        send(lines, signed(FROM + "2\nincrement a 1 2"));
        assertThat(kept.value("a")).isEqualTo(2);
    }
}
