package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.peers.Relays;
import io.counters.collector.self.SeededHash;
import io.counters.collector.self.Self;
import io.counters.emit.Transport;
import io.counters.wire.DatagramWriter;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A ledger with peers in one test. Those that are up reach each other through a map of all of them. */
final class PeerLedger {
    final String address;
    final Map<String, PeerLedger> all;
    final Self self = new Self();
    Disk disk = new Disk();
    LedgerSettings bounds;
    long now;
    boolean isUp = true;

    /** Whether the datagrams of its streams to others are lost; otherwise they arrive at once. */
    boolean loses;

    String lastSent = "";
    Ledger ledger;
    Feed feed;

    Relays relays;
    private final Map<String, Long> store;
    private static int streams;

    /** Adds a peer; one without a list is alone and has no relays. */
    @SuppressWarnings("NullAway.Init")
    PeerLedger(
            String address,
            Map<String, PeerLedger> all,
            Map<String, Long> store,
            LedgerSettings bounds,
            @Nullable PeerList list) {
        this.address = address;
        this.all = all;
        this.store = store;
        this.bounds = bounds;
        all.put(address, this);
        begin(list);
    }

    /** Starts, or ends as by a kill and starts again, with what was committed. */
    void begin(@Nullable PeerList list) {
        ledger = new Ledger(bounds, true, () -> now, () -> 0, address.hashCode(), new SeededHash(new Random(1)), self);
        disk.load(ledger);
        feed = new Feed(ledger);
        if (list != null) {
            ledger.join(list, address, () -> "stream-of-" + address + "-" + "0".repeat(16) + streams++);
            relays = new Relays(ledger, () -> now);
        }
    }

    void change(PeerList list) {
        ledger.change(list);
    }

    void count(String name, long amount) {
        feed.datagram((amount < 0 ? "decrement " : "increment ") + name + " " + Math.abs(amount));
    }

    void commit() {
        disk.commit(ledger);
    }

    /** One second: commits, takes over what arrived, sends, and pushes to the store. */
    void second() {
        now += 1000;
        if (isUp) {
            commit();
            ledger.release(now);
            relays.send(this::way);
            push();
        }
    }

    private @Nullable Transport way(String peer) {
        PeerLedger to = all.get(peer);
        return new Transport() {
            @Override
            public int datagramBytes() {
                return DatagramWriter.BYTES_DEFAULT;
            }

            @Override
            public boolean send(byte[] bytes, int length) {
                lastSent = new String(bytes, 0, length, ISO_8859_1);
                if (!loses && to != null && to.isUp) {
                    to.feed.datagram(lastSent);
                }
                return true;
            }
        };
    }

    /** Executes the ledger's requests to the store. */
    void push() {
        for (Push push : ledger.take(1000, 0)) {
            Long there = store.get(push.key());
            ledger.settle(push, answer(push, there));
        }
    }

    private Push.Reply answer(Push push, @Nullable Long there) {
        if (push.kind() == Push.Kind.READ || (push.kind() == Push.Kind.INCREMENT && there == null)) {
            return there == null ? new Push.Missing() : new Push.Holds(there);
        }
        if (push.kind() == Push.Kind.ADD && there != null) {
            return new Push.Exists();
        }
        long value = (there == null ? 0 : there) + push.number();
        store.put(push.key(), value);
        return new Push.Holds(value);
    }

    /** The value that it publishes for a second; null for a counter that it does not own. */
    @Nullable
    Long published(long second, String name) {
        return in(ledger.snapshot(second), name);
    }

    /** The value that it publishes later if nothing changes. */
    @Nullable
    Long published(String name) {
        return published(now / 1000 + 10, name);
    }

    private static @Nullable Long in(Snapshot snapshot, String name) {
        Map<String, Long> values = new HashMap<>();
        for (int i = 0; i < snapshot.size(); i++) {
            values.put(snapshot.names()[i], snapshot.values()[i]);
        }
        return values.get(name);
    }

    long counted(String name) {
        return self.values().getOrDefault(name, 0L);
    }
}
