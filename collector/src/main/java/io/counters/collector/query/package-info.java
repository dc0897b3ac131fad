/**
 * OpenTSDB's query API, answered from the history, so that Grafana reads the collector as an OpenTSDB. {@link
 * io.counters.collector.query.QueryApi} has the list of routes.
 *
 * <pre>
 *   JSON or parameters -> QueryReader, QueryParameters -> Query
 *   Catalog: which time series have the metric -> Filter: which of them are wanted -> groups of equal tags
 *   each series: History -> Points -> Downsample -> Rate
 *   each group:  Merge (Interpolation, AggregateFunction) -> Result -> JSON
 * </pre>
 *
 * <p>The answers are those of OpenTSDB 2.4.1 over the same points, even where these are surprising; {@code OpenTsdbIT} and
 * {@code OpenTsdbAnswersTest} compare them. So a series is read as OpenTSDB reads its rows: from the full hour before the
 * requested time to the full hour after it. Rates, interpolation, and intervals that these hours cut off depend on this.
 *
 * <p>No sockets, no clocks, no threads. Reads the history, never writes. How much an answer takes is bounded by {@link
 * io.counters.collector.query.Budget}.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.query;

import org.jspecify.annotations.NullMarked;
