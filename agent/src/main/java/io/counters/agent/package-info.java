/**
 * The agent: comes into somebody else's JVM, counts what is marked there, and is never the reason for anything else.
 *
 * <p>{@code Premain} and {@code AgentLoader} are all that the application's loader sees; they hand over to {@code
 * Agent}, which assembles the rest in a loader of its own: {@code settings} says what is wanted, {@code weave} puts
 * calls into classes, {@code Counting} defines the bridge and starts core's emitter at the first hit. What woven code
 * calls is the bridge alone, {@code java.lang.CountersCells}.
 *
 * <p>Nothing here throws into the host, exits, opens a port, writes to stdout, or looks up a host's name on a thread
 * of the host. {@code java.util.logging}, JMX and {@code System.getLogger} are never touched: they would fix the log
 * manager before an application server sets its own.
 */
package io.counters.agent;
