package io.counters.collector.query;

import java.util.NavigableMap;
import java.util.Set;

/**
 * The points of a group of series.
 *
 * @param query the sub-query that this answers
 * @param index the index of that sub-query in the request
 * @param tags those that all series have in common, or only some of them have
 * @param aggregated the keys of the tags in which they differ
 */
record Result(SubQuery query, int index, NavigableMap<String, String> tags, Set<String> aggregated, Points points) {}
