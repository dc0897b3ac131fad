package io.counters.collector.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.http.Browser.Reply;
import io.counters.collector.http.Route.Work;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class RouteTest {
    private ServedRoutes served;

    @BeforeEach
    void open() throws IOException {
        served = new ServedRoutes(
                Route.get("/api/things", Work.SOME, RouteTest::things),
                Route.get("/api/things/*", Work.NONE, request -> told("thing", request)),
                Route.delete("/api/things/*", Work.SOME, request -> told("deleted", request)),
                Route.get("/api/things/*/history", Work.NONE, request -> told("history", request)),
                Route.post("/api/query", 64 * 1024, Work.SOME, RouteTest::length),
                Route.get("/plain", Work.NONE, request -> {
                    request.allow();
                    return Response.plain(200, "plain\n");
                }),
                Route.get("/refuses-none", Work.NONE, RouteTest::refuses),
                Route.get("/refuses-some", Work.SOME, RouteTest::refuses),
                Route.get("/refuses-much", Work.MUCH, RouteTest::refuses),
                Route.get("/refuses-disk", Work.DISK, RouteTest::refuses),
                Route.file("/page.js", RouteTest.class, "/io/counters/collector/dashboard/page/main.js"));
    }

    @AfterEach
    void close() throws IOException {
        served.close();
    }

    private static Response told(String what, Request request) {
        return Response.plain(200, request.method() + " " + what + " " + request.rest());
    }

    private static Response things(Request request) {
        request.allow("q", "tag", "limit");
        long limit = request.number("limit", 1, 100, 7);
        String q = request.parameter("q");
        return Response.json(json -> {
            json.beginObject().name("q").value(q).name("tags").beginArray();
            for (String tag : request.parameters("tag")) {
                json.value(tag);
            }
            json.endArray().name("limit").value(limit).name("accept").value(request.header("accept"));
            json.endObject();
            return false;
        });
    }

    private static Response length(Request request) {
        return Response.plain(200, request.body().length + " " + new String(request.body(), UTF_8).hashCode());
    }

    private static Response refuses(Request request) {
        throw new RequestException(409, "not now; try later");
    }

    // Paths

    @ParameterizedTest
    @CsvSource({
        "GET,    /api/things/a,                   GET thing a",
        "GET,    /api/things/a%2Fb%2Cx%3D1,       'GET thing a/b,x=1'",
        "GET,    /api/things/a/b,                 GET thing a/b",
        "GET,    /api/things/a+b,                 GET thing a+b",
        "GET,    /api/things/a?x=1,               GET thing a",
        "GET,    /api/things//,                   GET thing /",
        "GET,    /api/things/caf%C3%A9,           GET thing cafÃ©",
        "GET,    /api/things/a/history,           GET history a",
        "GET,    /api/things/a%2Fhistory,         GET thing a/history",
        "GET,    /api/things/a/b/history,         GET history a/b",
        "GET,    /api/things/history,             GET thing history",
        "GET,    /api/things/history/history,     GET history history",
        "DELETE, /api/things/a%2Fhistory,         DELETE deleted a/history",
    })
    void a_star_stands_for_the_decoded_rest_of_the_path(String method, String path, String body) throws IOException {
        assertThat(served.ask(method, path).body()).isEqualTo(body);
    }

    @Test
    void a_path_has_the_methods_of_its_own_routes_and_of_no_shorter_one() throws IOException {
        Reply both = served.ask("POST", "/api/things/a");
        Reply onlyRead = served.ask("DELETE", "/api/things/a/history");

        assertThat(both.status()).isEqualTo(405);
        assertThat(both.headers()).containsEntry("allow", "GET, HEAD, DELETE");
        assertThat(onlyRead.status()).isEqualTo(405);
        assertThat(onlyRead.headers()).containsEntry("allow", "GET, HEAD");
        assertThat(onlyRead.body()).contains("/api/things/*/history takes GET, HEAD only");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api/things/", "/api/thing", "/api/things/%2"})
    void an_unknown_path_below_api_is_an_error_in_json(String path) throws IOException {
        Reply refused = served.ask("GET", path);

        assertThat(refused.status()).isIn(404, 400);
        assertThat(refused.headers()).containsEntry("content-type", "application/json");
        assertThat(refused.body()).startsWith("{\"error\":{\"code\":" + refused.status() + ",\"message\":\"");
    }

    @Test
    void a_delete_from_another_site_is_refused() throws IOException {
        Reply refused = served.ask("DELETE", "/api/things/a", "Origin: http://evil.example");

        assertThat(refused.status()).isEqualTo(403);
        assertThat(refused.body()).startsWith("{\"error\":{\"code\":403,");
        assertThat(served.counted("http_refused_total{reason=\"site\"}")).isEqualTo(1);
    }

    // Parameters

    @Test
    void parameters_are_decoded_and_may_be_repeated() throws IOException {
        assertThat(served.ask("GET", "/api/things", "Accept: x/y").body())
                .isEqualTo("{\"q\": null, \"tags\": [], \"limit\": 7, \"accept\": \"x/y\"}\n");
        assertThat(served.ask("GET", "/api/things?q=a+b%2Bc;d&tag=%22&tag=&limit=100&tag=x=y")
                        .body())
                .isEqualTo("{\"q\": \"a b+c;d\", \"tags\": [\"\\\"\", \"\", \"x=y\"], \"limit\": 100,"
                        + " \"accept\": null}\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "limit=0|the parameter limit is \"0\"; it must be a whole number from 1 to 100",
                "limit=101|the parameter limit is \"101\"; it must be a whole number from 1 to 100",
                "limit=|the parameter limit is \"\"; it must be a whole number from 1 to 100",
                "limit=1e1|the parameter limit is \"1e1\"; it must be a whole number from 1 to 100",
                "limit=99999999999999999999|it must be a whole number from 1 to 100",
                "limit=1&limit=1|the parameter limit is given 2 times; give it once",
                "lim%0Ait=1|the parameter \"lim?it\" is unknown; /api/things takes limit, q, tag",
                "q=%zz|the request's path or query \"/api/things?q=%zz\" cannot be decoded",
                "q=%|write a percent sign as %25",
            })
    void a_wrong_parameter_is_400_with_place_value_and_rule(String query, String message) throws IOException {
        Reply refused = served.ask("GET", "/api/things?" + query);

        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.body())
                .startsWith("{\"error\":{\"code\":400,\"message\":\"")
                .endsWith("\"}}\n")
                .contains(message.replace("\"", "\\\""));
    }

    @Test
    void outside_of_api_errors_are_plain_text() throws IOException {
        Reply refused = served.ask("GET", "/plain?x=1");

        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.headers()).containsEntry("content-type", "text/plain; charset=utf-8");
        assertThat(refused.body()).isEqualTo("the parameter \"x\" is unknown; /plain takes none\n");
    }

    @ParameterizedTest
    @EnumSource(Work.class)
    void a_refusal_by_a_route_is_the_answer_and_not_an_internal_error(Work work) throws IOException {
        Reply refused = served.ask("GET", "/refuses-" + work.name().toLowerCase(java.util.Locale.ROOT));

        assertThat(refused.status()).isEqualTo(409);
        assertThat(refused.body()).isEqualTo("not now; try later\n");
        assertThat(served.counted("http_errors_total")).isZero();
        assertThat(served.said.lines()).isEmpty();
    }

    // Bodies

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 8193, 65_536})
    void a_route_gets_a_body_up_to_its_own_length(int length) throws IOException {
        String body = "xyz".repeat(length / 3 + 1).substring(0, length);

        Reply reply = served.browser()
                .send("POST /api/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + "\r\n\r\n" + body)
                .reply();

        assertThat(reply.body()).isEqualTo(length + " " + body.hashCode());
    }

    @Test
    void bodies_of_pipelined_requests_are_not_mixed_up() throws IOException {
        Browser browser = served.browser();
        String head = "POST /api/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n";

        browser.send(head + "abc" + head + "xyz" + "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n");

        assertThat(browser.reply().body()).isEqualTo("3 " + "abc".hashCode());
        assertThat(browser.reply().body()).isEqualTo("3 " + "xyz".hashCode());
        assertThat(browser.reply().body()).isEqualTo("plain\n");
    }

    @Test
    void a_body_beyond_the_limit_of_its_route_is_413() throws IOException {
        Reply refused = served.browser()
                .send("POST /api/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n"
                        + "x".repeat(65_537))
                .reply();

        assertThat(refused.status()).isEqualTo(413);
        assertThat(refused.body())
                .isEqualTo(
                        "{\"error\":{\"code\":413,\"message\":\"the body is too large; at most 65536 bytes are allowed"
                                + " here\"}}\n");
        assertThat(served.counted("http_refused_total{reason=\"too_large\"}")).isEqualTo(1);
    }

    // Files

    @Test
    void a_file_has_its_type_and_is_not_loaded_twice() throws IOException {
        Reply first = served.ask("GET", "/page.js");

        assertThat(first.status()).isEqualTo(200);
        assertThat(first.headers())
                .containsEntry("content-type", "text/javascript; charset=utf-8")
                .containsEntry("x-content-type-options", "nosniff")
                .containsEntry("cache-control", "no-cache")
                .hasEntrySatisfying(
                        "content-security-policy",
                        policy -> assertThat(policy).startsWith("default-src 'none'; script-src 'self';"));
        Browser browser = served.browser();
        Reply again = browser.ask(
                        "GET", "/page.js", "If-None-Match: " + first.headers().get("etag"))
                .reply(false);
        assertThat(again.status()).isEqualTo(304);
        assertThat(again.headers()).containsEntry("etag", first.headers().get("etag"));
        assertThat(browser.ask("GET", "/page.js", "If-None-Match: \"other\"")
                        .reply()
                        .body())
                .isEqualTo(first.body());
    }

    @Test
    void a_file_that_the_jar_lacks_fails_the_start() {
        assertThatThrownBy(() -> Route.file("/none.js", RouteTest.class, "none.js"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("none.js");
    }
}
