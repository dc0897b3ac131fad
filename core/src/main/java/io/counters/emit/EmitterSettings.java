package io.counters.emit;

import io.counters.wire.DatagramWriter;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Where to send, how often and how. Immutable; each method returns a changed copy. */
public final class EmitterSettings {
    /** The port that collectors listen on unless told otherwise. */
    public static final int PORT_DEFAULT = 11212;

    private static final int DATAGRAM_BY_ADDRESS = 0;

    private final List<CollectorAddress> collectors;
    private final long sweepMillis;
    private final int datagramBytes;
    private final boolean totals;
    private final boolean follow;

    private EmitterSettings(
            List<CollectorAddress> collectors, long sweepMillis, int datagramBytes, boolean totals, boolean follow) {
        this.collectors = collectors;
        this.sweepMillis = sweepMillis;
        this.datagramBytes = datagramBytes;
        this.totals = totals;
        this.follow = follow;
    }

    /**
     * One sweep a second, with totals, in datagrams as large as the way to each collector takes.
     *
     * @param collectors one or several, parted by {@code ;}, each {@code HOST[:PORT][*WEIGHT]}: IPv6 addresses stand in
     *     brackets, the port is {@value #PORT_DEFAULT} unless said, the weight 1 to 1,000,000 and 1 unless said. With
     *     several each name is sent to the one that owns it on the ring of {@code HOST:PORT}s
     * @throws IllegalArgumentException if it is not of that form, an address stands there twice, or one weighs so
     *     little beside the others that it would own no name; tells all mistakes at once
     */
    public static EmitterSettings to(String collectors) {
        List<CollectorAddress> read = new ArrayList<>();
        List<String> mistakes = new ArrayList<>();
        for (String one : collectors.split(";", -1)) {
            try {
                read.add(CollectorAddress.read(one));
            } catch (IllegalArgumentException broken) {
                mistakes.add(broken.getMessage());
            }
        }
        mistakes.addAll(CollectorAddress.mistakes(read));
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException("collector is \"" + collectors + "\": " + String.join(", ", mistakes)
                    + "; write HOST:PORT or HOST:PORT*WEIGHT, several parted by ;, and leave the port away where it is "
                    + PORT_DEFAULT);
        }
        return new EmitterSettings(Collections.unmodifiableList(read), 1000, DATAGRAM_BY_ADDRESS, true, false);
    }

    /**
     * With a sweep every so many milliseconds, 10 to 60,000.
     *
     * @throws IllegalArgumentException outside that range
     */
    public EmitterSettings sweepMillis(long millis) {
        if (millis < 10 || millis > 60_000) {
            throw new IllegalArgumentException(
                    "sweep is " + millis + " ms, allowed are 10 to 60000 ms; 1000 ms is the default");
        }
        return new EmitterSettings(collectors, millis, datagramBytes, totals, follow);
    }

    /**
     * With datagrams of at most so many bytes, 512 to 65,507, wherever they go.
     *
     * @throws IllegalArgumentException outside that range
     */
    public EmitterSettings datagramBytes(int bytes) {
        if (bytes < DatagramWriter.BYTES_MIN || bytes > DatagramWriter.BYTES_MAX) {
            throw new IllegalArgumentException("datagram is " + bytes + " bytes, allowed are "
                    + DatagramWriter.BYTES_MIN + " to " + DatagramWriter.BYTES_MAX + " bytes; an Ethernet path takes "
                    + DatagramWriter.BYTES_DEFAULT + " whole");
        }
        return new EmitterSettings(collectors, sweepMillis, bytes, totals, follow);
    }

    /**
     * With or without totals. Without, lost datagrams are lost, as with StatsD: for senders whose datagrams a load
     * balancer spreads over several collectors.
     */
    public EmitterSettings totals(boolean sent) {
        return new EmitterSettings(collectors, sweepMillis, datagramBytes, sent, follow);
    }

    /**
     * Whether one ledger stands behind the collector's name and moves with its address: then the same stream goes on at
     * a new address. Otherwise a new one begins there, and what had not reached the old address is lost.
     */
    public EmitterSettings follow(boolean follows) {
        return new EmitterSettings(collectors, sweepMillis, datagramBytes, totals, follows);
    }

    List<CollectorAddress> collectors() {
        return collectors;
    }

    public long sweepMillis() {
        return sweepMillis;
    }

    /**
     * The most bytes of a datagram to this address: what was set, or else all that UDP carries where it does not leave
     * the machine, and {@value DatagramWriter#BYTES_DEFAULT} where it does.
     */
    public int datagramBytes(InetAddress to) {
        if (datagramBytes != DATAGRAM_BY_ADDRESS) {
            return datagramBytes;
        }
        return to.isLoopbackAddress() ? DatagramWriter.BYTES_MAX : DatagramWriter.BYTES_DEFAULT;
    }

    public boolean totals() {
        return totals;
    }

    public boolean follow() {
        return follow;
    }

    /** The collectors in the form in which {@link #to} reads them. */
    @Override
    public String toString() {
        StringBuilder list = new StringBuilder();
        for (CollectorAddress one : collectors) {
            list.append(list.length() == 0 ? "" : ";").append(one.weighted());
        }
        return list.toString();
    }
}
