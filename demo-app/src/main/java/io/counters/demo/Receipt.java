package io.counters.demo;

/**
 * The result of an order.
 *
 * @param delivered pieces that the warehouse received while it picked these
 * @param labels the text of the parcel's two labels
 */
record Receipt(int pieces, int cents, int delivered, String labels) {}
