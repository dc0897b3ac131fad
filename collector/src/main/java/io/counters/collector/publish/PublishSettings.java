package io.counters.collector.publish;

import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.wire.NameReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The settings of publishing.
 *
 * @param interval whole seconds, 1 s to 1 h; ticks fall on its multiples of Unix time
 * @param targets the servers that are sent points, each once; the name of the first OpenTSDB's spool does not depend on its
 *     address
 * @param stdout whether points are printed as well
 * @param safe whether OpenTSDB is asked to answer only after it has stored the points
 * @param bodyBytes the maximum bytes of a request, 1 KiB to 64 MiB
 * @param spoolBytes the maximum bytes on disk of one sink's spool
 * @param idle how long a counter must be unchanged before it is left out; empty for never
 * @param series prefix and tags
 */
public record PublishSettings(
        Duration interval,
        List<SinkAddress> targets,
        boolean stdout,
        boolean safe,
        int bodyBytes,
        long spoolBytes,
        Optional<Duration> idle,
        Series series) {
    private static final Pattern DURATION = Pattern.compile("(\\d{1,4})(s|m|h)");
    private static final Pattern BYTES = Pattern.compile("(\\d{1,4})(k|m|g)");
    private static final int ADDED_TAGS_MAX = 7;

    public PublishSettings {
        targets = List.copyOf(targets);
    }

    public static PublishSettings from(Settings settings) {
        Optional<SinkAddress> opentsdb = settings.get(CollectorFlag.OPENTSDB, PublishSettings::opentsdb);
        Set<String> sinks = settings.get(CollectorFlag.SINK, text -> sinks(text, opentsdb));
        List<SinkAddress> given = Stream.concat(
                        opentsdb.stream(), sinks.stream().flatMap(sink -> target(sink).stream()))
                .toList();
        List<SinkAddress> targets = settings.get(CollectorFlag.SINK_HEADERS, file -> SinkHeaders.in(file, given));
        List<Series.Tag> tags = settings.get(CollectorFlag.TAGS, text -> tags(text, given));
        return new PublishSettings(
                settings.get(CollectorFlag.INTERVAL, PublishSettings::interval),
                targets,
                sinks.contains("stdout"),
                settings.get(CollectorFlag.OPENTSDB_MODE, PublishSettings::isSafe),
                (int) (long)
                        settings.get(CollectorFlag.OPENTSDB_BODY, text -> bytes(text, 1 << 10, 64 << 20, "1k to 64m")),
                settings.get(CollectorFlag.SPOOL, text -> bytes(text, 1 << 20, 9999L << 30, "1m to 9999g")),
                settings.get(CollectorFlag.IDLE, PublishSettings::idle),
                new Series(LedgerSettings.prefix(settings), tags));
    }

    /** The name of what belongs to one server, such as its spool; that of the first OpenTSDB does not depend on its address. */
    public String name(SinkAddress target) {
        boolean isFirst = targets.stream()
                .filter(one -> one.kind() == SinkAddress.Kind.OPENTSDB)
                .findFirst()
                .equals(Optional.of(target));
        return isFirst ? "opentsdb" : target.name();
    }

    /** Whether more must be known of a counter than its value, to publish it. */
    boolean needsFacts() {
        return targets.stream().anyMatch(one -> one.kind() != SinkAddress.Kind.OPENTSDB);
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

    private static Optional<SinkAddress> opentsdb(String text) {
        return text.isEmpty() ? Optional.empty() : Optional.of(SinkAddress.Kind.OPENTSDB.address(text));
    }

    /** The server in a part of {@code --sink}; empty if it is none. */
    private static Optional<SinkAddress> target(String sink) {
        return Arrays.stream(SinkAddress.Kind.values())
                .filter(kind -> sink.startsWith(kind.prefix()))
                .findFirst()
                .map(kind -> kind.address(sink.substring(kind.prefix().length())));
    }

    /** The sinks in their order, without duplicates; {@code --opentsdb} must not be among them. */
    private static Set<String> sinks(String text, Optional<SinkAddress> opentsdb) {
        Set<String> sinks = new LinkedHashSet<>();
        Set<String> names = new HashSet<>();
        opentsdb.ifPresent(one -> names.add(one.name()));
        for (String part : text.split(",", -1)) {
            String sink = part.strip();
            Optional<SinkAddress> target = target(sink);
            if (target.isEmpty() && !sink.equals("stdout") && !sink.equals("none") && !sink.isEmpty()) {
                throw new IllegalArgumentException("allowed are none, stdout, "
                        + Arrays.stream(SinkAddress.Kind.values())
                                .map(SinkAddress.Kind::example)
                                .collect(Collectors.joining(", "))
                        + ", separated by commas");
            }
            if (target.isPresent() && !names.add(target.get().name())) {
                throw new IllegalArgumentException(
                        "where " + target.get().label() + " appears twice, or also in --opentsdb; keep one of the two");
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

    private static List<Series.Tag> tags(String text, List<SinkAddress> sinks) {
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
        Set<String> labels = new HashSet<>();
        for (Series.Tag tag : tags) {
            if (!labels.add(RemoteWriteFormat.label(tag.key()))
                    && sinks.stream().anyMatch(sink -> sink.kind() == SinkAddress.Kind.PROMETHEUS)) {
                throw new IllegalArgumentException("where two keys are the label " + RemoteWriteFormat.label(tag.key())
                        + " in Prometheus; give one of them another name");
            }
        }
        return tags;
    }
}
