package io.counters.collector.query;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.history.History;
import io.counters.collector.history.HistorySettings;
import io.counters.collector.http.HttpPort;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.Series;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QueryApiTest {
    private static final long START = 1_700_002_800;
    private static final int TICKS = 12;
    private static final String[] COUNTERS = {
        "orders", "orders,method=card", "orders,method=cash", "orders.open", "orders/x,src=own", "z,a=" + "a".repeat(60)
    };

    @TempDir
    Path folder;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final Metrics metrics = new Metrics();
    private final SaidFaults said = new SaidFaults();

    /** The clock advances by this with each reading. */
    private final AtomicLong nanosAReading = new AtomicLong();

    private final AtomicLong nanos = new AtomicLong();
    private HttpPort port;

    @BeforeEach
    void open() throws IOException {
        port = port(history(100), 1 << 30);
    }

    private History history(int counters) {
        History history = new History(
                new HistorySettings(folder.resolve("history.db"), 10, 1L << 40, 0, 0, 1L << 30, counters),
                said.log(),
                metrics);
        opened.add(history);
        for (int tick = 0; tick < TICKS; tick++) {
            long[] values = new long[COUNTERS.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = 100L * i + tick * (i + 1L);
            }
            history.put(START + 10L * tick, new Snapshot(COUNTERS, values, values.length));
        }
        return history;
    }

    private HttpPort port(History history, long heapBytes) throws IOException {
        QueryApi api = new QueryApi(
                history,
                new Series("shop.", List.of(new Series.Tag("src", "counters"))),
                heapBytes,
                () -> Instant.ofEpochSecond(START + 110),
                () -> nanos.addAndGet(nanosAReading.get()));
        HttpPort served = new HttpPort(0, "none is", api.routes(), System::nanoTime, said.log(), metrics, Thread::new);
        served.start();
        opened.add(0, served);
        return served;
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    private HttpResponse<String> ask(String path, String body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + port.address().getPort() + path))
                .timeout(Duration.ofSeconds(30));
        if (!body.isEmpty()) {
            request.POST(HttpRequest.BodyPublishers.ofString(body.replace('\'', '"')));
        }
        return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private String answer(String path, String body) throws Exception {
        HttpResponse<String> answer = ask(path, body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return JsonParser.parseString(answer.body()).toString().replace('"', '\'');
    }

    private void assertRefused(String path, String body, int status, String... words) throws Exception {
        HttpResponse<String> answer = ask(path, body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        JsonObject error =
                JsonParser.parseString(answer.body()).getAsJsonObject().getAsJsonObject("error");
        assertThat(error.get("code").getAsInt()).isEqualTo(status);
        assertThat(error.get("message").getAsString()).contains(words);
    }

    private static String query(String options) {
        return "{'start':" + START + ",'end':" + (START + 20) + ",'queries':[{" + options + "}]}";
    }

    @Test
    void series_have_the_prefix_and_the_tags_that_OpenTSDB_has() throws Exception {
        assertThat(answer("/api/query", query("'metric':'shop.orders','aggregator':'sum','tags':{'method':'*'}")))
                .isEqualTo("[{'metric':'shop.orders','tags':{'method':'card','src':'counters'},'aggregateTags':[],"
                        + "'dps':{'1700002800':100,'1700002810':102,'1700002820':104}},"
                        + "{'metric':'shop.orders','tags':{'method':'cash','src':'counters'},'aggregateTags':[],"
                        + "'dps':{'1700002800':200,'1700002810':203,'1700002820':206}}]");
        assertThat(answer("/api/query", query("'metric':'shop.orders/x','aggregator':'sum','tags':{'src':'own'}")))
                .contains("'1700002810':405");
    }

    @Test
    void a_metric_has_no_series_of_longer_names() throws Exception {
        assertThat(answer("/api/query?arrays=true", query("'metric':'shop.orders','aggregator':'count'")))
                .isEqualTo("[{'metric':'shop.orders','tags':{'src':'counters'},'aggregateTags':['method'],"
                        + "'dps':[[1700002800,3],[1700002810,3],[1700002820,3]]}]");
    }

    @Test
    void series_without_a_tag_can_be_queried() throws Exception {
        assertThat(answer(
                        "/api/query",
                        query("'metric':'shop.orders','aggregator':'sum','filters':"
                                + "[{'type':'not_key','tagk':'method','filter':'','groupBy':true}]")))
                .isEqualTo("[{'metric':'shop.orders','tags':{'src':'counters'},'aggregateTags':[],"
                        + "'dps':{'1700002800':0,'1700002810':1,'1700002820':2}}]");
    }

    @Test
    void times_ago_are_counted_from_now() throws Exception {
        assertThat(answer(
                        "/api/query",
                        "{'start':'25s-ago','queries':[{'metric':'shop.orders.open','aggregator':'sum'}]}"))
                .contains("'dps':{'1700002890':336,'1700002900':340,'1700002910':344}");
    }

    @Test
    void a_value_that_is_not_a_number_is_in_quotes_or_null() throws Exception {
        String orders = "'metric':'shop.orders.open','aggregator':'sum','downsample':'5s-sum-";
        assertThat(answer("/api/query?arrays=true", query(orders + "nan'")))
                .contains("[1700002800,300.0],[1700002805,'NaN'],[1700002810,304.0]");
        assertThat(answer("/api/query?arrays=true", query(orders + "null'"))).contains("[1700002805,null]");
    }

    @Test
    void names_are_suggested() throws Exception {
        assertThat(answer("/api/suggest?type=metrics&q=shop.or&max=2", ""))
                .isEqualTo("['shop.orders','shop.orders.open']");
        assertThat(answer("/api/suggest?type=metrics&q=sh", "")).contains("'shop.z'");
        assertThat(answer("/api/suggest?type=metrics&q=other", "")).isEqualTo("[]");
        assertThat(answer("/api/suggest?type=tagk", "")).isEqualTo("['a','method','src']");
        assertThat(answer("/api/suggest?type=tagv&q=ca&max=1", "")).isEqualTo("['card']");
    }

    @ParameterizedTest
    @CsvSource({"shop.orders{method=*}, 2", "shop.orders, 3", "'shop.orders{src=counters,method=cash}', 1"})
    void series_are_looked_up(String m, int found) throws Exception {
        JsonObject answer = JsonParser.parseString(
                        answer("/api/search/lookup?limit=100&m=" + URLEncoder.encode(m, StandardCharsets.UTF_8), "")
                                .replace('\'', '"'))
                .getAsJsonObject();

        assertThat(answer.getAsJsonArray("results")).hasSize(found);
        assertThat(answer.getAsJsonArray("results").toString()).contains("\"method\":\"cash\"");
    }

    @Test
    void aggregators_and_filters_are_listed() throws Exception {
        assertThat(JsonParser.parseString(ask("/api/aggregators", "").body()).getAsJsonArray())
                .hasSize(35);
        assertThat(JsonParser.parseString(ask("/api/config/filters", "").body())
                        .getAsJsonObject()
                        .keySet())
                .containsExactlyInAnyOrder(
                        "literal_or",
                        "iliteral_or",
                        "not_literal_or",
                        "not_iliteral_or",
                        "wildcard",
                        "iwildcard",
                        "regexp",
                        "not_key");
    }

    @Test
    void a_point_is_refused_with_the_right_place_for_it() throws Exception {
        assertRefused("/api/put?details", "[{'metric':'x'}]", 403, "accepts no points", "UDP");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "'metric':'orders'; No such name for 'metrics': \"orders\"",
                "'metric':'shop.orders','aggregator':'x'; queries[0].aggregator is \"x\"",
                "'metric':'shop.orders','downsample':'1dc-sum'; calendar",
                "'metric':'shop.orders','downsample':'1m-avg-scalar'; allowed are none, zero, nan and null",
                "'metric':'shop.orders','tags':{'method':'none'}; No such name for 'tagv': \"none\"",
                "'metric':'shop.orders','tags':{'nokey':'*'}; No such name for 'tagk': \"nokey\"",
                "'metric':'shop.orders','filters':[{'type':'x','tagk':'a'}]; queries[0].filters[0]",
                "'metric':'shop.orders','filters':[{'type':'regexp','tagk':'a','filter':'('}]; regular expression",
                "'metric':'shop.orders','tsuids':['000001']; use metric and tags",
                "'metric':['shop.orders']; not the JSON of a query, at $.queries[0].metric"
            })
    void an_error_in_a_query_is_answered_with_its_place_and_its_rule(String options, String words) throws Exception {
        String aggregator = options.contains("aggregator") ? "" : ",'aggregator':'sum'";

        assertRefused("/api/query", query(options + aggregator), 400, words);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "x",
                "[]",
                "{}",
                "{'start':1}",
                "{'start':1,'queries':[]}",
                "{'start':1,'queries':[{'metric':'shop.orders','aggregator':'sum'}]} more",
                "{'start':1,'delete':true,'queries':[{'metric':'shop.orders','aggregator':'sum'}]}",
                "{'start':'x-ago','queries':[{'metric':'shop.orders','aggregator':'sum'}]}",
                "{'start':99999999999999,'queries':[{'metric':'shop.orders','aggregator':'sum'}]}"
            })
    void a_body_that_is_not_a_query_is_refused(String body) throws Exception {
        assertRefused("/api/query", body, 400, "");
    }

    @Test
    void too_many_points_are_refused_with_the_remedy() throws Exception {
        String filled = "'metric':'shop.orders','aggregator':'sum','downsample':'1ms-sum-zero'";

        assertRefused("/api/query", "{'start':1,'queries':[{" + filled + "}]}", 413, "points", "-Xmx");

        port = port(history(100), 20 * 32 * 3 * 75);
        assertThat(ask("/api/query", query("'metric':'shop.orders','aggregator':'sum'"))
                        .statusCode())
                .isEqualTo(200);
        port = port(history(100), 20 * 32 * 3 * 65);
        assertRefused("/api/query", query("'metric':'shop.orders','aggregator':'sum'"), 413, "points", "-Xmx");
    }

    @Test
    void a_query_that_takes_too_long_is_stopped() throws Exception {
        nanosAReading.set(TimeUnit.SECONDS.toNanos(6));

        assertRefused("/api/query", query("'metric':'shop.orders','aggregator':'sum'"), 503, "10 s", "shorter time");
    }

    /** So many years are 34 days less than none, if they are computed in 64 bits. */
    @ParameterizedTest
    @ValueSource(strings = {"301y", "300000000y", "74287687004y", "999999999999d"})
    void a_duration_that_exceeds_64_bits_is_refused_and_cannot_occupy_a_worker_forever(String duration)
            throws Exception {
        String orders = "'metric':'shop.orders','aggregator':'sum'";
        String end = "'end':" + (START + 7_000_000);

        assertRefused(
                "/api/query",
                "{'start':1," + end + ",'queries':[{" + orders + ",'downsample':'" + duration + "-sum'}]}",
                400,
                "queries[0].downsample is",
                "at most 300 years");
        assertRefused("/api/query", "{'start':'" + duration + "-ago','queries':[{" + orders + "}]}", 400, "300 years");
        assertThat(answer("/api/query", "{'start':'300y-ago','queries':[{" + orders + ",'downsample':'300y-count'}]}"))
                .contains("'dps':{'0':");
    }

    @Test
    void a_metric_with_tags_in_it_is_unknown() throws Exception {
        assertRefused(
                "/api/query",
                query("'metric':'shop.orders,method=card','aggregator':'sum'"),
                400,
                "No such name for 'metrics': \"shop.orders,method=card\"");
    }

    @Test
    void series_count_even_if_no_point_of_them_is_read() throws Exception {
        port = port(history(100), 20 * 32 * 30 * 2);
        assertRefused("/api/search/lookup?m=shop.orders", "", 413, "-Xmx");
        port = port(history(100), 20 * 32 * 30 * 3);
        assertThat(answer("/api/search/lookup?m=shop.orders", "")).contains("cash");
    }

    /** One reading for the deadline, one for the names, and one for each of three series. */
    @Test
    void filters_of_many_series_that_take_too_long_are_stopped() throws Exception {
        nanosAReading.set(TimeUnit.SECONDS.toNanos(3));

        assertRefused("/api/search/lookup?m=shop.orders", "", 503, "10 s");
    }

    @Test
    void a_rate_of_another_kind_is_refused() throws Exception {
        String rate = URLEncoder.encode("sum:rate{kounter}:shop.orders", StandardCharsets.UTF_8);

        assertRefused("/api/query?start=1h-ago&m=" + rate, "", 400, "rate{kounter}; it must be rate, rate{counter}");
    }

    /** On a text of 60 letters this expression would run for years. */
    @Test
    void a_regular_expression_cannot_occupy_a_worker_forever() throws Exception {
        nanosAReading.set(TimeUnit.MILLISECONDS.toNanos(100));

        // Java remembers what it has tried, but not in expressions that refer to a group.
        String filter = "[{'type':'regexp','tagk':'a','filter':'(a|aa)+\\\\1b'}]";

        assertRefused(
                "/api/query",
                query("'metric':'shop.z','aggregator':'sum','filters':" + filter),
                503,
                "regular expression");
    }

    @Test
    void without_a_history_the_answer_names_the_setting() throws Exception {
        port = port(history(0), 1 << 30);

        assertRefused(
                "/api/query", query("'metric':'shop.orders','aggregator':'sum'"), 400, "--history-counters 20000");
        assertThat(answer("/api/suggest?type=metrics", "")).isEqualTo("[]");
    }

    @Test
    void the_queries_of_the_dashboards_panels_are_answered() throws Exception {
        JsonObject dashboard = JsonParser.parseString(Files.readString(Path.of("../docs/grafana/dashboard.json")))
                .getAsJsonObject();
        int asked = 0;
        for (JsonElement panel : dashboard.getAsJsonArray("panels")) {
            for (JsonElement element : panel.getAsJsonObject().getAsJsonArray("targets")) {
                JsonObject target = element.getAsJsonObject();
                String rate = target.get("shouldComputeRate").getAsBoolean()
                        ? ",'rate':true,'rateOptions':{'counter':" + target.get("isCounter") + ",'dropResets':true}"
                        : "";

                assertThat(answer(
                                "/api/query?arrays=true",
                                query("'metric':'shop.orders','aggregator':" + target.get("aggregator")
                                        + ",'downsample':'10s-"
                                        + target.get("downsampleAggregator").getAsString() + "'" + rate)))
                        .contains("1700002820,");
                asked++;
            }
        }
        assertThat(asked).isEqualTo(3);
    }
}
