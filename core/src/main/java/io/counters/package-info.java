/**
 * The API for authors of services: {@link io.counters.Counters}, {@link io.counters.Counter} and {@link
 * io.counters.Count}.
 *
 * <p>Counting works with or without the agent, before and after the agent starts. It never throws, except an
 * OutOfMemoryError for a new name. Counts are kept until something sends them. This package calls {@code cells} to
 * count, {@code wire} to check names and {@code emit} to start sending; no other package of core calls it.
 *
 * <p>An API that users may build on.
 */
package io.counters;
