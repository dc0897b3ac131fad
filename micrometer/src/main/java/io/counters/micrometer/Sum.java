package io.counters.micrometer;

import io.counters.Counter;
import io.counters.cells.Cells;
import io.micrometer.core.instrument.Meter;

/**
 * A counter to which a meter adds amounts, with the fraction that is not a whole yet.
 *
 * <p>The fraction is kept in steps of 10^-18. An amount below 10^9 that is a decimal of at most 6 places, such as 0.1, is
 * added as that decimal, so ten of them are 1; any other amount is added as the double that it is.
 */
final class Sum {
    private static final double DECIMALS_BELOW = 1e9;

    /** 2^63, the first amount that is not a long. */
    private static final double TOO_LARGE = 0x1p63;

    final Counter counter;

    private final Meter.Id meter;
    private final Faults faults;
    private final int id;
    private final long wholeBefore;
    private final long restBefore;

    Sum(Counter counter, Meter.Id meter, Faults faults) {
        this.counter = counter;
        this.meter = meter;
        this.faults = faults;
        id = Cells.id(counter.name());
        wholeBefore = Cells.sum(id);
        restBefore = Rest.now(id);
    }

    void add(double amount) {
        long whole = (long) amount;
        if (amount < 0) {
            faults.note(Faults.Reason.NEGATIVE, meter, "it was given the negative amount " + amount);
        } else if (!(amount < TOO_LARGE)) {
            faults.note(Faults.Reason.NOT_FINITE, meter, "it was given " + amount + ", which is no number below 2^63");
        } else if (whole == amount) {
            counter.add(whole);
        } else {
            counter.add(whole + Rest.of(id).carry(steps(amount, whole)));
        }
    }

    private static long steps(double amount, long whole) {
        double fraction = amount - whole;
        long millionths = Math.round(fraction * 1e6);
        if (amount < DECIMALS_BELOW && (whole * 1_000_000 + millionths) / 1e6 == amount) {
            return millionths * (Rest.STEPS / 1_000_000);
        }
        return Math.round(fraction * Rest.STEPS);
    }

    /** What was counted under this name in whole units since this object was created. */
    long whole() {
        return Cells.sum(id) - wholeBefore;
    }

    /** The same with the fraction. */
    double value() {
        return whole() + Rest.since(id, restBefore) / (double) Rest.STEPS;
    }
}
