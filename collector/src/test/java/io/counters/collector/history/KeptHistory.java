package io.counters.collector.history;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;

/** A history in a test's folder, and the counters that it keeps. */
final class KeptHistory implements AutoCloseable {
    static final int INTERVAL = 10;

    final Metrics metrics = new Metrics();
    final SaidFaults said = new SaidFaults();
    final HistorySettings settings;

    /** Every counter. */
    final Map<String, Long> counters = new LinkedHashMap<>();

    History history;

    KeptHistory(HistorySettings settings) {
        this.settings = settings;
        history = new History(settings, said.log(), metrics);
    }

    /** Settings with generous limits, for this folder. */
    static HistorySettings in(Path folder) {
        return new HistorySettings(
                folder.resolve("history.db"), INTERVAL, 172_800, 2_592_000, 63_072_000, 1L << 30, 1000);
    }

    static HistorySettings in(Path folder, long ticks, long minutes, long hours, long bytes, int counters) {
        return new HistorySettings(folder.resolve("history.db"), INTERVAL, ticks, minutes, hours, bytes, counters);
    }

    /** Writes a tick at this second with the present values of all counters. */
    void tick(long second) {
        history.put(second, snapshot());
    }

    /** Writes ticks from the first to the last second, one interval apart. */
    void ticks(long first, long last) {
        for (long second = first; second <= last; second += INTERVAL) {
            tick(second);
        }
    }

    /** As in the ledger, a counter keeps its number, also if it is removed and comes back. */
    private final Map<String, Integer> numbers = new TreeMap<>();

    Snapshot snapshot() {
        counters.keySet().forEach(name -> numbers.putIfAbsent(name, numbers.size()));
        String[] names = counters.keySet().stream()
                .sorted(Comparator.comparing(numbers::get))
                .toArray(String[]::new);
        return new Snapshot(
                names,
                Arrays.stream(names).mapToLong(counters::get).toArray(),
                Arrays.stream(names).mapToInt(numbers::get).toArray(),
                names.length);
    }

    /** {@code 100=1 110=2}: the samples of a counter in this range. */
    String samples(String name, long from, long to) throws IOException {
        return text(history.samples(name, from, to));
    }

    String samples(String name, long from, long to, int step) throws IOException {
        return text(history.samples(name, from, to, step));
    }

    private static String text(Samples samples) {
        StringJoiner text = new StringJoiner(" ");
        for (int i = 0; i < samples.size(); i++) {
            text.add(samples.seconds()[i] + "=" + samples.values()[i]);
        }
        return text.toString();
    }

    long counted(String name) {
        return metrics.values().getOrDefault(name, 0L);
    }

    /** Closes the history and opens it again. */
    void restart() {
        history.close();
        history = new History(settings, said.log(), metrics);
    }

    /** Copies the files, as a kill at this moment would leave them, to another folder. */
    HistorySettings killed(Path folder) throws IOException {
        Files.createDirectories(folder);
        for (String part : new String[] {"", "-wal"}) {
            Path from = settings.file().resolveSibling("history.db" + part);
            if (Files.exists(from)) {
                Files.copy(from, folder.resolve("history.db" + part));
            }
        }
        return new HistorySettings(
                folder.resolve("history.db"),
                settings.intervalSeconds(),
                settings.ticksSeconds(),
                settings.minutesSeconds(),
                settings.hoursSeconds(),
                settings.bytesMax(),
                settings.countersMax());
    }

    @Override
    public void close() {
        history.close();
    }
}
