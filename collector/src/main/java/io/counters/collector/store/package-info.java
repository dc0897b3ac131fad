/**
 * The shared store, a projection of the ledger that others may read. {@link io.counters.collector.store.Pusher} brings
 * there what the ledger has cleared, and tells the ledger what became of it; {@link io.counters.collector.store.Store} is
 * what a product must be able to do. Nothing here keeps a value: the ledger knows what is to be done next.
 */
@NullMarked
package io.counters.collector.store;

import org.jspecify.annotations.NullMarked;
