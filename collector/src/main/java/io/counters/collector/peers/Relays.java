package io.counters.collector.peers;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Relayed;
import io.counters.emit.Stream;
import io.counters.emit.Transport;
import io.counters.wire.DatagramWriter;
import io.counters.wire.Verb;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * This collector's own streams to its peers. They send what the ledger has committed, and repeat totals as an agent
 * does. Pure, except for the clock and transports that it is given. For one thread.
 */
public final class Relays {
    private final Ledger ledger;
    private final LongSupplier clockMillis;
    private final DatagramWriter writer = new DatagramWriter(DatagramWriter.BYTES_DEFAULT);
    private final Map<Integer, Outgoing> streams = new HashMap<>();

    private record Outgoing(Stream stream, String peer) {}

    /**
     * Continues the streams that the ledger had before the restart.
     *
     * @param clockMillis the ledger's time
     */
    public Relays(Ledger ledger, LongSupplier clockMillis) {
        this.ledger = ledger;
        this.clockMillis = clockMillis;
        for (Relayed relayed : ledger.restoredRelays()) {
            forEach(relayed, outgoing(relayed).stream::restore);
        }
    }

    /**
     * Sends what is due; to be called once a second.
     *
     * @param ways returns the transport to the peer with this address, or null if there is none now
     */
    public void send(Function<String, @Nullable Transport> ways) {
        for (Relayed relayed : ledger.takeRelayed()) {
            forEach(relayed, outgoing(relayed).stream::raise);
        }
        long now = clockMillis.getAsLong();
        for (Iterator<Map.Entry<Integer, Outgoing>> all = streams.entrySet().iterator(); all.hasNext(); ) {
            Map.Entry<Integer, Outgoing> next = all.next();
            byte[] line = ledger.peerLine(next.getKey());
            if (line == null) {
                all.remove();
                continue;
            }
            Stream stream = next.getValue().stream;
            stream.say(line);
            Transport way = ways.apply(next.getValue().peer);
            if (way != null) {
                stream.sweep(ledger::name, now * 1_000_000, now, writer, way);
            }
        }
    }

    private Outgoing outgoing(Relayed relayed) {
        return streams.computeIfAbsent(
                relayed.id(),
                fresh -> new Outgoing(
                        new Stream(relayed.stream(), relayed.bornMillis() * 1_000_000, relayed.bornMillis(), true),
                        relayed.peer()));
    }

    @FunctionalInterface
    private interface Totals {
        void take(int counter, Verb verb, long total);
    }

    private static void forEach(Relayed relayed, Totals totals) {
        for (int i = 0; i < relayed.counters().length; i++) {
            if (relayed.increments()[i] >= 0) {
                totals.take(relayed.counters()[i], Verb.INCREMENT, relayed.increments()[i]);
            }
            if (relayed.decrements()[i] >= 0) {
                totals.take(relayed.counters()[i], Verb.DECREMENT, relayed.decrements()[i]);
            }
        }
    }
}
