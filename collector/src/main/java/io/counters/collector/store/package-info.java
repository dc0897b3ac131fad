/**
 * The shared store, a projection of the ledger that others may read. {@link io.counters.collector.store.Pusher} brings
 * there what the ledger has cleared, and tells the ledger what became of it; {@link io.counters.collector.store.Store} is
 * what a product must be able to do; {@link io.counters.collector.store.Pipeline} bounds what a server is asked. Nothing
 * here keeps a value: the ledger knows what is to be done next.
 *
 * <p>What the code relies on, seen on memcached 1.6.18, Redis 7.0.15 and CouchbaseMock 1.5.27:
 *
 * <ul>
 *   <li>memcached: {@code decr} stops at 0, {@code incr} wraps at 2^64, a value that got shorter is padded with spaces,
 *       {@code stats} tells evictions.
 *   <li>spymemcached: an answer that is waited for with a limit is marked as timed out and says so for ever, so nobody
 *       waits on its own futures; a request that was not written in time is dropped and said to be; what was written
 *       stays on its connection, but for an operation that is half in its buffer, which is sent again from its beginning on
 *       the next one. An operation costs it some 1.2 us in three threads, so {@link io.counters.collector.store.Burst}
 *       makes one of thousands of requests. It takes server names with their addresses for its own ring, which a change in DNS
 *       would turn: so it has one client a server, and the ring is ours. It believes the length that an answer names, and
 *       its thread ends by any Error and is never started again: so all operations are ours ({@link
 *       io.counters.collector.store.BinaryOperation}), the login's too, and {@link
 *       io.counters.collector.store.MemcachedServer} makes the client anew.
 *   <li>Redis: {@code INCRBY} makes a key that is missing and stops at 64 bits; numbers are doubles in scripts, so
 *       these answer with text; a script is forgotten by a restart (NOSCRIPT), and then sent whole.
 *   <li>Lettuce: repeats after a reconnect what had no answer, unless its replay filter says no, and then drops it
 *       without a word, so the filter cancels it.
 *       It keeps what a reply announces until all of it has come, however long, and never gets out of a reply that nests
 *       deeper than 32 arrays: {@link io.counters.collector.store.ReplyGuard} closes such a connection before.
 *   <li>Couchbase: counters are unsigned, stop at 0, and the SDK refuses a negative difference; a replace with a CAS is
 *       done at most once and never late over something newer.
 * </ul>
 */
@NullMarked
package io.counters.collector.store;

import org.jspecify.annotations.NullMarked;
