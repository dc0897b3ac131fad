package io.counters.collector.fleet;

/** What Kafka's clients say about a failure. */
final class Faults {
    private Faults() {}

    /** The message, or the kind of failure if there is none. */
    static String reason(Throwable why) {
        return why.getMessage() == null ? why.getClass().getSimpleName() : why.getMessage();
    }
}
