package io.counters.collector.proxy;

import io.counters.collector.self.Self;
import io.counters.emit.CounterTable;
import io.counters.emit.EmitterSettings;
import io.counters.emit.Sweep;
import io.counters.emit.Transport;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
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
 * Our own commands: adds up the amounts by name and tells them in streams of its own, one for each server, as an agent
 * does. Totals that come in are passed over: there is no ledger here that could merge them. While a server is away its
 * amounts stay a number per name, and go to whoever owns the name when it can be told. What was told in a server's stream
 * stays there. For one thread.
 */
final class Relay implements Commands {
    /** The most servers that this process may ever have had: each has its stream for as long as it lives. */
    static final int SERVERS_MAX = 4096;

    private final Amounts amounts;
    private final CounterTable table;
    private final CommandReader reader = new CommandReader(this);
    private final LongAdder commands;
    private final LongAdder saturated;
    private final List<Server> known = new ArrayList<>();
    private final @Nullable Transport[] ways = new Transport[SERVERS_MAX];
    private final Sweep sweep;
    private final Refusals refusals;
    private Ring ring;
    private int[] slots = {};

    /**
     * @param amounts none yet
     * @param ids gives a stream's id, never the same again
     */
    Relay(
            Ring ring,
            Amounts amounts,
            LongSupplier nanoClock,
            LongSupplier wallMillis,
            Supplier<String> ids,
            Refusals refusals,
            Self self) {
        this.ring = ring;
        this.amounts = amounts;
        this.refusals = refusals;
        table = new CounterTable(amounts::sources);
        self.gauge("proxy_names_bytes", amounts::bytes);
        self.gauge("proxy_names_bytes_max", amounts::bytesMax);
        commands = self.count("proxy_commands_total");
        saturated = self.count("proxy_saturated_total");
        sweep = new Sweep(
                table, EmitterSettings.to("nowhere"), nanoClock, wallMillis, ids, SERVERS_MAX, this::slotOfOwner);
        use(ring);
    }

    /** Why this process can't have these servers, too, if it can't; for the log. */
    Optional<String> noRoom(List<Server> servers) {
        int count = known.size()
                + (int) servers.stream().filter(server -> slot(server) < 0).count();
        if (count > SERVERS_MAX) {
            return Optional.of(
                    "there were more than " + SERVERS_MAX + " servers since this proxy began. Restart the proxy");
        }
        // Names have filled their room already, perhaps; what a few more servers make of them is in the heap's rest.
        return count > known.size() && amounts.bytes(count) > 2 * amounts.bytesMax()
                ? Optional.of("with streams for so many servers, the sums of names would take " + amounts.bytes(count)
                        + " bytes, more than twice names_bytes. Restart the proxy")
                : Optional.empty();
    }

    /** From now on names belong to the servers that this ring says. */
    void use(Ring newRing) {
        for (Server server : newRing.servers()) {
            if (slot(server) < 0) {
                known.add(server);
            }
        }
        ring = newRing;
        amounts.streams(known.size());
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
        byte[] name = table.apply(counter);
        return slots[ring.owner(name, 0, name.length)];
    }

    /** Reads a line. */
    void line(byte[] in, int begin, int end) {
        reader.line(in, begin, end);
    }

    /**
     * Tells what is due; once a second.
     *
     * @param way to a server, null where there is none at the moment
     */
    void sweep(Function<Server, @Nullable Transport> way) {
        find(way);
        sweep.run(ways);
    }

    /** Tells everything once more, as this process ends. */
    void last(Function<Server, @Nullable Transport> way) {
        find(way);
        sweep.last(ways);
    }

    /** Whether nothing has come in. */
    boolean isEmpty() {
        return amounts.sources().isEmpty();
    }

    /** How many names have amounts that no stream has taken over, as of the last {@link #sweep}. */
    int untold() {
        return table.unassigned();
    }

    /** Tells every total again, the same way. */
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
        // Whose stream it was does not matter: amounts are taken, and told in a stream of ours.
    }

    @Override
    public void fromNobody() {
        // The same.
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        commands.increment();
        long saturatedBefore = amounts.saturated();
        boolean isTaken = amounts.add(bytes, begin, end, verb.signed(amount));
        if (amounts.saturated() > saturatedBefore) {
            saturated.increment();
            refusals.warn(
                    "saturated",
                    "the sum of a name stays between -2^63 and 2^63-1, and what leads beyond is not added; look for a"
                            + " sender of far too large amounts",
                    bytes,
                    begin,
                    end);
        }
        if (!isTaken) {
            refusals.add(Refusal.TOO_MANY_NAMES, bytes, begin, end);
        }
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        refusals.add(why, bytes, begin, end);
    }
}
