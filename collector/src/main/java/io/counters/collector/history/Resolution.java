package io.counters.collector.history;

import java.util.Locale;

/** How far apart the kept values of a counter are. Each resolution has its own tables. */
enum Resolution {
    /** The value at every tick. */
    TICKS(0),
    /** The value at the first tick in each 5 minutes. */
    MINUTES(300),
    /** The value at the first tick in each hour. */
    HOURS(3600);

    private final int seconds;

    Resolution(int seconds) {
        this.seconds = seconds;
    }

    /** The seconds from one value to the next. */
    int stepSeconds(int intervalSeconds) {
        return Math.max(seconds, intervalSeconds);
    }

    /** The name of one of its tables. */
    String table(String kind) {
        return name().toLowerCase(Locale.ROOT) + "_" + kind;
    }
}
