package io.counters.collector.history;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the history keeps.
 *
 * @param file the database
 * @param intervalSeconds the time from one tick to the next
 * @param ticksSeconds how long the value at every tick is kept; 0, here and in the next two, means not at all
 * @param minutesSeconds how long the value every 5 minutes is kept
 * @param hoursSeconds how long the value every hour is kept
 * @param bytesMax the maximum size of the file
 * @param countersMax the maximum number of counters, by the setting and by what the heap allows; 0 means no history
 */
public record HistorySettings(
        Path file,
        int intervalSeconds,
        long ticksSeconds,
        long minutesSeconds,
        long hoursSeconds,
        long bytesMax,
        int countersMax) {
    static final String NAME = "history.db";

    private static final Pattern DURATION = Pattern.compile("(\\d{1,4})([mhdy])");
    private static final Pattern BYTES = Pattern.compile("(\\d{1,4})([mg])");
    private static final String NOTHING = "0";
    private static final int COUNTERS_MAX = 1_000_000;

    /** What a counter takes of the heap when all its open blocks are full; measured by {@code HistoryMemoryTest}. */
    static final int COUNTER_BYTES = 1_500;

    /** The history may take one part in this many of the heap. */
    private static final int HEAP_PART = 10;

    /**
     * The history that the settings ask for.
     *
     * @param folder where its file is
     * @param heapBytes the maximum size of the heap
     * @param intervalSeconds the time from one tick to the next
     */
    public static HistorySettings from(Settings settings, Path folder, long heapBytes, long intervalSeconds) {
        int counters = settings.number(CollectorFlag.HISTORY_COUNTERS, 0, COUNTERS_MAX);
        return new HistorySettings(
                folder.resolve(NAME),
                (int) intervalSeconds,
                settings.get(CollectorFlag.HISTORY_TICKS, HistorySettings::seconds),
                settings.get(CollectorFlag.HISTORY_MINUTES, HistorySettings::seconds),
                settings.get(CollectorFlag.HISTORY_HOURS, HistorySettings::seconds),
                settings.get(CollectorFlag.HISTORY_BYTES, HistorySettings::bytes),
                (int) Math.min(counters, heapBytes / HEAP_PART / COUNTER_BYTES));
    }

    private static long seconds(String text) {
        if (text.equals(NOTHING)) {
            return 0;
        }
        Matcher matcher = DURATION.matcher(text);
        long number = matcher.matches() ? Long.parseLong(matcher.group(1)) : 0;
        if (number == 0) {
            throw new IllegalArgumentException(
                    "allowed are 0 for none, or 1m to 9999y, as a whole number followed by m, h, d or y");
        }
        return number
                * switch (matcher.group(2)) {
                    case "m" -> 60L;
                    case "h" -> 3_600L;
                    case "d" -> 86_400L;
                    default -> 365L * 86_400;
                };
    }

    private static long bytes(String text) {
        Matcher matcher = BYTES.matcher(text);
        long bytes = matcher.matches()
                ? Long.parseLong(matcher.group(1)) << (matcher.group(2).equals("m") ? 20 : 30)
                : 0;
        if (bytes < 16 << 20) {
            throw new IllegalArgumentException("allowed are 16m to 9999g, as a whole number followed by m or g");
        }
        return bytes;
    }

    /** Whether anything is kept. */
    boolean isOn() {
        return countersMax > 0 && ticksSeconds + minutesSeconds + hoursSeconds > 0;
    }

    long keepSeconds(Resolution resolution) {
        return switch (resolution) {
            case TICKS -> ticksSeconds;
            case MINUTES -> minutesSeconds;
            case HOURS -> hoursSeconds;
        };
    }
}
