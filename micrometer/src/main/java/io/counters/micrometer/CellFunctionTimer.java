package io.counters.micrometer;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.cumulative.CumulativeFunctionTimer;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/** A timer that two functions of the application keep. */
final class CellFunctionTimer<T> extends CumulativeFunctionTimer<T> implements FunctionMeter {
    private final RisingSum calls;
    private final RisingSum nanos;

    CellFunctionTimer(
            Meter.Id id,
            T of,
            ToLongFunction<T> count,
            ToDoubleFunction<T> total,
            TimeUnit totalUnit,
            RisingSum calls,
            RisingSum nanos) {
        super(id, of, count, total, totalUnit, TimeUnit.NANOSECONDS);
        this.calls = calls;
        this.nanos = nanos;
    }

    @Override
    public void read() {
        calls.read(this::count);
        nanos.read(() -> totalTime(TimeUnit.NANOSECONDS));
    }
}
