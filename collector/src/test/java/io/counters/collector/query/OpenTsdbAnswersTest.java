package io.counters.collector.query;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.counters.collector.history.History;
import io.counters.collector.history.HistorySettings;
import io.counters.collector.http.HttpPort;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.Series;
import io.counters.collector.self.SaidFaults;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Everything that {@code opentsdb-2.4.1.json} has was asked of a real OpenTSDB, over the points that the file has, too. The
 * history gets the same points, and must be answered alike.
 */
class OpenTsdbAnswersTest {
    private static final JsonObject FILE = file();

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
        Self self = new Self();
        SaidFaults said = new SaidFaults();
        history = new History(
                new HistorySettings(folder.resolve("history.db"), 1, 1L << 40, 0, 0, 1L << 30, 100), said.log(), self);
        ticks().forEach((second, counters) -> {
            String[] names = counters.keySet().toArray(String[]::new);
            long[] values =
                    counters.values().stream().mapToLong(Long::longValue).toArray();
            history.put(second, new Snapshot(names, values, names.length));
        });
        QueryApi api = new QueryApi(
                history,
                new Series("", List.of(new Series.Tag("src", "counters"))),
                1 << 30,
                () -> 1_700_010_000_000L,
                System::nanoTime);
        port = new HttpPort(0, "none is", api.routes(), System::nanoTime, said.log(), self, Thread::new);
        port.start();
    }

    /** The points of the file: the values of all counters that have one, by second. */
    private static Map<Long, Map<String, Long>> ticks() {
        Map<Long, Map<String, Long>> ticks = new TreeMap<>();
        FILE.getAsJsonObject("counters")
                .entrySet()
                .forEach(counter -> counter.getValue()
                        .getAsJsonObject()
                        .entrySet()
                        .forEach(point -> ticks.computeIfAbsent(Long.valueOf(point.getKey()), second -> new TreeMap<>())
                                .put(counter.getKey(), point.getValue().getAsLong())));
        return ticks;
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
    void what_is_asked_is_answered_as_by_OpenTSDB(JsonObject asked) throws Exception {
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

    /** Results in the order of their tags, numbers without their last digits, of a query that is shown what we show. */
    private static Object comparable(JsonElement json) {
        if (json instanceof JsonArray array) {
            List<Object> all = new ArrayList<>();
            array.forEach(one -> all.add(comparable(one)));
            boolean isResults = !array.isEmpty() && array.get(0).isJsonObject();
            return isResults
                    ? all.stream()
                            .sorted((a, b) -> a.toString().compareTo(b.toString()))
                            .toList()
                    : all;
        }
        if (json instanceof JsonObject object) {
            Map<String, Object> all = new TreeMap<>();
            object.entrySet().forEach(one -> all.put(one.getKey(), comparable(one.getValue())));
            return all;
        }
        return json.toString();
    }
}
