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

/** This collector's part among its peers: reads their list and sends them what is theirs. For one thread. */
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
     * @param ids gives streams' ids
     * @throws SettingsException where the list can't be read, or can't follow the one the ledger went by
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
        badLists = counters.count("peers_bad_lists_total");
        list = PeersFile.read(file);
        try {
            ledger.join(list, self, ids);
        } catch (IllegalArgumentException notNext) {
            throw new SettingsException(List.of(file + " holds " + list + ", but " + notNext.getMessage()));
        }
        relays = new Relays(ledger, clockMillis);
    }

    /**
     * One step: takes note of a changed list, takes over what has arrived, sends what is due. To be called once a second.
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
                // A list that is being written is not taken for a shorter one: it must stay for a second.
                return;
            }
            ledger.change(read);
            log.info("goes by {} instead of {}", read, list);
            list = read;
        } catch (SettingsException mistakes) {
            bad(String.valueOf(mistakes.getMessage()));
        } catch (IllegalArgumentException notNext) {
            bad(file + " holds " + seen + ", but " + notNext.getMessage());
        }
    }

    private void bad(String mistake) {
        badLists.increment();
        faults.warn("list", mistake + "; " + list + " stays");
    }

    private void await(Set<String> now) {
        if (now.isEmpty() && !awaited.isEmpty()) {
            log.info("all peers go by list {}, and what they handed over is here", list.number());
        }
        if (!now.isEmpty()) {
            faults.warn(
                    "awaited",
                    "list " + list.number() + " waits for " + String.join(", ", now)
                            + ": what they may hand over is not published before it is here");
        }
        awaited = now;
    }

    private @Nullable Transport way(String peer) {
        Destination destination = destinations.computeIfAbsent(
                peer, fresh -> Destination.peer(CollectorAddress.read(peer), line -> log.warn("{}", line)));
        destination.connect();
        return destination.transport();
    }

    /** Who shares the names, for people. */
    @Override
    public String toString() {
        return list.toString();
    }

    @Override
    public void close() {
        destinations.values().forEach(Destination::close);
    }
}
