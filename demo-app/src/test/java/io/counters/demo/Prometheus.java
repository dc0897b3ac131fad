package io.counters.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.counters.testsupport.Program;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;

/** A real Prometheus on the loopback address. */
final class Prometheus implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final HttpClient WEB = HttpClient.newHttpClient();

    private final int port;
    private final Program program;

    /**
     * Starts one that also accepts remote write, and waits until it answers.
     *
     * @param folder for its configuration and its data; may contain those of an earlier one
     * @param config its configuration
     */
    Prometheus(Path folder, int port, String config) throws IOException {
        this.port = port;
        Path file = Files.writeString(folder.resolve("prometheus.yml"), config);
        program = Program.start(
                "prometheus",
                "--config.file=" + file,
                "--web.enable-remote-write-receiver",
                "--storage.tsdb.path=" + folder.resolve("prometheus"),
                "--web.listen-address=127.0.0.1:" + port);
        await("Prometheus answers").atMost(PATIENCE).until(() -> {
            try {
                return get("/-/ready").statusCode() == 200;
            } catch (IOException notYet) {
                return false;
            }
        });
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return WEB.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .timeout(Duration.ofSeconds(10))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private JsonArray query(String query) throws IOException, InterruptedException {
        String answer =
                get("/api/v1/query?query=" + URLEncoder.encode(query, UTF_8)).body();
        return JsonParser.parseString(answer)
                .getAsJsonObject()
                .getAsJsonObject("data")
                .getAsJsonArray("result");
    }

    /** The samples of the last hour of a series, by their seconds. */
    NavigableMap<Long, Long> samples(String series) throws IOException, InterruptedException {
        JsonArray results = query(series + "[1h]");
        NavigableMap<Long, Long> samples = new TreeMap<>();
        assertThat(results.size()).as(results.toString()).isLessThanOrEqualTo(1);
        for (JsonElement result : results) {
            for (JsonElement sample : result.getAsJsonObject().getAsJsonArray("values")) {
                samples.put(
                        sample.getAsJsonArray().get(0).getAsLong(),
                        sample.getAsJsonArray().get(1).getAsLong());
            }
        }
        return samples;
    }

    /**
     * What a query finds now.
     *
     * @param metric the name of the results
     * @param tags which labels of a result to return, in this order, behind that name: {@code sold,article=3,shop=7}
     */
    SortedMap<String, Long> latest(String query, String metric, String... tags)
            throws IOException, InterruptedException {
        SortedMap<String, Long> latest = new TreeMap<>();
        for (JsonElement one : query(query)) {
            JsonObject labels = one.getAsJsonObject().getAsJsonObject("metric");
            StringBuilder name = new StringBuilder(metric);
            for (String tag : tags) {
                name.append(',').append(tag).append('=').append(labels.get(tag).getAsString());
            }
            String value = one.getAsJsonObject().getAsJsonArray("value").get(1).getAsString();
            latest.put(name.toString(), new BigDecimal(value).longValueExact());
        }
        return latest;
    }

    /** Kills it with SIGKILL. */
    void kill() throws InterruptedException {
        program.kill();
    }

    @Override
    public void close() {
        program.close();
    }
}
