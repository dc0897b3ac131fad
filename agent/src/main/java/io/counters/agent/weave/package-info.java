/**
 * Puts the counting calls into classes as they are loaded: {@code ConstantPool} finds the classes worth a look, {@code
 * ClassMarks} reads what is marked in one, {@code WovenClass} writes the calls.
 *
 * <p>{@link io.counters.agent.weave.Weaving} enters here for every class the JVM loads; what it needs for a class
 * without marks is loaded before it is installed, and all else, ASM too, at the first hit. No class of the application is ever
 * loaded, linked or asked for its superclass: everything is read from the bytes at hand, and the frames are written
 * so that no common superclass is looked for. Nothing is thrown into the JVM: a class that cannot be woven loads as
 * it is, and is reported.
 */
package io.counters.agent.weave;
