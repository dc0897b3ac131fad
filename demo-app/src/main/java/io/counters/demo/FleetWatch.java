package io.counters.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * Shows every second how the counters of a fleet's collectors change, beside what the shop says that they should be, and what
 * {@code bin/fleet-demo} did to the fleet.
 */
final class FleetWatch {
    private static final String USAGE =
            "usage: fleetwatch URL,URL... TALLY_URL EVENTS_FILE table|plain SECONDS    the URLs are the collectors' /api/counters;"
                    + " with 0 seconds it never ends";
    private static final int EVENTS_SHOWN = 6;

    private FleetWatch() {}

    /** Shows the counters until it is stopped, or for a time. */
    public static void main(String... arguments) throws IOException, InterruptedException {
        if (arguments.length != 5 || !arguments[3].matches("table|plain") || !arguments[4].matches("\\d{1,9}")) {
            System.err.println(USAGE);
            System.exit(2);
        }
        String[] pages = arguments[0].split(",", -1);
        Path events = Path.of(arguments[2]);
        String before = arguments[3].equals("table") ? Watch.CLEAR : "";
        int seconds = Integer.parseInt(arguments[4]);
        HttpClient web = HttpClient.newHttpClient();
        Map<String, Long> last = new TreeMap<>();
        long begun = System.nanoTime();
        for (long second = 1; seconds == 0 || second <= seconds; second++) {
            Map<String, Optional<SortedMap<String, Long>>> collectors = new LinkedHashMap<>();
            for (String page : pages) {
                collectors.put(page, read(web, page).map(Watch::counters));
            }
            Map<String, Long> shop =
                    read(web, arguments[1]).map(FleetWatch::tally).orElse(new TreeMap<>());
            List<String> happened = Files.exists(events) ? Files.readAllLines(events) : List.of();
            System.out.print(before + text(collectors, last, shop, happened));
            System.out.flush();
            collectors.values().forEach(counters -> counters.ifPresent(last::putAll));
            TimeUnit.NANOSECONDS.sleep(begun + TimeUnit.SECONDS.toNanos(second) - System.nanoTime());
        }
    }

    /** Empty if there is no answer within a second. */
    private static Optional<String> read(HttpClient web, String page) throws InterruptedException {
        try {
            return Optional.of(Watch.read(web, URI.create(page)));
        } catch (IOException unanswered) {
            return Optional.empty();
        }
    }

    /** What the shop's {@code /tally} says, by name. */
    static Map<String, Long> tally(String text) {
        Map<String, Long> tally = new TreeMap<>();
        text.lines().forEach(line -> {
            int space = line.lastIndexOf(' ');
            tally.put(line.substring(0, space), Long.valueOf(line.substring(space + 1)));
        });
        return tally;
    }

    /**
     * What is shown in a second.
     *
     * @param collectors the counters that each has, by its address; empty for one that does not answer
     * @param last each counter's last value
     */
    static String text(
            Map<String, Optional<SortedMap<String, Long>>> collectors,
            Map<String, Long> last,
            Map<String, Long> shop,
            List<String> happened) {
        Map<String, Long> now = new TreeMap<>();
        List<String> lines = new ArrayList<>();
        collectors.forEach((page, counters) -> {
            lines.add(URI.create(page).resolve("/") + "  "
                    + counters.map(some -> "has " + some.size() + " counters").orElse("does not answer"));
            counters.ifPresent(now::putAll);
        });
        TreeSet<String> names = new TreeSet<>(now.keySet());
        names.addAll(last.keySet());
        int width = names.stream().mapToInt(String::length).max().orElse(0);
        lines.add(String.format("%-" + Math.max(width, 7) + "s %12s %8s %12s", "counter", "fleet", "", "shop"));
        for (String name : names) {
            Long value = now.get(name);
            long before = last.getOrDefault(name, value == null ? 0 : value);
            long gained = value == null ? 0 : value - before;
            lines.add(String.format(
                            "%-" + Math.max(width, 7) + "s %12d %8s %12s%s",
                            name,
                            value == null ? before : value,
                            gained == 0 ? "" : String.format("%+d", gained),
                            shop.containsKey(name) ? shop.get(name) : "",
                            value == null ? "  waits for a collector" : "")
                    .stripTrailing());
        }
        happened.stream().skip(Math.max(0, happened.size() - EVENTS_SHOWN)).forEach(lines::add);
        return String.join("\n", lines) + "\n\n";
    }
}
