package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Redis's protocol, byte by byte. */
class ReplyGuardTest {
    private static final int BYTES_MAX = 1000;

    private final AtomicReference<@Nullable String> strange = new AtomicReference<>("nothing yet");
    private final EmbeddedChannel channel = new EmbeddedChannel(new ReplyGuard(BYTES_MAX, strange::set));

    /** Receives a text in pieces of this many bytes; returns what was passed on. */
    private String receive(String text, int piece) {
        StringBuilder passed = new StringBuilder();
        for (int at = 0; at < text.length() && channel.isOpen(); at += piece) {
            channel.writeInbound(
                    Unpooled.copiedBuffer(text.substring(at, Math.min(text.length(), at + piece)), ISO_8859_1));
            ByteBuf next = channel.readInbound();
            if (next != null) {
                passed.append(next.toString(ISO_8859_1));
                next.release();
            }
        }
        return passed.toString();
    }

    @Test
    void replies_in_pieces_of_any_length_pass_unchanged() {
        List<String> lines = List.of(
                "+OK",
                "-ERR no",
                ":-12",
                "$-1",
                "$0",
                "",
                "$12",
                "*9999",
                "$9999",
                "*-1",
                "*0",
                "*2",
                "*2",
                ":1",
                "$1",
                "x",
                "%1",
                "+a",
                "*1",
                "_",
                "=5",
                "txt:a",
                "#t",
                ",1.5e300",
                "");
        String replies = String.join("\r\n", lines);
        for (int piece = 1; piece <= replies.length(); piece++) {
            // In total, far more than one reply may have.
            for (int i = 0; i < 20; i++) {
                assertThat(receive(replies, piece)).isEqualTo(replies);
            }
            assertThat(channel.isOpen()).isTrue();
            assertThat(strange.get()).isNull();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "$2000000000\r\n",
                "$99999999999999999999999999\r\n",
                "*1000000000\r\n",
                "*9223372036854775807\r\n",
                "%400\r\n",
                "*3\r\n$900\r\n",
                "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
                "HTTP/1.1 400 Bad Request\r\n",
                "\0\0",
                "\u0081"
            })
    void bytes_that_are_not_a_reply_close_the_connection_and_are_reported(String text) {
        receive(text, 5);
        if (text.startsWith("*3")) {
            receive("x".repeat(900) + "\r\n$900\r\n", 5);
        }

        assertThat(channel.isOpen()).isFalse();
        assertThat(strange.get()).isNotNull();
    }

    /** Lettuce would read other lengths than we do, or wait for the end of a line, and keep everything that follows. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "+OK\n",
                "$-1\n",
                "*1\n",
                "$1x\r\n",
                "$\r\n",
                "$-\r\n",
                "$-2\r\n",
                "$-11\r\n",
                "$-4294957296\r\n",
                "$1-\r\n",
                "$+1\r\n",
                "$ 1\r\n",
                "$1\rx\n",
                "*1x\r\n",
                "*-4294967295\r\n",
                "%x\r\n",
                "=1\r\r\n",
                "#true\r\n",
                "#\r\n",
                "#x\r\n"
            })
    void a_malformed_line_closes_the_connection_before_it_ends(String line) {
        for (int piece = 1; piece <= line.length(); piece++) {
            EmbeddedChannel one = new EmbeddedChannel(new ReplyGuard(BYTES_MAX, strange::set));
            for (int at = 0; at < line.length() && one.isOpen(); at += piece) {
                one.writeInbound(
                        Unpooled.copiedBuffer(line.substring(at, Math.min(line.length(), at + piece)), ISO_8859_1));
            }

            assertThat(one.isOpen()).isFalse();
            assertThat(strange.get()).contains("malformed");
            one.releaseInbound();
        }
    }

    @Test
    void lines_whose_content_is_not_a_length_may_contain_anything() {
        String replies = "+a\rb-1\r\n-\r\n:x1\r\n(12x\r\n,1-\r\n_\r\n#f\r\n$-1\r\n*-1\r\n%0\r\n";

        assertThat(receive(replies, 1)).isEqualTo(replies);
        assertThat(channel.isOpen()).isTrue();
    }

    @Test
    void a_line_without_an_end_closes_the_connection() {
        receive("+" + "x".repeat(2000), 100);

        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void the_first_bytes_of_another_protocol_are_reported() {
        receive("HTTP/1.1 400 Bad Request\r\n", 100);

        assertThat(strange.get()).isEqualTo("answers with HTTP; is this the store's port?");
    }
}
