/**
 * The truth: the value of every counter, and how much of every stream is in it.
 *
 * <p>{@link io.counters.collector.ledger.Ledger} is a pure state machine: no sockets, no files, its clock passed in.
 * {@link io.counters.collector.ledger.Commit} writes what changed to the {@link
 * io.counters.collector.ledger.LedgerFile} in one synced transaction, about every 100 ms and before anything is
 * pushed or published. Value and watermark change together, so a crash can't come between them, and a tail that was not committed
 * heals from the next datagrams.
 *
 * <p>How a line with a total is merged; the watermark is the highest total applied, per stream, name and verb:
 *
 * <pre>
 *   no from, or no total                        amount is applied      no watermark
 *   total at or below the watermark             nothing
 *   total above it                              total - watermark      total
 *   no watermark, the stream is whole           total                  total
 *   no watermark, the stream is not whole       amount                 total
 *   no watermark, and no room for one           amount                 none; the stream is no longer whole
 * </pre>
 *
 * <p>A stream is whole if it is younger than the watch when its first total is applied: nothing of it was applied and then
 * forgotten. All of that is counted in the time that the ledger has been listening; no wall clock decides anything. A stream
 * whose total jumps by more than 2^53 is in quarantine from then on: its amounts count, its totals are not looked at.
 *
 * <p>Room is given to what has been applied, and no more of it in a minute than leaves some for others: names by the memory
 * they take, streams also by address. Where all is taken, streams that said least give way.
 *
 * <p>Intake brings lines in; {@code store}, {@code publish} and {@code dashboard} read, and {@code store} says what
 * became of pushes. Everything of {@link io.counters.collector.ledger.Ledger} is safe for several threads: one lock.
 */
@NullMarked
package io.counters.collector.ledger;

import org.jspecify.annotations.NullMarked;
