package io.counters.micrometer;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.cumulative.CumulativeFunctionCounter;
import java.util.function.ToDoubleFunction;

/** A counter that a function of the application keeps. */
final class CellFunctionCounter<T> extends CumulativeFunctionCounter<T> implements FunctionMeter {
    private final RisingSum sum;

    CellFunctionCounter(Meter.Id id, T of, ToDoubleFunction<T> count, RisingSum sum) {
        super(id, of, count);
        this.sum = sum;
    }

    @Override
    public void read() {
        sum.read(this::count);
    }
}
