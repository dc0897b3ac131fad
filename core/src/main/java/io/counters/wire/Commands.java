package io.counters.wire;

/**
 * Takes what a {@link CommandReader} found, in the order of the lines. Slices of bytes are valid during the call only.
 */
public interface Commands {
    /** In place of a total: the line had none. */
    long NO_TOTAL = -1;

    /** A whole count, in the steps that a rest is counted in: 10^18. */
    long ONE = 1_000_000_000_000_000_000L;

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
     * @param amount 0 to 2^53; more, but less than 2^63, where a StatsD line has several values
     * @param total at least {@code amount}, or {@link #NO_TOTAL}
     */
    void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total);

    /**
     * A StatsD line that adds no whole number: {@code whole} counts and {@code rest} of 10^18 parts of another. Who keeps
     * no rests adds it rounded half up.
     *
     * @param bytes the canonical name is {@code bytes[begin, end)}
     * @param whole of either sign: the next whole number below what is added
     * @param rest above 0 and below {@link #ONE}
     */
    default void fraction(byte[] bytes, int begin, int end, long whole, long rest) {
        long rounded = whole + (rest >= ONE / 2 ? 1 : 0);
        command(rounded < 0 ? Verb.DECREMENT : Verb.INCREMENT, bytes, begin, end, Math.abs(rounded), NO_TOTAL);
    }

    /** The name of the StatsD line that comes next was cleaned so. */
    default void cleaned(Cleaning why) {
        // Only who counts them cares.
    }

    /** A line that was not taken: {@code bytes[begin, end)}, without its line break. */
    void rejected(Rejection why, byte[] bytes, int begin, int end);
}
