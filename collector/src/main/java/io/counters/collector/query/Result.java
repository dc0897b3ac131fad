package io.counters.collector.query;

import java.util.NavigableMap;
import java.util.Set;

/**
 * The points of a group of series.
 *
 * @param query of which it is an answer
 * @param index of that query in the request
 * @param tags that all series have in common, or only some of them have
 * @param aggregated keys of the tags in which they differ
 */
record Result(SubQuery query, int index, NavigableMap<String, String> tags, Set<String> aggregated, Points points) {}
