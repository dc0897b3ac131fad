package io.counters.wire;

/** What a command does to a counter. In a stream each verb of a counter has its own total, which only grows. */
public enum Verb {
    INCREMENT,
    DECREMENT;

    /** The amount with this verb's sign. */
    public long signed(long amount) {
        return this == INCREMENT ? amount : -amount;
    }
}
