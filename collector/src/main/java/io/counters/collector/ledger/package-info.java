/**
 * The exact value of every counter, and how much of every stream is in it.
 *
 * <p>{@link io.counters.collector.ledger.Ledger} is a pure state machine: no sockets, no files, its clock passed in.
 * {@link io.counters.collector.ledger.Committer} writes what changed to a {@link io.counters.collector.ledger.Journal} in one
 * transaction, several times a second and before anything is pushed or published: to the
 * {@link io.counters.collector.ledger.LedgerFile}, or, of all partitions that a collector of a fleet owns, to a log. Values
 * and watermarks are written together, so a crash cannot separate them. What was not committed at a crash is healed by the
 * next datagrams.
 *
 * <p>How a line is merged; the watermark is the highest total applied, per stream, name and verb:
 *
 * <pre>
 *   line                                        applied                new watermark
 *   no from line, or no total                   amount                 none
 *   total at or below the watermark             nothing                unchanged
 *   total above it                              total - watermark      total
 *   no watermark, the stream is whole           total                  total
 *   no watermark, the stream is not whole       amount                 total
 *   no watermark, and no room for one           amount                 none; the stream is no longer whole
 *   the same, the amount is 0, and the          nothing: the line      none
 *   stream is whole                             waits
 * </pre>
 *
 * <p>A stream is whole if it is younger than the watch when its first total is applied, so that nothing of it can have
 * been applied and then forgotten. Ages are measured in the time that the ledger has been listening; the wall clock
 * is not used. If a total of a stream jumps by more than 2^53, the stream is in quarantine from then on: only its
 * amounts count, and its totals are ignored.
 *
 * <p>A name or a stream gets room only when a line of it is applied. In each minute new ones can take only a part of
 * the room, so that some is left for others. Names are limited by their memory, streams by their number and also by
 * address. When there is no room, the streams that sent least often are dropped.
 *
 * <p>{@code intake} merges lines; {@code store}, {@code publish} and {@code dashboard} read, and {@code store} reports
 * the results of pushes. All methods of {@link io.counters.collector.ledger.Ledger} may be called from several threads:
 * one lock protects it, which nothing else takes. Calls that belong together are handed over by
 * {@link io.counters.collector.ledger.Ledger#batch}.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.ledger;

import org.jspecify.annotations.NullMarked;
