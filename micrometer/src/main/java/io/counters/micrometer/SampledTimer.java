package io.counters.micrometer;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.cumulative.CumulativeFunctionTimer;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/** A timer that two functions of the application keep. */
final class SampledTimer<T> extends CumulativeFunctionTimer<T> implements Sampled {
    private final RisingSum calls;
    private final RisingSum nanos;

    SampledTimer(
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
    public void sample() {
        calls.riseTo(count());
        nanos.riseTo(totalTime(TimeUnit.NANOSECONDS));
    }
}
