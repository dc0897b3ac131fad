package io.counters.collector.common;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SeededHashTest {
    private static final int COUNT = 1 << 14;

    private final SeededHash hash = new SeededHash(new Random(1));

    private static long of(SeededHash hash, String text) {
        byte[] in = text.getBytes(ISO_8859_1);
        return hash.of(in, 0, in.length);
    }

    /** Words that all have the same 31-polynomial, such as that of String: "Aa" and "BB" in every place. */
    private static List<String> collidingByThe31Polynomial() {
        List<String> words = new ArrayList<>(List.of(""));
        while (words.size() < COUNT) {
            List<String> more = new ArrayList<>();
            words.forEach(word -> more.addAll(List.of(word + "Aa", word + "BB")));
            words = more;
        }
        return words;
    }

    /** How many of a table's places they use, by the lower or the upper bits. */
    private static int places(SeededHash by, List<String> words, int shift) {
        Set<Long> places = new HashSet<>();
        words.forEach(word -> places.add(of(by, word) >>> shift & (COUNT - 1)));
        return places.size();
    }

    @Test
    void the_same_bytes_have_the_same_hash_at_any_index() {
        byte[] in = "xorders.placed,method=card;yyorders.placed,method=card".getBytes(ISO_8859_1);

        assertThat(hash.of(in, 1, 26)).isEqualTo(hash.of(in, 29, 54));
    }

    @Test
    void another_seed_produces_other_hashes() {
        assertThat(of(new SeededHash(new Random(2)), "orders.placed")).isNotEqualTo(of(hash, "orders.placed"));
    }

    /** 16,384 words thrown at random into 16,384 places use 63 % of them, plus or minus 0.4 %. */
    @ParameterizedTest
    @ValueSource(ints = {0, 16, 32, 50})
    void words_that_collide_in_String_hashCode_are_spread_like_random_ones(int shift) {
        List<String> words = collidingByThe31Polynomial();
        assertThat(words.stream().map(String::hashCode).distinct()).hasSize(1);

        for (int seed = 0; seed < 20; seed++) {
            assertThat(places(new SeededHash(new Random(seed)), words, shift))
                    .as("seed %d", seed)
                    .isGreaterThan(COUNT * 60 / 100);
        }
    }

    /** Names that end with a number, such as honest senders use, of 5, 8, 13 and 21 characters. */
    @ParameterizedTest
    @ValueSource(strings = {"", "abc", "counters", "orders.placed.by"})
    void numbered_names_are_spread(String prefix) {
        List<String> words = new ArrayList<>();
        for (int i = 0; i < COUNT; i++) {
            words.add(prefix + String.format("%05d", i));
        }

        for (int seed = 0; seed < 20; seed++) {
            SeededHash by = new SeededHash(new Random(seed));
            assertThat(places(by, words, 0)).as("seed %d", seed).isGreaterThan(COUNT * 50 / 100);
            assertThat(words.stream().map(word -> of(by, word)).distinct()).hasSize(COUNT);
        }
    }

    @Test
    void bytes_that_differ_only_in_length_have_different_hashes() {
        Set<Long> hashes = new HashSet<>();
        for (int length = 0; length <= 256; length++) {
            hashes.add(hash.of(new byte[length], 0, length));
        }

        assertThat(hashes).hasSize(257);
    }
}
