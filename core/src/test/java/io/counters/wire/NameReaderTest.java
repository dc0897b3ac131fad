package io.counters.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class NameReaderTest {
    private final NameReader reader = new NameReader();

    @Test
    void a_name_that_is_canonical_already_is_not_copied() {
        byte[] in = {'x', 'a', ',', 'k', '=', 'v', 'x'};

        Rejection why = reader.read(in, 1, 6);

        assertThat(why).isNull();
        assertThat(reader.bytes).isSameAs(in);
        assertThat(reader.from).isEqualTo(1);
        assertThat(reader.to).isEqualTo(6);
    }

    @Test
    void characters_outside_latin_1_are_rejected_and_not_read_as_their_low_byte() {
        // The low byte of U+0161 is 'a', and that of U+0130 is '0'.
        assertThat(reader.read("\u0161")).isEqualTo(Rejection.NAME_LETTER);
        assertThat(reader.read("a\u0130")).isEqualTo(Rejection.NAME_LETTER);
        assertThat(reader.read("a\uD83D\uDE00")).isEqualTo(Rejection.NAME_LETTER);
    }

    @Test
    void a_reader_can_be_used_again_after_sorting_and_after_a_rejection() {
        assertThat(reader.read("long.name,z=1,a=2")).isNull();
        assertThat(reader.name()).isEqualTo("long.name,a=2,z=1");
        assertThat(reader.read("b,c=1,b=2,")).isEqualTo(Rejection.TAG_FORM);
        assertThat(reader.read("b,c=1,b=2")).isNull();
        assertThat(reader.name()).isEqualTo("b,b=2,c=1");
        assertThat(reader.read("plain")).isNull();
        assertThat(reader.name()).isEqualTo("plain");
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void any_order_of_the_same_tags_has_one_canonical_form_which_is_stable(int seed) {
        Random random = new Random(seed);
        List<String> tags = new ArrayList<>();
        for (int i = random.nextInt(8); i > 0; i--) {
            tags.add(",k" + Integer.toString(tags.size() * 7 % 11, 11) + "x".repeat(random.nextInt(2)) + "=v" + i);
        }
        Collections.shuffle(tags, random);
        String one = "metric" + String.join("", tags);
        Collections.shuffle(tags, random);
        String other = "metric" + String.join("", tags);

        assertThat(reader.read(one)).isNull();
        String canonical = reader.name();
        assertThat(reader.read(other)).isNull();
        assertThat(reader.name()).isEqualTo(canonical);
        assertThat(reader.read(canonical)).isNull();
        assertThat(reader.name()).isEqualTo(canonical);
        assertThat(reader.bytes).as("the input, which needs no sorting").hasSize(canonical.length());
    }

    static IntStream seeds() {
        return IntStream.range(0, 200);
    }
}
