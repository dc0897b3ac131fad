package io.counters.collector.publish;

import io.counters.collector.settings.Setting;
import io.counters.collector.settings.Settings;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okhttp3.HttpUrl;

/**
 * How often to publish, and where.
 *
 * @param interval whole seconds, 1 s to 1 h; ticks fall on its multiples of Unix time
 * @param opentsdb where its HTTP API is
 * @param stdout whether points are printed as well
 */
public record PublishSettings(Duration interval, Optional<HttpUrl> opentsdb, boolean stdout) {
    private static final Pattern DURATION = Pattern.compile("(\\d{1,4})(s|m|h)");

    public static PublishSettings from(Settings settings) {
        return new PublishSettings(
                settings.get(Setting.INTERVAL, PublishSettings::interval),
                settings.get(Setting.OPENTSDB, PublishSettings::opentsdb),
                settings.get(Setting.SINK, PublishSettings::stdout));
    }

    private static Duration interval(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (matcher.matches()) {
            long number = Long.parseLong(matcher.group(1));
            Duration interval = switch (matcher.group(2)) {
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                default -> Duration.ofHours(number);
            };
            if (!interval.isZero() && interval.compareTo(Duration.ofHours(1)) <= 0) {
                return interval;
            }
        }
        throw new IllegalArgumentException("allowed are 1s to 1h, as a whole number with s, m or h behind it");
    }

    private static Optional<HttpUrl> opentsdb(String text) {
        if (text.isEmpty()) {
            return Optional.empty();
        }
        HttpUrl url = HttpUrl.parse(text);
        if (url == null) {
            throw new IllegalArgumentException("which is no address; give http://HOST:4242");
        }
        return Optional.of(url);
    }

    private static boolean stdout(String text) {
        return switch (text) {
            case "stdout" -> true;
            case "none", "" -> false;
            default -> throw new IllegalArgumentException("allowed are stdout and none");
        };
    }
}
