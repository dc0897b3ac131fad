package io.counters.collector.simulate;

import io.counters.collector.ledger.Commit;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerClock;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.MemoryJournal;
import io.counters.collector.ledger.PeerList;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.ledger.Stream;
import io.counters.collector.peers.Relays;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.SeededHash;
import io.counters.collector.self.Self;
import io.counters.emit.Transport;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.PeerLine;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.util.Random;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.helpers.NOPLogger;

/** A collector among peers: a real ledger and its streams to the others, with a disk that survives crashes. */
final class SimulatedPeer implements Commands, Network.Receiver {
    private final String address;
    private final LedgerSettings bounds;
    private final LongSupplier clockMillis;
    private final Supplier<String> ids;
    private final SimulatedStore store;
    private final MemoryJournal journal = new MemoryJournal();
    private final CommandReader reader = new CommandReader(this);

    private PeerList list;
    private Ledger ledger;
    private Commit commit;
    private Relays relays;
    private int downSteps;
    private @Nullable Stream stream;

    /** @param store this collector's connection to the shared store */
    SimulatedPeer(
            String address,
            PeerList list,
            LedgerSettings bounds,
            LongSupplier clockMillis,
            Supplier<String> ids,
            SimulatedStore store) {
        this.address = address;
        this.list = list;
        this.bounds = bounds;
        this.clockMillis = clockMillis;
        this.ids = ids;
        this.store = store;
        begin();
    }

    private void begin() {
        LedgerClock clock = new LedgerClock(
                journal.committedMillis(), clockMillis.getAsLong(), () -> clockMillis.getAsLong() * 1_000_000);
        ledger = new Ledger(
                bounds,
                true,
                clock,
                () -> 0,
                address.hashCode(),
                new SeededHash(new Random(address.hashCode())),
                new Self());
        journal.load(ledger);
        ledger.join(list, address, ids);
        FaultLog nobody = new FaultLog(NOPLogger.NOP_LOGGER, () -> clockMillis.getAsLong() * 1_000_000);
        commit = new Commit(ledger, journal, () -> 0, nobody, new Self());
        relays = new Relays(ledger, clock);
    }

    String address() {
        return address;
    }

    /** Sets whether commits fail from now on. */
    void disk(boolean isFull) {
        journal.full(isFull);
    }

    @Override
    public boolean receive(byte[] datagram) {
        if (downSteps > 0) {
            return false;
        }
        reader.datagram(datagram, 0, datagram.length);
        return true;
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        stream = ledger.stream(bytes, begin, end, ageMillis, seq, 0);
    }

    @Override
    public void peer(PeerLine kind, long number, int digest, String from, long sum) {
        if (stream != null) {
            ledger.peer(stream, kind, number, digest, from, sum);
        }
    }

    @Override
    public void fromNobody() {
        stream = null;
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        ledger.merge(stream, verb, bytes, begin, end, amount, total);
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        throw new IllegalStateException("a sender sent a line that was rejected: " + why);
    }

    /** Kills it. After this many steps it is up again, with what was committed, and with the list of that time. */
    void crash(int steps) {
        downSteps = steps;
        begin();
    }

    boolean isDown() {
        return downSteps > 0;
    }

    void wake() {
        downSteps = Math.max(0, downSteps - 1);
    }

    /** Reads this list from its file; it may be the same as before. */
    void learn(PeerList next) {
        boolean isLater = next.number() > list.number();
        list = next;
        if (isDown()) {
            begin();
        } else if (isLater) {
            ledger.change(next);
        }
    }

    PeerList list() {
        return list;
    }

    /** Commits; returns whether that succeeded. */
    boolean commit() {
        return commit.run();
    }

    void push(boolean faulty) {
        store.serve(ledger, faulty);
    }

    /** Takes over counters whose former owners have handed over all they had, and sends to the peers. */
    void relay(Function<String, @Nullable Transport> ways) {
        ledger.release(clockMillis.getAsLong());
        relays.send(ways);
    }

    /** The points for a second; null if that second is used already, or if its use cannot be committed. */
    @Nullable
    Snapshot publish(long second) {
        boolean isFree = ledger.publishAt(second, 1).isPresent();
        return isFree && commit() ? ledger.snapshot(second) : null;
    }

    /** The counter's value in the store. */
    @Nullable
    Long stored(String name) {
        return store.value(name);
    }

    long value(String name) {
        return ledger.value(name);
    }
}
