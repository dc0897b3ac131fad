/**
 * What a service's author touches: {@link io.counters.Counters}, {@link io.counters.Counter} and
 * {@link io.counters.Count}.
 *
 * <p>Counting works with or without the agent, before and after it starts, and never throws. What is counted before
 * anything sends is kept and sent once something does. This room calls {@code cells} to count, {@code wire} to check
 * names and {@code emit} to start sending; nothing inside core calls back into it.
 */
package io.counters;
