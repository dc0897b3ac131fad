package io.counters.collector.store;

import io.counters.collector.ledger.Ledger;

/** A ledger that is pushed now. */
final class Pushed {
    final Ledger ledger;
    final String stamp;

    /** How many keys at rest are to be read, in parts of {@value Pusher#ROUNDS_TO_SEE_ALL}. */
    long readsOwed;

    boolean moves;

    /** Whether it adopts what a fleet has written, and the store does not say so yet. */
    boolean adopts;

    Pushed(Ledger ledger, String stamp) {
        this.ledger = ledger;
        this.stamp = stamp;
    }
}
