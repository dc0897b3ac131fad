/**
 * Puts the counting calls into classes as they are loaded: {@code ConstantPool} finds the classes worth a look, {@code
 * TypeFile} reads one, {@code ClassMarks} decides which of its methods count, by annotations and by {@code Rules}, {@code
 * Forwarding} which of these only hand calls on, {@code WovenClass} writes the calls. {@code Origin} tells the
 * application's classes from others. {@code Listing} tells what would be counted, by the same way.
 *
 * <p>{@link io.counters.agent.weave.Weaving} enters here for every class the JVM loads; what it needs for a class
 * without marks is loaded before it is installed, and all else, ASM too, at the first hit. A class is held against the
 * rules by a look-up of its name, the few patterns, and one walk through its constants for all annotations at once. Only
 * where {@code inherit} or a rule with {@code +} asks for it {@code Hierarchy} reads what stands above a class.
 *
 * <p>No class of the application is ever loaded, linked or asked for its superclass: everything is read from the bytes at
 * hand, or from class files as resources, and the frames are written so that no common superclass is looked for. Nothing
 * is thrown into the JVM: a class that cannot be woven loads as it is, and is reported.
 */
package io.counters.agent.weave;
