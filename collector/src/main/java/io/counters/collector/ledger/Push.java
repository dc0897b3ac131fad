package io.counters.collector.ledger;

/**
 * One request to the store, whose goal is committed. There is at most one at a time for each counter, and each is
 * answered by {@code Ledger.answered}.
 *
 * @param counter its number in the ledger
 * @param key the counter's name
 * @param kind what to do
 * @param number the value to add for {@link Kind#ADD}, the signed difference for {@link Kind#INCREMENT}, else 0
 */
public record Push(int counter, String key, Kind kind, long number) {
    /** What to do with the key. */
    public enum Kind {
        /** Set it to the number, unless the key exists. */
        ADD,
        /** Add the difference to it, modulo 2^64, unless it is missing. */
        INCREMENT,
        /** Read it. */
        READ
    }

    /** The store's answer. */
    public sealed interface Reply permits Holds, Missing, Exists, Refused, Unknown {}

    /** The key has this value now. */
    public record Holds(long value) implements Reply {}

    /** The key does not exist; nothing was done. */
    public record Missing() implements Reply {}

    /** The key to add already exists; nothing was done. */
    public record Exists() implements Reply {}

    /** The value of the key is not a counter; nothing was done. */
    public record Refused(String why) implements Reply {}

    /** No answer: the request may or may not have been executed, or may still be. */
    public record Unknown(String why) implements Reply {}
}
