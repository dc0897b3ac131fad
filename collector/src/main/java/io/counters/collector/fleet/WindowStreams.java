package io.counters.collector.fleet;

import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * The streams that have lines in a {@link LineWindow}, by their places, and the numbers of their datagrams there. Its arrays
 * are used again by the next window. Not for several threads at once.
 */
final class WindowStreams {
    /** About the memory that one uses. */
    static final int BYTES = 64;

    private static final int NONE = -1;

    /** In place of the lowest number: that of some line is not known. */
    private static final long UNKNOWN = 0;

    /** Distinguishes this window from every other one. */
    private long window;

    private @Nullable KnownStream[] streams = new KnownStream[16];
    private long[] bornMillis = new long[16];

    /** Of each the line of its last run. */
    private int[] lastRun = new int[16];

    private long[] first = new long[16];
    private long[] last = new long[16];
    private int count = LineWindow.NOBODY + 1;

    /** The places of the streams that are announced to every partition with this window. */
    private final BitSet announced = new BitSet();

    /** Empties it, for the window with this number, which is above 0. */
    void begin(long next) {
        window = next;
        Arrays.fill(streams, 0, count, null);
        announced.clear();
        count = LineWindow.NOBODY + 1;
    }

    boolean contains(KnownStream stream) {
        return stream.window == window;
    }

    /** Gives the stream the next place. */
    void add(KnownStream stream) {
        if (count == streams.length) {
            streams = Arrays.copyOf(streams, 2 * count);
            bornMillis = Arrays.copyOf(bornMillis, 2 * count);
            lastRun = Arrays.copyOf(lastRun, 2 * count);
            first = Arrays.copyOf(first, 2 * count);
            last = Arrays.copyOf(last, 2 * count);
        }
        stream.window = window;
        stream.place = count;
        streams[count] = stream;
        bornMillis[count] = stream.bornMillis;
        lastRun[count] = NONE;
        first[count] = Long.MAX_VALUE;
        last[count++] = 0;
    }

    /** The next lines of the stream at this place are of the datagram with this number. */
    void datagram(int place, long seq) {
        first[place] = Math.min(first[place], seq);
        last[place] = Math.max(last[place], seq);
        // A datagram that was late makes its stream look younger than it is.
        bornMillis[place] = Math.min(bornMillis[place], at(place).bornMillis);
    }

    /** In this window the numbers of the stream's datagrams say nothing about the order of its lines. */
    void unnumbered(int place) {
        first[place] = UNKNOWN;
    }

    /** Whether each line of the stream is of a datagram whose number is between {@link #first} and {@link #last}. */
    boolean isNumbered(int place) {
        return first[place] != UNKNOWN && last[place] > 0;
    }

    long first(int place) {
        return first[place];
    }

    long last(int place) {
        return last[place];
    }

    /** Where the stream's last run is among the lines of the window; negative if it has none. */
    int lastRun(int place) {
        return lastRun[place];
    }

    void setLastRun(int place, int line) {
        lastRun[place] = line;
    }

    /** The stream with this place, which is not {@link LineWindow#NOBODY}. */
    KnownStream at(int place) {
        KnownStream stream = streams[place];
        if (stream == null) {
            throw new IllegalArgumentException("the window has no stream " + place);
        }
        return stream;
    }

    /** When that stream began, by the gatherer's clock. */
    long bornMillis(int place) {
        return bornMillis[place];
    }

    /** The places of the streams that are announced with the window. */
    BitSet announced() {
        return announced;
    }

    /** About the memory that they use. */
    long bytes() {
        return (long) count * BYTES;
    }
}
