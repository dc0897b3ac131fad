package io.counters.collector.http;

/**
 * The body of an answer, in pieces, so that a large one is never in memory as a whole. It is read once, by one thread at a
 * time: the event loop. So it must have what it needs, and take no lock and do no I/O.
 */
@FunctionalInterface
public interface Text {
    /**
     * Appends the next piece, at most some KB.
     *
     * @return whether there is more
     */
    boolean append(StringBuilder out);

    /** A text that is there already. */
    static Text of(String whole) {
        return out -> {
            out.append(whole);
            return false;
        };
    }
}
