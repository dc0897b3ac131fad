package io.counters.collector.access;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenTest {
    private static final String TEXT = "0123456789abcdef:+/=";

    private static String basic(String login) {
        return Base64.getEncoder().encodeToString(login.getBytes(UTF_8));
    }

    @Test
    void it_is_taken_as_a_bearer_token_and_as_the_password_of_any_user() {
        Token token = Token.of(TEXT);

        assertThat(token.isIn("Bearer " + TEXT)).isTrue();
        assertThat(token.isIn("bearer  " + TEXT)).isTrue();
        assertThat(token.isIn("Basic " + basic("anyone:" + TEXT))).isTrue();
        assertThat(token.isIn("basic " + basic(":" + TEXT))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "Bearer",
                "Bearer ",
                TEXT,
                "Bearer 0123456789abcdef:+/",
                "Bearer 0123456789abcdef:+/=x",
                "Bearer 0123456789ABCDEF:+/=",
                "Digest " + TEXT,
                "Basic " + TEXT,
                "Basic !",
                "Basic"
            })
    void nothing_else_is_taken(String header) {
        assertThat(Token.of(TEXT).isIn(header)).isFalse();
        assertThat(Token.of(TEXT).isIn(null)).isFalse();
        assertThat(Token.of(TEXT).isIn("Basic " + basic(TEXT))).isFalse();
        assertThat(Token.of(TEXT).isIn("Basic " + basic(TEXT + ":user"))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0123456789abcde", "0123456789 abcdef", "0123456789abcdef\u00e9", "0123456789abcdef\n"})
    void one_that_can_be_guessed_or_not_be_sent_is_refused_without_showing_it(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Token.of(text))
                .withMessageContaining("16 to 1024")
                .withMessageContaining("openssl rand -hex 32")
                .withMessageNotContaining("0123456789");
    }

    @Test
    void it_is_never_shown() {
        assertThat(Token.of(TEXT))
                .hasToString("a token")
                .isEqualTo(Token.of(TEXT))
                .isNotEqualTo(Token.of(TEXT + "x"));
        assertThat(new AccessSettings(Optional.of(Token.of(TEXT)), Optional.empty(), Set.of(), Map.of()).toString())
                .doesNotContain("0123456789");
    }
}
