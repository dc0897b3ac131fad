package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Locale;

/** What a collector's stream to a peer carries, and what its sender says by that. */
public enum PeerLine {
    /** Amounts of counters that were never the sender's, passed on. */
    RELAY,
    /** Whole values of counters that were the sender's; by this list more is to come. */
    HANDING,
    /** The same, and by this list all that the sender had is handed over. */
    HANDOVER,
    /** The same, and what reached the sender by earlier lists has been passed on, too. */
    WHOLE;

    /** The line begins with these bytes. */
    @SuppressWarnings("ImmutableEnumChecker") // Never written to.
    final byte[] prefix = ("peer " + name().toLowerCase(Locale.ROOT) + " ").getBytes(ISO_8859_1);

    /** Whether the stream takes whole values. */
    public boolean handsOver() {
        return this != RELAY;
    }

    /**
     * The line, without a line break.
     *
     * @param list number of the list of peers that the sender goes by
     * @param digest of that list
     * @param address the sender's, as it stands on that list
     * @param sum of all totals of the stream, modulo 2^63
     */
    public byte[] write(long list, int digest, String address, long sum) {
        return (new String(prefix, ISO_8859_1) + list + String.format(" %08x ", digest) + address + " " + sum)
                .getBytes(ISO_8859_1);
    }
}
