package io.counters.collector.query;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A query of one metric.
 *
 * @param metric its name in OpenTSDB
 * @param downsample null to leave the points as they are
 * @param rate null for values instead of rates
 * @param isExplicit whether a series is accepted only if it has no other tags than those of the filters
 */
record SubQuery(
        String metric,
        AggregateFunction aggregator,
        @Nullable Downsample downsample,
        @Nullable Rate rate,
        List<Filter> filters,
        boolean isExplicit) {
    SubQuery {
        filters = List.copyOf(filters);
    }
}
