package io.counters.collector.query;

/**
 * The time that a query asks for, and the time whose points it reads. The latter begins and ends at full hours, because
 * OpenTSDB reads rows of an hour each.
 *
 * @param startMillis the first moment in the answer
 * @param endMillis the last moment in the answer
 * @param fromMillis the first moment that is read
 * @param toMillis the first moment after what is read
 */
record TimeWindow(long startMillis, long endMillis, long fromMillis, long toMillis) {
    private static final long ROW_SECONDS = 3_600;

    /** @param intervalMillis the interval of the downsampling; 0 without downsampling */
    static TimeWindow of(long startMillis, long endMillis, long intervalMillis) {
        long start = startMillis / 1000;
        // One second later if the end is in milliseconds, or includes a part of a second.
        long end = endMillis / 1000 + 1;
        if (intervalMillis == 0) {
            return new TimeWindow(startMillis, endMillis, row(start) * 1000, (row(end) + ROW_SECONDS) * 1000);
        }
        long first = start - 1000 * start % intervalMillis / 1000;
        long last = end + (intervalMillis - 1000 * end % intervalMillis) / 1000;
        return new TimeWindow(startMillis, endMillis, row(first) * 1000, row(last + ROW_SECONDS - 1) * 1000);
    }

    private static long row(long second) {
        return Math.max(0, second - second % ROW_SECONDS);
    }

    boolean answers(long millis) {
        return millis >= startMillis && millis <= endMillis;
    }
}
