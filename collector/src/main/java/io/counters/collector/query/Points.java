package io.counters.collector.query;

import io.counters.collector.history.Samples;
import java.util.Arrays;

/** Points of a time series, by time: whole numbers, or other numbers that were computed from them. */
final class Points {
    final long[] millis;
    final int size;
    final boolean isInteger;

    /** Whole numbers, or the bits of doubles. */
    private final long[] values;

    private Points(long[] millis, long[] values, int size, boolean isInteger) {
        this.millis = millis;
        this.values = values;
        this.size = size;
        this.isInteger = isInteger;
    }

    /** Receives points in the order of time. */
    static final class Builder {
        private long[] millis;
        private long[] values;
        private final boolean isInteger;
        private int size;

        /** @param size the probable number of points; it may be exceeded */
        Builder(int size, boolean isInteger) {
            millis = new long[size];
            values = new long[size];
            this.isInteger = isInteger;
        }

        void add(long at, double value) {
            addBits(at, Double.doubleToRawLongBits(value));
        }

        void addInteger(long at, long value) {
            addBits(at, value);
        }

        private void addBits(long at, long bits) {
            if (size == millis.length) {
                millis = Arrays.copyOf(millis, size + size / 2 + 16);
                values = Arrays.copyOf(values, millis.length);
            }
            millis[size] = at;
            values[size++] = bits;
        }

        Points build() {
            return new Points(Arrays.copyOf(millis, size), Arrays.copyOf(values, size), size, isInteger);
        }
    }

    static Points of(Samples samples) {
        long[] millis = samples.seconds().clone();
        for (int i = 0; i < millis.length; i++) {
            millis[i] *= 1000;
        }
        return new Points(millis, samples.values(), millis.length, true);
    }

    /** The value of a point, if all are whole numbers. */
    long integer(int point) {
        return values[point];
    }

    double real(int point) {
        return isInteger ? values[point] : Double.longBitsToDouble(values[point]);
    }

    /** The first point at or after this time; {@link #size} if there is none. */
    int first(long from) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (millis[middle] < from) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
