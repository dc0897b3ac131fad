package io.counters.collector.intake;

import io.counters.collector.common.AddressKey;
import io.counters.collector.ledger.Ledger;
import io.counters.wire.Commands;
import io.counters.wire.Verb;
import org.jspecify.annotations.Nullable;

/**
 * What takes the lines that arrive: the ledger of this collector, or in a fleet what brings them to their owners. Slices of
 * bytes are valid during the call only.
 */
public interface LineTarget {
    /** Lines that arrive here are merged into this ledger. */
    static LineTarget of(Ledger ledger) {
        return new LedgerTarget(ledger);
    }

    /**
     * Hands over the lines of a datagram, or those of a connection that have arrived together. No other thread calls the
     * methods below meanwhile.
     *
     * @param lines calls the methods below; it never blocks
     * @return whether every line was taken: none was dropped for lack of room, and none has to wait until it is repeated
     */
    boolean batch(Runnable lines);

    /**
     * How many lines so far were not taken as they are, because too many names or streams are new, or because a total jumped
     * too far: what a stranger can cause. Called by a batch only; 0 where it is reported otherwise.
     */
    default long turnedAway() {
        return 0;
    }

    /**
     * Returns the stream with the ID {@code bytes[begin, end)}, to be handed over with its lines.
     *
     * @param ageMillis time since the stream began, measured by its sender
     * @param seq the number of this datagram in it; 0 if its datagrams have none
     * @param address of the sender, as an {@link AddressKey}; {@link AddressKey#HTTP} for a request
     */
    Object stream(byte[] bytes, int begin, int end, long ageMillis, long seq, long address);

    /**
     * Returns the stream with the ID {@code bytes[begin, end)} whose lines are all in this batch, each with its amount as its
     * total: the same lines again count once. They are not taken if it cannot be remembered.
     *
     * @param ageMillis time since it began
     */
    Object once(byte[] bytes, int begin, int end, long ageMillis);

    /** Records that a stream's sender is alive, which has sent its {@code from} line earlier on the same connection. */
    void heard(Object stream);

    /**
     * Takes one command.
     *
     * @param stream what {@link #stream} returned for the {@code from} line; null without one
     * @param name its canonical form is {@code name[begin, end)}
     * @param amount 0 or more
     * @param total at least {@code amount}, or {@link Commands#NO_TOTAL}
     */
    void merge(@Nullable Object stream, Verb verb, byte[] name, int begin, int end, long amount, long total);

    /**
     * Takes a line without a total whose amount is not a whole number.
     *
     * @param integer the amount, rounded down
     * @param rest what the amount has beyond that, in parts of {@link Commands#ONE}; above 0
     */
    void merge(byte[] name, int begin, int end, long integer, long rest);
}
