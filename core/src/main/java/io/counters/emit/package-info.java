/**
 * Sends the counts in the cells: {@code CounterTable -> Sweep -> OutboundStream -> Transport}, once a second, on one daemon
 * thread.
 *
 * <p>{@link io.counters.emit.Sweep} and {@link io.counters.emit.OutboundStream} are pure state machines: clocks, random ids and
 * the network are passed in. Only {@link io.counters.emit.Emitter} and its parts ({@link io.counters.emit.Destination}
 * for each collector, with a {@link io.counters.emit.Resolver} of its name) use threads, clocks and hosts. The package
 * {@code ring} decides which collector owns a name. The agent and {@code Counters.start} use only the emitter; nothing
 * here runs on a thread of the application.
 *
 * <p>So that lost datagrams lose nothing, a sender sends each amount with the running total of its verb in the stream.
 * It repeats a quiet total 1, 2, 4, ... 64 sweeps after its last change, and then once in 64 sweeps, forever. A
 * stream's id is never used again.
 *
 * <p>{@link io.counters.emit.Checkpoints} learns when the process is checkpointed and restored (CRaC, SnapStart); streams then
 * end and begin.
 *
 * <p>Internal: any release may change it.
 */
package io.counters.emit;
