package io.counters.collector.common;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;

/**
 * A number for a sender's address, so that limits and counts by address allocate nothing: an IPv4 address, or the first 64
 * bits of an IPv6 address, because one host may have all 2^64 addresses that begin with them.
 */
public final class AddressKey {
    // No host has an address in 0.0.0.0/8, so numbers below 2^24 stand for what has no address, and for IPv6's
    // loopback.

    /** In place of an address that is not known. No sender of a datagram has it, whatever address it forges. */
    public static final long UNKNOWN = 0;

    /** The key of {@code ::1}, whose first 64 bits are 0. */
    private static final long IPV6_LOOPBACK = 1;

    /** The key of all senders to a Unix socket of this machine. */
    public static final long UNIX = 2;

    /** In place of an address: a request by HTTP, which nobody can send again without what lets its sender in. */
    public static final long HTTP = 3;

    /** The key of all addresses in 0.0.0.0/8. */
    private static final long IPV4_NO_HOST = 4;

    /**
     * The key of all addresses whose first 32 bits are 0, except {@code ::1} and IPv4-mapped ones: that of {@code ff00::},
     * which is a group and no sender.
     */
    private static final long IPV6_NO_HOST = 0xff00L << 48;

    private static final long IPV4_LOOPBACK = 0x7f00_0001;

    private static final int IPV4_BYTES = 4;
    private static final int IPV6_BYTES = 16;
    private static final long INT = 0xffff_ffffL;

    private AddressKey() {}

    /**
     * The same key, or that of 127.0.0.1 for every loopback address: a user of this machine can send from all of them, and
     * must not count as many senders.
     */
    public static long withOneLoopback(long key) {
        return key >>> 24 == 127 || key == IPV6_LOOPBACK ? IPV4_LOOPBACK : key;
    }

    /** Whether a key is no IPv4 address, although it is a number of as few bits. */
    public static boolean isApart(long key) {
        return key >= 0 && key < IPV4_NO_HOST;
    }

    /** The key of an IPv4 address. */
    public static long ipv4(int address) {
        return address >>> 24 == 0 ? IPV4_NO_HOST : address & INT;
    }

    /** The key of an IPv6 address, given as two halves; an IPv4-mapped address has the key of the IPv4 address. */
    public static long ipv6(long first, long second) {
        if (first >>> 32 != 0) {
            return first;
        }
        if (first == 0 && second >>> 32 == 0xffff) {
            return ipv4((int) second);
        }
        return first == 0 && second == 1 ? IPV6_LOOPBACK : IPV6_NO_HOST;
    }

    /** The key of a JDK address. */
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
        if (key == HTTP) {
            return "requests by HTTP";
        }
        if (key == IPV4_NO_HOST || key == IPV6_NO_HOST) {
            return key == IPV4_NO_HOST ? "0.0.0.0/8" : "::/32";
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

    /** A sender's address and port, for the log: {@code 10.0.0.7:4711}. */
    public static String text(@Nullable InetSocketAddress from) {
        if (from == null || from.getAddress() == null) {
            return text(UNKNOWN);
        }
        String host = from.getAddress().getHostAddress();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + from.getPort();
    }
}
