package io.counters.collector.otlp;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import io.counters.collector.http.Response;
import io.counters.collector.http.Route;
import io.counters.collector.http.Text;
import io.counters.collector.intake.Kept;
import io.counters.collector.intake.LineTarget;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsPartialSuccess;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/** {@code POST /v1/metrics}: answered with 200 when everything that could be counted is kept. For any thread. */
public final class OtlpRoute {
    private static final String PATH = "/v1/metrics";
    private static final String PROTOBUF = "application/x-protobuf";
    private static final JsonFormat.Printer JSON_OUT =
            JsonFormat.printer().omittingInsignificantWhitespace().alwaysPrintFieldsWithNoPresence();

    private final OtlpSettings settings;
    private final LineTarget target;
    private final Function<Runnable, Supplier<Kept>> taking;
    private final InstantSource clock;
    private final FaultLog faults;

    /** Is locked while a request is converted: there is memory for one. */
    private final Sums sums;

    private final OtlpReader reader;
    private final LongAdder points;
    private final LongAdder rounded;
    private final LongAdder late;
    private final LongAdder withoutValue;
    private final LongAdder resets;
    private final LongAdder malformed;
    private final LongAdder tooLarge;
    private final LongAdder unkept;
    private final Map<PointRejection, LongAdder> rejected = new EnumMap<>(PointRejection.class);

    /**
     * @param target takes the lines
     * @param taking has a batch of lines taken by the target; what it returns waits until they are kept, and says what
     *     became of them
     * @param isAlone whether no other collector counts points of the same series
     * @param random a secure source
     */
    public OtlpRoute(
            OtlpSettings settings,
            LineTarget target,
            Function<Runnable, Supplier<Kept>> taking,
            boolean isAlone,
            RandomGenerator random,
            InstantSource clock,
            FaultLog faults,
            Metrics metrics) {
        this.settings = settings;
        this.target = target;
        this.taking = taking;
        this.clock = clock;
        this.faults = faults;
        KnownSeries known = new KnownSeries(
                settings.seriesMax(),
                isAlone ? nowNanos() : KnownSeries.SHARED,
                new SeededHash(random),
                new SeededHash(random));
        sums = new Sums(settings, known);
        reader = new OtlpReader(sums);
        points = metrics.count("otlp_points_total", "OTLP data points that were taken.");
        rounded = metrics.count(
                "otlp_rounded_points_total", "OTLP data points of cumulative sums that were rounded down.");
        late = metrics.count(
                "otlp_late_points_total", "OTLP data points that an earlier one with a later time or value replaces.");
        withoutValue =
                metrics.count("otlp_points_without_value_total", "OTLP data points that say that there is no value.");
        resets = metrics.count(
                "otlp_resets_total", "OTLP series whose value fell although their start time is the same.");
        malformed = metrics.count(
                "otlp_malformed_requests_total", "OTLP requests that could not be read, and were answered with 400.");
        tooLarge = metrics.count(
                "otlp_too_large_requests_total",
                "OTLP requests that were answered with 413, because they need too much memory when they are read.");
        unkept = metrics.count(
                "otlp_unkept_requests_total",
                "OTLP requests that were answered with 429, because their lines were not kept in time.");
        for (PointRejection why : PointRejection.values()) {
            rejected.put(
                    why,
                    metrics.count(
                            "otlp_rejected_points_total",
                            "OTLP data points that were not counted, by reason.",
                            "reason",
                            why.reason()));
        }
        metrics.gauge("otlp_series", "Cumulative OTLP series whose last values are known here.", known::size);
        metrics.gauge("otlp_series_max", "The maximum of these.", settings::seriesMax);
    }

    public Route route() {
        return Route.post(PATH, settings.bodyBytesMax(), Route.Work.DISK, this::answer);
    }

    private Response answer(Request request) {
        Encoding encoding = Encoding.of(request);
        try {
            return count(request, encoding);
        } catch (RequestException refusal) {
            if (refusal.status() == 413) {
                tooLarge.increment();
                faults.warn(
                        "otlp too large",
                        "OTLP requests were answered with 413, and their counts are missing until their senders send less"
                                + " at once; let these send protobuf instead of JSON"
                                + " (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf) or smaller batches, or raise --otlp-memory");
            }
            RpcStatus status = RpcStatus.of(refusal);
            return new Response(
                    refusal.status(),
                    encoding.type(),
                    encoding == Encoding.JSON ? Text.of(status.json()) : new Text.Binary(status.protobuf()),
                    refusal.headers());
        }
    }

    /** How a request and its answer are written. */
    private enum Encoding {
        PROTOBUF_BODY,
        JSON,
        OTHER;

        static Encoding of(Request request) {
            String header = request.header("Content-Type");
            String type = header == null ? "" : header.replaceAll(";.*", "").strip();
            return type.equalsIgnoreCase(PROTOBUF)
                    ? PROTOBUF_BODY
                    : type.equalsIgnoreCase(Response.JSON) ? JSON : OTHER;
        }

        String type() {
            return this == JSON ? Response.JSON : PROTOBUF;
        }
    }

    private Response count(Request request, Encoding encoding) {
        if (encoding == Encoding.OTHER) {
            throw new RequestException(
                    415, "the Content-Type is neither " + PROTOBUF + " nor " + Response.JSON + ", the two of OTLP");
        }
        Converted converted = convert(request, encoding);
        Kept kept = converted.kept.get();
        if (kept != Kept.ALL) {
            synchronized (sums) {
                converted.begun.forEach(KnownSeries.Last::forget);
            }
            unkept.increment();
            faults.warn(
                    "otlp not kept",
                    "OTLP requests were answered with 429, so that their senders repeat them, because their lines were not"
                            + " kept in time, or too many names or streams are new; see the other messages");
            throw new RequestException(
                    429,
                    "the counts are not kept yet, or too many names or streams are new; send the same again",
                    Map.of("Retry-After", String.valueOf(kept.retrySeconds())));
        }
        note(converted.outcome);
        return success(converted.outcome, encoding);
    }

    /** @param kept waits until the lines of a request are kept */
    private record Converted(Sums.Outcome outcome, List<KnownSeries.Last> begun, Supplier<Kept> kept) {}

    private Converted convert(Request request, Encoding encoding) {
        synchronized (sums) {
            try {
                sums.begin(nowNanos());
                reader.read(
                        encoding == Encoding.JSON
                                ? JsonExport.toProtobuf(request, settings)
                                : request.decompressed(settings.bodyBytesMax()));
                Sums.Outcome outcome = sums.end();
                return new Converted(
                        outcome,
                        sums.begun(),
                        sums.hasLines() ? taking.apply(() -> sums.merge(target)) : () -> Kept.ALL);
            } catch (IOException wrong) {
                malformed.increment();
                throw RequestException.bad("the body is not an ExportMetricsServiceRequest: " + wrong.getMessage());
            } finally {
                // Also after an error, only the last name and identity of the request stay in memory.
                sums.begin(0);
                reader.clear();
            }
        }
    }

    private long nowNanos() {
        Instant now = clock.instant();
        return TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano();
    }

    private void note(Sums.Outcome outcome) {
        points.add(outcome.points());
        rounded.add(outcome.rounded());
        late.add(outcome.late());
        withoutValue.add(outcome.withoutValue());
        resets.add(outcome.resets());
        rejected.forEach((why, count) -> count.add(outcome.rejected().getOrDefault(why, 0)));
    }

    private static Response success(Sums.Outcome outcome, Encoding encoding) {
        ExportMetricsServiceResponse.Builder answer = ExportMetricsServiceResponse.newBuilder();
        int all = outcome.allRejected();
        if (all > 0) {
            answer.setPartialSuccess(ExportMetricsPartialSuccess.newBuilder()
                    .setRejectedDataPoints(all)
                    .setErrorMessage("data points that were not counted: " + all + "; by reason: "
                            + outcome.rejected().entrySet().stream()
                                    .map(one ->
                                            one.getValue() + " " + one.getKey().reason() + " ("
                                                    + one.getKey().rule() + ")")
                                    .collect(Collectors.joining(", "))));
        }
        return encoding == Encoding.JSON
                ? new Response(200, encoding.type(), Text.of(all > 0 ? json(answer) : "{}"))
                : new Response(
                        200, encoding.type(), new Text.Binary(answer.build().toByteArray()));
    }

    private static String json(MessageOrBuilder message) {
        try {
            return JSON_OUT.print(message);
        } catch (InvalidProtocolBufferException impossible) {
            throw new IllegalStateException("it has no field of type Any", impossible);
        }
    }
}
