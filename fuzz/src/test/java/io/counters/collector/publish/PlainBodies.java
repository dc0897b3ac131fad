package io.counters.collector.publish;

import com.google.gson.JsonParser;
import com.google.protobuf.CodedInputStream;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** The points of a body, each with its series and value as a text: a second reading, which knows nothing of the first. */
final class PlainBodies {
    private PlainBodies() {}

    /** @param kind t for OpenTSDB, o for OTLP, p for remote write */
    static List<String> points(char kind, byte[] body) throws IOException {
        return switch (kind) {
            case 'o' -> ofOtlp(gunzip(body));
            case 'p' -> ofRemoteWrite(unsnap(body));
            default -> ofOpenTsdb(gunzip(body));
        };
    }

    private static byte[] gunzip(byte[] gzipped) throws IOException {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(gzipped))) {
            return in.readAllBytes();
        }
    }

    private static List<String> ofOpenTsdb(byte[] json) {
        List<String> points = new ArrayList<>();
        JsonParser.parseString(new String(json, java.nio.charset.StandardCharsets.US_ASCII))
                .getAsJsonArray()
                .forEach(point -> points.add(point.toString()));
        return points;
    }

    private static List<String> ofOtlp(byte[] message) throws IOException {
        List<String> points = new ArrayList<>();
        ExportMetricsServiceRequest request = ExportMetricsServiceRequest.parseFrom(message);
        for (Metric metric : request.getResourceMetrics(0).getScopeMetrics(0).getMetricsList()) {
            for (NumberDataPoint point : metric.getSum().getDataPointsList()) {
                points.add(metric.getName() + " monotonic " + metric.getSum().getIsMonotonic() + " temporality "
                        + metric.getSum().getAggregationTemporality() + " " + point);
            }
        }
        return points;
    }

    /** A message whose first field has the series, each with one sample. */
    private static List<String> ofRemoteWrite(byte[] message) throws IOException {
        List<String> points = new ArrayList<>();
        CodedInputStream in = CodedInputStream.newInstance(message);
        while (in.readTag() != 0) {
            points.add(HexFormat.of().formatHex(in.readByteArray()));
        }
        return points;
    }

    /** Snappy's block format: the length, then literals and copies of what was written before. */
    private static byte[] unsnap(byte[] in) {
        int at = 0;
        int length = 0;
        for (int shift = 0; ; shift += 7) {
            length |= (in[at] & 0x7f) << shift;
            if (in[at++] >= 0) {
                break;
            }
        }
        byte[] out = new byte[length];
        int to = 0;
        while (at < in.length) {
            int tag = in[at++] & 0xff;
            int kind = tag & 3;
            int count = kind == 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
            int more = kind == 0 ? Math.max(0, count - 60) : kind == 3 ? 4 : kind;
            int number = 0;
            for (int i = 0; i < more; i++) {
                number |= (in[at++] & 0xff) << (8 * i);
            }
            if (kind == 0) {
                count = more == 0 ? count : number + 1;
                System.arraycopy(in, at, out, to, count);
                at += count;
                to += count;
            } else {
                int back = kind == 1 ? number | tag >> 5 << 8 : number;
                for (; count > 0; count--, to++) {
                    out[to] = out[to - back];
                }
            }
        }
        if (to != length) {
            throw new IllegalStateException("announced " + length + " bytes, has " + to);
        }
        return out;
    }
}
