package io.counters.micrometer;

import io.micrometer.core.instrument.Meter;

/** Counts what a function's value has risen by since it was last read. One thread at a time. */
final class RisingSum {
    private final Sum sum;
    private final Meter.Id meter;
    private final Faults faults;
    private long counted;

    RisingSum(Sum sum, Meter.Id meter, Faults faults) {
        this.sum = sum;
        this.meter = meter;
        this.faults = faults;
    }

    /** Counts up to the whole part of this value. */
    void riseTo(double value) {
        if (!(Math.abs(value) < 0x1p63)) {
            faults.note(Faults.Reason.NOT_FINITE, meter, "its function returned " + value);
            return;
        }
        long whole = (long) value;
        if (whole < counted) {
            faults.note(Faults.Reason.FELL, meter, "its function returned " + value + ", and had returned " + counted);
        } else {
            sum.counter.add(whole - counted);
        }
        counted = whole;
    }
}
