package io.counters.collector.publish;

import io.counters.collector.common.Metrics;
import java.util.concurrent.atomic.LongAdder;

/** What an {@link HttpSink} counts, as metrics. */
final class SinkCounts {
    final LongAdder delivered;
    final LongAdder lost;
    final LongAdder retries;
    private final LongAdder bad;
    private final String sink;
    private final Metrics metrics;

    /** @param sink the value of the label */
    SinkCounts(String sink, Metrics metrics) {
        this.sink = sink;
        this.metrics = metrics;
        delivered = metrics.count("publish_points_total", "Points that sinks confirmed.", "sink", sink);
        bad = metrics.count("publish_bad_points_total", "Points that sinks refused permanently.", "sink", sink);
        lost = Sink.lost(sink, metrics);
        retries = metrics.count(
                "publish_retries_total",
                "Requests with points that were sent again, completely or in part.",
                "sink",
                sink);
    }

    /** Points were refused permanently. */
    void refused(int points, String reason) {
        metrics.count(
                        "publish_refused_points_total",
                        "Points that sinks refused permanently, by the reason.",
                        "sink",
                        sink,
                        "reason",
                        reason)
                .add(points);
        bad.add(points);
    }
}
