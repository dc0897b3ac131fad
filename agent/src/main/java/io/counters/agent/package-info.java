/**
 * The agent: runs inside an application's JVM, and counts marked methods without any other effect on the application.
 *
 * <p>{@code Premain}, {@code Main} and {@code AgentLoader} are the only classes that the application's loader finds.
 * {@code Premain} calls {@code Agent}, which assembles the rest in a separate loader: {@code settings} reads the
 * settings, {@code weave} inserts counting calls into classes, and {@code BridgeActivation} defines the bridge when the first
 * class that counts is loaded. {@code BridgeActivation} then wakes {@code AgentThread}, the agent's thread, which starts core's emitter
 * and calls {@code LiveSettings} to check the settings file. Instrumented code calls only the bridge, {@code
 * java.lang.CountersCells}, {@code CountersCellSource} and {@code CountersCompletion}. {@code LoadedClasses} instruments classes that no transformer
 * sees by itself. {@code CheckpointWatch} registers the agent for checkpoints (CRaC, SnapStart). {@code AotCache} finds out whether an AOT cache has loaded such classes before {@code main}.
 *
 * <p>{@code Main} runs counters.jar as a program; it calls {@code Command}. The Maven plugin calls it, too: {@code
 * WeaveCommand} inserts the counting calls into the class files of a build, which {@code BuildOutput} reads and writes.
 *
 * <p>In the application's JVM nothing here throws (except with {@code strict}, before {@code main}), exits, opens a port,
 * writes to stdout, or resolves a host name on a thread of the application. {@code java.util.logging}, JMX and {@code
 * System.getLogger} are never used: they would fix the log manager before an application server sets its own.
 *
 * <p>Internal: any release may change it.
 */
package io.counters.agent;
