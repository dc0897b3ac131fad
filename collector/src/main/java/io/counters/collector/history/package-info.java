/**
 * The values of counters over time, in {@code history.db} in the data folder. {@link
 * io.counters.collector.history.History} takes every tick from {@code publish} and answers from any thread which value a
 * counter had when. It keeps three resolutions: every tick, every 5 minutes, every hour. The ledger never waits for it:
 * a history that is damaged, full or slow costs points of graphs and no count.
 *
 * <p>Only values that changed are kept; which ticks took place is kept as runs. So unchanged values can be filled in,
 * and a time when the collector was down stays a gap.
 *
 * <pre>
 *   tick -> Roster: which counters are kept -> for each Level whose time has come:
 *     Points, in memory: a series' open block     one row of table tick: what changed, in one synced transaction
 *     240 bytes, or old: one row of table block   tick rows that no open block needs are deleted
 *   start: state + tick rows -> the open blocks, exactly as they were
 * </pre>
 *
 * <p>Blocks are appended in the order in which they end, and the oldest are deleted first. So pages are full, whole pages
 * become free, and new blocks reuse them.
 *
 * <p>An era is a time in which seconds only grow. If the wall clock was set back, all open blocks are closed and the next
 * era begins; a reader merges the eras.
 */
@NullMarked
package io.counters.collector.history;

import org.jspecify.annotations.NullMarked;
