/**
 * Shows what the collector receives, as it is received: {@code /api/tap}. {@code intake} hands each datagram and each rejected
 * line to the {@link io.counters.collector.tap.Tap}, which keeps them for a moment, only while there are listeners; otherwise
 * the cost is one volatile read per datagram. The event loop of HTTP decodes the lines, within bounds; the receiving threads
 * never wait for it, and what was not read in time is overwritten and counted.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.tap;

import org.jspecify.annotations.NullMarked;
