/**
 * What the build of the packages needs and Maven's plugins do not have. Only the build calls it; it uses the JDK only.
 */
package io.counters.packaging;
