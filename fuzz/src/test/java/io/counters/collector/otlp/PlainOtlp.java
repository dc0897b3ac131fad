package io.counters.collector.otlp;

import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What docs/otlp.md says of sums, for a request of which nothing is special: the first one of a collector that counts alone and
 * knows nothing, with whole numbers, plain names and tags, and the points of each cumulative series in the order of their times. Of
 * other requests it says nothing.
 */
final class PlainOtlp {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._/-]{1,100}");
    private static final Pattern KEY = Pattern.compile("(?!instance$|pod$|hostname$)[a-z]{1,8}");
    private static final Pattern VALUE = Pattern.compile("[A-Za-z0-9._/-]{1,12}");
    private static final int TAGS_MAX = 7;
    private static final int NAME_CHARS_MAX = 250;
    private static final long VALUE_MAX = 1L << 53;
    private static final long LEVEL_MAX = 1L << 51;
    private static final long AGE_MAX_NANOS = 400L * 86_400 * 1_000_000_000;

    /** Times are before this, so that they can be subtracted. */
    private static final long TIME_MAX = 1L << 59;

    /** A series that can be confused with no other one. */
    private record Series(
            List<KeyValue> resource, List<Object> scope, String unit, boolean isMonotonic, long start, String name) {}

    /** Points that were counted in the same time. */
    private record Span(List<KeyValue> resource, long start, long end) {}

    private final Map<Series, List<NumberDataPoint>> cumulative = new LinkedHashMap<>();
    private final Map<Span, Set<Series>> deltas = new LinkedHashMap<>();
    private final SortedMap<String, Long> values = new TreeMap<>();
    private final Map<String, Long> moved = new TreeMap<>();
    private boolean isPlain = true;

    private PlainOtlp() {}

    /** The value of each counter; empty if the request is not a plain one. */
    static Optional<SortedMap<String, Long>> values(ExportMetricsServiceRequest request) {
        PlainOtlp sums = new PlainOtlp();
        for (ResourceMetrics ofResource : request.getResourceMetricsList()) {
            List<KeyValue> resource = ofResource.getResource().getAttributesList();
            sums.demand(resource.size() <= 1);
            for (ScopeMetrics ofScope : ofResource.getScopeMetricsList()) {
                List<Object> scope = List.of(
                        ofScope.getScope().getName(),
                        ofScope.getScope().getVersion(),
                        ofScope.getScope().getAttributesList());
                sums.demand(ofScope.getScope().getAttributesCount() <= 1);
                ofScope.getMetricsList().forEach(metric -> sums.metric(metric, resource, scope));
            }
        }
        sums.cumulative.forEach(sums::addUp);
        return sums.isPlain ? Optional.of(sums.values) : Optional.empty();
    }

    private void demand(boolean isSo) {
        isPlain &= isSo;
    }

    private void metric(Metric metric, List<KeyValue> resource, List<Object> scope) {
        AggregationTemporality temporality = metric.getSum().getAggregationTemporality();
        boolean isDelta = temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA;
        demand(metric.hasSum()
                && (isDelta || temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE)
                && NAME.matcher(metric.getName()).matches());
        boolean isMonotonic = metric.getSum().getIsMonotonic();
        for (NumberDataPoint point : metric.getSum().getDataPointsList()) {
            long start = point.getStartTimeUnixNano();
            long value = point.getAsInt();
            demand(point.hasAsInt() && point.getFlags() == 0);
            demand(start > 0 && start < point.getTimeUnixNano() && point.getTimeUnixNano() < TIME_MAX);
            demand(value >= (isMonotonic ? 0 : -VALUE_MAX) && value <= VALUE_MAX);
            Series series = new Series(
                    resource, scope, metric.getUnit(), isMonotonic, isDelta ? 0 : start, name(metric, point));
            if (isDelta) {
                delta(new Span(resource, start, point.getTimeUnixNano()), series, value);
            } else {
                cumulative.computeIfAbsent(series, fresh -> new ArrayList<>()).add(point);
            }
        }
    }

    private String name(Metric metric, NumberDataPoint point) {
        SortedMap<String, String> tags = new TreeMap<>();
        for (KeyValue attribute : point.getAttributesList()) {
            demand(KEY.matcher(attribute.getKey()).matches()
                    && attribute.getValue().hasStringValue()
                    && VALUE.matcher(attribute.getValue().getStringValue()).matches());
            tags.put(attribute.getKey(), attribute.getValue().getStringValue());
        }
        demand(tags.size() == point.getAttributesCount() && tags.size() <= TAGS_MAX);
        StringBuilder name = new StringBuilder(metric.getName());
        tags.forEach((key, value) -> name.append(',').append(key).append('=').append(value));
        demand(name.length() <= NAME_CHARS_MAX);
        return name.toString();
    }

    /** The point of a series in a span counts once, and one of 0 counts nothing. */
    private void delta(Span span, Series series, long value) {
        demand(deltas.computeIfAbsent(span, fresh -> new HashSet<>()).add(series));
        if (value != 0) {
            add(series.name, value);
        }
    }

    private void addUp(Series series, List<NumberDataPoint> points) {
        for (int i = 1; i < points.size(); i++) {
            demand(points.get(i).getTimeUnixNano() > points.get(i - 1).getTimeUnixNano());
        }
        if (isPlain) {
            add(series.name, series.isMonotonic ? counted(points) : level(series, points));
        }
    }

    /** The last value before each reset, and the last one. */
    private long counted(List<NumberDataPoint> points) {
        long sum = 0;
        long before = Long.MAX_VALUE;
        long last = 0;
        for (NumberDataPoint point : points) {
            if (point.getAsInt() < last) {
                sum += last;
                before = last;
            }
            last = point.getAsInt();
            // Otherwise two processes may send one series.
            demand(last < before);
        }
        return sum + last;
    }

    /** The last value, unless it rises faster than can be told. */
    private long level(Series series, List<NumberDataPoint> points) {
        for (int i = 0; i < points.size(); i++) {
            demand(Math.abs(points.get(i).getAsInt()) <= LEVEL_MAX);
            demand(points.get(i).getTimeUnixNano() - series.start <= AGE_MAX_NANOS);
            if (i > 0) {
                long nanos = points.get(i).getTimeUnixNano() - points.get(i - 1).getTimeUnixNano();
                demand(points.get(i).getAsInt() - points.get(i - 1).getAsInt() < nanos / 8);
            }
        }
        return points.get(points.size() - 1).getAsInt();
    }

    private void add(String name, long value) {
        values.merge(name, value, Long::sum);
        // Also what is added and what is subtracted must be small enough for a line.
        demand(moved.merge(name, Math.abs(value), Long::sum) <= VALUE_MAX);
    }
}
