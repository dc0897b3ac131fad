package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;
import java.io.PrintStream;
import java.time.Duration;

/** Prints points, a line each, in OpenTSDB's telnet form: {@code put METRIC SECOND VALUE TAG=VALUE ...} */
public final class StdoutSink implements Sink {
    private final PrintStream out;

    public StdoutSink(PrintStream out) {
        this.out = out;
    }

    @Override
    public void put(long second, Snapshot values, Duration within) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < values.size(); i++) {
            Series series = Series.of(values.names()[i]);
            lines.append("put ")
                    .append(series.metric())
                    .append(' ')
                    .append(second)
                    .append(' ');
            lines.append(values.values()[i]);
            series.tags()
                    .forEach((key, value) ->
                            lines.append(' ').append(key).append('=').append(value));
            lines.append('\n');
        }
        out.print(lines);
        out.flush();
    }

    @Override
    public String toString() {
        return "stdout";
    }

    @Override
    public void close() {
        out.flush();
    }
}
