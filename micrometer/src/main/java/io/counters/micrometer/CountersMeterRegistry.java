package io.counters.micrometer;

import io.counters.Counters;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.LongTaskTimer;
import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.config.NamingConvention;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import io.micrometer.core.instrument.distribution.pause.PauseDetector;
import io.micrometer.core.instrument.internal.DefaultGauge;
import io.micrometer.core.instrument.internal.DefaultLongTaskTimer;
import io.micrometer.core.instrument.internal.DefaultMeter;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A registry whose meters are exact counters. It sends nothing itself: the agent sends, or {@link Counters#start}.
 *
 * <pre>
 *   Counter NAME                       NAME; fractions are carried until they are a whole
 *   FunctionCounter NAME               NAME, read every 10 seconds
 *   Timer, FunctionTimer NAME          NAME.count and NAME.total, in nanoseconds
 *   DistributionSummary NAME           NAME.count and NAME.total, in the summary's unit
 *   Gauge, TimeGauge, LongTaskTimer,   not sent; this is logged once. Use a composite registry with another one for
 *   meters of custom types             these
 * </pre>
 *
 * <p>A name and its tags keep their form, except that each character that a counter's name may not contain becomes
 * {@code _}. A tag without a value is left out. If there are more than 7 tags, or if the name would exceed 250 bytes, the
 * tags that do not fit, in the order of their keys, are left out; meters that differ in such a tag only add up. What
 * cannot be counted is logged once for each reason, and is counted in {@value Faults#NAME} by its reason; tags that are
 * left out are logged once for each name of a meter.
 *
 * <p>Counters belong to the JVM: meters of one name, in several registries, and {@link Counters} count into the same
 * counter. What a meter shows, such as {@link Counter#count()}, is what was counted under its name since it was
 * registered.
 *
 * <p>Any thread may use a registry. {@link #close} reads all functions for a last time; meters that exist then continue to
 * count. As in all registries, meters that are registered later count nothing.
 */
public class CountersMeterRegistry extends MeterRegistry {
    private final Faults faults;
    private final MeterNames names;
    private final FunctionReader functions;
    private final Consumer<String> info;
    private final AtomicBoolean gaugesSaid = new AtomicBoolean();

    /** A registry that logs to stderr, in lines that begin with {@code counters: }. */
    public CountersMeterRegistry() {
        this(Clock.SYSTEM, CountersMeterRegistry::print, CountersMeterRegistry::print);
    }

    private static void print(String line) {
        System.err.println("counters: " + line);
    }

    /**
     * Both logs are called with one line at a time, from any thread, and must not throw.
     *
     * @param info gets what is as intended: that gauges are not sent
     * @param warnings gets what cannot be counted
     */
    public CountersMeterRegistry(Clock clock, Consumer<String> info, Consumer<String> warnings) {
        this(clock, info, warnings, FunctionReader.LAST_MILLIS);
    }

    /** @param lastMillis the last reading of functions is waited for no longer */
    @SuppressWarnings("this-escape") // The registry's configuration is a part of it.
    CountersMeterRegistry(Clock clock, Consumer<String> info, Consumer<String> warnings, long lastMillis) {
        super(clock);
        this.info = info;
        faults = new Faults(warnings);
        names = new MeterNames(faults);
        functions = new FunctionReader(faults, clock, lastMillis);
        config().namingConvention(NamingConvention.identity).onMeterRemoved(meter -> functions.remove(meter.getId()));
    }

    private Sum sum(Meter.Id id, String suffix) {
        return new Sum(Counters.counter(names.name(id, config().namingConvention(), suffix)), id, faults);
    }

    private RisingSum rising(Meter.Id id, String suffix, @Nullable Object of) {
        Sum sum = sum(id, suffix);
        return new RisingSum(sum, Readings.of(of, id, sum.counter.name(), suffix), id, faults);
    }

    @Override
    protected Counter newCounter(Meter.Id id) {
        return new CellCounter(id, sum(id, ""));
    }

    @Override
    protected Timer newTimer(Meter.Id id, DistributionStatisticConfig config, PauseDetector pauses) {
        return new CellTimer(id, clock, config, pauses, sum(id, ".count"), sum(id, ".total"));
    }

    @Override
    protected DistributionSummary newDistributionSummary(
            Meter.Id id, DistributionStatisticConfig config, double scale) {
        return new CellSummary(id, clock, config, scale, sum(id, ".count"), sum(id, ".total"));
    }

    @Override
    protected <T> FunctionCounter newFunctionCounter(Meter.Id id, T of, ToDoubleFunction<T> count) {
        CellFunctionCounter<T> counter = new CellFunctionCounter<>(id, of, count, rising(id, "", of));
        functions.add(id, counter);
        return counter;
    }

    @Override
    protected <T> FunctionTimer newFunctionTimer(
            Meter.Id id, T of, ToLongFunction<T> count, ToDoubleFunction<T> total, TimeUnit totalUnit) {
        CellFunctionTimer<T> timer = new CellFunctionTimer<>(
                id, of, count, total, totalUnit, rising(id, ".count", of), rising(id, ".total", of));
        functions.add(id, timer);
        return timer;
    }

    @Override
    protected <T> Gauge newGauge(Meter.Id id, T of, ToDoubleFunction<T> value) {
        notSent(id);
        return new DefaultGauge<>(id, of, value);
    }

    @Override
    protected LongTaskTimer newLongTaskTimer(Meter.Id id, DistributionStatisticConfig config) {
        notSent(id);
        return new DefaultLongTaskTimer(id, clock, getBaseTimeUnit(), config, false);
    }

    @Override
    protected Meter newMeter(Meter.Id id, Meter.Type type, Iterable<Measurement> measurements) {
        notSent(id);
        return new DefaultMeter(id, type, measurements);
    }

    private void notSent(Meter.Id id) {
        if (gaugesSaid.compareAndSet(false, true)) {
            info.accept("gauges, long task timers and meters of custom types, such as " + id.getName()
                    + ", are not sent: they are no counters; a registry for them can be beside this one");
        }
    }

    @Override
    protected TimeUnit getBaseTimeUnit() {
        return TimeUnit.NANOSECONDS;
    }

    @Override
    protected DistributionStatisticConfig defaultHistogramConfig() {
        return DistributionStatisticConfig.DEFAULT;
    }

    /** Reads all functions now. */
    void readFunctions() {
        functions.readNow();
    }

    /** Looks now whether a function blocks. */
    void watchFunctions() {
        functions.watch();
    }

    /** Reads all functions for a last time, within {@value FunctionReader#LAST_MILLIS} ms, and ends the thread. Idempotent. */
    @Override
    public void close() {
        functions.close();
        super.close();
    }
}
