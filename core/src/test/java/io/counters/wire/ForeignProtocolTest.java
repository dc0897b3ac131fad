package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ForeignProtocolTest {
    private static boolean isHttp(String line) {
        byte[] in = ("x\n" + line + "\nx").getBytes(ISO_8859_1);
        return ForeignProtocol.isHttp(in, 2, in.length - 2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST / HTTP/1.1",
                "POST /orders.placed:1|c HTTP/1.1",
                "GET /a:1|c| HTTP/1.1",
                "GET / HTTP/1.1\r",
                "GET http://127.0.0.1:11212/ HTTP/1.1",
                "HEAD /x HTTP/1.0",
                "PUT /x HTTP/1.1",
                "DELETE /x HTTP/1.1",
                "PATCH /x HTTP/1.1",
                "TRACE /x HTTP/1.1",
                "OPTIONS * HTTP/1.1",
                "OPTIONS * HTTP/2",
                "CONNECT shop.example:443 HTTP/1.1\r",
                "Host: 127.0.0.1:11212",
                "host: a\r",
                "HOST:127.0.0.1:11212",
                "Host:",
                "Host: a:1|c",
                "Origin: null",
                "Referer: http://shop.example/",
                "User-Agent: Mozilla/5.0",
                "Content-Type: text/plain;charset=UTF-8",
                "content-length: 33",
                "Content-Length:33",
                "Accept: */*",
                "Accept: 1|c",
                "Accept-Language:\tde",
                "Connection: keep-alive",
                "Cookie: a=b",
                "Cache-Control: no-cache",
                "Transfer-Encoding: chunked",
                "Upgrade-Insecure-Requests: 1",
                "Sec-Fetch-Mode: no-cors",
                "\u0016\u0003\u0001\u0002\u0000\u0001",
            })
    void a_line_of_HTTP_is_recognized(String line) {
        assertThat(isHttp(line)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\r",
                "G",
                "GET",
                "GET ",
                "get.orders:1|c",
                "get orders:1|c",
                "GET /users:12|ms",
                "GET /users HTTP/1.1:12|ms",
                "GET /users HTTP/2:1|c",
                "GET /a HTTP/x",
                "GET /\r",
                "get /x",
                "get / HTTP/1.1",
                "put /x:1|c",
                "PUT /x:1|c",
                "delete /orders/1:3|c",
                "DELETE /orders/1:3|c",
                "GET http://shop.example/:1|c",
                "get http_requests:1|c",
                "GET http_requests:1|c",
                "post:1|c",
                "host:1|c",
                "host:-1.5|g|#a:b c",
                "Connection:3|ms|@0.1",
                "accept-rate:1|c",
                "accepted: 1|c",
                "sec-x:1|c",
                "content.type:1|c",
                "connections:5",
                "origin.hits:1|c",
                "hostname: x",
                "increment orders.placed 1",
                "increment host 1",
                "decrement connection",
                "from 0123456789abcdef 1 1",
                "signed a 1 0",
                "orders.placed HTTP/1.1",
                "options none",
                "_host: a",
                "\u0016",
                "\u0016\u0004",
                "\u00aa\u0003",
                "\u00e7ontent-type: a",
            })
    void a_StatsD_line_or_a_command_is_not_recognized_as_HTTP(String line) {
        assertThat(isHttp(line)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET /x", "POST http://shop.example/", "PUT /x:1|c"})
    void a_cut_line_with_a_method_and_a_path_is_recognized(String line) {
        byte[] in = line.getBytes(ISO_8859_1);
        StringBuilder longer = new StringBuilder(line);
        while (longer.length() <= CommandReader.LINE_BYTES_MAX) {
            longer.append('x');
        }

        assertThat(ForeignProtocol.isHttp(in, 0, in.length, false)).isTrue();
        assertThat(ForeignProtocol.isHttp(in, 0, in.length, true)).isFalse();
        assertThat(isHttp(longer.toString())).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"host:", "Accept-Encoding:", "GET "})
    void of_a_line_that_is_too_long_only_the_beginning_decides(String begin) {
        String line = begin + "x".repeat(CommandReader.LINE_BYTES_MAX + 1 - begin.length());

        assertThat(isHttp(line + "xx|c HTTP/1.1")).isEqualTo(isHttp(line));
        assertThat(isHttp(line + "|c")).isEqualTo(isHttp(line));
        assertThat(isHttp(line)).isEqualTo(begin.endsWith(":"));
    }

    @Test
    void TLS_is_recognized_whatever_follows_its_first_two_bytes() {
        byte[] in = {22, 3, 0, 0, 'a'};

        for (int next = 0; next < 1 << 16; next++) {
            in[2] = (byte) (next >> 8);
            in[3] = (byte) next;
            assertThat(ForeignProtocol.isHttp(in, 0, in.length)).isTrue();
        }
    }

    @Test
    void any_bytes_are_checked_without_an_exception() {
        Random random = new Random(1);
        byte[] in = new byte[40];

        assertThatCode(() -> {
                    for (int i = 0; i < 100_000; i++) {
                        random.nextBytes(in);
                        ForeignProtocol.isHttp(in, random.nextInt(20), 20 + random.nextInt(21), random.nextBoolean());
                    }
                })
                .doesNotThrowAnyException();
    }
}
