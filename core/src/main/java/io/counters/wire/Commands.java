package io.counters.wire;

/**
 * Takes what a {@link CommandReader} found, in the order of the lines. Slices of bytes are valid during the call only.
 */
public interface Commands {
    /** In place of a total: the line had none. */
    long NO_TOTAL = -1;

    /**
     * The lines that follow belong to this stream, until the next {@code from}, {@link #fromNobody} or datagram.
     *
     * @param bytes the stream's id is {@code bytes[begin, end)}
     * @param ageMillis since the stream began, at its sender
     * @param seq the number of this datagram in the stream, from 1
     */
    void from(byte[] bytes, int begin, int end, long ageMillis, long seq);

    /**
     * The stream is another collector's, and so is all of this datagram. Passed over unless somebody takes part in it.
     *
     * @param kind what its sender says
     * @param list number of the list of peers that its sender goes by
     * @param digest of that list
     * @param address its sender's, as it stands on that list
     * @param sum of all totals of the stream, modulo 2^63: where everything has arrived, the watermarks come to the same
     */
    default void peer(PeerLine kind, long list, int digest, String address, long sum) {
        // A sender's and a test's reader meet no peers.
    }

    /** The lines that follow belong to no stream. Called at the start of every datagram, too. */
    void fromNobody();

    /**
     * One command.
     *
     * @param bytes the canonical name is {@code bytes[begin, end)}
     * @param amount 0 to 2^53
     * @param total at least {@code amount}, or {@link #NO_TOTAL}
     */
    void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total);

    /** A line that was not taken: {@code bytes[begin, end)}, without its line break. */
    void rejected(Rejection why, byte[] bytes, int begin, int end);
}
