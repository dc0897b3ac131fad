package io.counters.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A real VictoriaMetrics on the loopback address, instead of an OpenTSDB. */
final class VictoriaMetrics implements AutoCloseable {
    private static final Pattern SERIES =
            Pattern.compile("\\{\"metric\":(\\{.*?}),\"values\":\\[(.*?)],\"timestamps\":\\[(.*?)]}");

    private final int openTsdbPort;
    private final int queryPort;
    private final Program program;
    private final HttpClient web = HttpClient.newHttpClient();

    private VictoriaMetrics(Path folder, int openTsdbPort) throws IOException {
        this.openTsdbPort = openTsdbPort;
        queryPort = Ports.reserve();
        program = Program.start(
                "victoria-metrics",
                "-opentsdbHTTPListenAddr=127.0.0.1:" + openTsdbPort,
                "-httpListenAddr=127.0.0.1:" + queryPort,
                "-storageDataPath=" + folder,
                "-search.latencyOffset=0s",
                "-retentionPeriod=100y",
                "-memory.allowedBytes=64MB");
    }

    /**
     * Starts one on free ports, and waits until it answers.
     *
     * @param folder for its data; may contain the data of an earlier one
     */
    static VictoriaMetrics start(Path folder) throws IOException {
        return start(folder, Ports.reserve());
    }

    /** Like {@link #start(Path)}, but accepts points on this port. */
    static VictoriaMetrics start(Path folder, int openTsdbPort) throws IOException {
        VictoriaMetrics started = new VictoriaMetrics(folder, openTsdbPort);
        await("VictoriaMetrics answers")
                .atMost(Duration.ofSeconds(60))
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> started.read("health").startsWith("OK") && !FreePorts.isFree(openTsdbPort));
        return started;
    }

    /** The address for the collector's {@code --opentsdb}; {@code /api/put} there accepts points. */
    String address() {
        return "http://127.0.0.1:" + openTsdbPort;
    }

    /** The address of its other ways in, such as {@code /api/v1/write}. */
    String queryAddress() {
        return "http://127.0.0.1:" + queryPort;
    }

    int port() {
        return openTsdbPort;
    }

    /**
     * All points of a counter: seconds since 1970, and the value at that second. Empty if there are none.
     *
     * @param counter a metric with the tags that it must have, such as {@code payments.tried,method=card}
     * @throws IOException also if more than one series has these tags
     */
    NavigableMap<Long, Long> points(String counter) throws IOException, InterruptedException {
        read("internal/force_flush");
        String selector = counter.replaceAll("=([^,]*)", "=\"$1\"").replaceFirst("^([^,]*)", "{__name__=\"$1\"") + "}";
        String series = read("api/v1/export?match[]=" + URLEncoder.encode(selector, UTF_8));
        NavigableMap<Long, Long> points = new TreeMap<>();
        Matcher one = SERIES.matcher(series);
        if (one.find()) {
            String[] values = one.group(2).split(",", -1);
            String[] millis = one.group(3).split(",", -1);
            for (int i = 0; i < values.length; i++) {
                long value = new BigDecimal(values[i]).longValueExact();
                Long other = points.put(Long.parseLong(millis[i]) / 1000, value);
                // It keeps a point that was sent twice.
                if (other != null && other != value) {
                    throw new IOException(counter + " has two values in one second:\n" + series);
                }
            }
        }
        if (one.find()) {
            throw new IOException(counter + " has more than one series:\n" + series);
        }
        return points;
    }

    /**
     * The latest value of each series of a metric.
     *
     * @param tags which tags of a series to return, in this order, behind the metric's name: {@code sold,article=3,shop=7}
     */
    SortedMap<String, Long> latest(String metric, String... tags) throws IOException, InterruptedException {
        read("internal/force_flush");
        String query = "last_over_time({__name__=\"" + metric + "\"}[1d])";
        JsonArray found = JsonParser.parseString(read("api/v1/query?query=" + URLEncoder.encode(query, UTF_8)))
                .getAsJsonObject()
                .getAsJsonObject("data")
                .getAsJsonArray("result");
        SortedMap<String, Long> latest = new TreeMap<>();
        for (JsonElement one : found) {
            StringBuilder name = new StringBuilder(metric);
            for (String tag : tags) {
                String value =
                        one.getAsJsonObject().getAsJsonObject("metric").get(tag).getAsString();
                name.append(',').append(tag).append('=').append(value);
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

    private String read(String path) throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + queryPort + "/" + path.replace("[]", "%5B%5D"));
        HttpRequest request =
                HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build();
        HttpResponse<String> response = web.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            throw new IOException(uri + " answered " + response.statusCode() + ": " + response.body());
        }
        return response.body();
    }
}
