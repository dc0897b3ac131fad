/**
 * A real Kafka broker, as a child JVM of a test or of {@code bin/fleet-demo}, on a class path that no other module uses.
 * test-support's {@code Brokers} starts and ends them.
 */
@NullMarked
package io.counters.kafka;

import org.jspecify.annotations.NullMarked;
