package io.counters.collector.ledger;

/**
 * What the removal of a counter did.
 *
 * @param value the counter's value before it
 * @param isPushed whether its key in the store becomes 0
 * @param watermarks how many streams have a watermark of it; these stay, so that repeated totals are not applied again
 */
public record Removal(String name, long value, boolean isPushed, int watermarks) {}
