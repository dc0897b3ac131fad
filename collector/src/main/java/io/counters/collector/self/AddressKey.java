package io.counters.collector.self;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * A number that stands for an address that something came from, so that limits and counts by address allocate nothing:
 * an IPv4 address, or the first 64 bits of an IPv6 address, as a network gives each host so many addresses.
 */
public final class AddressKey {
    /** Of an address that is not known. */
    public static final long UNKNOWN = 0;

    /** {@code ::1}, whose first 64 bits are none; as an IPv4 address, 0.0.0.1, it never occurs. */
    private static final long IPV6_LOOPBACK = 1;

    /** Of whoever sends to a Unix socket of this machine; as an IPv4 address, 0.0.0.2, it never occurs. */
    public static final long UNIX = 2;

    private static final int IPV4_BYTES = 4;
    private static final int IPV6_BYTES = 16;
    private static final long INT = 0xffff_ffffL;

    private AddressKey() {}

    /** Of an IPv4 address. */
    public static long ipv4(int address) {
        return address & INT;
    }

    /** Of an IPv6 address, by its two halves; one that is mapped from IPv4 has the key of that. */
    public static long ipv6(long first, long second) {
        if (first == 0) {
            return second >>> 32 == 0xffff ? second & INT : second == 1 ? IPV6_LOOPBACK : UNKNOWN;
        }
        return first;
    }

    /** Of an address as the JDK has it. */
    public static long of(@Nullable InetSocketAddress from) {
        InetAddress address = from == null ? null : from.getAddress();
        if (address == null) {
            return UNKNOWN;
        }
        byte[] bytes = address.getAddress();
        return bytes.length == IPV4_BYTES
                ? ipv4((int) number(bytes, 0, IPV4_BYTES))
                : ipv6(number(bytes, 0, 8), number(bytes, 8, 8));
    }

    private static long number(byte[] bytes, int begin, int length) {
        long number = 0;
        for (int i = begin; i < begin + length; i++) {
            number = number << 8 | (bytes[i] & 0xff);
        }
        return number;
    }

    /** The address, for the log: {@code 10.0.0.7}, or {@code 2001:db8:0:1:0:0:0:0/64}. */
    public static String text(long key) {
        if (key == UNKNOWN) {
            return "an unknown address";
        }
        if (key == UNIX) {
            return "this machine";
        }
        if (key == IPV6_LOOPBACK) {
            return "::1";
        }
        boolean isIpv4 = key >>> 32 == 0;
        byte[] bytes = new byte[isIpv4 ? IPV4_BYTES : IPV6_BYTES];
        for (int i = 0; i < (isIpv4 ? IPV4_BYTES : 8); i++) {
            bytes[i] = (byte) (key >>> ((isIpv4 ? 24 : 56) - 8 * i));
        }
        try {
            return InetAddress.getByAddress(bytes).getHostAddress() + (isIpv4 ? "" : "/64");
        } catch (UnknownHostException neverOfThatLength) {
            throw new IllegalStateException(neverOfThatLength);
        }
    }

    /** The address and port that something came from, for the log: {@code 10.0.0.7:4711}. */
    public static String text(@Nullable InetSocketAddress from) {
        if (from == null || from.getAddress() == null) {
            return text(UNKNOWN);
        }
        String host = from.getAddress().getHostAddress();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + from.getPort();
    }
}
