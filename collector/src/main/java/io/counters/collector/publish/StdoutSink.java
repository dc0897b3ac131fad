package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;

/** Prints each point as a line in OpenTSDB's telnet format: {@code put METRIC SECOND VALUE TAG=VALUE ...} */
public final class StdoutSink implements Sink {
    private static final int CHARS_AT_ONCE = 64 * 1024;

    private final PrintStream out;
    private final Series series;

    public StdoutSink(PrintStream out, PublishSettings settings) {
        this.out = out;
        this.series = settings.series();
    }

    @Override
    public void put(long second, Snapshot values) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < values.size(); i++) {
            String name = values.names()[i];
            int comma = name.indexOf(',');
            lines.append("put ").append(series.prefix());
            lines.append(name, 0, comma < 0 ? name.length() : comma);
            lines.append(' ').append(second).append(' ').append(values.values()[i]);
            if (comma >= 0) {
                lines.append(' ').append(name.substring(comma + 1).replace(',', ' '));
            }
            for (Series.Tag tag : series.added(name)) {
                lines.append(' ').append(tag.key()).append('=').append(tag.value());
            }
            lines.append('\n');
            if (lines.length() > CHARS_AT_ONCE) {
                out.print(lines);
                lines.setLength(0);
            }
        }
        out.print(lines);
        // A PrintStream throws nothing. This flushes it.
        if (out.checkError()) {
            throw new UncheckedIOException(new IOException("stdout cannot be written; perhaps its reader has ended"));
        }
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
