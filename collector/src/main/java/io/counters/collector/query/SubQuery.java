package io.counters.collector.query;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is asked of one metric.
 *
 * @param metric as OpenTSDB has it
 * @param downsample null for the points as they are
 * @param rate null for values
 * @param isExplicit whether series are taken only if they have no other tags than those of the filters
 */
record SubQuery(
        String metric,
        Aggregator aggregator,
        @Nullable Downsample downsample,
        @Nullable Rate rate,
        List<Filter> filters,
        boolean isExplicit) {
    SubQuery {
        filters = List.copyOf(filters);
    }
}
