package io.counters.micrometer;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MockClock;
import io.micrometer.core.tck.MeterRegistryCompatibilityKit;
import java.time.Duration;

/** Micrometer's own tests of a registry. All of them apply: gauges and histograms are kept, though they are not sent. */
class CompatibilityTest extends MeterRegistryCompatibilityKit {
    @Override
    public MeterRegistry registry() {
        return new CountersMeterRegistry(new MockClock(), line -> {}, line -> {});
    }

    /** How long a maximum is kept by default: there are no steps here. */
    @Override
    public Duration step() {
        return Duration.ofMinutes(2);
    }
}
