/**
 * OpenTSDB's query API, answered from the history, so that Grafana reads the collector as an OpenTSDB. {@link
 * io.counters.collector.query.QueryApi} has the list of routes.
 *
 * <pre>
 *   JSON or parameters -> QueryReader, QueryParameters -> Query
 *   Catalog: which time series have the metric -> Filter: which of them are wanted -> groups of equal tags
 *   each series: History -> Points -> Downsample -> Rate
 *   each group:  Merge (Interpolation, Aggregator) -> Result -> JSON
 * </pre>
 *
 * <p>The answers are those of OpenTSDB 2.4.1 over the same points, also where these are surprising: {@code QueryIT} compares
 * them. So a series is read as OpenTSDB reads its rows: from the full hour before the time that is asked for to the full hour
 * after it. Rates, interpolation and intervals that are cut by these hours depend on it.
 *
 * <p>No sockets, no clocks, no threads. Reads history, never writes. How much an answer takes is bounded by {@link
 * io.counters.collector.query.Budget}.
 */
@NullMarked
package io.counters.collector.query;

import org.jspecify.annotations.NullMarked;
