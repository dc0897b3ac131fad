package io.counters.micrometer;

import io.micrometer.core.instrument.AbstractMeter;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Meter;

/** A counter that counts into a cell. */
final class CellCounter extends AbstractMeter implements Counter {
    private final io.counters.Counter counter;
    private final Sum sum;

    CellCounter(Meter.Id id, Sum sum) {
        super(id);
        this.sum = sum;
        counter = sum.counter;
    }

    /** As cheap as {@link io.counters.Counter#increment}. */
    @Override
    public void increment() {
        counter.increment();
    }

    @Override
    public void increment(double amount) {
        sum.add(amount);
    }

    @Override
    public double count() {
        return sum.value();
    }
}
