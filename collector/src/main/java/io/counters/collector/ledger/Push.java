package io.counters.collector.ledger;

/**
 * One request to the shared store, whose goal is committed. One at a time per counter, each answered
 * by {@link Ledger#settle}.
 *
 * @param counter its number in the ledger
 * @param key the counter's name
 * @param kind what to do
 * @param number the value to add for {@link Kind#ADD}, the signed difference for {@link Kind#INCREMENT}, else 0
 */
public record Push(int counter, String key, Kind kind, long number) {
    /** What to do with the key. */
    public enum Kind {
        /** Set it to the number, unless it is there. */
        ADD,
        /** Add the difference to it, modulo 2^64, unless it is missing. */
        INCREMENT,
        /** Read it. */
        READ
    }

    /** What the store said. */
    public sealed interface Reply permits Holds, Missing, Exists, Refused, Unknown {}

    /** The key now holds this value. */
    public record Holds(long value) implements Reply {}

    /** There is no such key; nothing was done. */
    public record Missing() implements Reply {}

    /** The key to add was there already; nothing was done. */
    public record Exists() implements Reply {}

    /** The key holds something that is no counter; nothing was done. */
    public record Refused(String why) implements Reply {}

    /** No answer: it may or may not have happened, or may happen yet. */
    public record Unknown(String why) implements Reply {}
}
