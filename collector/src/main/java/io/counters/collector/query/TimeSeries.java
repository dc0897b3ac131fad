package io.counters.collector.query;

import java.util.NavigableMap;

/**
 * A counter as OpenTSDB has it.
 *
 * @param counter its name here
 * @param metric with the prefix of all metrics
 * @param tags its own and those that are added; not to be changed
 */
record TimeSeries(String counter, String metric, NavigableMap<String, String> tags) {}
