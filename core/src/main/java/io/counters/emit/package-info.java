/**
 * Sends what the cells hold: {@code CounterTable -> Sweep -> Stream -> Transport}, once a second, on one daemon thread.
 *
 * <p>{@link io.counters.emit.Sweep} and {@link io.counters.emit.Stream} are pure state machines: clocks, random ids and
 * the network are passed in. Only {@link io.counters.emit.Emitter}, and what it is made of ({@link
 * io.counters.emit.Destination} for each collector, with a {@link io.counters.emit.Resolver} of its name), know threads,
 * clocks and hosts. Which collector owns a name is {@code ring}'s to say. The agent and
 * {@code Counters.start} enter through it; nothing here ever runs on a thread of the application.
 *
 * <p>What a sender owes, so that lost datagrams lose nothing: beside each amount goes the running total of its verb in
 * its stream; quiet totals are repeated 1, 2, 4, ... 64 sweeps after their last change and then once in 64 sweeps, for
 * ever; an id is never taken up again.
 */
package io.counters.emit;
