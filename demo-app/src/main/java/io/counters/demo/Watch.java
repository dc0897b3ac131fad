package io.counters.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Shows how a collector's counters change, in a terminal or as plain text: a block of lines every second. */
final class Watch {
    private static final String USAGE =
            "usage: watch URL table|plain SECONDS    the URL is a collector's /api/counters; with 0 seconds it never ends";
    static final String CLEAR = "\033[H\033[2J";
    private static final int SILENT_SECONDS_MAX = 10;
    private static final Pattern COUNTER = Pattern.compile("\"name\": \"([^\"]+)\", \"value\": (-?\\d+)");

    private Watch() {}

    /** Shows the counters; ends with status 1 if the collector does not answer for {@value #SILENT_SECONDS_MAX} s. */
    public static void main(String... arguments) throws InterruptedException {
        if (arguments.length != 3 || !arguments[1].matches("table|plain") || !arguments[2].matches("\\d{1,9}")) {
            System.err.println(USAGE);
            System.exit(2);
        }
        URI page = URI.create(arguments[0]);
        String before = arguments[1].equals("table") ? CLEAR : "";
        int seconds = Integer.parseInt(arguments[2]);
        HttpClient web = HttpClient.newHttpClient();
        SortedMap<String, Long> last = new TreeMap<>();
        int silent = 0;
        long begun = System.nanoTime();
        for (long second = 1; seconds == 0 || second <= seconds; second++) {
            try {
                SortedMap<String, Long> now = counters(read(web, page));
                System.out.print(before + page.resolve("/") + "\n" + table(now, last));
                System.out.flush();
                last = now;
                silent = 0;
            } catch (IOException noAnswer) {
                if (++silent == SILENT_SECONDS_MAX) {
                    System.err.println(page + " has not answered for " + SILENT_SECONDS_MAX + " s: " + noAnswer);
                    System.exit(1);
                }
            }
            TimeUnit.NANOSECONDS.sleep(begun + TimeUnit.SECONDS.toNanos(second) - System.nanoTime());
        }
    }

    /** What a page answers within a second. */
    static String read(HttpClient web, URI page) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(page).timeout(Duration.ofSeconds(1)).build();
        HttpResponse<String> answer = web.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException("status " + answer.statusCode());
        }
        return answer.body();
    }

    /** The counters of {@code /api/counters}; the letters of names need no escapes. */
    static SortedMap<String, Long> counters(String json) {
        SortedMap<String, Long> counters = new TreeMap<>();
        Matcher counter = COUNTER.matcher(json);
        while (counter.find()) {
            counters.put(counter.group(1), Long.valueOf(counter.group(2)));
        }
        return counters;
    }

    /** A line for each counter: its name, its value, and its change since {@code last}. */
    static String table(SortedMap<String, Long> now, Map<String, Long> last) {
        int width = now.keySet().stream().mapToInt(String::length).max().orElse(0);
        StringBuilder lines = new StringBuilder();
        now.forEach((name, value) -> {
            long gained = value - last.getOrDefault(name, value);
            lines.append(String.format("%-" + Math.max(width, 7) + "s %12d", name, value));
            lines.append(gained == 0 ? "" : String.format(" %+8d", gained)).append('\n');
        });
        return lines.append('\n').toString();
    }
}
