/**
 * For tests of code that counts: {@link io.counters.junit.CountersExtension} passes what was {@link
 * io.counters.junit.Counted} since the test began to the test, and {@link io.counters.junit.CountedAssert} compares it
 * with the expected amounts.
 *
 * <p>Works with JUnit 5 and 6. Only reads the cells in which counts are kept: it opens no socket, starts no thread,
 * resets no counter, and does not change how the code under test counts.
 *
 * <p>An API that users may build on.
 */
package io.counters.junit;
