/**
 * A real OpenTSDB on a real HBase, as two child JVMs of a test: {@link io.counters.opentsdb.HBase} and OpenTSDB's own
 * program, each run by {@link io.counters.opentsdb.Leash}, on a class path that no other module uses. demo-app's
 * fixture {@code OpenTsdb} starts and ends them.
 */
@NullMarked
package io.counters.opentsdb;

import org.jspecify.annotations.NullMarked;
