/**
 * For tests of code that counts: {@link io.counters.junit.CountersExtension} hands a test what was {@link
 * io.counters.junit.Counted} since it began, and {@link io.counters.junit.CountedAssert} holds that to what it should be.
 *
 * <p>Works with JUnit 5 and 6. Only reads the cells that counts go into anyway: opens no socket, starts no thread, sets
 * nothing back, and changes nothing in how the code under test counts.
 */
package io.counters.junit;
