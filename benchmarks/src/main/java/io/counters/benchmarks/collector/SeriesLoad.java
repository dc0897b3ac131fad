package io.counters.benchmarks.collector;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.wire.DatagramWriter;
import io.counters.wire.Verb;
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
import java.util.Arrays;
import java.util.List;

/**
 * What a process sends that has counted each of its series up to a value: as a request of OTLP, and as datagrams of 25
 * lines with totals. The names differ in their first word only. A series has three attributes.
 *
 * @param instance a number, which differs from process to process
 * @param series how many; a multiple of 25
 * @param startNanos when the process began, in nanoseconds of Unix time
 * @param stepNanos the time in which each series counts one
 */
public record SeriesLoad(int instance, int series, long startNanos, long stepNanos) {
    public static final int LINES = 25;

    private static final int DATAGRAM_BYTES = 8192;
    private static final int AGE_MILLIS = 3_600_000;

    /** A request of cumulative sums, not compressed. */
    public byte[] export(long value, boolean isMonotonic) {
        Sum.Builder sum = Sum.newBuilder()
                .setIsMonotonic(isMonotonic)
                .setAggregationTemporality(AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE);
        for (int i = 0; i < series; i++) {
            sum.addDataPoints(NumberDataPoint.newBuilder()
                    .setStartTimeUnixNano(startNanos)
                    .setTimeUnixNano(startNanos + value * stepNanos)
                    .setAsInt(value)
                    .addAttributes(attribute("method", "GET"))
                    .addAttributes(attribute("route", "/carts/" + i))
                    .addAttributes(attribute("status", "200")));
        }
        return ExportMetricsServiceRequest.newBuilder()
                .addResourceMetrics(ResourceMetrics.newBuilder()
                        .setResource(Resource.newBuilder()
                                .addAttributes(attribute("service.name", "shop"))
                                .addAttributes(attribute("service.instance.id", "shop-" + instance)))
                        .addScopeMetrics(ScopeMetrics.newBuilder()
                                .addMetrics(Metric.newBuilder()
                                        .setName(isMonotonic ? "http.requests" : "http.open")
                                        .setSum(sum))))
                .build()
                .toByteArray();
    }

    private static KeyValue attribute(String key, String value) {
        return KeyValue.newBuilder()
                .setKey(key)
                .setValue(AnyValue.newBuilder().setStringValue(value))
                .build();
    }

    /** The same counts of the same series. */
    public List<byte[]> datagrams(long value) {
        List<byte[]> datagrams = new ArrayList<>();
        DatagramWriter writer = new DatagramWriter(DATAGRAM_BYTES);
        byte[] id = ("bench-0123456789abcdef-" + instance).getBytes(ISO_8859_1);
        for (int i = 0; i < series; i++) {
            if (i % LINES == 0) {
                writer.clear();
                writer.from(id, AGE_MILLIS, (value * series + i) / LINES);
            }
            byte[] name = ("line.requests,method=GET,route=/carts/" + i + ",status=200").getBytes(ISO_8859_1);
            if (!writer.command(Verb.INCREMENT, name, 1, value)) {
                throw new IllegalStateException(LINES + " lines are too many for a datagram");
            }
            if (i % LINES == LINES - 1) {
                datagrams.add(Arrays.copyOf(writer.buffer(), writer.length()));
            }
        }
        return datagrams;
    }
}
