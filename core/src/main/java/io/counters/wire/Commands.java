package io.counters.wire;

/**
 * Receives what a {@link CommandReader} reads, in the order of the lines. Slices of bytes are valid during the call
 * only.
 */
public interface Commands {
    /** Used in place of a total if the line had none. */
    long NO_TOTAL = -1;

    /** One whole count in the steps of a rest: 10^18. */
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
     * A {@code from} line with another end, which only records between the collectors of a fleet contain: without a
     * number, because another partition counts the stream's datagrams, or with the numbers of several datagrams that
     * arrived one after the other. Rejected unless overridden.
     *
     * @param bytes the stream's id is {@code bytes[begin, end)}
     * @param ageMillis since the stream began, at its sender
     * @param first number of the first of these datagrams, from 1; 0 if there is none
     * @param last at least {@code first}
     * @return false to reject the line
     */
    default boolean announced(byte[] bytes, int begin, int end, long ageMillis, long first, long last) {
        return false;
    }

    /**
     * A {@code from} line with two numbers, which only records between the collectors of a fleet contain: each line that
     * follows is of one of the datagrams with these numbers. It says nothing about which of them arrived. Rejected unless
     * overridden.
     *
     * @param bytes the stream's id is {@code bytes[begin, end)}
     * @param ageMillis since the stream began, at its sender
     * @param first the lowest of these numbers, from 1
     * @param last the highest one
     * @return false to reject the line
     */
    default boolean among(byte[] bytes, int begin, int end, long ageMillis, long first, long last) {
        return false;
    }

    /** The lines that follow belong to no stream. Also called at the start of every datagram. */
    void fromNobody();

    /**
     * One command.
     *
     * @param bytes the canonical name is {@code bytes[begin, end)}
     * @param amount 0 to 2^53; more, but less than 2^63, if a StatsD line has several values
     * @param total at least {@code amount}, or {@link #NO_TOTAL}
     */
    void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total);

    /**
     * A StatsD line that adds a fraction: {@code integer} counts, and {@code rest} steps of 10^-18 of a count. By default
     * it is added rounded half up, without a rest.
     *
     * @param bytes the canonical name is {@code bytes[begin, end)}
     * @param integer the next whole number below what is added; may be negative
     * @param rest above 0 and below {@link #ONE}
     */
    default void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
        long rounded = integer + (rest >= ONE / 2 ? 1 : 0);
        command(rounded < 0 ? Verb.DECREMENT : Verb.INCREMENT, bytes, begin, end, Math.abs(rounded), NO_TOTAL);
    }

    /** The name of the StatsD line that is handed over next was changed in this way. */
    default void cleaned(Cleaning why) {
        // Only the collector counts these.
    }

    /** A rejected line: {@code bytes[begin, end)}, without its line break. */
    void rejected(Rejection why, byte[] bytes, int begin, int end);
}
