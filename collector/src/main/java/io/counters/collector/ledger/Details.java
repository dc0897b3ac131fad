package io.counters.collector.ledger;

import java.util.BitSet;

/**
 * Every counter with its committed value and the other facts about it, at one moment, in parallel arrays.
 *
 * @param createdSeconds as in {@link Explanation#createdSecond}
 * @param movedSeconds as in {@link Explanation#movedSecond}
 * @param decremented the places of those that were ever decremented
 * @param size the number of counters; the arrays may be longer
 */
@SuppressWarnings("ArrayRecordComponent") // A million counters: lists would double the memory.
public record Details(
        String[] names, long[] values, long[] createdSeconds, long[] movedSeconds, BitSet decremented, int size) {}
