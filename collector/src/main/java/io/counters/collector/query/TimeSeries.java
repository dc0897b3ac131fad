package io.counters.collector.query;

import java.util.NavigableMap;

/**
 * A counter as a time series of OpenTSDB.
 *
 * @param counter its name in the collector
 * @param metric with the prefix of all metrics
 * @param tags its own and those of {@code --tags}; must not be changed
 */
record TimeSeries(String counter, String metric, NavigableMap<String, String> tags) {}
