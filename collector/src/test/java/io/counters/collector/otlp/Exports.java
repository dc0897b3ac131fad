package io.counters.collector.otlp;

import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import io.opentelemetry.proto.metrics.v1.Sum;
import io.opentelemetry.proto.resource.v1.Resource;
import java.util.ArrayList;
import java.util.List;

/** Builds requests as programs send them. Times are seconds of Unix time. */
final class Exports {
    private static final long NANOS = 1_000_000_000L;

    private Exports() {}

    /** A request of one process. */
    static ExportMetricsServiceRequest request(String instance, Metric... metrics) {
        return ExportMetricsServiceRequest.newBuilder()
                .addResourceMetrics(ResourceMetrics.newBuilder()
                        .setResource(Resource.newBuilder()
                                .addAttributes(attribute("service.name", "shop"))
                                .addAttributes(attribute("service.instance.id", instance)))
                        .addScopeMetrics(ScopeMetrics.newBuilder().addAllMetrics(List.of(metrics))))
                .build();
    }

    static Metric cumulative(String name, NumberDataPoint... points) {
        return sum(name, AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE, true, points);
    }

    static Metric cumulativeUpDown(String name, NumberDataPoint... points) {
        return sum(name, AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE, false, points);
    }

    static Metric delta(String name, NumberDataPoint... points) {
        return sum(name, AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA, true, points);
    }

    static Metric deltaUpDown(String name, NumberDataPoint... points) {
        return sum(name, AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA, false, points);
    }

    static Metric sum(String name, AggregationTemporality temporality, boolean isMonotonic, NumberDataPoint... points) {
        return Metric.newBuilder()
                .setName(name)
                .setSum(Sum.newBuilder()
                        .setAggregationTemporality(temporality)
                        .setIsMonotonic(isMonotonic)
                        .addAllDataPoints(List.of(points)))
                .build();
    }

    /** @param tags keys and values of attributes, one after the other */
    static NumberDataPoint point(long start, long time, long value, String... tags) {
        return times(start, time, tags).setAsInt(value).build();
    }

    static NumberDataPoint point(long start, long time, double value, String... tags) {
        return times(start, time, tags).setAsDouble(value).build();
    }

    static NumberDataPoint.Builder times(long start, long time, String... tags) {
        List<KeyValue> attributes = new ArrayList<>();
        for (int i = 0; i < tags.length; i += 2) {
            attributes.add(attribute(tags[i], tags[i + 1]));
        }
        return NumberDataPoint.newBuilder()
                .setStartTimeUnixNano(start * NANOS)
                .setTimeUnixNano(time * NANOS)
                .addAllAttributes(attributes);
    }

    static KeyValue attribute(String key, String value) {
        return KeyValue.newBuilder()
                .setKey(key)
                .setValue(AnyValue.newBuilder().setStringValue(value))
                .build();
    }
}
