/**
 * Where a count lives until it is swept: one class, of JDK types only, so that the agent can define a renamed copy of
 * it in {@code java.lang}, where every class of every loader can reach it.
 *
 * <p>{@code io.counters} counts into it, {@code io.counters.emit} reads it. Nothing here knows of datagrams, clocks or
 * names' rules, and nothing here ever throws into a caller.
 */
package io.counters.cells;
