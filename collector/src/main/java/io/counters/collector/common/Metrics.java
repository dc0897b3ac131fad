package io.counters.collector.common;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * This program's metrics: how much it received, rejected, healed, pushed, published and lost. They begin at 0 at every start,
 * and are shown on the page and at {@code /metrics}. For any thread.
 *
 * <p>A metric's name has Prometheus' form, without the prefix that all of them get, and ends with {@code _total} if it only
 * grows. Its help is one sentence that says what it shows. It has at most two labels.
 */
public final class Metrics {
    private static final String PREFIX = "counters_";
    private static final String TOTAL = "_total";

    private final ConcurrentSkipListMap<String, Metric> metrics = new ConcurrentSkipListMap<>();

    /** All values of one name. */
    private static final class Metric {
        final String name;
        final String help;
        final Map<Labels, LongSupplier> values = new ConcurrentHashMap<>();
        final Map<Labels, LongAdder> counts = new ConcurrentHashMap<>();

        Metric(String name, String help) {
            this.name = name;
            this.help = help;
        }

        LongAdder count(Labels labels) {
            return counts.computeIfAbsent(labels, fresh -> {
                LongAdder count = new LongAdder();
                values.put(fresh, count::sum);
                return count;
            });
        }

        void forget(Labels labels) {
            values.remove(labels);
            counts.remove(labels);
        }

        MetricSnapshot snapshot() {
            return name.endsWith(TOTAL)
                    ? new CounterSnapshot(
                            new MetricMetadata(PREFIX + name.substring(0, name.length() - TOTAL.length()), help),
                            values.entrySet().stream()
                                    .map(value -> new CounterDataPointSnapshot(
                                            value.getValue().getAsLong(), value.getKey(), null, 0))
                                    .toList())
                    : new GaugeSnapshot(
                            new MetricMetadata(PREFIX + name, help),
                            values.entrySet().stream()
                                    .map(value -> new GaugeDataPointSnapshot(
                                            value.getValue().getAsLong(), value.getKey(), null))
                                    .toList());
        }
    }

    /** The counter of this name, which ends with {@code _total}; callers that use it often should keep it. */
    public LongAdder count(String name, String help) {
        return metric(name, help, true).count(Labels.EMPTY);
    }

    /** The counter of this name and label. */
    public LongAdder count(String name, String help, String label, String value) {
        return metric(name, help, true).count(Labels.of(label, value));
    }

    /** The counter of this name and these two labels. */
    public LongAdder count(String name, String help, String label, String value, String label2, String value2) {
        return metric(name, help, true).count(Labels.of(label, value, label2, value2));
    }

    /** Adds a number that is kept elsewhere and only grows; its name ends with {@code _total}. */
    public void total(String name, String help, LongSupplier value) {
        metric(name, help, true).values.put(Labels.EMPTY, value);
    }

    /** Adds a number with a label that is kept elsewhere and only grows. */
    public void total(String name, String help, String label, String labelValue, LongSupplier value) {
        metric(name, help, true).values.put(Labels.of(label, labelValue), value);
    }

    /** Adds a number that is kept elsewhere, and may fall. */
    public void gauge(String name, String help, LongSupplier value) {
        metric(name, help, false).values.put(Labels.EMPTY, value);
    }

    /** Adds a number with a label that is kept elsewhere, and may fall. */
    public void gauge(String name, String help, String label, String labelValue, LongSupplier value) {
        metric(name, help, false).values.put(Labels.of(label, labelValue), value);
    }

    private Metric metric(String name, String help, boolean isTotal) {
        Metric metric = metrics.computeIfAbsent(name, fresh -> new Metric(fresh, help));
        if (name.endsWith(TOTAL) != isTotal) {
            throw new IllegalArgumentException("the name " + name + (isTotal ? " must" : " must not") + " end with "
                    + TOTAL + ", because the metric " + (isTotal ? "only grows" : "may fall"));
        }
        if (!metric.help.equals(help)) {
            throw new IllegalArgumentException("the metric " + name + " has two help texts, \"" + metric.help
                    + "\" and \"" + help + "\"; give it the same one everywhere");
        }
        return metric;
    }

    /** Removes all values that have this label, such as those of a removed server. */
    public void forget(String label, String value) {
        Labels labels = Labels.of(label, value);
        metrics.values().forEach(metric -> metric.forget(labels));
    }

    /** The present values of all metrics, by name; those with a label as {@code name{label="value"}}. */
    public SortedMap<String, Long> values() {
        SortedMap<String, Long> now = new TreeMap<>();
        for (Metric metric : metrics.values()) {
            metric.values.forEach((labels, value) ->
                    now.put(labels.isEmpty() ? metric.name : metric.name + labels, value.getAsLong()));
        }
        return now;
    }

    /** The present values of all metrics as Prometheus' library has them, with the prefix {@value #PREFIX}. */
    public MetricSnapshots snapshots() {
        Stream<MetricSnapshot> now = metrics.values().stream()
                .filter(metric -> !metric.values.isEmpty())
                .map(Metric::snapshot);
        return new MetricSnapshots(now.toList());
    }
}
