/**
 * What the tests of several modules need: programs as child processes, among them a collector, a memcached
 * and Kafka brokers; ports, signals, and limits of waits. Main code never uses it.
 */
@NullMarked
package io.counters.testsupport;

import org.jspecify.annotations.NullMarked;
