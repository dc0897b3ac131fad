/**
 * A Micrometer registry that counts into the cells of {@code io.counters}: {@link
 * io.counters.micrometer.CountersMeterRegistry}.
 *
 * <p>It counts and sends nothing itself: the agent sends, or {@code Counters.start}. A counter, a timer and a summary count
 * where they are called. Functions are read every 10 seconds, and for a last time when the registry is closed or the JVM
 * ends, on one daemon thread, {@code counters-micrometer}, which a second one watches; they are code of the application and may block only that
 * thread. This package calls {@code io.counters} to count, {@code cells} to read what was counted, and
 * {@code emit} to wait for the last sweep.
 *
 * <p>An API that users may build on.
 */
package io.counters.micrometer;
