package io.counters.collector.otlp;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.common.v1.InstrumentationScope;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.Gauge;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import io.opentelemetry.proto.metrics.v1.Sum;
import io.opentelemetry.proto.resource.v1.Resource;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads an {@code ExportMetricsServiceRequest} and hands its data points to {@link Sums}, one by one. Only a resource, a scope and
 * one data point are objects at a time: an empty message of two bytes is an object of a hundred, so a whole request as objects
 * would need up to fifty times its size.
 */
final class OtlpReader {
    /** The maximum bytes of a resource, a scope and a data point. */
    static final int PART_BYTES_MAX = 1 << 16;

    private static final String WRONG_TYPE = "a field that is a message or a text has another type";

    private final Sums sums;
    private byte[] in = {};

    OtlpReader(Sums sums) {
        this.sums = sums;
    }

    /** The fields of the message {@code in[begin, begin + length)}, one after the other. */
    private final class Fields {
        private final CodedInputStream coded;
        private final int messageBegin;

        /** The number of the present field; the last of several values of a field is the valid one. */
        int field;

        /** Its value, if it is a message or a text: {@code in[begin, begin + length)}. */
        int begin;

        int length;

        /** Its value, if it is a whole number or a boolean. */
        long number;

        Fields(int begin, int length) throws InvalidProtocolBufferException {
            if (length < 0) {
                throw new InvalidProtocolBufferException(WRONG_TYPE);
            }
            coded = CodedInputStream.newInstance(in, begin, length);
            messageBegin = begin;
        }

        Fields(Fields message) throws InvalidProtocolBufferException {
            this(message.begin, message.length);
        }

        boolean next() throws IOException {
            int tag = coded.readTag();
            field = WireFormat.getTagFieldNumber(tag);
            length = -1;
            switch (WireFormat.getTagWireType(tag)) {
                case WireFormat.WIRETYPE_VARINT -> {
                    if (tag != 0) {
                        number = coded.readRawVarint64();
                    }
                }
                case WireFormat.WIRETYPE_LENGTH_DELIMITED -> {
                    int bytes = coded.readRawVarint32();
                    begin = messageBegin + coded.getTotalBytesRead();
                    coded.skipRawBytes(bytes);
                    length = bytes;
                }
                default -> coded.skipField(tag);
            }
            return tag != 0;
        }

        /** Goes to the next message in this field. */
        boolean next(int wanted) throws IOException {
            while (next()) {
                if (field == wanted && length >= 0) {
                    return true;
                }
            }
            return false;
        }

        byte[] bytes() throws InvalidProtocolBufferException {
            if (length < 0) {
                throw new InvalidProtocolBufferException(WRONG_TYPE);
            }
            return Arrays.copyOfRange(in, begin, begin + length);
        }
    }

    /** @throws IOException if it is not such a message */
    void read(byte[] request) throws IOException {
        in = request;
        Fields fields = new Fields(0, request.length);
        while (fields.next(ExportMetricsServiceRequest.RESOURCE_METRICS_FIELD_NUMBER)) {
            resourceMetrics(fields);
        }
    }

    /** Forgets the request. */
    void clear() {
        in = new byte[0];
    }

    private void resourceMetrics(Fields message) throws IOException {
        Fields resource = last(message, ResourceMetrics.RESOURCE_FIELD_NUMBER, "resource");
        sums.resource(
                resource == null
                        ? Resource.getDefaultInstance()
                        : Resource.parser().parseFrom(in, resource.begin, resource.length));
        Fields fields = new Fields(message);
        while (fields.next(ResourceMetrics.SCOPE_METRICS_FIELD_NUMBER)) {
            scopeMetrics(fields);
        }
    }

    private void scopeMetrics(Fields message) throws IOException {
        Fields scope = last(message, ScopeMetrics.SCOPE_FIELD_NUMBER, "scope");
        sums.scope(
                scope == null
                        ? InstrumentationScope.getDefaultInstance()
                        : InstrumentationScope.parser().parseFrom(in, scope.begin, scope.length));
        Fields fields = new Fields(message);
        while (fields.next(ScopeMetrics.METRICS_FIELD_NUMBER)) {
            metric(fields);
        }
    }

    private @Nullable Fields last(Fields message, int field, String what) throws IOException {
        Fields found = null;
        for (Fields fields = new Fields(message); fields.next(field); ) {
            found = found == null ? new Fields(0, 0) : found;
            found.begin = fields.begin;
            found.length = fields.length;
        }
        if (found != null && found.length > PART_BYTES_MAX) {
            throw new InvalidProtocolBufferException(
                    "a " + what + " has " + found.length + " bytes; allowed are " + PART_BYTES_MAX);
        }
        return found;
    }

    private void metric(Fields message) throws IOException {
        byte[] name = {};
        byte[] unit = {};
        Fields fields = new Fields(message);
        Fields data = new Fields(0, 0);
        while (fields.next()) {
            switch (fields.field) {
                case Metric.NAME_FIELD_NUMBER -> name = fields.bytes();
                case Metric.UNIT_FIELD_NUMBER -> unit = fields.bytes();
                case Metric.GAUGE_FIELD_NUMBER,
                        Metric.SUM_FIELD_NUMBER,
                        Metric.HISTOGRAM_FIELD_NUMBER,
                        Metric.EXPONENTIAL_HISTOGRAM_FIELD_NUMBER,
                        Metric.SUMMARY_FIELD_NUMBER -> {
                    data.field = fields.field;
                    data.begin = fields.begin;
                    data.length = fields.length;
                }
                default -> {
                    // A description, which nothing depends on.
                }
            }
        }
        switch (data.field) {
            case Metric.SUM_FIELD_NUMBER -> sum(data, name, unit);
            case Metric.GAUGE_FIELD_NUMBER -> sums.reject(PointRejection.GAUGE, points(data));
            case Metric.SUMMARY_FIELD_NUMBER -> sums.reject(PointRejection.SUMMARY, points(data));
            case Metric.HISTOGRAM_FIELD_NUMBER, Metric.EXPONENTIAL_HISTOGRAM_FIELD_NUMBER ->
                sums.reject(PointRejection.HISTOGRAM, points(data));
            default -> {
                // A metric without data.
            }
        }
    }

    /** The number of data points, which all kinds of data have in the same field. */
    private int points(Fields data) throws IOException {
        int count = 0;
        for (Fields fields = new Fields(data); fields.next(Gauge.DATA_POINTS_FIELD_NUMBER); ) {
            count++;
        }
        return count;
    }

    private void sum(Fields data, byte[] name, byte[] unit) throws IOException {
        int temporality = 0;
        boolean isMonotonic = false;
        Fields fields = new Fields(data);
        while (fields.next()) {
            if (fields.field == Sum.AGGREGATION_TEMPORALITY_FIELD_NUMBER) {
                temporality = (int) fields.number;
            } else if (fields.field == Sum.IS_MONOTONIC_FIELD_NUMBER) {
                isMonotonic = fields.number != 0;
            }
        }
        if (temporality != AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE_VALUE
                && temporality != AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA_VALUE) {
            sums.reject(PointRejection.TEMPORALITY, points(data));
            return;
        }
        sums.sum(
                name,
                unit,
                isMonotonic ? Sums.Direction.MONOTONIC : Sums.Direction.BOTH,
                temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA_VALUE);
        for (Fields points = new Fields(data); points.next(Sum.DATA_POINTS_FIELD_NUMBER); ) {
            if (points.length > PART_BYTES_MAX) {
                sums.reject(PointRejection.POINT_TOO_LARGE, 1);
            } else {
                sums.point(NumberDataPoint.parser().parseFrom(in, points.begin, points.length));
            }
        }
    }
}
