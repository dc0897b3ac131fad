package io.counters.micrometer;

import io.micrometer.core.instrument.AbstractDistributionSummary;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.core.instrument.distribution.TimeWindowMax;

/** A summary that counts its records, and adds up their amounts, in cells. Its maximum and its histogram are not sent. */
final class CellSummary extends AbstractDistributionSummary {
    private final Sum count;
    private final Sum total;
    private final TimeWindowMax max;

    CellSummary(Meter.Id id, Clock clock, DistributionStatisticConfig config, double scale, Sum count, Sum total) {
        super(id, clock, config, scale, false);
        this.count = count;
        this.total = total;
        max = new TimeWindowMax(clock, config);
    }

    @Override
    protected void recordNonNegative(double amount) {
        count.counter.increment();
        total.add(amount);
        max.record(amount);
    }

    @Override
    public long count() {
        return count.whole();
    }

    @Override
    public double totalAmount() {
        return total.value();
    }

    @Override
    public double max() {
        return max.poll();
    }
}
