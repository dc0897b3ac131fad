package io.counters.collector.publish;

import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.wire.NameReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.HttpUrl;

/**
 * The settings of publishing.
 *
 * @param interval whole seconds, 1 s to 1 h; ticks fall on its multiples of Unix time
 * @param opentsdb the addresses of the HTTP APIs; the name of the first one's spool does not depend on its address
 * @param stdout whether points are printed as well
 * @param safe whether OpenTSDB is asked to answer only after it has stored the points
 * @param bodyBytes the maximum bytes of a request, 1 KiB to 64 MiB
 * @param spoolBytes the maximum bytes on disk of one sink's spool
 * @param idle how long a counter must be unchanged before it is left out; empty for never
 * @param series prefix and tags
 */
public record PublishSettings(
        Duration interval,
        List<HttpUrl> opentsdb,
        boolean stdout,
        boolean safe,
        int bodyBytes,
        long spoolBytes,
        Optional<Duration> idle,
        Series series) {
    private static final Pattern DURATION = Pattern.compile("(\\d{1,4})(s|m|h)");
    private static final Pattern BYTES = Pattern.compile("(\\d{1,4})(k|m|g)");
    private static final String OPENTSDB = "opentsdb:";
    private static final int ADDED_TAGS_MAX = 7;

    public PublishSettings {
        opentsdb = List.copyOf(opentsdb);
    }

    public static PublishSettings from(Settings settings) {
        Optional<HttpUrl> opentsdb = settings.get(CollectorFlag.OPENTSDB, PublishSettings::opentsdb);
        Set<String> sinks = settings.get(CollectorFlag.SINK, text -> sinks(text, opentsdb));
        List<HttpUrl> addresses = new ArrayList<>();
        opentsdb.ifPresent(addresses::add);
        sinks.stream()
                .filter(sink -> sink.startsWith(OPENTSDB))
                .map(sink -> address(sink.substring(OPENTSDB.length())))
                .forEach(addresses::add);
        List<Series.Tag> tags = settings.get(CollectorFlag.TAGS, PublishSettings::tags);
        return new PublishSettings(
                settings.get(CollectorFlag.INTERVAL, PublishSettings::interval),
                addresses,
                sinks.contains("stdout"),
                settings.get(CollectorFlag.OPENTSDB_MODE, PublishSettings::isSafe),
                (int) (long)
                        settings.get(CollectorFlag.OPENTSDB_BODY, text -> bytes(text, 1 << 10, 64 << 20, "1k to 64m")),
                settings.get(CollectorFlag.SPOOL, text -> bytes(text, 1 << 20, 9999L << 30, "1m to 9999g")),
                settings.get(CollectorFlag.IDLE, PublishSettings::idle),
                new Series(LedgerSettings.prefix(settings), tags));
    }

    /** The name of what belongs to one OpenTSDB, such as its spool; that of the first does not depend on its address. */
    public String name(HttpUrl address) {
        return address.equals(opentsdb.get(0))
                ? "opentsdb"
                : "opentsdb-" + address.host().replace(':', '-') + "-" + address.port();
    }

    /** The number of ticks without a change after which a counter is left out; empty for never. */
    public OptionalLong idleTicks() {
        long seconds = interval.toSeconds();
        return idle.isEmpty()
                ? OptionalLong.empty()
                : OptionalLong.of((idle.get().toSeconds() + seconds - 1) / seconds);
    }

    private static Duration interval(String text) {
        Duration interval = duration(text);
        if (interval.isZero() || interval.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException("allowed are 1s to 1h, as a whole number followed by s, m or h");
        }
        return interval;
    }

    private static Optional<Duration> idle(String text) {
        if (text.equals("never")) {
            return Optional.empty();
        }
        Duration idle = duration(text);
        if (idle.isZero()) {
            throw new IllegalArgumentException(
                    "allowed are never, or 1s to 9999h, as a whole number followed by s, m or h");
        }
        return Optional.of(idle);
    }

    /** Zero if the text is not a duration. */
    private static Duration duration(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            return Duration.ZERO;
        }
        long number = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            default -> Duration.ofHours(number);
        };
    }

    private static long bytes(String text, long min, long max, String allowed) {
        Matcher matcher = BYTES.matcher(text);
        if (matcher.matches()) {
            int shift = switch (matcher.group(2)) {
                case "k" -> 10;
                case "m" -> 20;
                default -> 30;
            };
            long bytes = Long.parseLong(matcher.group(1)) << shift;
            if (bytes >= min && bytes <= max) {
                return bytes;
            }
        }
        throw new IllegalArgumentException("allowed are " + allowed + ", as a whole number followed by k, m or g");
    }

    private static Optional<HttpUrl> opentsdb(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(address(text));
    }

    private static HttpUrl address(String text) {
        HttpUrl url = HttpUrl.parse(text);
        if (url == null) {
            throw new IllegalArgumentException("which is not an address; give http://HOST:4242");
        }
        if (!url.username().isEmpty() || !url.password().isEmpty()) {
            throw new IllegalArgumentException(
                    "but must not contain a login: a TSD needs none, and other users could see it");
        }
        return url;
    }

    /** The sinks in their order, without duplicates; {@code --opentsdb} must not be among them. */
    private static Set<String> sinks(String text, Optional<HttpUrl> opentsdb) {
        Set<String> sinks = new LinkedHashSet<>();
        Set<String> hosts = new LinkedHashSet<>();
        opentsdb.ifPresent(url -> hosts.add(url.host() + ":" + url.port()));
        for (String part : text.split(",", -1)) {
            String sink = part.strip();
            if (sink.startsWith(OPENTSDB)) {
                HttpUrl url = address(sink.substring(OPENTSDB.length()));
                if (!hosts.add(url.host() + ":" + url.port())) {
                    throw new IllegalArgumentException("where " + url.host() + ":" + url.port()
                            + " appears twice, or also in --opentsdb; keep one of the two");
                }
            } else if (!sink.equals("stdout") && !sink.equals("none") && !sink.isEmpty()) {
                throw new IllegalArgumentException(
                        "allowed are none, stdout and opentsdb:http://HOST:4242, separated by commas");
            }
            sinks.add(sink);
        }
        return sinks;
    }

    private static boolean isSafe(String text) {
        return switch (text) {
            case "safe" -> true;
            case "fast" -> false;
            default -> throw new IllegalArgumentException("allowed are safe and fast");
        };
    }

    private static List<Series.Tag> tags(String text) {
        NameReader name = new NameReader();
        if (name.read("x," + text) != null || text.isEmpty()) {
            throw new IllegalArgumentException("allowed are 1 to " + ADDED_TAGS_MAX
                    + " tags KEY=VALUE separated by commas, with the characters of names and no key twice");
        }
        List<Series.Tag> tags = new ArrayList<>();
        for (String tag : text.split(",", -1)) {
            int equals = tag.indexOf('=');
            tags.add(new Series.Tag(tag.substring(0, equals), tag.substring(equals + 1)));
        }
        return tags;
    }
}
