package io.counters.demo;

/**
 * What came of an order.
 *
 * @param delivered pieces that the warehouse got while it picked these
 * @param labels what stands on the parcel's two labels
 */
record Receipt(int pieces, int cents, int delivered, String labels) {}
