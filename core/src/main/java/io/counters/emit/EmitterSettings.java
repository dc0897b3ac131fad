package io.counters.emit;

import io.counters.wire.DatagramWriter;
import io.counters.wire.SigningKey;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Where, how often and how to send. Immutable; each method with a parameter returns a changed copy. */
public final class EmitterSettings {
    /** The port on which collectors listen by default. */
    public static final int PORT_DEFAULT = 11212;

    private static final int DATAGRAM_BY_ADDRESS = 0;

    private final List<CollectorAddress> collectors;
    private final long sweepMillis;
    private final int datagramBytes;
    private final Set<Choice> chosen;
    private final @Nullable SigningKey key;

    private enum Choice {
        TOTALS,
        FOLLOW
    }

    private EmitterSettings(
            List<CollectorAddress> collectors,
            long sweepMillis,
            int datagramBytes,
            Set<Choice> chosen,
            @Nullable SigningKey key) {
        if (key != null && !chosen.contains(Choice.TOTALS)) {
            throw new IllegalArgumentException(
                    "key is set and totals is off, but a signed datagram needs totals; leave out one of the two settings");
        }
        this.collectors = collectors;
        this.sweepMillis = sweepMillis;
        this.datagramBytes = datagramBytes;
        this.chosen = chosen;
        this.key = key;
    }

    /**
     * One sweep a second, with totals, in datagrams as large as the path to each collector allows.
     *
     * @param collectors one or several, separated by {@code ;}, each {@code HOST[:PORT][*WEIGHT]}. IPv6 addresses are
     *     in brackets, the port is {@value #PORT_DEFAULT} by default, and the weight is 1 to 1,000,000, 1 by default.
     *     If there are several, each name is sent to the one that owns it on the ring of {@code HOST:PORT}s
     * @throws IllegalArgumentException if it does not have that form, if an address appears twice, or if a weight is so
     *     small that the collector would own no name; the message contains all errors
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
                    + "; write HOST:PORT or HOST:PORT*WEIGHT, separate several by ;, and leave out the port if it is "
                    + PORT_DEFAULT);
        }
        return new EmitterSettings(
                Collections.unmodifiableList(read), 1000, DATAGRAM_BY_ADDRESS, EnumSet.of(Choice.TOTALS), null);
    }

    /**
     * With a sweep every {@code millis} milliseconds, 10 to 60,000.
     *
     * @throws IllegalArgumentException outside that range
     */
    public EmitterSettings sweepMillis(long millis) {
        if (millis < 10 || millis > 60_000) {
            throw new IllegalArgumentException(
                    "sweep is " + millis + " ms, allowed are 10 to 60000 ms; 1000 ms is the default");
        }
        return new EmitterSettings(collectors, millis, datagramBytes, chosen, key);
    }

    /**
     * With datagrams of at most {@code bytes} bytes, 512 to 65,507, to every address.
     *
     * @throws IllegalArgumentException outside that range
     */
    public EmitterSettings datagramBytes(int bytes) {
        if (bytes < DatagramWriter.BYTES_MIN || bytes > DatagramWriter.BYTES_MAX) {
            throw new IllegalArgumentException("datagram is " + bytes + " bytes, allowed are "
                    + DatagramWriter.BYTES_MIN + " to " + DatagramWriter.BYTES_MAX + " bytes; an Ethernet path carries "
                    + DatagramWriter.BYTES_DEFAULT + " without fragmentation");
        }
        return new EmitterSettings(collectors, sweepMillis, bytes, chosen, key);
    }

    /**
     * With or without totals. Without totals the counts of lost datagrams are lost, as with StatsD. For senders whose
     * datagrams a load balancer distributes over several collectors.
     *
     * @throws IllegalArgumentException without totals if datagrams are signed
     */
    public EmitterSettings totals(boolean sent) {
        return with(Choice.TOTALS, sent);
    }

    /**
     * Whether the collector's ledger moves with its name to a new address. If so, the same stream continues at the new
     * address. Otherwise a new stream begins there, and counts that had not reached the old address are lost.
     */
    public EmitterSettings follow(boolean follows) {
        return with(Choice.FOLLOW, follows);
    }

    /**
     * With a signature on each datagram. The file is read now, and not again.
     *
     * @param idAndFile {@code ID:FILE}: the ID of the key, and a file that has it on a line {@code KEY-ID HEX-KEY}
     * @throws IllegalArgumentException if it does not have that form, the file cannot be read, has errors, or has no such
     *     key, and without totals; the message contains the rule, and never a key
     */
    public EmitterSettings key(String idAndFile) {
        return new EmitterSettings(collectors, sweepMillis, datagramBytes, chosen, KeySetting.read(idAndFile));
    }

    private EmitterSettings with(Choice choice, boolean isChosen) {
        Set<Choice> others = EnumSet.noneOf(Choice.class);
        others.addAll(chosen);
        others.remove(choice);
        if (isChosen) {
            others.add(choice);
        }
        return new EmitterSettings(collectors, sweepMillis, datagramBytes, others, key);
    }

    List<CollectorAddress> collectors() {
        return collectors;
    }

    public long sweepMillis() {
        return sweepMillis;
    }

    /**
     * The maximum bytes of a datagram to this address: the value that was set; otherwise UDP's maximum to a loopback
     * address, and {@value DatagramWriter#BYTES_DEFAULT} to all others.
     */
    public int datagramBytes(InetAddress to) {
        if (datagramBytes != DATAGRAM_BY_ADDRESS) {
            return datagramBytes;
        }
        return to.isLoopbackAddress() ? DatagramWriter.BYTES_MAX : DatagramWriter.BYTES_DEFAULT;
    }

    /** The key that signs datagrams; null if they are not signed. */
    @Nullable
    SigningKey key() {
        return key;
    }

    /** Whether datagrams are signed. */
    public boolean isSigned() {
        return key != null;
    }

    public boolean totals() {
        return chosen.contains(Choice.TOTALS);
    }

    public boolean follow() {
        return chosen.contains(Choice.FOLLOW);
    }

    /** The collectors in the form that {@link #to} accepts. */
    @Override
    public String toString() {
        StringBuilder list = new StringBuilder();
        for (CollectorAddress one : collectors) {
            list.append(list.length() == 0 ? "" : ";").append(one.weighted());
        }
        return list.toString();
    }
}
