package io.counters.collector.ledger;

/**
 * Every counter and its committed value, at one moment.
 *
 * @param size the number of counters; the arrays may be longer
 */
@SuppressWarnings("ArrayRecordComponent") // A million values every tick: lists would double the memory.
public record Snapshot(String[] names, long[] values, int size) {}
