/**
 * The store: a copy of the counters that others may read. {@link io.counters.collector.store.Pusher} pushes to it what
 * the ledger has committed, and reports the results to the ledger; {@link io.counters.collector.store.Store} is what
 * each product must be able to do; {@link io.counters.collector.store.Pipeline} limits how much a server is asked. No
 * value is kept here: the ledger decides what is done next.
 *
 * <p>What the code relies on, observed with memcached 1.6.18, Redis 7.0.15 and CouchbaseMock 1.5.27:
 *
 * <ul>
 *   <li>memcached: {@code decr} stops at 0, {@code incr} wraps at 2^64, a value that got shorter is padded with spaces,
 *       {@code stats} reports evictions.
 *   <li>spymemcached: an answer that was waited for with a time limit and came too late is marked as timed out forever,
 *       so its own futures are not used. A request that was not written in time is dropped, and this is reported. What
 *       was written stays on its connection, except for an operation of which only a part is in the buffer: it is sent
 *       again from its beginning on the next connection. An operation costs about 1.2 us in three threads, so
 *       {@link io.counters.collector.store.MemcachedBatch} combines thousands of requests into one. Its own ring depends on
 *       server names and their addresses, so a change in DNS would move keys: therefore there is one client per server,
 *       and the ring is ours. It trusts the length that an answer announces, and its thread ends at any Error and is
 *       never started again: therefore all operations are ours ({@link io.counters.collector.store.BinaryOperation}),
 *       even the login, and {@link io.counters.collector.store.MemcachedServer} replaces a client whose thread has
 *       ended.
 *   <li>Redis: {@code INCRBY} creates a missing key and stops at 64 bits; numbers in scripts are doubles, so scripts
 *       answer with text; a restart forgets a script (NOSCRIPT), which is then sent in full.
 *   <li>Lettuce: after a reconnect it repeats commands without an answer, unless its replay filter rejects them; it
 *       drops rejected commands silently, so the filter cancels them. It keeps an announced reply, however long, until
 *       all of it has arrived, and does not recover from a reply that nests deeper than 32 arrays:
 *       {@link io.counters.collector.store.ReplyGuard} closes such a connection earlier.
 *   <li>Couchbase: counters are unsigned and stop at 0, and the SDK refuses a negative difference; a replace with a CAS
 *       value is executed at most once, and never late over a newer value.
 * </ul>
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.store;

import org.jspecify.annotations.NullMarked;
