package io.counters.collector.fleet;

import io.counters.collector.fleet.LineLog.Answers;
import io.counters.collector.fleet.LineLog.Contents;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Writes a window to the topic, as one record for each partition that has lines in it, or several if it is large. The lines
 * of a stream are together, after its {@code from} line. Keeps its arrays for the next window; used by one thread.
 */
final class WindowWriter {
    /** A record ends with the line that makes it longer than this. Kafka's brokers accept 1 MiB unless told otherwise. */
    static final int RECORD_BYTES = 256 << 10;

    private final int partitions;
    private final LineLog log;
    private final Answers answers;
    private final LineText text = new LineText();
    private final CRC32C crc = new CRC32C();

    /** The lines in their order, first by stream, then also by partition, and scratch space for sorting. */
    private int[] byStream = new int[0];

    private int[] byPartition = new int[0];
    private int[] partitionOf = new int[0];
    private int[] ends = new int[0];
    private int[] byHome = new int[0];
    private final int[] partitionEnds;
    private final int[] homeEnds;

    /** Of each stream: 1 more than the partition that it was last written to. */
    private int[] writtenTo = new int[0];

    private long nowMillis;
    private long wallMillis;
    private int totals;
    private int amounts;
    private int numbers;

    WindowWriter(int partitions, LineLog log, Answers answers) {
        this.partitions = partitions;
        this.log = log;
        this.answers = answers;
        partitionEnds = new int[partitions + 1];
        homeEnds = new int[partitions + 1];
    }

    /**
     * Writes everything in a window, which must not change meanwhile.
     *
     * @param now the gatherer's clock, for the ages of streams
     * @param wall Unix time, for the records
     */
    void write(Window window, long now, long wall) {
        nowMillis = now;
        wallMillis = wall;
        sort(window);
        sortHomes(window);
        writtenTo = fit(writtenTo, window.streams());
        Arrays.fill(writtenTo, 0, window.streams(), 0);
        for (int partition = 0; partition < partitions; partition++) {
            commands(window, partition);
            others(window, partition);
            send(partition);
        }
    }

    /** Sorts the lines by partition, and those of a partition by stream. Both sorts keep the order of arrival. */
    private void sort(Window window) {
        int size = window.size();
        byStream = fit(byStream, size);
        byPartition = fit(byPartition, size);
        partitionOf = fit(partitionOf, size);
        ends = fit(ends, window.streams() + 1);
        Arrays.fill(ends, 0, window.streams() + 1, 0);
        Arrays.fill(partitionEnds, 0);
        byte[] names = window.names();
        for (int line = 0; line < size; line++) {
            int partition = Partitions.of(names, window.nameBegin(line), window.nameEnd(line), partitions, crc);
            partitionOf[line] = partition;
            partitionEnds[partition + 1]++;
            ends[window.place(line) + 1]++;
        }
        sum(ends, window.streams());
        sum(partitionEnds, partitions);
        for (int line = 0; line < size; line++) {
            byStream[ends[window.place(line)]++] = line;
        }
        for (int i = 0; i < size; i++) {
            byPartition[partitionEnds[partitionOf[byStream[i]]]++] = byStream[i];
        }
    }

    /** Sorts the streams whose datagrams arrived by their home partitions. */
    private void sortHomes(Window window) {
        byHome = fit(byHome, window.streams());
        Arrays.fill(homeEnds, 0);
        for (int place = 1; place < window.streams(); place++) {
            homeEnds[window.stream(place).home + 1] += window.firstRun(place) < 0 ? 0 : 1;
        }
        sum(homeEnds, partitions);
        for (int place = 1; place < window.streams(); place++) {
            if (window.firstRun(place) >= 0) {
                byHome[homeEnds[window.stream(place).home]++] = place;
            }
        }
    }

    /** Makes the counts of each group, which are one further on, the beginnings of the groups. */
    private static void sum(int[] counts, int groups) {
        for (int i = 1; i <= groups; i++) {
            counts[i] += counts[i - 1];
        }
    }

    private static int[] fit(int[] array, int size) {
        return array.length >= size ? array : new int[Math.max(size, 2 * array.length)];
    }

    private void commands(Window window, int partition) {
        int of = Window.NOBODY;
        for (int i = partition == 0 ? 0 : partitionEnds[partition - 1]; i < partitionEnds[partition]; i++) {
            int line = byPartition[i];
            int place = window.place(line);
            if (place != of) {
                from(window, place, partition);
                of = place;
            }
            command(window, line);
            if (text.length() > RECORD_BYTES) {
                send(partition);
                of = Window.NOBODY;
            }
        }
    }

    /** The {@code from} lines of streams that have no commands in this partition. */
    private void others(Window window, int partition) {
        for (int i = partition == 0 ? 0 : homeEnds[partition - 1]; i < homeEnds[partition]; i++) {
            otherwise(window, byHome[i], partition);
        }
        for (int i = 0; i < window.announced(); i++) {
            otherwise(window, window.announced(i), partition);
        }
    }

    private void otherwise(Window window, int place, int partition) {
        if (writtenTo[place] != partition + 1) {
            from(window, place, partition);
            if (text.length() > RECORD_BYTES) {
                send(partition);
            }
        }
    }

    /** The {@code from} lines of a stream: in its home partition, if they were not yet written, one for each run. */
    private void from(Window window, int place, int partition) {
        KnownStream stream = window.stream(place);
        long ageMillis = Math.max(0, nowMillis - window.bornMillis(place));
        int run = stream.home == partition && writtenTo[place] != partition + 1 ? window.firstRun(place) : -1;
        if (run < 0) {
            text.from(stream.id, ageMillis);
        }
        for (; run >= 0; run = window.nextRun(run)) {
            if (text.length() > RECORD_BYTES) {
                send(partition);
            }
            text.from(stream.id, ageMillis, window.runFirst(run), window.runLast(run));
            numbers++;
        }
        writtenTo[place] = partition + 1;
    }

    private void command(Window window, int line) {
        byte[] names = window.names();
        int begin = window.nameBegin(line);
        int end = window.nameEnd(line);
        int kind = window.kind(line);
        boolean decrements = (kind & Window.DECREMENTS) != 0;
        switch (kind & ~Window.DECREMENTS) {
            case Window.TOTAL -> {
                totals++;
                text.command(decrements, names, begin, end, window.amount(line), window.total(line));
            }
            case Window.AMOUNT -> {
                amounts++;
                amount(decrements, names, begin, end, window.amount(line));
            }
            default -> {
                amounts++;
                fraction(names, begin, end, window.whole(line), window.rest(line));
            }
        }
    }

    /** A sum may be larger than the amount of a line. */
    private void amount(boolean decrements, byte[] names, int begin, int end, long sum) {
        long left = sum;
        for (; left > CommandReader.AMOUNT_MAX; left -= CommandReader.AMOUNT_MAX) {
            text.command(decrements, names, begin, end, CommandReader.AMOUNT_MAX, Commands.NO_TOTAL);
        }
        text.command(decrements, names, begin, end, left, Commands.NO_TOTAL);
    }

    private void fraction(byte[] names, int begin, int end, long whole, long rest) {
        boolean isLarge = whole <= -CommandReader.AMOUNT_MAX || whole >= CommandReader.AMOUNT_MAX;
        if (rest == 0 || isLarge) {
            // What is left of a negative one is above -1, so that the counter's lines still decrement.
            long apart = rest == 0 || whole >= 0 ? whole : whole + 1;
            amount(apart < 0, names, begin, end, Math.abs(apart));
            if (rest != 0) {
                text.fraction(names, begin, end, whole - apart, rest);
            }
        } else {
            text.fraction(names, begin, end, whole, rest);
        }
    }

    private void send(int partition) {
        if (text.length() == 0) {
            return;
        }
        byte[] record = text.take();
        log.append(partition, record, wallMillis, new Contents(totals, amounts, numbers, record.length), answers);
        totals = 0;
        amounts = 0;
        numbers = 0;
    }
}
