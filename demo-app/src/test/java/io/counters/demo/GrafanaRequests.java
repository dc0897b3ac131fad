package io.counters.demo;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What Grafana's OpenTSDB data source sends, in the form of its old front end (several queries, milliseconds) and of its new
 * back end (one query, seconds, {@code arrays=true} for version 2.4), with every option that its editor has.
 */
final class GrafanaRequests {
    static final List<String> COUNTERS = List.of(
            "grafana.orders,host=web01,method=card",
            "grafana.orders,host=web01,method=cash",
            "grafana.orders,host=web02,method=card",
            "grafana.orders,host=web02",
            "grafana.orders,host=webC3,method=cash");

    private static final HttpClient WEB = HttpClient.newHttpClient();

    /** Of a query that is shown, what only OpenTSDB has. */
    private static final Set<String> UNSHOWN = Set.of(
            "tsuids",
            "percentiles",
            "rateOptions",
            "filterTagKs",
            "useFuzzyFilter",
            "preAggregate",
            "rollupUsage",
            "rollupTable",
            "showHistogramBuckets",
            "useMultiGets",
            "histogramQuery");

    private final long start;
    private final long end;
    private final List<Asked> all = new ArrayList<>();

    /** A request; its body is empty for a GET. */
    record Asked(String path, String body) {}

    /** What must be equal of an answer. */
    record Answer(int status, Object body) {}

    /**
     * @param start the first second that is asked for
     * @param end the last one
     */
    GrafanaRequests(long start, long end) {
        this.start = start;
        this.end = end;
    }

    List<Asked> all() {
        aggregators();
        downsamples();
        rates();
        filters();
        several();
        mistakes();
        for (String path : List.of(
                "/api/suggest?type=metrics&q=grafana.&max=1000",
                "/api/suggest?type=tagk&q=m&max=1000",
                "/api/suggest?type=tagv&q=web&max=1000")) {
            all.add(new Asked(path, ""));
        }
        return all;
    }

    private void aggregators() {
        for (String aggregator : List.of(
                "sum",
                "avg",
                "min",
                "max",
                "count",
                "dev",
                "zimsum",
                "mimmin",
                "mimmax",
                "pfsum",
                "first",
                "last",
                "diff",
                "none",
                "median",
                "mult",
                "squareSum",
                "p50",
                "p75",
                "p95",
                "p999",
                "ep90r3",
                "ep90r7")) {
            both(aggregator, "");
        }
    }

    private void downsamples() {
        for (String downsample : List.of(
                "2s-avg",
                "3s-sum",
                "5s-max",
                "2s-avg-nan",
                "3s-avg-null",
                "4s-sum-zero",
                "500ms-avg-null",
                "1s-last",
                "0all-sum",
                "5s-p95")) {
            both("sum", ",'downsample':'" + downsample + "'");
            both("avg", ",'downsample':'" + downsample + "','tags':{'host':'*'}");
        }
    }

    private void rates() {
        for (String options : List.of(
                "{'counter':false}",
                "{'counter':true,'dropResets':true}",
                "{'counter':true,'counterMax':65535}",
                "{'counter':true,'counterMax':65535,'resetValue':100}",
                "{'counter':true,'resetValue':0,'dropResets':true}")) {
            both("sum", ",'rate':true,'rateOptions':" + options);
            both("sum", ",'downsample':'2s-avg','rate':true,'rateOptions':" + options + ",'tags':{'host':'*'}");
            both("max", ",'downsample':'2s-max-zero','rate':true,'rateOptions':" + options);
        }
    }

    private void filters() {
        for (String tags : List.of(
                "{'host':'web01'}",
                "{'host':'*','method':'*'}",
                "{'host':'web01|web02'}",
                "{'host':'WEB*'}",
                "{'host':'regexp(0[12])','via':'*'}")) {
            both("sum", ",'tags':" + tags);
            both("sum", ",'tags':" + tags + ",'explicitTags':true");
        }
        for (String filter : List.of(
                "literal_or host web01|web02",
                "iliteral_or host WEB01|webc3",
                "not_literal_or host web01",
                "not_iliteral_or host WEB01",
                "wildcard host web*",
                "wildcard host *02",
                "iwildcard host w*C3",
                "regexp host ^web0",
                "not_literal_or method card")) {
            String[] parts = filter.split(" ", -1);
            for (boolean isGroupBy : new boolean[] {false, true}) {
                String json = "{'filter':'" + parts[2] + "','groupBy':" + isGroupBy + ",'tagk':'" + parts[1]
                        + "','type':'" + parts[0] + "'}";
                both("sum", ",'filters':[" + json + "]");
                both(
                        "sum",
                        ",'filters':[" + json
                                + ",{'filter':'*','groupBy':true,'tagk':'via','type':'wildcard'}],'explicitTags':true");
            }
        }
    }

    /** A panel with several lines, of which one comes twice. */
    private void several() {
        String orders = query("grafana.orders", "sum", ",'downsample':'2s-avg'");
        String late = query("grafana.late", "max", ",'tags':{'host':'*'}");
        for (String more : List.of(
                ",'msResolution':false,'globalAnnotations':true",
                ",'msResolution':true,'globalAnnotations':true",
                ",'msResolution':false,'globalAnnotations':true,'showQuery':true")) {
            post(
                    "/api/query",
                    "{'start':" + start + "000,'queries':[" + orders + "," + late + "," + orders + "]" + more
                            + ",'end':" + end + "999}");
        }
        late(",'rate':true,'rateOptions':{'counter':false}");
        late("");
        late(",'downsample':'2s-sum-nan'");
    }

    private void late(String options) {
        post("/api/query", one(query("grafana.late", "sum", options)));
    }

    private void mistakes() {
        post("/api/query", one(query("grafana.unknown", "sum", "")));
        post("/api/query", one(query("grafana.orders", "unknown", "")));
        post("/api/query", one(query("grafana.orders", "sum", ",'tags':{'host':'unknown'}")));
        post("/api/query", one(query("grafana.orders", "sum", ",'tags':{'unknown':'*'}")));
        post("/api/query", one(query("grafana.orders", "sum", ",'downsample':'10x-avg'")));
    }

    /** As the front end sends it, as the back end does to an OpenTSDB of 2.3, and to one of 2.4. */
    private void both(String aggregator, String options) {
        String query = query("grafana.orders", aggregator, options);
        post(
                "/api/query",
                "{'start':" + start + "000,'queries':[" + query
                        + "],'msResolution':true,'globalAnnotations':true,'end':" + end + "000}");
        post("/api/query?arrays=true", one(query));
    }

    private String one(String query) {
        return "{'start':" + start + ",'end':" + end + ",'queries':[" + query + "]}";
    }

    private static String query(String metric, String aggregator, String options) {
        return "{'metric':'" + metric + "','aggregator':'" + aggregator + "'" + options + "}";
    }

    private void post(String path, String body) {
        all.add(new Asked(path, body.replace('\'', '"')));
    }

    /** The newest second of which a server has points of all counters. */
    long newest(String server) throws IOException, InterruptedException {
        HttpResponse<String> answer = send(
                server,
                new Asked(
                        "/api/query",
                        one(query("grafana.orders", "none", ""))
                                .replace("" + end, "" + (end + 1000))
                                .replace('\'', '"')));
        long newest = Long.MAX_VALUE;
        JsonArray results = JsonParser.parseString(answer.body()).getAsJsonArray();
        for (JsonElement result : results) {
            newest = Math.min(
                    newest,
                    result.getAsJsonObject().getAsJsonObject("dps").keySet().stream()
                            .mapToLong(Long::parseLong)
                            .max()
                            .orElse(0));
        }
        return results.size() < COUNTERS.size() ? 0 : newest;
    }

    static Answer ask(String server, Asked asked) throws IOException, InterruptedException {
        HttpResponse<String> answer = send(server, asked);
        JsonElement body = JsonParser.parseString(answer.body());
        // The words of an error are our own.
        return new Answer(
                answer.statusCode(),
                answer.statusCode() == 200
                        ? comparable(body)
                        : body.getAsJsonObject()
                                .getAsJsonObject("error")
                                .get("code")
                                .getAsInt());
    }

    private static HttpResponse<String> send(String server, Asked asked) throws IOException, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(server + asked.path())).timeout(Duration.ofSeconds(20));
        if (!asked.body().isEmpty()) {
            request.header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(asked.body()));
        }
        return WEB.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Results in any order; fractions but for their last digits, where rounding may differ. */
    private static Object comparable(JsonElement json) {
        if (json instanceof JsonArray array) {
            List<Object> elements = new ArrayList<>();
            array.forEach(one -> elements.add(comparable(one)));
            boolean isResults = !array.isEmpty() && array.get(0).isJsonObject();
            return isResults
                    ? elements.stream()
                            .sorted(Comparator.comparing(Object::toString))
                            .toList()
                    : elements;
        }
        if (json instanceof JsonObject object) {
            Map<String, Object> members = new TreeMap<>();
            object.entrySet().forEach(one -> members.put(one.getKey(), comparable(one.getValue())));
            members.keySet().removeAll(UNSHOWN);
            return members;
        }
        boolean isFraction = json instanceof JsonPrimitive number
                && number.isNumber()
                && number.getAsString().contains(".");
        return isFraction
                ? new BigDecimal(json.getAsString())
                                .round(new MathContext(13))
                                .stripTrailingZeros()
                                .toPlainString() + " as a fraction"
                : json.toString();
    }
}
