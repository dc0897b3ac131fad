package io.counters.collector.fleet;

import io.counters.collector.common.Metrics;
import java.util.concurrent.atomic.LongAdder;

/** What a {@link Gatherer} counts, as metrics. */
final class GatheredCounts {
    final LongAdder taken;
    final LongAdder sent;
    final LongAdder records;
    final LongAdder bytes;
    final LongAdder announced;
    final LongAdder deferredStreams;
    final LongAdder deferredLines;
    final MissingLines dropped;
    final MissingLines lost;

    GatheredCounts(Metrics metrics) {
        taken = metrics.count("fleet_gathered_lines_total", "Lines with a name that arrived here, for all partitions.");
        sent = metrics.count(
                "fleet_sent_lines_total", "Lines that were left of these after merging, and were sent to Kafka.");
        records = metrics.count("fleet_sent_records_total", "Records with lines that Kafka acknowledged.");
        bytes = metrics.count("fleet_sent_bytes_total", "Bytes of these records, before compression.");
        announced = metrics.count("fleet_announced_streams_total", "Streams that were announced to every partition.");
        deferredStreams = metrics.count(
                "fleet_deferred_streams_total",
                "From lines of streams that were not announced and wait, because too many streams are new.");
        deferredLines = metrics.count(
                "fleet_deferred_lines_total", "Lines with totals of such streams; they wait for their repetition.");
        dropped = MissingLines.dropped(metrics);
        lost = MissingLines.lost(metrics);
    }

    /** Lines that were dropped or lost. */
    long missing() {
        return dropped.sum() + lost.sum();
    }
}
