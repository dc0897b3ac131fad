package io.counters.collector.http;

/**
 * The body of an answer, in pieces, so that a large one is never completely in memory. It is read once, on the event loop,
 * so it must take no lock and do no I/O.
 */
@FunctionalInterface
public interface Text {
    /**
     * Appends the next piece, at most some KB.
     *
     * @return whether there is more
     */
    boolean append(StringBuilder out);

    /** A body that is no text, and not large. */
    @SuppressWarnings("ArrayRecordComponent") // Sent as it is.
    record Binary(byte[] bytes) implements Text {
        @Override
        public boolean append(StringBuilder out) {
            throw new UnsupportedOperationException("it is sent as it is");
        }
    }

    /** A text that is complete already. */
    static Text of(String text) {
        return out -> {
            out.append(text);
            return false;
        };
    }
}
