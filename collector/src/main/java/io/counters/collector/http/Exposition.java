package io.counters.collector.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The text formats in which Prometheus reads metrics. */
@SuppressWarnings("ImmutableEnumChecker") // The sets and the library's writers never change.
public enum Exposition {
    /** Prometheus' text format, version 0.0.4; for every client that does not prefer OpenMetrics. */
    TEXT(PrometheusTextFormatWriter.create(), Set.of("text/plain", "text/*", "*/*"), Set.of("0.0.4")),
    /** OpenMetrics, version 1.0. */
    OPEN_METRICS(
            OpenMetricsTextFormatWriter.create(), Set.of("application/openmetrics-text"), Set.of("1.0.0", "0.0.1"));

    private final ExpositionFormatWriter writer;
    private final Set<String> mediaRanges;
    private final Set<String> versions;

    Exposition(ExpositionFormatWriter writer, Set<String> mediaRanges, Set<String> versions) {
        this.writer = writer;
        this.mediaRanges = mediaRanges;
        this.versions = versions;
    }

    /** The format that a request prefers by its Accept header. */
    public static Exposition of(Request request) {
        return of(request.header("Accept"));
    }

    static Exposition of(@Nullable String accept) {
        double openMetrics = OPEN_METRICS.quality(accept);
        return openMetrics > 0 && openMetrics >= TEXT.quality(accept) ? OPEN_METRICS : TEXT;
    }

    /** How much an Accept header prefers this format, from 0, not at all, to 1. */
    private double quality(@Nullable String accept) {
        return accept == null
                ? 0
                : Arrays.stream(accept.toLowerCase(Locale.ROOT).split(",", -1))
                        .mapToDouble(this::qualityOfOne)
                        .max()
                        .orElse(0);
    }

    private double qualityOfOne(String range) {
        String[] parts = range.split(";", -1);
        if (!mediaRanges.contains(parts[0].strip())) {
            return 0;
        }
        double quality = 1;
        for (int i = 1; i < parts.length; i++) {
            String[] parameter = parts[i].strip().split("=", 2);
            String value = parameter.length == 1 ? "" : parameter[1].replace("\"", "");
            if (parameter[0].equals("version") && !versions.contains(value)) {
                return 0;
            }
            if (parameter[0].equals("q")) {
                quality = number(value);
            }
        }
        return quality;
    }

    private static double number(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException malformed) {
            return 0;
        }
    }

    /** The Content-Type of this format. */
    public String type() {
        return writer.getContentType();
    }

    /** All of these metrics in this format. */
    String text(MetricSnapshots metrics) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            writer.write(out, metrics, EscapingScheme.UNDERSCORE_ESCAPING);
        } catch (IOException impossible) {
            throw new UncheckedIOException("a text in memory cannot be written", impossible);
        }
        return out.toString(UTF_8);
    }
}
