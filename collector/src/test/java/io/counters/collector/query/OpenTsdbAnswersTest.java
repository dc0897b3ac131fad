package io.counters.collector.query;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.history.History;
import io.counters.collector.history.HistorySettings;
import io.counters.collector.history.Samples;
import io.counters.collector.http.HttpPort;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.Series;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.math.BigDecimal;
import java.math.MathContext;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The requests in {@code opentsdb-2.4.1.json} were sent to a real OpenTSDB that had the points in the file. The history gets
 * the same points, and the answers must be the same.
 */
@Tag("once")
@Tag("slow")
class OpenTsdbAnswersTest {
    private static final JsonObject FILE = file();
    private static final JsonObject COUNTERS = FILE.getAsJsonObject("counters");

    /** The properties of a query that OpenTSDB shows and the collector does not. */
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

    @TempDir
    static Path folder;

    private static History history;
    private static HttpPort port;

    private static JsonObject file() {
        try (Reader reader = new InputStreamReader(
                Objects.requireNonNull(OpenTsdbAnswersTest.class.getResourceAsStream("opentsdb-2.4.1.json")), UTF_8)) {
            return JsonParser.parseReader(reader).getAsJsonObject();
        } catch (IOException broken) {
            throw new AssertionError(broken);
        }
    }

    @BeforeAll
    static void keep() throws IOException {
        Metrics metrics = new Metrics();
        SaidFaults said = new SaidFaults();
        history = new History(
                new HistorySettings(folder.resolve("history.db"), 1, 1L << 40, 0, 0, 1L << 30, 100),
                said.log(),
                metrics);
        // All counters have a value at one tick, so that their names are known.
        String[] names = COUNTERS.keySet().toArray(String[]::new);
        history.put(1, new Snapshot(names, new long[names.length], names.length));
        QueryApi api = new QueryApi(
                new Catalog(history, new Series("", List.of(new Series.Tag("src", "counters")))),
                OpenTsdbAnswersTest::samples,
                1 << 30,
                () -> Instant.ofEpochSecond(1_700_010_000),
                System::nanoTime);
        port = new HttpPort(0, "none is", api.routes(), System::nanoTime, said.log(), metrics, Thread::new);
        port.start();
    }

    private static Samples samples(String counter, long from, long to) {
        List<Map.Entry<String, JsonElement>> points = COUNTERS.getAsJsonObject(counter).entrySet().stream()
                .filter(point -> Long.parseLong(point.getKey()) >= from && Long.parseLong(point.getKey()) <= to)
                .toList();
        return new Samples(
                counter,
                1,
                points.stream()
                        .mapToLong(point -> Long.parseLong(point.getKey()))
                        .toArray(),
                points.stream().mapToLong(point -> point.getValue().getAsLong()).toArray());
    }

    @AfterAll
    static void end() {
        port.close();
        history.close();
    }

    static Stream<JsonObject> asked() {
        return FILE.getAsJsonArray("asked").asList().stream().map(JsonElement::getAsJsonObject);
    }

    @ParameterizedTest
    @MethodSource("asked")
    void queries_are_answered_as_by_OpenTSDB(JsonObject asked) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:"
                + port.address().getPort() + asked.get("path").getAsString()));
        if (asked.has("body")) {
            request.POST(HttpRequest.BodyPublishers.ofString(asked.get("body").toString()));
        }
        HttpResponse<String> answer =
                HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());

        assertThat(answer.statusCode())
                .as(answer.body())
                .isEqualTo(asked.get("status").getAsInt());
        if (asked.has("answer")) {
            assertThat(comparable(JsonParser.parseString(answer.body()))).isEqualTo(comparable(asked.get("answer")));
        } else {
            assertThat(JsonParser.parseString(answer.body())
                            .getAsJsonObject()
                            .getAsJsonObject("error")
                            .get("code")
                            .getAsInt())
                    .isEqualTo(answer.statusCode());
        }
    }

    /**
     * What must be equal: results, in any order; numbers, except for their last digits; and those properties of a query that
     * we show. OpenTSDB computes percentiles with a library, so rounding may differ.
     */
    private static Object comparable(JsonElement json) {
        if (json instanceof JsonArray array) {
            List<Object> all = new ArrayList<>();
            array.forEach(one -> all.add(comparable(one)));
            boolean isResults = !array.isEmpty() && array.get(0).isJsonObject();
            return isResults
                    ? all.stream()
                            .sorted(Comparator.comparing(Object::toString))
                            .toList()
                    : all;
        }
        if (json instanceof JsonObject object) {
            Map<String, Object> all = new TreeMap<>();
            object.entrySet().forEach(one -> all.put(one.getKey(), comparable(one.getValue())));
            all.keySet().removeAll(UNSHOWN);
            return all;
        }
        if (json instanceof JsonPrimitive number && number.isNumber()) {
            return number.getAsString().contains(".")
                    ? new BigDecimal(number.getAsString())
                                    .round(new MathContext(13))
                                    .stripTrailingZeros()
                                    .toPlainString()
                            + " as a fraction"
                    : number.getAsString();
        }
        return json.toString();
    }
}
