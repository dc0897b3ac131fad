/**
 * Inserts the counting calls into classes when they are loaded. {@code ConstantPool} finds the classes that may count,
 * {@code TypeFile} reads one, {@code ClassMarks} decides by annotations and {@code Rules} which of its methods count, {@code
 * Forwarding} finds those that only forward calls, and {@code WovenClass} inserts the calls. {@code ClassOrigin} distinguishes
 * the application's classes from others. {@code Listing} describes what would be counted, using the same code.
 * {@code Alias} says what annotations of other libraries mean. {@code Callee} is what the inserted code calls: the agent's
 * bridge or, in the class files of a build, which have a {@code BuildMark}, the API.
 *
 * <p>The JVM calls {@link io.counters.agent.weave.Weaving} for every class that it loads. The classes that are needed to
 * scan a class without marks are loaded before the transformer is installed; all others, also ASM, when the first class
 * counts. A class is compared with the rules by a look-up of its name, the few patterns, and one pass over its constants
 * for all annotations. Only if {@code inherit} or a rule with {@code +} is set, {@code Hierarchy} reads the supertypes of a
 * class.
 *
 * <p>No class of the application is loaded, linked or asked for its superclass: everything is read from the given bytes,
 * or from class files as resources, and the frames are written so that no common superclass is needed. Nothing is thrown
 * into the JVM: a class that cannot be instrumented is loaded unchanged, and the error is logged.
 *
 * <p>Internal: any release may change it.
 */
package io.counters.agent.weave;
