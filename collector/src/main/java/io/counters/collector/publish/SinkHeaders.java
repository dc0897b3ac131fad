package io.counters.collector.publish;

import io.counters.collector.settings.NamedFile;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import okhttp3.HttpUrl;

/**
 * The file of {@code --sink-headers}: headers of requests, such as those of a login. One {@code NAME: VALUE} on each line, below
 * the address of their sink in brackets; without an address if only one sink can have them. Values are never shown, nor is a
 * line that cannot be read.
 */
final class SinkHeaders {
    /** The characters of a token in RFC 9110. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+");

    private static final Pattern VALUE = Pattern.compile("[ -~\t]+");

    /** What a request has in any case, or what only the connection knows. */
    private static final Set<String> OURS =
            Set.of("content-type", "content-encoding", "content-length", "transfer-encoding", "connection", "host");

    private SinkHeaders() {}

    /**
     * The sinks with their headers.
     *
     * @param file empty for none
     * @throws IllegalArgumentException with the place, the rule and the remedy
     */
    static List<SinkAddress> in(String file, List<SinkAddress> sinks) {
        if (file.isEmpty()) {
            return sinks;
        }
        List<String> lines = NamedFile.text(file).lines().toList();
        List<SinkAddress> receivers = sinks.stream()
                .filter(sink -> sink.kind() != SinkAddress.Kind.OPENTSDB)
                .toList();
        Map<HttpUrl, Map<String, String>> headers = new LinkedHashMap<>();
        HttpUrl section = receivers.size() == 1 ? receivers.get(0).url() : null;
        for (int i = 0; i < lines.size(); i++) {
            String line =
                    (i == 0 && lines.get(i).startsWith("\uFEFF") ? lines.get(i).substring(1) : lines.get(i)).strip();
            String place = "where line " + (i + 1);
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            if (line.startsWith("[") && line.endsWith("]")) {
                HttpUrl url = HttpUrl.parse(line.substring(1, line.length() - 1).strip());
                section = url;
                if (url == null
                        || receivers.stream().noneMatch(sink -> sink.url().equals(url))) {
                    throw new IllegalArgumentException(
                            place + " has the address of no otlp: or prometheus: sink; it must be"
                                    + " the same as in --sink, without otlp: or prometheus:");
                }
            } else if (section == null) {
                throw new IllegalArgumentException(
                        place + " belongs to no sink; write [ADDRESS] of an otlp: or prometheus:"
                                + " sink on a line above it, because there is not exactly one");
            } else {
                add(
                        line,
                        place,
                        headers.computeIfAbsent(section, fresh -> new TreeMap<>(String.CASE_INSENSITIVE_ORDER)));
            }
        }
        List<SinkAddress> all = new ArrayList<>();
        sinks.forEach(sink -> all.add(
                sink.kind() == SinkAddress.Kind.OPENTSDB
                        ? sink
                        : sink.with(headers.getOrDefault(sink.url(), Map.of()))));
        return List.copyOf(all);
    }

    private static void add(String line, String place, Map<String, String> headers) {
        int colon = line.indexOf(':');
        String name = line.substring(0, Math.max(colon, 0)).strip();
        String value = line.substring(colon + 1).strip();
        if (!NAME.matcher(name).matches() || !VALUE.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    place + " is not a header; write NAME: VALUE with printable ASCII characters,"
                            + " or begin a comment with #");
        }
        if (OURS.contains(name.toLowerCase(Locale.ROOT))) {
            throw new IllegalArgumentException(place + " sets " + name + ", which the collector sets; leave it out");
        }
        if (headers.put(name, value) != null) {
            throw new IllegalArgumentException(place + " repeats the header " + name + "; keep one of the two");
        }
    }
}
