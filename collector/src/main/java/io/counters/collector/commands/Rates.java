package io.counters.collector.commands;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.TimeUnit;

/** The values of counters at the last few readings, and the rates between them. */
final class Rates {
    /** A rate spans this many readings, because senders send once a second, but not at the moment of a reading. */
    private static final int READINGS = 6;

    private Map<String, Row> rows = new HashMap<>();

    /** A counter in the table. */
    static final class Row {
        private final String name;
        private final long[] values = new long[READINGS];
        private final long[] nanos = new long[READINGS];
        private int readings;

        Row(String name) {
            this.name = name;
        }

        String name() {
            return name;
        }

        long value() {
            return values[(readings - 1) % READINGS];
        }

        /** The rate per second; empty after only one reading. */
        OptionalDouble rate() {
            int oldest = Math.max(0, readings - READINGS);
            int newest = readings - 1;
            long elapsed = nanos[newest % READINGS] - nanos[oldest % READINGS];
            if (elapsed <= 0) {
                return OptionalDouble.empty();
            }
            // Subtracted as whole numbers: a double cannot tell large values apart that are near each other.
            long moved = values[newest % READINGS] - values[oldest % READINGS];
            return OptionalDouble.of((double) moved * TimeUnit.SECONDS.toNanos(1) / elapsed);
        }

        private void add(long value, long now) {
            values[readings % READINGS] = value;
            nanos[readings % READINGS] = now;
            readings++;
        }
    }

    /** Adds a reading; a counter that is not in it is forgotten. */
    List<Row> add(List<CollectorApi.Counter> counters, long nowNanos) {
        Map<String, Row> now = new HashMap<>(counters.size() * 2);
        List<Row> list = new ArrayList<>(counters.size());
        for (CollectorApi.Counter counter : counters) {
            Row known = rows.get(counter.name());
            Row row = known == null ? new Row(counter.name()) : known;
            row.add(counter.value(), nowNanos);
            now.put(counter.name(), row);
            list.add(row);
        }
        rows = now;
        return list;
    }
}
