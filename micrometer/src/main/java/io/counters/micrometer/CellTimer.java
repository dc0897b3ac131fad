package io.counters.micrometer;

import io.micrometer.core.instrument.AbstractTimer;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.core.instrument.distribution.TimeWindowMax;
import io.micrometer.core.instrument.distribution.pause.PauseDetector;
import io.micrometer.core.instrument.util.TimeUtils;
import java.util.concurrent.TimeUnit;

/** A timer that counts its calls, and their nanoseconds, into cells. Its maximum and its histogram are not sent. */
final class CellTimer extends AbstractTimer {
    private final Sum count;
    private final Sum nanos;
    private final TimeWindowMax max;

    CellTimer(
            Meter.Id id, Clock clock, DistributionStatisticConfig config, PauseDetector pauses, Sum count, Sum nanos) {
        super(id, clock, config, pauses, TimeUnit.NANOSECONDS, false);
        this.count = count;
        this.nanos = nanos;
        max = new TimeWindowMax(clock, config);
    }

    @Override
    protected void recordNonNegative(long amount, TimeUnit unit) {
        long took = unit.toNanos(amount);
        count.counter.increment();
        nanos.counter.add(took);
        max.record((double) took, TimeUnit.NANOSECONDS);
    }

    @Override
    public long count() {
        return count.whole();
    }

    @Override
    public double totalTime(TimeUnit unit) {
        return TimeUtils.nanosToUnit((double) nanos.whole(), unit);
    }

    @Override
    public double max(TimeUnit unit) {
        return max.poll(unit);
    }
}
