/**
 * Keeps counts until they are swept. Its classes use only JDK types, so that the agent can define renamed copies of
 * them in {@code java.lang}, where every class of every loader can reach them.
 *
 * <p>{@code io.counters} counts into it, and {@code io.counters.emit} reads it. This package does not deal with
 * datagrams, clocks or the rules of names. Counting throws nothing into a caller.
 *
 * <p>Internal: any release may change it.
 */
package io.counters.cells;
