package io.counters.emit;

import io.counters.wire.DatagramWriter;

/** Where to send, how often and how. Immutable; each method returns a changed copy. */
public final class EmitterSettings {
    /** The port that collectors listen on unless told otherwise. */
    public static final int PORT_DEFAULT = 11212;

    private final String host;
    private final int port;
    private final long sweepMillis;
    private final int datagramBytes;
    private final boolean totals;
    private final boolean follow;

    private EmitterSettings(
            String host, int port, long sweepMillis, int datagramBytes, boolean totals, boolean follow) {
        this.host = host;
        this.port = port;
        this.sweepMillis = sweepMillis;
        this.datagramBytes = datagramBytes;
        this.totals = totals;
        this.follow = follow;
    }

    /**
     * One sweep a second, in datagrams of at most 1,432 bytes, with totals.
     *
     * @param collector {@code host:port} or {@code host}; IPv6 addresses stand in brackets
     * @throws IllegalArgumentException if it is not of that form
     */
    public static EmitterSettings to(String collector) {
        String text = collector.trim();
        int bracket = text.lastIndexOf(']');
        int colon = text.lastIndexOf(':');
        boolean hasPort = colon > bracket && (bracket >= 0 || text.indexOf(':') == colon);
        String host = hasPort ? text.substring(0, colon) : text;
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        boolean good = host.matches("[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?");
        int port = PORT_DEFAULT;
        if (hasPort) {
            String digits = text.substring(colon + 1);
            good &= digits.matches("[0-9]{1,5}");
            port = good ? Integer.parseInt(digits) : 0;
        }
        if (!good || port < 1 || port > 65_535) {
            throw new IllegalArgumentException("collector is \"" + collector
                    + "\", which is not HOST:PORT with a port from 1 to 65535; collectors listen on " + PORT_DEFAULT
                    + " unless told otherwise");
        }
        return new EmitterSettings(host, port, 1000, DatagramWriter.BYTES_DEFAULT, true, false);
    }

    /**
     * With a sweep every so many milliseconds, 10 to 60,000.
     *
     * @throws IllegalArgumentException outside that range
     */
    public EmitterSettings sweepMillis(long millis) {
        if (millis < 10 || millis > 60_000) {
            throw new IllegalArgumentException(
                    "sweep is " + millis + " ms, allowed are 10 to 60000; 1000 is what collectors expect");
        }
        return new EmitterSettings(host, port, millis, datagramBytes, totals, follow);
    }

    /**
     * With datagrams of at most so many bytes, 512 to 65,507.
     *
     * @throws IllegalArgumentException outside that range
     */
    public EmitterSettings datagramBytes(int bytes) {
        if (bytes < DatagramWriter.BYTES_MIN || bytes > DatagramWriter.BYTES_MAX) {
            throw new IllegalArgumentException("datagram is " + bytes + " bytes, allowed are "
                    + DatagramWriter.BYTES_MIN + " to " + DatagramWriter.BYTES_MAX + "; an Ethernet path takes "
                    + DatagramWriter.BYTES_DEFAULT);
        }
        return new EmitterSettings(host, port, sweepMillis, bytes, totals, follow);
    }

    /**
     * With or without totals. Without, lost datagrams are lost, as with StatsD: for senders whose datagrams a load
     * balancer spreads over several collectors.
     */
    public EmitterSettings totals(boolean sent) {
        return new EmitterSettings(host, port, sweepMillis, datagramBytes, sent, follow);
    }

    /**
     * Whether one ledger stands behind the collector's name and moves with its address: then the same stream goes on at
     * a new address. Otherwise a new one begins there, and what had not reached the old address is lost.
     */
    public EmitterSettings follow(boolean follows) {
        return new EmitterSettings(host, port, sweepMillis, datagramBytes, totals, follows);
    }

    public String host() {
        return host;
    }

    public int port() {
        return port;
    }

    public long sweepMillis() {
        return sweepMillis;
    }

    public int datagramBytes() {
        return datagramBytes;
    }

    public boolean totals() {
        return totals;
    }

    public boolean follow() {
        return follow;
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
