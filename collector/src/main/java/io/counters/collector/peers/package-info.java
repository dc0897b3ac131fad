/**
 * Several collectors that share the names between them. {@link io.counters.collector.peers.PeersFile} reads their
 * numbered list, {@link io.counters.collector.peers.Peers} tells the ledger of a new one, and {@link io.counters.collector.peers.Relays} sends by UDP what the ledger
 * has committed for its peers, in streams of the kind that agents have. Which counter is whose, and what is handed over
 * when, the ledger decides: nothing here keeps a count.
 *
 * <p>The list, one file for all of them:
 *
 * <pre>
 *   # A comment
 *   list 3                       the number; grows with every change
 *   10.0.0.1:11212               one collector a line, as agents have it in collector=
 *   10.0.0.2:11212*3             with its weight on the ring
 *   out 10.0.0.3:11212           owns nothing any more: it hands over what it holds, and passes on what it gets
 *   gone 10.0.0.4:11212          its ledger is lost: nobody waits for what it had
 * </pre>
 *
 * <p>A collector leaves the file in two steps: {@code out} in one list, and once that has settled everywhere ({@code
 * peers_awaited} is 0) it may be left out of the next. A list that does not say what became of a peer is refused.
 */
@NullMarked
package io.counters.collector.peers;

import org.jspecify.annotations.NullMarked;
