/**
 * The values of counters over time, in {@code history.db} in the data folder. {@link
 * io.counters.collector.history.History} stores every tick from {@code publish}; any thread can read which value a counter
 * had at which time. It keeps three resolutions: every tick, every 5 minutes, every hour. The ledger never waits for it:
 * if the history is damaged, full or slow, graphs lack samples, and counts are not affected.
 *
 * <p>Only values that changed are kept; which ticks took place is kept as runs. So readers fill in unchanged values, and
 * leave a gap for the time when the collector was down.
 *
 * <pre>
 *   tick -> KeptCounters: which counters are kept -> for each Level whose time has come:
 *     OpenBlock, in memory: a series' open block     one row of table tick: what changed, in one synced transaction
 *     240 bytes, or old: one row of table block   tick rows that no open block needs are deleted
 *   start: state + tick rows -> the open blocks, exactly as they were
 * </pre>
 *
 * <p>Blocks are appended in the order in which they end, and the oldest are deleted first. So pages are full, whole pages
 * become free, and new blocks reuse them.
 *
 * <p>An era is a time in which seconds only grow. If the wall clock was set back, all open blocks are closed and the next
 * era begins; a reader merges the eras.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.history;

import org.jspecify.annotations.NullMarked;
