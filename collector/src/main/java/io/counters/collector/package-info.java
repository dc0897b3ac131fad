/**
 * The collector: takes increments and decrements, keeps the truth in its ledger, projects it into a shared store and
 * publishes it. {@link io.counters.collector.Main} reads the command line, {@link io.counters.collector.Collector}
 * assembles the rooms; only these two name clocks and threads.
 *
 * <pre>
 *   intake --> ledger --> its file        every room --> self
 *               ^   ^
 *      store, publish, dashboard
 *                 |
 *                 v
 *              history --> its file
 * </pre>
 */
@NullMarked
package io.counters.collector;

import org.jspecify.annotations.NullMarked;
