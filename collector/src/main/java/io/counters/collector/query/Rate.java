package io.counters.collector.query;

/**
 * How fast a series changes, per second.
 *
 * @param isCounter whether a value that is smaller than the one before means that the counter overflowed or restarted
 * @param counterMax the value after which it overflows
 * @param resetValue a higher rate counts as 0, because the counter has restarted; 0 for no such limit
 * @param dropsResets whether the point after an overflow or restart is left out
 */
record Rate(boolean isCounter, long counterMax, long resetValue, boolean dropsResets) {
    static final Rate PLAIN = new Rate(false, Long.MAX_VALUE, 0, false);

    /**
     * The rate at each point since the one before. The first point has a rate since 1970; it is never in an answer, but is
     * used for the series where others of its group begin earlier.
     */
    Points apply(Points points) {
        Points.Builder rates = new Points.Builder(points.size, false);
        long millisBefore = 0;
        for (int i = 0; i < points.size; i++) {
            double seconds = (points.millis[i] - millisBefore) / 1000.0;
            double change = change(points, i);
            millisBefore = points.millis[i];
            if (!isCounter || !(change < 0)) {
                rates.add(points.millis[i], change / seconds);
            } else if (!dropsResets) {
                double rate = overrun(points, i) / seconds;
                rates.add(points.millis[i], resetValue > 0 && rate > resetValue ? 0 : rate);
            }
        }
        return rates.build();
    }

    private static double change(Points points, int i) {
        if (points.isInteger) {
            return points.integer(i) - (i == 0 ? 0 : points.integer(i - 1));
        }
        return points.real(i) - (i == 0 ? 0 : points.real(i - 1));
    }

    private double overrun(Points points, int i) {
        if (points.isInteger) {
            return counterMax - (i == 0 ? 0 : points.integer(i - 1)) + points.integer(i);
        }
        return counterMax - (i == 0 ? 0 : points.real(i - 1)) + points.real(i);
    }
}
