package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.prometheus.SeriesMarks;
import io.counters.collector.publish.Outcome.Rest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsPartialSuccess;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.InstrumentationScope;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import io.opentelemetry.proto.metrics.v1.Sum;
import io.opentelemetry.proto.resource.v1.Resource;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;

/**
 * OTLP over HTTP with protobuf, gzipped; its source is the "OpenTelemetry Protocol Specification 1". A counter is a cumulative
 * sum of whole numbers, with its tags as attributes. A metric that was ever decremented is not monotonic, and remains so.
 *
 * <p>A series begins a minute before the ledger recorded its creation, because its first counts arrived earlier than that; a
 * counter that was removed and is counted again begins anew. The resource has only {@code service.name}: anything of a
 * process, a host or an instance would end all series when the collector moves.
 */
final class OtlpFormat implements PointFormat {
    static final int POINTS_MAX = 2_000;

    /** How long before the ledger recorded its creation a series begins. */
    static final long BEGINS_SECONDS_BEFORE = 60;

    private static final int TOO_LARGE = 413;
    private static final Set<Integer> TRIED_AGAIN = Set.of(429, 502, 503, 504);
    private static final Resource RESOURCE = Resource.newBuilder()
            .addAttributes(attribute("service.name", "counters"))
            .build();
    private static final InstrumentationScope SCOPE =
            InstrumentationScope.newBuilder().setName("io.counters").build();

    private final Series series;
    private final List<KeyValue> added;

    /** The points of one metric. */
    private record Points(String metric, boolean isMonotonic, Sum.Builder sum) {}

    OtlpFormat(Series series) {
        this.series = series;
        added = series.tags().stream()
                .map(tag -> attribute(tag.key(), tag.value()))
                .toList();
    }

    private static KeyValue attribute(String key, String value) {
        return KeyValue.newBuilder()
                .setKey(key)
                .setValue(AnyValue.newBuilder().setStringValue(value))
                .build();
    }

    @Override
    public String server() {
        return "OTLP";
    }

    @Override
    public Map<String, String> headers() {
        return Map.of("Content-Type", "application/x-protobuf", "Content-Encoding", "gzip", "User-Agent", "counters");
    }

    @Override
    public Duration patience() {
        return Duration.ofSeconds(10);
    }

    @Override
    public int pointsMax(int bytesMax) {
        return POINTS_MAX;
    }

    @Override
    public byte[] pack(long second, Snapshot values, int begin, int end) {
        Map<String, Points> metrics = new LinkedHashMap<>();
        for (int i = begin; i < end; i++) {
            String name = values.names()[i];
            int comma = name.indexOf(',');
            String metric = comma < 0 ? name : name.substring(0, comma);
            boolean isMonotonic = !values.isMarked(i, SeriesMarks.GAUGE);
            metrics.computeIfAbsent(
                            isMonotonic ? metric : "," + metric, fresh -> points(series.prefix() + metric, isMonotonic))
                    .sum
                    .addDataPoints(point(second, values, i, comma));
        }
        return packed(metrics.values());
    }

    private static Points points(String metric, boolean isMonotonic) {
        return new Points(
                metric,
                isMonotonic,
                Sum.newBuilder()
                        .setIsMonotonic(isMonotonic)
                        .setAggregationTemporality(AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE));
    }

    private NumberDataPoint point(long second, Snapshot values, int place, int comma) {
        String name = values.names()[place];
        NumberDataPoint.Builder point = NumberDataPoint.newBuilder()
                .setStartTimeUnixNano(TimeUnit.SECONDS.toNanos(startSecond(values.createdSecond(place), second)))
                .setTimeUnixNano(TimeUnit.SECONDS.toNanos(second))
                .setAsInt(values.values()[place]);
        for (int at = comma; at >= 0; ) {
            int equals = name.indexOf('=', at);
            int next = name.indexOf(',', equals);
            point.addAttributes(attribute(
                    name.substring(at + 1, equals), name.substring(equals + 1, next < 0 ? name.length() : next)));
            at = next;
        }
        int own = point.getAttributesCount();
        for (KeyValue tag : added) {
            add(tag, point, own);
        }
        return point.build();
    }

    /** Adds one of {@code --tags}. A counter's own tag wins, but must not be equal: a counter without it gets that one. */
    private static void add(KeyValue tag, NumberDataPoint.Builder point, int own) {
        for (int i = 0; i < own; i++) {
            if (point.getAttributes(i).getKey().equals(tag.getKey())) {
                if (!point.getAttributes(i).equals(tag)) {
                    return;
                }
                point.setAttributes(i, tag.toBuilder().setKey(Series.EXPORTED + tag.getKey()));
            }
        }
        point.addAttributes(tag);
    }

    /** 0, which means that it is not known, if the ledger does not know it, or for a tick that is older than that. */
    private static long startSecond(long createdSecond, long second) {
        long start = createdSecond - BEGINS_SECONDS_BEFORE;
        return createdSecond == 0 || start >= second ? 0 : start;
    }

    private static byte[] packed(Iterable<Points> metrics) {
        ScopeMetrics.Builder scope = ScopeMetrics.newBuilder().setScope(SCOPE);
        metrics.forEach(points ->
                scope.addMetrics(Metric.newBuilder().setName(points.metric).setSum(points.sum)));
        byte[] message = ExportMetricsServiceRequest.newBuilder()
                .addResourceMetrics(
                        ResourceMetrics.newBuilder().setResource(RESOURCE).addScopeMetrics(scope))
                .build()
                .toByteArray();
        return PutBodies.gzip(message, 0, message.length);
    }

    /** The metrics in a body, of which each has a point. */
    static List<Metric> metrics(byte[] body) throws TickFile.DamagedFile {
        List<Metric> metrics;
        try (GZIPInputStream plain = new GZIPInputStream(new ByteArrayInputStream(body))) {
            metrics = ExportMetricsServiceRequest.parseFrom(plain).getResourceMetricsList().stream()
                    .flatMap(resource -> resource.getScopeMetricsList().stream())
                    .flatMap(scope -> scope.getMetricsList().stream())
                    .toList();
        } catch (IOException notOurs) {
            throw new TickFile.DamagedFile("a body is damaged: " + notOurs);
        }
        if (metrics.isEmpty()
                || metrics.stream().anyMatch(metric -> metric.getSum().getDataPointsCount() == 0)) {
            throw new TickFile.DamagedFile("a body is damaged: it has a metric without a point, or none");
        }
        return metrics;
    }

    @Override
    public List<Rest> halves(byte[] body) throws TickFile.DamagedFile {
        List<Metric> metrics = metrics(body);
        int all = metrics.stream()
                .mapToInt(metric -> metric.getSum().getDataPointsCount())
                .sum();
        return List.of(part(metrics, 0, all / 2), part(metrics, all / 2, all));
    }

    private static Rest part(List<Metric> metrics, int begin, int end) {
        List<Points> part = new ArrayList<>();
        int at = 0;
        for (Metric metric : metrics) {
            Sum sum = metric.getSum();
            int from = Math.max(begin - at, 0);
            int to = Math.min(end - at, sum.getDataPointsCount());
            if (from < to) {
                Points some = points(metric.getName(), sum.getIsMonotonic());
                some.sum.addAllDataPoints(sum.getDataPointsList().subList(from, to));
                part.add(some);
            }
            at += sum.getDataPointsCount();
        }
        return new Rest(packed(part), end - begin);
    }

    @Override
    public String first(byte[] body) throws TickFile.DamagedFile {
        Metric metric = metrics(body).get(0);
        StringBuilder name = new StringBuilder(metric.getName());
        metric.getSum()
                .getDataPoints(0)
                .getAttributesList()
                .forEach(tag -> name.append(',')
                        .append(tag.getKey())
                        .append('=')
                        .append(tag.getValue().getStringValue()));
        return name.toString();
    }

    /** An answer is a message of protobuf, so its bytes must remain what they are. */
    @Override
    public Charset charset() {
        return ISO_8859_1;
    }

    /**
     * By the specification, 429, 502, 503 and 504 are tried again, and no other errors; in addition, those of a login or an
     * address are, because they say nothing about the points. Whatever comes with 2xx, the points are accepted.
     */
    @Override
    public Answer read(int status, Duration wait, BoundedText body, int points) throws IOException {
        if (status / 100 == 2) {
            try {
                return taken(body.all());
            } catch (BoundedText.TooLong
                    | InvalidProtocolBufferException
                    | JsonParseException
                    | IllegalStateException
                    | NumberFormatException
                    | UnsupportedOperationException other) {
                return new Answer.Partial(0, "its answer is no message of OTLP: " + body.beginning());
            }
        }
        body.readBeginning();
        if (status == TOO_LARGE && points > 1) {
            return new Answer.TooLarge();
        }
        String why = why(body.received());
        return status / 100 == 3 || TRIED_AGAIN.contains(status) || Answer.isOfAccess(status)
                ? new Answer.Trouble("answered " + status + ": " + why, false, wait)
                : Answer.Refused.of(status, why);
    }

    private static Answer taken(String answer) throws InvalidProtocolBufferException {
        if (answer.stripLeading().startsWith("{")) {
            // Some servers answer in JSON whatever they are sent.
            JsonElement partial =
                    JsonParser.parseString(answer).getAsJsonObject().get("partialSuccess");
            return partial instanceof JsonObject some
                    ? taken(
                            some.get("rejectedDataPoints") instanceof JsonPrimitive rejected ? rejected.getAsLong() : 0,
                            some.get("errorMessage") instanceof JsonPrimitive message ? message.getAsString() : "")
                    : new Answer.Taken();
        }
        ExportMetricsPartialSuccess partial = ExportMetricsServiceResponse.parseFrom(answer.getBytes(ISO_8859_1))
                .getPartialSuccess();
        return taken(partial.getRejectedDataPoints(), partial.getErrorMessage());
    }

    private static Answer taken(long rejected, String message) {
        return rejected <= 0 && message.isEmpty()
                ? new Answer.Taken()
                : new Answer.Partial(Math.max(0, rejected), BoundedText.shortened(message));
    }

    /** The text of {@code google.rpc.Status}, which has it in its second field; of anything else, the text itself. */
    private static String why(String answer) {
        try {
            CodedInputStream in = CodedInputStream.newInstance(answer.getBytes(ISO_8859_1));
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                if (WireFormat.getTagFieldNumber(tag) == 2) {
                    return BoundedText.shortened(in.readString());
                }
                in.skipField(tag);
            }
        } catch (IOException noMessage) {
            return BoundedText.shortened(answer);
        }
        return BoundedText.shortened(answer);
    }
}
