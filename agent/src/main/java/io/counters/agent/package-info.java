/**
 * The agent: comes into somebody else's JVM, counts what is marked there, and is never the reason for anything else.
 *
 * <p>{@code Premain}, {@code Main} and {@code AgentLoader} are all that the application's loader sees. {@code Premain}
 * hands over to {@code Agent}, which assembles the rest in a loader of its own: {@code settings} says what is wanted,
 * {@code weave} puts calls into classes, {@code Counting} defines the bridge at the first hit and wakes {@code Watch},
 * the agent's own thread, which starts core's emitter and lets {@code LiveSettings} look after the settings file. What
 * woven code calls is the bridge alone, {@code java.lang.CountersCells}. {@code LoadedClasses} brings classes up to date
 * that no transformer sees by itself; {@code AotCache} knows why there may be such ones before {@code main}.
 *
 * <p>{@code Main} is counters.jar as a program: it hands over to {@code Command}.
 *
 * <p>Nothing here throws into the host, exits, opens a port, writes to stdout, or looks up a host's name on a thread
 * of the host. {@code java.util.logging}, JMX and {@code System.getLogger} are never touched: they would fix the log
 * manager before an application server sets its own.
 */
package io.counters.agent;
