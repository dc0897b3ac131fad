package io.counters.collector.dashboard;

import io.counters.collector.history.Samples;
import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import java.util.Arrays;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The part of the past that a request asks for, including both ends.
 *
 * @param stepSeconds there is at most one sample for each multiple of it: the last one before the next multiple
 */
record HistoryRange(long fromSecond, long toSecond, int stepSeconds) {
    /** How many steps a request may ask for. */
    static final int STEPS_MAX = 11_000;

    private static final int STEPS_USUAL = 1_000;
    private static final Pattern SECOND = Pattern.compile("\\d{1,11}");
    private static final Pattern DURATION = Pattern.compile("(\\d{1,6})([smhdw])");
    private static final String AGO = "-";
    private static final String DEFAULT_FROM = "-1h";
    private static final String NOW = "now";

    /**
     * Reads {@code from}, {@code to} and {@code step}.
     *
     * @param tickSeconds the shortest time from one sample to the next
     */
    static HistoryRange of(Request request, long nowSecond, int tickSeconds) {
        long from = second(request, "from", DEFAULT_FROM, nowSecond);
        long to = second(request, "to", NOW, nowSecond);
        if (from > to) {
            throw RequestException.bad(
                    "from is " + from + " and to is " + to + ", in Unix seconds; from must not be later");
        }
        String asked = request.parameter("step");
        long step = asked == null ? Math.max(tickSeconds, (to - from) / STEPS_USUAL) : duration("step", asked);
        if ((to - from) / step > STEPS_MAX) {
            throw RequestException.bad("step is " + step + " s, and there would be up to " + ((to - from) / step)
                    + " samples from " + from + " to " + to + "; " + STEPS_MAX
                    + " are allowed. Ask for a longer step or a shorter time");
        }
        return new HistoryRange(from, to, (int) Math.min(step, Integer.MAX_VALUE));
    }

    private static long second(Request request, String name, String absent, long now) {
        String text = Objects.requireNonNullElse(request.parameter(name), absent);
        if (text.equals(NOW)) {
            return now;
        }
        if (SECOND.matcher(text).matches()) {
            return Long.parseLong(text);
        }
        Long ago = text.startsWith(AGO) ? seconds(text.substring(1)) : null;
        if (ago == null) {
            throw RequestException.bad("the parameter " + name + " is " + Request.shown(text)
                    + "; it must be Unix seconds, now, or a time ago such as -90s, -15m, -1h, -7d or -2w");
        }
        return now - ago;
    }

    private static long duration(String name, String text) {
        Long seconds =
                text.length() < 10 && SECOND.matcher(text).matches() ? (Long) Long.parseLong(text) : seconds(text);
        if (seconds == null || seconds == 0) {
            throw RequestException.bad("the parameter " + name + " is " + Request.shown(text)
                    + "; it must be a time above 0 in seconds, or one such as 30s, 5m or 1h");
        }
        return seconds;
    }

    private static @Nullable Long seconds(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (!matcher.matches()) {
            return null;
        }
        return Long.parseLong(matcher.group(1))
                * switch (matcher.group(2)) {
                    case "s" -> 1L;
                    case "m" -> 60L;
                    case "h" -> 3_600L;
                    case "d" -> 86_400L;
                    default -> 7 * 86_400L;
                };
    }

    /** The last sample of each step. */
    Samples thinned(Samples all) {
        int size = 0;
        long[] seconds = new long[all.size()];
        long[] values = new long[all.size()];
        for (int sample = 0; sample < all.size(); sample++) {
            boolean isLast = sample + 1 == all.size() || step(all.seconds()[sample]) != step(all.seconds()[sample + 1]);
            if (isLast) {
                seconds[size] = all.seconds()[sample];
                values[size++] = all.values()[sample];
            }
        }
        return new Samples(all.name(), stepSeconds, Arrays.copyOf(seconds, size), Arrays.copyOf(values, size));
    }

    private long step(long second) {
        return second / stepSeconds;
    }
}
