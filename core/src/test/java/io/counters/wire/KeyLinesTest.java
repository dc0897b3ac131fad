package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeyLinesTest {
    private static final String HEX = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private static boolean allows(SigningKey key, String name) {
        byte[] bytes = name.getBytes(ISO_8859_1);
        return key.allows(bytes, 0, bytes.length);
    }

    @Test
    void keys_are_read_with_comments_empty_lines_blanks_and_prefixes() {
        KeyLines read = KeyLines.of("\uFEFF# the shop's\r\nshop-1 " + HEX + "\r\n\n  shop_2.new \t"
                + HEX.toUpperCase(Locale.ROOT) + "  prefix=shop.\n#shop-0 " + HEX);

        assertThat(read.mistakes()).isEmpty();
        assertThat(read.keys()).extracting(SigningKey::id).containsExactly("shop-1", "shop_2.new");
        assertThat(allows(read.keys().get(0), "any")).isTrue();
        assertThat(allows(read.keys().get(1), "shop.orders")).isTrue();
        assertThat(allows(read.keys().get(1), "shop.")).isTrue();
        assertThat(allows(read.keys().get(1), "shop")).isFalse();
        assertThat(allows(read.keys().get(1), "shops")).isFalse();
        assertThat(read.find("shop-1")).isSameAs(read.keys().get(0));
        assertThat(read.find("shop")).isNull();
    }

    @Test
    void all_errors_are_reported_at_once_with_their_lines_and_without_a_key() {
        KeyLines read = KeyLines.of(String.join(
                "\n",
                "good " + HEX,
                "alone",
                "a b c d",
                "good " + HEX,
                "b@d " + HEX,
                "none " + HEX,
                "short " + HEX.substring(34),
                "odd " + HEX.substring(1),
                "long " + HEX + HEX + "00",
                "letters " + HEX.replace('f', 'g'),
                "third " + HEX + " names=shop.",
                "fourth " + HEX + " prefix=",
                "fifth " + HEX + " prefix=a,b",
                HEX.substring(32) + " shop",
                HEX + " shop",
                "sixth shop " + HEX));

        String key = "; make one with: openssl rand -hex 32";
        String digits = ", allowed are 32 to 128 hex digits, an even number" + key;
        String id = ", allowed are 1 to 32 of A-Z a-z 0-9 - _ . /, except the words none and unknown";
        String words = "; write KEY-ID HEX-KEY, and prefix=NAME-PREFIX behind them if the key is for some names only";
        String prefix = ", allowed is prefix=NAME-PREFIX with 1 to 250 of A-Z a-z 0-9 - _ . /, such as prefix=shop.";
        assertThat(read.mistakes())
                .containsExactly(
                        "line 2 has 1 word" + words,
                        "line 3 has 4 words" + words,
                        "line 4 has the key ID good, which an earlier line has; give each key its own",
                        "line 5 has the key ID (not shown)" + id,
                        "line 6 has the key ID none" + id,
                        "line 7 has a key of 30 hex digits" + digits,
                        "line 8 has a key of 63 hex digits" + digits,
                        "line 9 has a key of 130 hex digits" + digits,
                        "line 10 has a key of 64 characters, not all of them hex digits" + digits,
                        "line 11 has names=shop. as its third word" + prefix,
                        "line 12 has prefix= as its third word" + prefix,
                        "line 13 has (not shown) as its third word" + prefix,
                        "line 14 has a key of 4 characters, not all of them hex digits" + digits,
                        "line 15 has the key ID (not shown)" + id,
                        "line 15 has a key of 4 characters, not all of them hex digits" + digits,
                        "line 16 has a key of 4 characters, not all of them hex digits" + digits,
                        "line 16 has (not shown) as its third word" + prefix);
        assertThat(read.keys()).extracting(SigningKey::id).containsExactly("good");
        assertThat(String.join("\n", read.mistakes())).doesNotContainIgnoringCase(HEX.substring(0, 16));
    }

    @Test
    void a_key_in_base64_is_not_shown_wherever_it_was_written() {
        String key = "q83vEjRWeJCrze8SNFZ4kA";
        KeyLines read = KeyLines.of(String.join(
                "\n",
                key + "== shop",
                "second " + HEX + " " + key + "==",
                "third " + HEX + " " + key,
                "fourth " + HEX + " prefix=" + key + ",",
                "prefix=" + key + " " + HEX,
                "prefix=shop.orders " + HEX,
                "fifth " + HEX + " prefix:shop."));

        assertThat(read.mistakes())
                .hasSize(8)
                .noneMatch(line -> line.contains(key.substring(0, 8)))
                .anyMatch(line -> line.startsWith("line 6 has the key ID prefix=shop.orders, "))
                .anyMatch(line -> line.startsWith("line 7 has (not shown) as its third word, "));
    }

    @ParameterizedTest
    @CsvSource({"''", "'# only a comment'", "'\n\n'"})
    void a_file_without_a_key_is_an_error(String text) {
        assertThat(KeyLines.of(text).mistakes())
                .containsExactly("has no key; write KEY-ID HEX-KEY on a line; make one with: openssl rand -hex 32");
    }

    @Test
    void a_file_has_at_most_a_thousand_keys() {
        String thousand = IntStream.range(0, 1000)
                .mapToObj(i -> "key-" + i + " " + HEX + "\n")
                .collect(Collectors.joining());

        assertThat(KeyLines.of(thousand).mistakes()).isEmpty();
        assertThat(KeyLines.of(thousand + "more " + HEX).mistakes())
                .containsExactly("has 1001 keys, allowed are at most 1000; remove those that no sender uses");
    }

    @Test
    void a_key_as_text_is_its_id() {
        assertThat(KeyLines.of("shop " + HEX).keys().toString()).isEqualTo("[shop]");
    }
}
