package io.counters.collector.proxy;

import io.counters.emit.CollectorAddress;

/**
 * One server of servers.conf.
 *
 * @param scheme how to reach it
 * @param address {@code HOST:PORT} as the file writes it: what the ring hashes, letter by letter
 * @param weight from 1, beside the others'
 */
record Server(Scheme scheme, String address, long weight) {
    enum Scheme {
        TCP,
        UDP
    }

    static final long WEIGHT_MAX = 0xFFFF_FFFFL;

    private static final String TCP = "tcp://";
    private static final String UDP = "udp://";

    /**
     * A server as the file writes it, without its weight.
     *
     * @throws IllegalArgumentException with the rule
     */
    static Server of(String written, long weight) {
        Scheme scheme = written.startsWith(UDP) ? Scheme.UDP : Scheme.TCP;
        String address = written.startsWith(UDP) || written.startsWith(TCP) ? written.substring(TCP.length()) : written;
        int colon = address.lastIndexOf(':');
        boolean isBare = !address.startsWith("[") && address.indexOf(':') != colon;
        if (colon <= address.lastIndexOf(']') || isBare || address.contains("*") || !isAddress(address)) {
            throw new IllegalArgumentException(
                    "a server is HOST:PORT with a port from 1 to 65535, an IPv6 address in brackets as in [::1]:8125,"
                            + " and udp:// before it where it takes UDP");
        }
        return new Server(scheme, address, weight);
    }

    private static boolean isAddress(String text) {
        try {
            return CollectorAddress.read(text).port() > 0;
        } catch (IllegalArgumentException none) {
            // Its message shows all of the text, which may hold a password.
            return false;
        }
    }

    /** Where it is. */
    CollectorAddress target() {
        return CollectorAddress.read(address);
    }

    /** Whether both are one place: a connection to one serves the other, whatever they weigh. */
    boolean isSame(Server other) {
        return scheme == other.scheme && address.equals(other.address);
    }

    /** As the file may write it; the scheme said where it is not TCP. */
    @Override
    public String toString() {
        return scheme == Scheme.UDP ? UDP + address : address;
    }
}
