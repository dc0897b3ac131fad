package io.counters.collector.dashboard;

import java.util.Optional;

/**
 * A part of the collector that may fail while the rest works.
 *
 * @param name such as "store"
 * @param trouble what is wrong, in words for people; empty while it works
 * @param sinceSecond the Unix second since which it works, or does not
 */
public record PartState(String name, Optional<String> trouble, long sinceSecond) {}
