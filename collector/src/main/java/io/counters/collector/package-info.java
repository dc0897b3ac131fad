/**
 * The collector: receives increments and decrements, keeps the values in its ledger, copies them to a store and
 * publishes them. {@link io.counters.collector.Main} reads the command line; {@link io.counters.collector.Collector} and
 * {@link io.counters.collector.Proxy} assemble the packages. Only this package supplies clocks and threads.
 *
 * <pre>
 *   tap <-- intake --> ledger --> its file        every package --> self
 *                       ^   ^
 *              store, publish, dashboard            commands --HTTP--> dashboard, tap
 *                         |                         doctor --> settings of all, ledger, store
 *                         v
 *                      history --> its file
 * </pre>
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector;

import org.jspecify.annotations.NullMarked;
