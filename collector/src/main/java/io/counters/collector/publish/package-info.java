/**
 * Every interval, at absolute seconds, the value of every counter as a point to every sink. {@link
 * io.counters.collector.publish.Publisher} reads the ledger; {@link io.counters.collector.publish.Sink} is where points
 * go. A point's timestamp and value never change once they were sent: what is sent again is sent unchanged.
 */
@NullMarked
package io.counters.collector.publish;

import org.jspecify.annotations.NullMarked;
