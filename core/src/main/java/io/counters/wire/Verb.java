package io.counters.wire;

/** What a command does to a counter. Each verb has a total of its own in a stream, and totals only grow. */
public enum Verb {
    INCREMENT,
    DECREMENT;

    /** The amount with the sign this verb gives it. */
    public long signed(long amount) {
        return this == INCREMENT ? amount : -amount;
    }
}
