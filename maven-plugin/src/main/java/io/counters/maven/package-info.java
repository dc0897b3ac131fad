/**
 * The Maven plugin: inserts counting calls into the class files of a project. {@link io.counters.maven.WeaveMojo} converts
 * the plugin's configuration into a command line of counters.jar, and runs that in Maven's JVM; everything else is there.
 *
 * <p>Users see the goal and its parameters only.
 *
 * <p>Internal: any release may change it.
 */
package io.counters.maven;
