package io.counters.collector.ledger;

import io.counters.wire.PeerLine;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Which counters this collector owns, and how they move between peers. Pure; the ledger's lock protects it.
 *
 * <p><b>Design.</b> Each name has one owner, by the list of peers. When an amount of another owner's name is applied here,
 * it moves into a stream to that owner, in one transaction, and the value here is 0 again. When the list changes, a
 * whole value moves in the same way: handing over is relaying. Only the owner pushes and publishes.
 *
 * <p><b>Weakness.</b> Collectors learn of a new list one after the other. If two both considered themselves the owner,
 * they would publish two values for one second. If two each considered the other the owner, they would pass an amount
 * back and forth. A value may still be on its way, or its old owner may be down.
 *
 * <p><b>Defence.</b> A new owner neither pushes nor publishes a name until the old one has sent, under the same list, that
 * it has handed over everything, and every total of that stream has arrived: the sum of the watermarks here equals the
 * sum in the peer line. If lists follow each other quickly, a value may reach a former owner late. So there are two
 * words. HANDOVER means that from then on this collector sends only by the new list. WHOLE means that all others have
 * sent HANDOVER, and that everything that they had sent by older lists has arrived and was passed on. Owners wait for
 * WHOLE. A collector on which the previous list was settled (all had sent WHOLE, and everything had arrived) expects
 * nothing late and sends WHOLE at once.
 *
 * <p>If the previous list was settled here, it shows who owned a name before. Then only that peer is waited for, and a
 * third one that is down delays nothing. Otherwise any peer may have owned it, and all are waited for.
 *
 * <p>An amount from a peer with a later list is held until that list has arrived here too, so no amount goes in a
 * circle: each hop has the same list or a later one. For this, a stream names the list that its latest amounts
 * followed, even while more are to come (HANDING): a counter with an unanswered request to the store is passed on later
 * than the others.
 */
final class Ownership {
    /**
     * How far the clocks of collectors may differ. A name that arrives is published from the second full second after
     * it.
     */
    private static final long CLOCKS_MILLIS = 1000;

    /** In place of a counter: none. */
    static final int NOBODY = -1;

    /** The most counters that one commit passes on or hands over, so that intake waits only milliseconds. */
    static final int PASSED_AT_ONCE = 10_000;

    /** Points older than this number of seconds are no longer requested. */
    private static final long OLD_SECONDS = 60;

    private final String self;
    private final Supplier<String> ids;
    private PeerList list;

    /** The last list that was settled; null if this ledger began with peers and has not heard from them. */
    private @Nullable PeerList settled;

    /** Whether this ledger has since used another list that was not settled when the next one came. */
    private boolean leapt;

    /** What is sent about the present list: after the next commit, and as committed. */
    private Word next;

    private Word said;
    private boolean listsChanged = true;

    /** The place of each counter's owner on the list. */
    private int[] owners = new int[1024];

    private int size;

    private final BitSet ours = new BitSet();
    private final BitSet published = new BitSet();
    private final List<Release> releases = new ArrayList<>();

    /** Counters of other owners with something to pass on; and those of them that this collector owned. */
    private final BitSet passing = new BitSet();

    private final BitSet handing = new BitSet();
    private int nextPassing;

    /**
     * Those of which a part cannot be passed on, because the total in the stream to their owner has reached the end of
     * the range.
     */
    private final BitSet stuck = new BitSet();

    private int stuckLately = NOBODY;

    /** Whether the last commit left out something that was to be passed on. */
    private boolean isBehind;

    /**
     * Counters with amounts from a peer with a later list, which wait for that list; and those of them that are not
     * committed.
     */
    private final BitSet held = new BitSet();

    private final List<Integer> heldSince = new ArrayList<>();
    private boolean heldAnew;

    /** All collectors on the list, including those marked {@code out}, without this one. */
    private Set<String> others;

    /** Their streams, the latest of each kind. */
    private final Map<String, Stream> heard = new HashMap<>();

    /** The peers that were awaited when the counters were last searched, and whether a counter was added since. */
    private Set<String> lookedThrough = Set.of();

    private boolean looksAgain = true;

    private final Map<String, Relay> relays = new HashMap<>();
    private final List<Relay> changedRelays = new ArrayList<>();
    private final List<Integer> droppedRelays = new ArrayList<>();
    private final List<Relayed> committedRelayed = new ArrayList<>();
    private int lastRelay;

    /** What is sent about a list. */
    private record Word(PeerList list, PeerLine kind) {}

    /** Counters that this collector took over, and when, by the wall clock. */
    private record Release(long millis, BitSet counters) {}

    /**
     * Creates the ownership of a ledger that is loaded.
     *
     * @param self this collector's address as lists have it
     * @param ids supplies IDs for streams
     * @param settled the last list that was settled here; null for none
     * @param leapt whether the ledger used another list in between
     * @param committed this ledger's own streams
     */
    Ownership(
            String self,
            Supplier<String> ids,
            PeerList list,
            @Nullable PeerList settled,
            boolean leapt,
            List<Relayed> committed) {
        this.self = self;
        this.ids = ids;
        this.list = list;
        this.settled = settled;
        this.leapt = leapt;
        this.said = new Word(list, PeerLine.HANDING);
        this.next = said;
        this.others = others();
        for (Relayed row : committed) {
            Relay relay = relays.computeIfAbsent(
                    key(row.peer(), row.handsOver()),
                    fresh -> new Relay(row.id(), row.stream(), row.peer(), row.handsOver(), row.bornMillis()));
            relay.restore(row);
            lastRelay = Math.max(lastRelay, row.id());
        }
    }

    private static String key(String peer, boolean handsOver) {
        return (handsOver ? "handover " : "relay ") + peer;
    }

    PeerList list() {
        return list;
    }

    /** The addresses that a later list must contain: peers, and others that may have something to hand over. */
    Set<String> mentioned() {
        Set<String> peers = new LinkedHashSet<>(list.addresses());
        if (!list.isSame(settled)) {
            peers.addAll(list.out());
        }
        return peers;
    }

    // Counters

    /**
     * Adds the next counter, in the order of their numbers.
     *
     * @param isLeft whether a part of it may have to be passed on
     */
    void added(byte[] name, boolean isLeft) {
        if (size == owners.length) {
            owners = Arrays.copyOf(owners, 2 * size);
        }
        owners[size] = list.owner(name, 0, name.length);
        int counter = size++;
        if (isMine(counter, name)) {
            ours.set(counter);
            published.set(counter);
        } else if (isOwner(counter)) {
            looksAgain = true;
        } else if (isLeft) {
            passing.set(counter);
            handing.set(counter);
        }
    }

    private boolean isOwner(int counter) {
        return owner(counter).equals(self);
    }

    private String owner(int counter) {
        return list.address(owners[counter]);
    }

    /** Whether this collector pushes it. */
    boolean isOurs(int counter) {
        return ours.get(counter);
    }

    /** Called when an amount of a counter was applied. */
    void applied(int counter, @Nullable Stream by) {
        boolean isOwner = isOwner(counter);
        if (!isOwner) {
            passing.set(counter);
        }
        if (by != null && by.peer != null) {
            if (!isOwner && (by.list > list.number() || (by.list == list.number() && by.digest != list.digest()))) {
                hold(counter);
            }
        }
    }

    private void hold(int counter) {
        if (!held.get(counter)) {
            held.set(counter);
            heldSince.add(counter);
        }
    }

    /** Restores what was held in an earlier run; every counter is known. */
    void restoreHeld(List<Integer> counters) {
        counters.forEach(held::set);
    }

    /** The counters whose values may be published for a second: those that were taken over in time. */
    BitSet published(long second) {
        for (Iterator<Release> waiting = releases.iterator(); waiting.hasNext(); ) {
            Release release = waiting.next();
            if (second * 1000 >= release.millis + CLOCKS_MILLIS) {
                release.counters.and(ours);
                published.or(release.counters);
                waiting.remove();
            }
        }
        return published;
    }

    // The list

    /**
     * Uses another list from now on.
     *
     * @param known the owners, by that list, of the first counters
     */
    void change(PeerList later, int[] known, NameTable names, long now) {
        leapt = !list.isSame(settled);
        list = later;
        others = others();
        heard.keySet().removeIf(stream -> !others.contains(stream.substring(stream.indexOf(' ') + 1)));
        looksAgain = true;
        listsChanged = true;
        held.clear();
        heldSince.clear();
        heldAnew = true;
        int own = list.addresses().indexOf(self);
        for (int counter = 0; counter < size; counter++) {
            owners[counter] =
                    counter < known.length ? known[counter] : list.owners(names.bytes(), counter, counter + 1)[0];
            if (owners[counter] != own) {
                passing.set(counter);
                if (ours.get(counter)) {
                    handing.set(counter);
                    ours.clear(counter);
                    published.clear(counter);
                }
            } else {
                passing.clear(counter);
                handing.clear(counter);
            }
        }
        greet(now);
    }

    /**
     * Creates a stream for handing over to every other collector on the list, and lets streams to others end after the
     * expiry time.
     */
    void greet(long now) {
        for (Relay relay : relays.values()) {
            relay.leftMillis = others.contains(relay.peer) ? Relay.NEVER : now;
        }
        others.forEach(peer -> relay(peer, true, now));
    }

    private Set<String> others() {
        Set<String> all = new LinkedHashSet<>(list.addresses());
        all.addAll(list.out());
        all.remove(self);
        return all;
    }

    /**
     * Records a peer's {@code peer} line. Addresses that are not on the list are ignored: anyone may send such a line.
     */
    void heard(Stream stream) {
        if (stream.peer != null && stream.kind != null && others.contains(stream.peer)) {
            heard.put(key(stream.peer, stream.kind.handsOver()), stream);
        }
    }

    /** Whether a stream comes from a peer: the peer keeps its totals forever, so what finds no room here can wait. */
    boolean isPeers(Stream stream) {
        return stream.peer != null
                && stream.kind != null
                && stream.equals(heard.get(key(stream.peer, stream.kind.handsOver())));
    }

    /** Whether a peer has sent this word, or a later one, about the present list, and all of its stream has arrived. */
    private boolean hasSaid(PeerLine word, String peer) {
        Stream stream = heard.get(key(peer, true));
        return stream != null
                && stream.kind != null
                && stream.kind.compareTo(word) >= 0
                && stream.list == list.number()
                && stream.digest == list.digest()
                && stream.sum() == stream.statedSum;
    }

    /** Peers that may still hand something over by this list. */
    Set<String> awaited() {
        return awaited(PeerLine.WHOLE);
    }

    private Set<String> awaited(PeerLine word) {
        if (list.isSame(settled)) {
            return Set.of();
        }
        Set<String> peers = new LinkedHashSet<>(others);
        peers.removeIf(peer -> hasSaid(word, peer));
        return peers;
    }

    /** Whether the previous list was settled here. */
    private boolean followsSettled() {
        return settled != null && !leapt && settled.number() + 1 >= list.number();
    }

    private boolean isMine(int counter, byte[] name) {
        if (!isOwner(counter)) {
            return false;
        }
        if (settled != null && followsSettled()) {
            String before = settled.address(settled.owner(name, 0, name.length));
            return list.isSame(settled)
                    || before.equals(self)
                    || list.gone().contains(before)
                    || hasSaid(PeerLine.WHOLE, before);
        }
        return awaited().isEmpty();
    }

    /**
     * Takes over the counters that have arrived completely.
     *
     * @param wallMillis Unix time
     * @return the counters that this collector owns from now on
     */
    BitSet release(NameTable names, long wallMillis) {
        BitSet fresh = new BitSet();
        if (list.isSame(settled)) {
            return fresh;
        }
        Set<String> awaited = awaited();
        boolean isEnd = awaited.isEmpty();
        if (!isEnd && !looksAgain && awaited.equals(lookedThrough)) {
            // A peer that is down for hours must not cause a search through a million counters every second.
            return fresh;
        }
        looksAgain = false;
        lookedThrough = awaited;
        published(wallMillis / 1000 - OLD_SECONDS);
        for (int counter = 0; counter < size; counter++) {
            if (!ours.get(counter) && isOwner(counter) && (isEnd || isMine(counter, names.bytes(counter)))) {
                fresh.set(counter);
            }
        }
        ours.or(fresh);
        if (!fresh.isEmpty()) {
            releases.add(new Release(wallMillis, (BitSet) fresh.clone()));
        }
        if (isEnd) {
            settled = list;
            leapt = false;
            listsChanged = true;
        }
        return fresh;
    }

    // Streams to peers

    private Relay relay(String peer, boolean handsOver, long now) {
        return relays.computeIfAbsent(key(peer, handsOver), fresh -> {
            Relay relay = new Relay(++lastRelay, ids.get(), peer, handsOver, now);
            note(relay);
            return relay;
        });
    }

    private void note(Relay relay) {
        if (!relay.noted) {
            relay.noted = true;
            changedRelays.add(relay);
        }
    }

    /** Moves what belongs to others into the streams to them, as much of it as fits into one commit. */
    void pass(Values values, BitSet changed, @Nullable Projection projection, long now) {
        BitSet waiting = (BitSet) passing.clone();
        waiting.andNot(held);
        isBehind = waiting.cardinality() > PASSED_AT_ONCE;
        Relay[] found = new Relay[2 * list.addresses().size()];
        int counter = waiting.nextSetBit(isBehind ? nextPassing : 0);
        for (int left = PASSED_AT_ONCE; counter >= 0 && left > 0; left--, counter = waiting.nextSetBit(counter + 1)) {
            if (projection != null && projection.isBusy(counter)) {
                continue;
            }
            // The value of a key that was never read may be an earlier count: its owner must adopt it.
            boolean hands = projection == null ? handing.get(counter) : !projection.isNew(counter);
            long amount = Math.max(values.get(counter), -Long.MAX_VALUE);
            if (amount != 0 || (hands && handing.get(counter))) {
                int place = 2 * owners[counter] + (hands ? 1 : 0);
                if (found[place] == null) {
                    found[place] = relay(owner(counter), hands, now);
                }
                Relay relay = found[place];
                if (amount == 0) {
                    // A stream contains only counters that moved; the owner must learn of a counter at 0, too.
                    relay.add(counter, 1);
                    relay.add(counter, -1);
                } else {
                    long taken = relay.add(counter, amount);
                    values.move(counter, -taken);
                    if (taken != amount && !stuck.get(counter)) {
                        stuck.set(counter);
                        stuckLately = counter;
                    }
                }
                note(relay);
                changed.set(counter);
            }
            if (projection != null) {
                projection.lose(counter);
                changed.set(counter);
            }
            handing.clear(counter);
            if (values.get(counter) == 0) {
                passing.clear(counter);
            }
        }
        nextPassing = Math.max(0, counter);
    }

    /** Returns a counter of which a part cannot be passed on, since the last call; {@link #NOBODY} for none. */
    int takeStuck() {
        int counter = stuckLately;
        stuckLately = NOBODY;
        return counter;
    }

    /** Starts every stream again with a new ID: the totals here are older than those that its peer has. */
    void renewRelays(long now) {
        for (Relay relay : relays.values()) {
            droppedRelays.add(relay.id);
        }
        relays.clear();
        changedRelays.clear();
        stuck.clear();
        greet(now);
    }

    /** The {@code peer} line of one of this ledger's own streams; null once it has ended. */
    byte @Nullable [] line(int id) {
        for (Relay relay : relays.values()) {
            if (relay.id == id) {
                Word word = relay.handsOver ? said : new Word(list, PeerLine.RELAY);
                return word.kind.write(word.list.number(), word.list.digest(), self, relay.sum());
            }
        }
        return null;
    }

    List<Relayed> takeRelayed() {
        List<Relayed> taken = List.copyOf(committedRelayed);
        committedRelayed.clear();
        return taken;
    }

    /**
     * The number of counters of other owners with something to pass on; they wait for a list or for the store's answer.
     */
    int waiting() {
        return passing.cardinality();
    }

    /** The counters that this collector pushes. */
    BitSet ours() {
        return ours;
    }

    // Commits

    boolean isChanged() {
        return listsChanged
                || heldAnew
                || !heldSince.isEmpty()
                || !changedRelays.isEmpty()
                || !droppedRelays.isEmpty()
                || !next.equals(said);
    }

    /** Returns what changed in this ledger's own streams; to be called right after {@link #pass}. */
    List<Relayed> takeChanges(long now, long expiryMillis) {
        next = new Word(list, word());
        for (Iterator<Relay> all = relays.values().iterator(); all.hasNext(); ) {
            Relay relay = all.next();
            if (relay.leftMillis != Relay.NEVER && now - relay.leftMillis > expiryMillis) {
                all.remove();
                changedRelays.remove(relay);
                droppedRelays.add(relay.id);
            }
        }
        List<Relayed> rows = new ArrayList<>();
        for (Relay relay : changedRelays) {
            rows.add(relay.takeChanges());
            relay.noted = false;
        }
        changedRelays.clear();
        return rows;
    }

    private PeerLine word() {
        if (!handing.isEmpty() || isBehind) {
            return PeerLine.HANDING;
        }
        return followsSettled() || awaited(PeerLine.HANDOVER).isEmpty() ? PeerLine.WHOLE : PeerLine.HANDOVER;
    }

    List<Integer> takeDropped() {
        List<Integer> dropped = List.copyOf(droppedRelays);
        droppedRelays.clear();
        return dropped;
    }

    Changes.@Nullable Lists takeLists() {
        boolean changed = listsChanged;
        listsChanged = false;
        return changed ? new Changes.Lists(list, settled, leapt) : null;
    }

    Changes.Held takeHeld() {
        Changes.Held taken = new Changes.Held(heldAnew, List.copyOf(heldSince));
        heldAnew = false;
        heldSince.clear();
        return taken;
    }

    void committed(Changes changes) {
        committedRelayed.addAll(changes.relayed());
        said = next;
    }

    void putBack(Changes changes) {
        listsChanged |= changes.lists() != null;
        if (changes.held().isFresh() && !heldAnew) {
            heldSince.clear();
            held.stream().forEach(heldSince::add);
            heldAnew = true;
        } else if (!heldAnew) {
            heldSince.addAll(changes.held().counters());
        }
        droppedRelays.addAll(changes.droppedRelays());
        for (Relayed row : changes.relayed()) {
            Relay relay = relays.get(key(row.peer(), row.handsOver()));
            if (relay != null && relay.id == row.id()) {
                relay.putBack(row);
                note(relay);
            }
        }
    }
}
