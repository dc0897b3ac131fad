package io.counters.collector.proxy;

import io.counters.emit.CollectorAddress;

/**
 * One server of servers.conf.
 *
 * @param scheme how to reach it
 * @param address {@code HOST:PORT} as written in the file; the ring hashes exactly these characters
 * @param weight from 1; relative to the weights of the other servers
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
     * Parses a server as written in the file, without its weight.
     *
     * @throws IllegalArgumentException with the rule
     */
    static Server of(String written, long weight) {
        Scheme scheme = written.startsWith(UDP) ? Scheme.UDP : Scheme.TCP;
        String address = written.startsWith(UDP) || written.startsWith(TCP) ? written.substring(TCP.length()) : written;
        try {
            CollectorAddress.server(address, 0);
        } catch (IllegalArgumentException none) {
            // Its message shows the whole text, which may contain a password.
            throw new IllegalArgumentException(
                    "a server is HOST:PORT with a port from 1 to 65535; put an IPv6 address in brackets, such as"
                            + " [::1]:8125, and put udp:// before the host to send over UDP");
        }
        return new Server(scheme, address, weight);
    }

    /** The address to connect or send to. */
    CollectorAddress target() {
        return CollectorAddress.read(address);
    }

    /** Whether scheme and address are the same, so that one connection serves both, even if their weights differ. */
    boolean isSame(Server other) {
        return scheme == other.scheme && address.equals(other.address);
    }

    /** As it may be written in the file; with the scheme if that is not TCP. */
    @Override
    public String toString() {
        return scheme == Scheme.UDP ? UDP + address : address;
    }
}
