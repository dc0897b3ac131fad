package io.counters.collector.ledger;

/**
 * One of the ledger's own streams to a peer, and committed totals of it that must be sent; the arrays are parallel.
 *
 * @param id a number for the stream in this ledger
 * @param stream its ID in datagrams
 * @param peer the address that it is sent to, as in the list
 * @param handsOver whether it carries whole values of counters that were owned here, or amounts that are passed on
 * @param bornMillis when it began, by the ledger's time
 * @param counters numbers of counters, see {@link Ledger#name}
 * @param increments total of each, or -1 if nothing was ever incremented
 * @param decrements likewise
 */
@SuppressWarnings("ArrayRecordComponent") // Written once and read once, thousands a second.
public record Relayed(
        int id,
        String stream,
        String peer,
        boolean handsOver,
        long bornMillis,
        int[] counters,
        long[] increments,
        long[] decrements) {}
