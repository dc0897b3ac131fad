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
 *   gone 10.0.0.3:11212          its ledger is lost: nobody waits for what it had
 * </pre>
 */
@NullMarked
package io.counters.collector.peers;

import org.jspecify.annotations.NullMarked;
