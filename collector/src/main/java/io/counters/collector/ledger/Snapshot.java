package io.counters.collector.ledger;

/**
 * Every counter and its committed value, at one moment.
 *
 * @param size how many; the arrays may be longer
 */
@SuppressWarnings("ArrayRecordComponent") // A million of them, handed on once a tick: lists would double it.
public record Snapshot(String[] names, long[] values, int size) {}
