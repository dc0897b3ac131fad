package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Locale;

/** What a collector's stream to a peer contains, and the state of its sender's hand-over. */
public enum PeerLine {
    /** Amounts of counters that the sender never owned, forwarded to their owner. */
    RELAY,
    /** Whole values of counters that the sender owned; by this list, more will follow. */
    HANDING,
    /** The same; the sender has handed over everything that this list assigns to others. */
    HANDOVER,
    /** The same; the sender has also forwarded everything that had reached it by earlier lists. */
    WHOLE;

    /** The line begins with these bytes. */
    @SuppressWarnings("ImmutableEnumChecker") // Never modified.
    final byte[] prefix = ("peer " + name().toLowerCase(Locale.ROOT) + " ").getBytes(ISO_8859_1);

    /** Whether the stream contains whole values. */
    public boolean handsOver() {
        return this != RELAY;
    }

    /**
     * The line, without a line break.
     *
     * @param list number of the list of peers that the sender uses
     * @param digest of that list
     * @param address the sender's address as that list writes it
     * @param sum of all totals of the stream, modulo 2^63
     */
    public byte[] write(long list, int digest, String address, long sum) {
        return (new String(prefix, ISO_8859_1) + list + String.format(" %08x ", digest) + address + " " + sum)
                .getBytes(ISO_8859_1);
    }
}
