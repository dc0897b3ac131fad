package io.counters.collector.proxy;

import io.counters.collector.common.Metrics;
import io.counters.emit.CounterTable;
import io.counters.emit.EmitterSettings;
import io.counters.emit.Sweep;
import io.counters.emit.Transport;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.SignedLine;
import io.counters.wire.Verb;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sums the amounts of our own commands by name, and sends the sums in its own streams, one for each server, as an agent does.
 * Totals that arrive are ignored, because there is no ledger here that could merge them. While a server is down, one number
 * for each of its names waits; it is sent to whichever server owns the name once that server can be reached. What was sent in
 * a server's stream stays in that stream. For one thread.
 */
final class SumSender implements Commands {
    /** The maximum number of different servers from the start of this process to its end: each keeps its stream. */
    static final int SERVERS_MAX = 4096;

    private final CounterSums sums;
    private final CounterTable table;
    private final CommandReader reader = new CommandReader(this);
    private final SignedLine signed = new SignedLine();
    private final LongAdder commands;
    private final LongAdder signatures;
    private final LongAdder saturated;
    private final List<Server> known = new ArrayList<>();
    private final @Nullable Transport[] ways = new Transport[SERVERS_MAX];
    private final Sweep sweep;
    private final MessageRejections rejections;
    private Ring ring;
    private int[] slots = {};

    /**
     * @param sums empty at first
     * @param settings whether they are signed; its collectors are not used
     * @param ids supplies the ID of each new stream; never the same ID twice
     */
    SumSender(
            Ring ring,
            CounterSums sums,
            EmitterSettings settings,
            LongSupplier nanoClock,
            LongSupplier wallMillis,
            Supplier<String> ids,
            MessageRejections rejections,
            Metrics metrics) {
        this.ring = ring;
        this.sums = sums;
        this.rejections = rejections;
        table = new CounterTable(sums::sources);
        metrics.gauge("proxy_names_bytes", "Memory of the sums of names.", sums::bytes);
        metrics.gauge("proxy_names_bytes_max", "The maximum memory of the sums of names.", sums::bytesMax);
        commands = metrics.count("proxy_commands_total", "Commands such as increment NAME that were summed.");
        signatures = metrics.count(
                "proxy_signed_lines_total",
                "Lines with a signature, which is for a collector and was not checked here.");
        saturated =
                metrics.count("proxy_saturated_total", "Commands that would take a sum out of the range of 64 bits.");
        sweep = new Sweep(table, settings, nanoClock, wallMillis, ids, SERVERS_MAX, this::slotOfOwner);
        use(ring);
    }

    /** The reason why these servers cannot be added, if they cannot; for the log. */
    Optional<String> noRoom(List<Server> servers) {
        int count = known.size()
                + (int) servers.stream().filter(server -> slot(server) < 0).count();
        if (count > SERVERS_MAX) {
            return Optional.of("this proxy would have had more than " + SERVERS_MAX
                    + " servers since its start. Restart the proxy");
        }
        // The names may have reached names_bytes already; what a few more servers add comes from the rest of the heap.
        return count > known.size() && sums.bytes(count) > 2 * sums.bytesMax()
                ? Optional.of("with streams to " + count + " servers, the sums of names would need " + sums.bytes(count)
                        + " bytes, more than twice names_bytes. Restart the proxy")
                : Optional.empty();
    }

    /** Uses this ring from now on to find the owners of names. */
    void use(Ring newRing) {
        for (Server server : newRing.servers()) {
            if (slot(server) < 0) {
                known.add(server);
            }
        }
        ring = newRing;
        sums.streams(known.size());
        slots = newRing.servers().stream().mapToInt(this::slot).toArray();
    }

    private int slot(Server server) {
        for (int i = 0; i < known.size(); i++) {
            if (known.get(i).isSame(server)) {
                return i;
            }
        }
        return -1;
    }

    private int slotOfOwner(int counter) {
        byte[] name = table.name(counter);
        return slots[ring.owner(name, 0, name.length)];
    }

    /** Reads one line of our own protocol. A signature is for collectors, which have the keys, so it is only counted here. */
    void line(byte[] in, int begin, int end) {
        if (!SignedLine.isAt(in, begin, end)) {
            reader.line(in, begin, end);
        } else if (signed.read(in, begin, end)) {
            signatures.increment();
        } else {
            rejections.add(Rejection.SIGNED_FORM, in, begin, end);
        }
    }

    /**
     * Sends what is due; call it once a second.
     *
     * @param way supplies the transport to a server, or null while there is none
     */
    void sweep(Function<Server, @Nullable Transport> way) {
        find(way);
        sweep.run(ways);
    }

    /** Sends everything once more at the end of this process. */
    void last(Function<Server, @Nullable Transport> way) {
        find(way);
        sweep.last(ways);
    }

    /** Whether no command has arrived. */
    boolean isEmpty() {
        return sums.sources().isEmpty();
    }

    /** How many names had amounts at the last {@link #sweep} that were not assigned to a stream. */
    int untold() {
        return table.unassigned();
    }

    /** Sends every total again, over the same transports. */
    void repeat() {
        sweep.repeat(ways);
    }

    private void find(Function<Server, @Nullable Transport> way) {
        for (int i = 0; i < known.size(); i++) {
            ways[i] = way.apply(known.get(i));
        }
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        // The sender's stream does not matter: its amounts are summed, and sent in a stream of our own.
    }

    @Override
    public void fromNobody() {
        // As above.
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        commands.increment();
        long saturatedBefore = sums.saturated();
        boolean isTaken = sums.add(bytes, begin, end, verb.signed(amount));
        if (sums.saturated() > saturatedBefore) {
            saturated.increment();
            rejections.warn(
                    "saturated",
                    "the sum of a name is from -2^63 to 2^63-1, and what exceeds this range is not added; find the"
                            + " sender of far too large amounts",
                    bytes,
                    begin,
                    end);
        }
        if (!isTaken) {
            rejections.add(MessageRejection.TOO_MANY_NAMES, bytes, begin, end);
        }
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        rejections.add(why, bytes, begin, end);
    }
}
