package io.counters.collector.prometheus;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

/** A real Prometheus, of Debian's package, that scrapes a collector once a second on loopback. */
final class PrometheusServer implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern LISTENS = Pattern.compile("Listening on\" address=127\\.0\\.0\\.1:(\\d+)");

    private final HttpClient http = HttpClient.newHttpClient();
    private final Path folder;
    private final Process process;
    private final int port;

    /** Starts it with this file of alert rules. */
    PrometheusServer(Path folder, Path rules) throws IOException {
        this.folder = folder;
        Path config = folder.resolve("prometheus.yml");
        Files.writeString(config, """
                global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
                rule_files: ["%s"]
                scrape_configs:
                  - job_name: counters
                    file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]
                  - job_name: counters-users
                    metrics_path: /metrics/counters
                    file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]
                """.formatted(rules.toAbsolutePath()));
        scrape(1);
        Path log = folder.resolve("prometheus.log");
        process = new ProcessBuilder(
                        "prometheus",
                        "--config.file=" + config,
                        "--storage.tsdb.path=" + folder.resolve("tsdb"),
                        "--web.listen-address=127.0.0.1:0")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        await().atMost(PATIENCE)
                .until(() -> LISTENS.matcher(Files.readString(log)).find() || !process.isAlive());
        Matcher listens = LISTENS.matcher(Files.readString(log));
        assertThat(listens.find()).as(Files.readString(log)).isTrue();
        port = Integer.parseInt(listens.group(1));
    }

    /** Makes it scrape the collector on this port from now on, as the same instance as those before. */
    void scrape(int page) throws IOException {
        Path next = folder.resolve("targets.next");
        Files.writeString(
                next, "[{\"targets\": [\"127.0.0.1:" + page + "\"], \"labels\": {\"instance\": \"collector\"}}]");
        Files.move(next, folder.resolve("targets.json"), StandardCopyOption.ATOMIC_MOVE);
    }

    /** The results of a query. */
    List<JsonObject> query(String query) throws IOException {
        return list(
                data("/api/v1/query?query=" + URLEncoder.encode(query, UTF_8)).getAsJsonArray("result"));
    }

    /** The value of a query that has one result; NaN if it has none. */
    double value(String query) throws IOException {
        List<JsonObject> results = query(query);
        return results.size() == 1
                ? results.get(0).getAsJsonArray("value").get(1).getAsDouble()
                : Double.NaN;
    }

    /** The samples of one series in the last minutes. */
    List<Long> samples(String series) throws IOException {
        List<JsonObject> results = query(series + "[10m]");
        assertThat(results).as(series).hasSize(1);
        return StreamSupport.stream(results.get(0).getAsJsonArray("values").spliterator(), false)
                .map(sample -> sample.getAsJsonArray().get(1).getAsLong())
                .toList();
    }

    /** The alert rules that it has loaded. */
    List<JsonObject> rules() throws IOException {
        return list(data("/api/v1/rules")
                .getAsJsonArray("groups")
                .get(0)
                .getAsJsonObject()
                .getAsJsonArray("rules"));
    }

    private static List<JsonObject> list(JsonArray array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonElement::getAsJsonObject)
                .toList();
    }

    private JsonObject data(String path) throws IOException {
        try {
            URI uri = URI.create("http://127.0.0.1:" + port + path);
            JsonObject answer = JsonParser.parseString(
                            http.send(HttpRequest.newBuilder(uri).build(), ofString())
                                    .body())
                    .getAsJsonObject();
            assertThat(answer.get("status").getAsString()).as(answer.toString()).isEqualTo("success");
            return answer.getAsJsonObject("data");
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw new IOException(hurried);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        process.onExit().orTimeout(10, TimeUnit.SECONDS).join();
    }
}
