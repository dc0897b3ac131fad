package io.counters.collector.access;

import io.counters.collector.common.AddressKey;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Ranges of addresses, in CIDR notation, from which counts are taken; all addresses if there is no range. A sender is looked up
 * by its {@link AddressKey}, so a range of IPv6 has at least the 2^64 addresses of one network.
 *
 * @param ranges in the order given
 */
public record AllowedSenders(List<Range> ranges) {
    /** Every sender. */
    public static final AllowedSenders ALL = new AllowedSenders(List.of());

    private static final Pattern CIDR =
            Pattern.compile("((?:[0-9]{1,3}\\.){3}[0-9]{1,3}|[0-9A-Fa-f.]{0,4}:[0-9A-Fa-f:.]{1,44})(?:/([0-9]{1,3}))?");
    private static final int IPV4_BITS = 32;
    private static final int IPV6_BITS = 128;

    /** What an IPv4-mapped address of IPv6 has before the address of IPv4. */
    private static final int MAPPED_BITS = IPV6_BITS - IPV4_BITS;

    /** How many bits differ in 0.0.0.0/8. */
    private static final int NO_HOST_BITS = 24;

    /** The mask of a single key. */
    private static final long ONE = -1;

    /** An IPv6 key's bits. */
    private static final int KEY_BITS = 64;

    /** The keys of which the bits in {@code mask} are those of {@code first}. */
    record Range(long first, long mask) {
        boolean has(long key) {
            return (key & mask) == first && (mask == ONE || !AddressKey.isApart(key));
        }
    }

    public AllowedSenders {
        ranges = List.copyOf(ranges);
    }

    /**
     * Parses ranges.
     *
     * @throws IllegalArgumentException with the range that is wrong and the rule
     */
    static AllowedSenders of(List<String> texts) {
        List<Range> ranges = new ArrayList<>();
        for (String text : texts) {
            ranges.add(range(text));
        }
        return new AllowedSenders(ranges);
    }

    private static Range range(String text) {
        Matcher cidr = CIDR.matcher(text);
        if (!cidr.matches()) {
            throw wrong(text, "is not an address, such as 10.0.0.7, or a range, such as 10.0.0.0/8 or fd00::/8");
        }
        InetAddress address;
        try {
            // A name server may be asked only for what looks like an address and is none, such as 10.0.0.256.
            address = InetAddress.getByName(cidr.group(1));
        } catch (UnknownHostException malformed) {
            throw wrong(text, "is not an address of IPv4 or IPv6");
        }
        ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
        boolean isIpv4 = bytes.remaining() * 8 == IPV4_BITS;
        int before = isIpv4 && cidr.group(1).indexOf(':') >= 0 ? MAPPED_BITS : 0;
        int bitsMax = isIpv4 ? before + IPV4_BITS : IPV6_BITS;
        int bits = cidr.group(2) == null ? bitsMax : Integer.parseInt(cidr.group(2));
        if (bits > bitsMax) {
            throw wrong(text, "has more than " + bitsMax + " bits after the slash");
        }
        if (bits < before) {
            throw wrong(text, "has addresses of IPv4, so it needs at least " + before + " bits after the slash");
        }
        if (!isIpv4 && bits == IPV6_BITS && address.isLoopbackAddress()) {
            return new Range(AddressKey.of(new InetSocketAddress(address, 0)), ONE);
        }
        long key = isIpv4 ? Integer.toUnsignedLong(bytes.getInt()) : bytes.getLong();
        if (!isIpv4 && (bits > KEY_BITS || key >>> IPV4_BITS == 0)) {
            throw wrong(
                    text,
                    "is not a range of IPv6 that can be used: it has at most /64, because one host may have all addresses of"
                            + " such a network, and its first 32 bits are not 0; ::1 is allowed");
        }
        int free = isIpv4 ? bitsMax - bits : KEY_BITS - bits;
        // The first half of an IPv4 key is 0, and belongs to the mask.
        long mask = free >= KEY_BITS ? 0 : -1L << free;
        if ((key & mask) != key) {
            throw wrong(text, "has bits after its first " + bits + "; the range begins at " + text(key & mask, isIpv4));
        }
        if (isIpv4 && key >>> NO_HOST_BITS == 0 && free < NO_HOST_BITS) {
            throw wrong(text, "is in 0.0.0.0/8, and no sender has an address there");
        }
        return new Range(key, mask);
    }

    private static String text(long key, boolean isIpv4) {
        ByteBuffer bytes = isIpv4
                ? ByteBuffer.allocate(IPV4_BITS / 8).putInt((int) key)
                : ByteBuffer.allocate(IPV6_BITS / 8).putLong(key);
        try {
            return InetAddress.getByAddress(bytes.array()).getHostAddress();
        } catch (UnknownHostException neverOfThatLength) {
            throw new IllegalStateException(neverOfThatLength);
        }
    }

    private static IllegalArgumentException wrong(String text, String why) {
        return new IllegalArgumentException("of which \"" + text + "\" " + why);
    }

    boolean isEveryone() {
        return ranges.isEmpty();
    }
}
