package io.counters.collector.fleet;

/**
 * How many lines arrived in a {@link LineWindow}, without {@code from} lines, and what was dropped for lack of room: lines with
 * totals, lines without, and numbers of datagrams.
 */
record ArrivedLines(long lines, long droppedTotals, long droppedAmounts, long droppedNumbers) {
    long dropped() {
        return droppedTotals + droppedAmounts + droppedNumbers;
    }
}
