/**
 * A fleet of collectors that keep their ledgers in Apache Kafka. The only room that knows Kafka.
 *
 * <p>Any collector of a fleet takes any datagram. It gathers lines by the {@link io.counters.collector.fleet.Partitions
 * partition} of their names and writes them to the topic {@code PREFIX.lines}. Each partition has one owner at a time, a
 * member of a consumer group, whose {@link io.counters.collector.ledger.Ledger} merges the lines. Four times a second one
 * transaction writes what changed to {@code PREFIX.ledger}, how far the lines were read, and a due tick to
 * {@code PREFIX.ticks}. What was committed is what a later owner loads, and what is pushed, published and shown.
 *
 * <p>Nothing is merged, pushed or published here: {@code ledger}, {@code store} and {@code publish} do that, as they do
 * without a fleet.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.fleet;

import org.jspecify.annotations.NullMarked;
