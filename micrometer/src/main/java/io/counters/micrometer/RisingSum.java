package io.counters.micrometer;

import io.micrometer.core.instrument.Meter;
import java.util.function.DoubleSupplier;

/**
 * Counts what a function's value has risen by since it was last read. A value that is at most half of what was counted
 * means that the function began again at 0, and counts completely; after a smaller fall nothing counts until the function
 * has passed its highest value. Any thread.
 */
final class RisingSum {
    private final Sum sum;
    private final Readings.Reading reading;
    private final Meter.Id meter;
    private final Faults faults;

    RisingSum(Sum sum, Readings.Reading reading, Meter.Id meter, Faults faults) {
        this.sum = sum;
        this.reading = reading;
        this.meter = meter;
        this.faults = faults;
    }

    /** Reads the function, and counts up to the whole part of its value; throws what the function throws. */
    void read(DoubleSupplier function) {
        // The function is read under the lock: a value that another registry has passed meanwhile would be a fall.
        synchronized (reading) {
            riseTo(function.getAsDouble());
        }
    }

    private void riseTo(double value) {
        if (!(Math.abs(value) < 0x1p63)) {
            faults.note(Faults.Reason.NOT_FINITE, meter, "its function returned " + value);
            return;
        }
        long whole = (long) value;
        long before = reading.counted;
        boolean again = whole < before && whole <= before / 2;
        if (whole >= before || again) {
            reading.counted = whole;
            sum.counter.add(again ? whole : whole - before);
        }
        if (whole < before) {
            faults.note(Faults.Reason.FELL, meter, "its function returned " + value + ", and had returned " + before);
        }
    }
}
