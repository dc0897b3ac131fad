package io.counters.micrometer;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.cumulative.CumulativeFunctionCounter;
import java.util.function.ToDoubleFunction;

/** A counter that a function of the application keeps. */
final class SampledCounter<T> extends CumulativeFunctionCounter<T> implements Sampled {
    private final RisingSum sum;

    SampledCounter(Meter.Id id, T of, ToDoubleFunction<T> count, RisingSum sum) {
        super(id, of, count);
        this.sum = sum;
    }

    @Override
    public void sample() {
        sum.riseTo(count());
    }
}
