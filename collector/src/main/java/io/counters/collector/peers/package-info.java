/**
 * Several collectors that share the names. {@link io.counters.collector.peers.PeersFile} reads their numbered list,
 * {@link io.counters.collector.peers.Peers} gives a new list to the ledger, and
 * {@link io.counters.collector.peers.Relays} sends over UDP what the ledger has committed for its peers, in streams like
 * those of agents. The ledger decides which collector owns a counter, and what is handed over when; this package keeps
 * no counts.
 *
 * <p>All collectors have the same file with the list:
 *
 * <pre>
 *   # A comment
 *   list 3                       the list's number, which every change increases
 *   10.0.0.1:11212               one collector on each line, as in the agents' collector=
 *   10.0.0.2:11212*3             with its weight on the ring
 *   out 10.0.0.3:11212           owns no names any more: it hands over its values, and forwards what it receives
 *   gone 10.0.0.4:11212          its ledger is lost: no collector waits for its values
 * </pre>
 *
 * <p>To remove a collector, mark it {@code out} in one list. When that list is settled everywhere ({@code peers_awaited}
 * is 0), leave the collector out of the next list. A list that leaves out a peer that was not marked {@code out} or
 * {@code gone} before is refused.
 */
@NullMarked
package io.counters.collector.peers;

import org.jspecify.annotations.NullMarked;
