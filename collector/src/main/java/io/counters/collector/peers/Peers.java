package io.counters.collector.peers;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.PeerList;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import io.counters.collector.settings.SettingsException;
import io.counters.emit.CollectorAddress;
import io.counters.emit.Destination;
import io.counters.emit.Transport;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Connects this collector with its peers: reads the list of peers, and sends each peer its amounts. For one thread. */
public final class Peers implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Peers.class);

    private final Path file;
    private final Ledger ledger;
    private final FaultLog faults;
    private final Relays relays;
    private final Map<String, Destination> destinations = new HashMap<>();
    private final LongAdder badLists;
    private PeerList list;
    private @Nullable PeerList seen;
    private Set<String> awaited = Set.of();

    /**
     * Joins the peers, before anything is counted.
     *
     * @param clockMillis the ledger's time
     * @param ids supplies IDs for streams
     * @throws SettingsException if the list cannot be read, or cannot follow the one that the ledger used
     */
    public Peers(
            Path file,
            String self,
            Ledger ledger,
            LongSupplier clockMillis,
            Supplier<String> ids,
            FaultLog faults,
            Self counters)
            throws SettingsException {
        this.file = file;
        this.ledger = ledger;
        this.faults = faults;
        badLists = counters.count("peers_bad_lists_total", "Lists of peers that were refused.");
        list = PeersFile.read(file);
        try {
            ledger.join(list, self, ids);
        } catch (IllegalArgumentException notNext) {
            throw new SettingsException(List.of(file + " contains " + list + ", but " + notNext.getMessage()));
        }
        relays = new Relays(ledger, clockMillis);
    }

    /**
     * One step: reads the list if it changed, takes over what has arrived, and sends what is due. To be called once a
     * second.
     *
     * @param wallMillis Unix time
     */
    public void run(long wallMillis) {
        read();
        await(ledger.release(wallMillis));
        relays.send(this::way);
        destinations.values().forEach(Destination::reportFaults);
    }

    private void read() {
        try {
            PeerList read = PeersFile.read(file);
            boolean isWhole = read.isSame(seen);
            seen = read;
            if (read.isSame(list) || !isWhole) {
                // A list must stay unchanged for a second, so that a partly written one is not used.
                return;
            }
            ledger.change(read);
            log.info("this collector now uses {} instead of {}", read, list);
            list = read;
        } catch (SettingsException mistakes) {
            bad(String.join("; ", mistakes.mistakes()));
        } catch (IllegalArgumentException notNext) {
            bad(file + " contains " + seen + ", but " + notNext.getMessage());
        }
    }

    private void bad(String mistake) {
        badLists.increment();
        faults.warn("list", mistake + "; " + list + " stays in use");
    }

    private void await(Set<String> now) {
        if (now.isEmpty() && !awaited.isEmpty()) {
            log.info(
                    "list {} is settled: all peers use it, and everything that they handed over has arrived",
                    list.number());
        }
        if (!now.isEmpty()) {
            faults.warn(
                    "awaited",
                    "list " + list.number() + " waits for " + String.join(", ", now)
                            + "; counters that they may hand over are not published until they have arrived");
        }
        awaited = now;
    }

    private @Nullable Transport way(String peer) {
        Destination destination = destinations.computeIfAbsent(
                peer, fresh -> Destination.peer(CollectorAddress.read(peer), line -> log.warn("{}", line)));
        destination.connect();
        return destination.transport();
    }

    /** The list, for the log. */
    @Override
    public String toString() {
        return list.toString();
    }

    @Override
    public void close() {
        destinations.values().forEach(Destination::close);
    }
}
