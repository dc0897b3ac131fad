package io.counters.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.counters.testsupport.CollectorProgram;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Those who look at a collector for as long as a soak runs: an open tab of the page, and requests from time to time. */
final class SoakVisitor implements AutoCloseable {
    private static final Duration ANSWER = Duration.ofSeconds(20);
    private static final int NAMES_A_REQUEST_MAX = 100;
    private static final Pattern SOLD =
            Pattern.compile("(?m)^soak_sold\\{article=\"(\\d+)\",shop=\"(\\d+)\"} (-?\\d+)$");
    private static final Pattern HONEST = Pattern.compile("(?m)^honest_total (-?\\d+)$");

    private final HttpClient web = HttpClient.newHttpClient();
    private final CollectorProgram collector;
    private final InputStream events;
    private final ScheduledExecutorService visiting = Executors.newSingleThreadScheduledExecutor();
    private final AtomicLong changes = new AtomicLong();
    private final AtomicLong visits = new AtomicLong();
    private final AtomicLong slowestMillis = new AtomicLong();
    private final Queue<String> troubles = new ConcurrentLinkedQueue<>();

    /** Opens the page, and asks for everything else each {@code seconds} seconds. The history must have its first tick. */
    SoakVisitor(CollectorProgram collector, int seconds) throws IOException, InterruptedException {
        this.collector = collector;
        HttpResponse<InputStream> page = web.send(
                HttpRequest.newBuilder(URI.create(collector.page() + "api/live?rows=60&from=0&panel=1"))
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());
        if (page.statusCode() != 200) {
            throw new IOException("the page's events answered " + page.statusCode());
        }
        events = page.body();
        Thread tab = new Thread(this::readEvents, "soak-tab");
        tab.setDaemon(true);
        tab.start();
        var unused = visiting.scheduleAtFixedRate(this::visit, seconds, seconds, TimeUnit.SECONDS);
    }

    private void readEvents() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(events, UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.equals("event: change") || line.equals("event: rows")) {
                    changes.incrementAndGet();
                }
            }
            troubles.add("the page's events ended");
        } catch (IOException closed) {
            // The run is over.
        }
    }

    private void visit() {
        long begun = System.nanoTime();
        for (String path : List.of(
                "metrics",
                "metrics/counters",
                "healthz",
                "readyz",
                "",
                "api/counters?limit=100",
                "api/page",
                "api/streams",
                "api/counters/honest/history?from=-1h",
                "api/query?start=1m-ago&m=sum:" + SoakLoad.METRIC)) {
            ask(path, "");
        }
        ask("api/history", historyBody(List.of("honest")));
        slowestMillis.accumulateAndGet(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun), Math::max);
        visits.incrementAndGet();
    }

    /** @param body to be sent; empty to get */
    private void ask(String path, String body) {
        try {
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(URI.create(collector.page() + path)).timeout(ANSWER);
            if (!body.isEmpty()) {
                request.POST(HttpRequest.BodyPublishers.ofString(body));
            }
            HttpResponse<String> answer = web.send(request.build(), HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200 || answer.body().isEmpty()) {
                troubles.add(path + " answered " + answer.statusCode() + ": " + answer.body());
            }
        } catch (InterruptedException over) {
            Thread.currentThread().interrupt();
        } catch (IOException | RuntimeException failed) {
            troubles.add(path + ": " + failed);
        }
    }

    private static String historyBody(Collection<String> names) {
        long now = Instant.now().getEpochSecond();
        return "{\"names\": [\"" + String.join("\", \"", names) + "\"], \"from\": " + (now - 60) + ", \"to\": " + now
                + ", \"step\": 1}";
    }

    /** What went wrong until now. */
    List<String> troubles() {
        return List.copyOf(troubles);
    }

    /** How many events had values that changed. */
    long changes() {
        return changes.get();
    }

    long visits() {
        return visits.get();
    }

    long slowestMillis() {
        return slowestMillis.get();
    }

    /** The last value in the history of each of these counters. */
    SortedMap<String, Long> history(Collection<String> names) throws IOException, InterruptedException {
        SortedMap<String, Long> last = new TreeMap<>();
        List<String> all = new ArrayList<>(names);
        for (int begin = 0; begin < all.size(); begin += NAMES_A_REQUEST_MAX) {
            List<String> some = all.subList(begin, Math.min(all.size(), begin + NAMES_A_REQUEST_MAX));
            HttpResponse<String> answer = web.send(
                    HttpRequest.newBuilder(URI.create(collector.page() + "api/history"))
                            .POST(HttpRequest.BodyPublishers.ofString(historyBody(some)))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            JsonObject found = JsonParser.parseString(answer.body()).getAsJsonObject();
            for (JsonElement one : found.getAsJsonArray("counters")) {
                JsonObject counter = one.getAsJsonObject();
                for (JsonElement value : counter.getAsJsonArray("values")) {
                    last.put(counter.get("name").getAsString(), value.getAsLong());
                }
            }
        }
        return last;
    }

    /** The values that Prometheus would read now. */
    SortedMap<String, Long> scraped() throws IOException {
        String text = collector.get("/metrics/counters");
        SortedMap<String, Long> values = new TreeMap<>();
        for (Matcher one = SOLD.matcher(text); one.find(); ) {
            values.put(
                    SoakLoad.METRIC + ",article=" + one.group(1) + ",shop=" + one.group(2), Long.valueOf(one.group(3)));
        }
        for (Matcher one = HONEST.matcher(text); one.find(); ) {
            values.put("honest", Long.valueOf(one.group(1)));
        }
        return values;
    }

    @Override
    public void close() throws IOException {
        visiting.shutdownNow();
        events.close();
    }
}
