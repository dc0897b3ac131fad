package io.counters.collector.fleet;

import io.counters.collector.fleet.LineLog.Answers;
import io.counters.collector.fleet.LineLog.Contents;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import java.util.Arrays;
import java.util.BitSet;
import java.util.zip.CRC32C;

/**
 * Writes a window to the topic, as one record for each partition that has lines in it, or several if it is large. The lines
 * of a stream are together, after its {@code from} line. Keeps its arrays for the next window; used by one thread.
 */
final class WindowWriter {
    /** The bits of {@link #order}; a window's memory has room for fewer lines. */
    private static final int PLACE_SHIFT = 24;

    private static final int PARTITION_SHIFT = 2 * PLACE_SHIFT;
    private static final int LINE = (1 << PLACE_SHIFT) - 1;
    private static final int NO_PLACE = -1;

    private final int partitions;
    private final LineLog log;
    private final LineText text = new LineText();
    private final CRC32C crc = new CRC32C();

    /** By partition, stream and line: the order in which lines are written. */
    private long[] order = new long[0];

    /** The streams with lines in a partition. */
    private final BitSet written = new BitSet();

    @SuppressWarnings("NullAway.Init") // Of the window that is being written, as are the fields below.
    private Answers answers;

    private int records;
    private long nowMillis;
    private long wallMillis;
    private int totals;
    private int amounts;
    private int numbers;

    WindowWriter(int partitions, LineLog log) {
        this.partitions = partitions;
        this.log = log;
    }

    /**
     * Writes everything in a window, which must not change meanwhile.
     *
     * @param now the gatherer's clock, for the ages of streams
     * @param wall Unix time, for the records
     * @param answers what becomes of each record
     * @return the number of records
     */
    int write(LineWindow window, long now, long wall, Answers answers) {
        nowMillis = now;
        wallMillis = wall;
        this.answers = answers;
        records = 0;
        sort(window);
        int next = 0;
        for (int partition = 0; partition < partitions; partition++) {
            written.clear();
            int of = LineWindow.NOBODY;
            for (; next < window.size() && order[next] >>> PARTITION_SHIFT == partition; next++) {
                int line = (int) order[next] & LINE;
                int place = window.place(line);
                boolean isRun = window.kind(line) == LineWindow.RUN;
                if (isRun) {
                    text.from(
                            window.streams().at(place).id(),
                            age(window, place),
                            window.first(line),
                            window.second(line));
                    numbers++;
                } else {
                    if (place != of) {
                        from(window, place);
                    }
                    command(window, line);
                }
                // The lines of a stream need another line before them than its runs.
                of = isRun ? NO_PLACE : place;
                written.set(place);
                if (!isFollowed(window, next) && sendIfLarge(partition)) {
                    of = LineWindow.NOBODY;
                }
            }
            others(window, partition);
            send(partition);
        }
        return records;
    }

    /**
     * Whether the next line is of the same stream and name: its increments and decrements are in one record, so that no value
     * between them is ever committed.
     */
    private boolean isFollowed(LineWindow window, int index) {
        if (index + 1 >= window.size() || order[index] >>> PLACE_SHIFT != order[index + 1] >>> PLACE_SHIFT) {
            return false;
        }
        int line = (int) order[index] & LINE;
        int other = (int) order[index + 1] & LINE;
        return window.place(line) != LineWindow.NOBODY
                && window.kind(line) != LineWindow.RUN
                && window.kind(other) != LineWindow.RUN
                && Arrays.equals(
                        window.names(),
                        window.nameBegin(line),
                        window.nameEnd(line),
                        window.names(),
                        window.nameBegin(other),
                        window.nameEnd(other));
    }

    /** Sorts the lines by partition, and those of a partition by stream and arrival. */
    private void sort(LineWindow window) {
        int size = window.size();
        order = order.length >= size ? order : new long[Math.max(size, 2 * order.length)];
        byte[] names = window.names();
        for (int line = 0; line < size; line++) {
            int place = window.place(line);
            long partition = window.kind(line) == LineWindow.RUN
                    ? window.streams().at(place).home
                    : Partitions.of(names, window.nameBegin(line), window.nameEnd(line), partitions, crc);
            order[line] = partition << PARTITION_SHIFT | (long) place << PLACE_SHIFT | line;
        }
        Arrays.sort(order, 0, size);
    }

    /** The {@code from} line before the lines of a stream, with the numbers of their datagrams if these are known. */
    private void from(LineWindow window, int place) {
        WindowStreams streams = window.streams();
        if (streams.isNumbered(place)) {
            text.among(streams.at(place).id(), age(window, place), streams.first(place), streams.last(place));
        } else {
            text.from(streams.at(place).id(), age(window, place));
        }
    }

    /** The {@code from} lines of streams that are announced and have no lines in this partition. */
    private void others(LineWindow window, int partition) {
        BitSet announced = window.streams().announced();
        for (int place = announced.nextSetBit(0); place >= 0; place = announced.nextSetBit(place + 1)) {
            if (!written.get(place)) {
                text.from(window.streams().at(place).id(), age(window, place));
                sendIfLarge(partition);
            }
        }
    }

    private long age(LineWindow window, int place) {
        return Math.max(0, nowMillis - window.streams().bornMillis(place));
    }

    private boolean sendIfLarge(int partition) {
        boolean isLarge = text.length() > LineWindow.RECORD_BYTES;
        if (isLarge) {
            send(partition);
        }
        return isLarge;
    }

    private void command(LineWindow window, int line) {
        byte[] names = window.names();
        int begin = window.nameBegin(line);
        int end = window.nameEnd(line);
        int kind = window.kind(line);
        boolean decrements = (kind & LineWindow.DECREMENTS) != 0;
        switch (kind & ~LineWindow.DECREMENTS) {
            case LineWindow.TOTAL -> {
                totals++;
                text.command(decrements, names, begin, end, window.amount(line), window.second(line));
            }
            case LineWindow.AMOUNT -> {
                amounts++;
                amount(decrements, names, begin, end, window.amount(line));
            }
            default -> {
                amounts++;
                fraction(names, begin, end, window.first(line), window.second(line));
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

    private void fraction(byte[] names, int begin, int end, long integer, long rest) {
        boolean isLarge = integer <= -CommandReader.AMOUNT_MAX || integer >= CommandReader.AMOUNT_MAX;
        if (rest == 0 || isLarge) {
            // What is left of a negative one is above -1, so that the counter's lines still decrement.
            long apart = rest == 0 || integer >= 0 ? integer : integer + 1;
            amount(apart < 0, names, begin, end, Math.abs(apart));
            if (rest != 0) {
                text.fraction(names, begin, end, integer - apart, rest);
            }
        } else {
            text.fraction(names, begin, end, integer, rest);
        }
    }

    private void send(int partition) {
        if (text.length() == 0) {
            return;
        }
        byte[] record = text.take();
        records++;
        log.append(partition, record, wallMillis, new Contents(totals, amounts, numbers, record.length), answers);
        totals = 0;
        amounts = 0;
        numbers = 0;
    }
}
