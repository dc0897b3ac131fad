package io.counters.collector.ledger;

import io.counters.collector.common.Metrics;
import io.counters.wire.Commands;
import io.counters.wire.Verb;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The value of every counter, the watermarks of every stream, and, with a store, the state of its keys. A pure state
 * machine; the package's Javadoc has its rules.
 *
 * <p>It keeps the lock, and the order in which its parts are changed. All methods may be called from any thread; each takes the
 * lock itself, and nothing but this class does. {@link #batch} takes it once for many calls.
 */
public final class Ledger implements LedgerView {
    /** The counter that takes the amounts of new names for which there is no room. */
    public static final String OVERFLOW = LineMerger.OVERFLOW;

    private final LedgerSettings bounds;
    private final boolean projecting;
    private final LongSupplier clockMillis;
    private final LongSupplier wallSeconds;
    private final ListeningClock listening;

    /** Every counter, by its number. A value contains exactly what its line's answer said, in the order of the calls. */
    private final CounterTable counters;

    /** Every stream of which a total was applied, unless it was forgotten. Committed together with the counters. */
    private final StreamTable streams;

    /** Changes a value only together with the watermark that says so. */
    private final LineMerger merging;

    /** The state of each counter's key in the store; as many entries as there are counters. */
    private final Projection projection;

    /** When counters last moved. Written without the lock, by the thread that commits. */
    private final LastMoves moves;

    /** Every second that points were, or may have been, published for. */
    private final UsedSeconds published;

    /** That of the last commit, so its number is the highest on disk, and 0 for a ledger that was never committed. */
    private Changes.Head head;

    /** Each method that changes something notes here what has interrupted it; {@link #merging} does it itself. */
    private final Interruption interruption = new Interruption();

    /** Whether the next commit is one of the last, and so contains what is otherwise only written now and then. */
    private volatile boolean isEnding;

    /**
     * @param projecting whether there is a store to push to
     * @param clockMillis the ledger's time, which never runs backwards
     * @param wallSeconds Unix time, for display: when a counter was created and when it last moved
     * @param state what earlier runs have committed; taken over
     */
    public Ledger(
            LedgerSettings bounds,
            boolean projecting,
            LongSupplier clockMillis,
            LongSupplier wallSeconds,
            LedgerState state,
            Metrics metrics) {
        this.bounds = bounds;
        this.projecting = projecting;
        this.clockMillis = clockMillis;
        this.wallSeconds = wallSeconds;
        head = state.head();
        listening = new ListeningClock(clockMillis, head.listenedMillis());
        counters = new CounterTable(bounds, listening, state, metrics);
        streams = new StreamTable(bounds, listening, state, metrics);
        projection = new Projection(state, counters::note, metrics);
        merging = new LineMerger(state.names, counters, streams, projection, interruption, metrics);
        moves = state.moves;
        moves.begin(clockMillis.getAsLong());
        published = new UsedSeconds(state.published());
    }

    // Input

    /**
     * Hands over a batch, such as the lines of a datagram, which takes the lock once. All others wait meanwhile, so it must
     * neither block nor take more than some milliseconds. If it throws, what it has done by then remains. Only if a method
     * of this ledger has thrown, as without memory, {@link #changes} throws {@link BrokenLedger} from then on.
     *
     * @param work calls methods of this ledger
     * @return whether no line of it waits for its repetition
     */
    public synchronized boolean batch(Runnable work) {
        long before = merging.waiting();
        work.run();
        return merging.waiting() == before;
    }

    /** Whether a change was interrupted, so that {@link #changes} throws {@link BrokenLedger}. */
    public boolean isBroken() {
        return interruption.isThere();
    }

    /** How many lines so far could not be merged as they should be: what is new is too much, or a total jumped too far. */
    public synchronized long turnedAway() {
        return merging.turnedAway();
    }

    /**
     * Returns the stream with the ID {@code bytes[begin, end)}; a new one is remembered when a total of it is applied.
     *
     * @param ageMillis time since the stream began, measured by its sender
     * @param seq the number of this datagram in it; 0 if its datagrams have none
     * @param address of the sender, as an {@code AddressKey}
     */
    public synchronized InboundStream stream(byte[] bytes, int begin, int end, long ageMillis, long seq, long address) {
        try {
            return streams.stream(bytes, begin, end, ageMillis, seq, address);
        } catch (Throwable failure) {
            throw interruption.by(failure);
        }
    }

    /**
     * Returns the stream of a {@code from} line of a fleet's topic. Unlike {@link #stream}, it remembers a new stream at
     * once if there is room: a stream that first uses a name of this partition late in its life must not look unknown.
     *
     * @param ageMillis time since the stream began
     * @param first number of the first datagram that arrived; 0 if another partition counts the datagrams
     * @param last number of the last one; those between have arrived, too
     */
    public synchronized InboundStream announced(
            byte[] bytes, int begin, int end, long ageMillis, long first, long last) {
        try {
            return streams.announced(bytes, begin, end, ageMillis, first, last);
        } catch (Throwable failure) {
            throw interruption.by(failure);
        }
    }

    /** Records that a stream's sender is alive, for TCP connections, which send one {@code from} line and lines for days. */
    public synchronized void heard(InboundStream stream) {
        try {
            streams.heard(stream);
        } catch (Throwable failure) {
            throw interruption.by(failure);
        }
    }

    /**
     * Merges one command.
     *
     * @param stream what {@link #stream} returned for the {@code from} line; null without one
     * @param name its canonical form is {@code name[begin, end)}
     * @param amount 0 or more
     * @param total at least {@code amount}, or {@link Commands#NO_TOTAL}
     * @return how much of this verb was applied
     */
    public synchronized long merge(
            @Nullable InboundStream stream, Verb verb, byte[] name, int begin, int end, long amount, long total) {
        return merging.merge(stream, verb, name, begin, end, amount, total);
    }

    /**
     * Merges a line without a total whose amount is not a whole number. The rest beyond the counter's value is kept, so
     * that the value is always the exact sum of all such lines, rounded half up.
     *
     * @param integer the amount, rounded down
     * @param rest what the amount has beyond that, in parts of {@link Commands#ONE}
     */
    public synchronized void merge(byte[] name, int begin, int end, long integer, long rest) {
        merging.merge(name, begin, end, integer, rest);
    }

    @Override
    public synchronized @Nullable Removal remove(String name) {
        int counter = counters.shown(name);
        if (counter < 0) {
            return null;
        }
        long value = counters.value(counter);
        int parts = interruption.change(() -> {
            counters.remove(counter);
            projection.disown(counter);
            return streams.remove(counter);
        });
        return new Removal(name, value, projecting, parts);
    }

    /**
     * Adds what another ledger has counted: the counters that belong here, and all of its streams, because a stream that
     * first uses a name of this ledger later must not look unknown. For a ledger that is loaded and written once, and used
     * for nothing else. {@link Addition} has the rules.
     *
     * @param belongs by a counter's name
     * @param isHome by a stream's ID: whether its datagrams are counted here
     * @throws IllegalArgumentException if a sum cannot be exact; nothing of this ledger may be written then
     */
    public synchronized void add(Ledger other, Predicate<String> belongs, Predicate<String> isHome) {
        head = interruption.change(() -> new Addition(side(), other.side()).run(belongs, isHome));
        noteAll();
    }

    private Addition.Side side() {
        return new Addition.Side(head, counters, streams, projection, moves, published);
    }

    // Commits

    /**
     * Returns what the next commit must write, or null if nothing changed. For one thread at a time.
     *
     * @param watermarksAtOnce see {@link Journal#watermarksAtOnce}
     */
    @Nullable
    Changes changes(int watermarksAtOnce) {
        int second = CounterFacts.second(wallSeconds.getAsLong());
        long now = clockMillis.getAsLong();
        return interruption.change(() -> {
            boolean writesMoves = moves.isDue(now, isEnding);
            Changes taken = take(second, writesMoves, watermarksAtOnce);
            if (taken == null) {
                return null;
            }
            // Without the lock, because it looks through all values of the commit.
            moves.note(taken.counters(), second);
            return writesMoves ? taken.with(moves.take(now)) : taken;
        });
    }

    private synchronized @Nullable Changes take(int second, boolean isDue, int watermarksAtOnce) {
        interruption.refuse();
        streams.expire();
        boolean isHeadChanged = streams.watchMillis() != head.watchMillis() || projection.adopts() != head.adopts();
        if (!isDue && !counters.isChanged() && !streams.isChanged() && !isHeadChanged && !published.isChanged()) {
            return null;
        }
        return new Changes(
                head.next(clockMillis.getAsLong(), listening.millis(), streams.watchMillis(), projection.adopts()),
                counters.take(second, projection.takeClaimed()),
                streams.takeChanged(watermarksAtOnce),
                streams.takeDropped(),
                streams.size(),
                published.takeChanged(),
                Changes.Moves.NONE);
    }

    /**
     * Makes the next commit write the state of every stream, even of those that sent nothing new since the last commit,
     * and when each counter last moved.
     */
    public synchronized void noteAll() {
        isEnding = true;
        interruption.change(streams::noteAll);
    }

    /** Called when the changes are on disk: the values may be published, and the goals pushed. */
    synchronized void committed(Changes changes) {
        interruption.change(() -> {
            head = changes.head();
            counters.committed(changes.counters());
            projection.committed(changes.counters().changed(), counters.committedRemoved());
        });
    }

    /** Called when the changes did not reach the disk: they become part of the next commit. */
    synchronized void putBack(Changes changes) {
        interruption.change(() -> {
            counters.putBack(changes.counters());
            moves.putBack(changes.moves());
            projection.putBack();
            streams.putBack(changes.streams(), changes.dropped());
            published.putBack(changes.published());
        });
    }

    /** Returns the log messages about sums that reached the end of the range since the last call. */
    synchronized List<String> takeSaturations() {
        return counters.takeSaturations();
    }

    /** Returns the streams that two senders seem to continue, if that was seen since the last call. */
    synchronized List<InboundStream> takeCloned() {
        return streams.cloned.take();
    }

    /** Whether nothing was ever committed here. */
    public synchronized boolean isNew() {
        return head.commit() == 0;
    }

    // The store

    /** The stamp to write to the store, by which a later run recognizes it. */
    public synchronized StoreStamp stamp() {
        return new StoreStamp(head.id(), head.commit());
    }

    /**
     * Processes the stamp that was found in the store, before anything is pushed there.
     *
     * @param found the stamp there; null if there is none
     * @return a warning for the log; null if there is none
     */
    public synchronized @Nullable String found(@Nullable StoreStamp found) {
        StoreStamp.Finding finding = stamp().finding(found);
        if (finding == StoreStamp.Finding.LATER) {
            interruption.change(projection::adoptNothing);
        } else if (finding == StoreStamp.Finding.BEFORE) {
            forgetEarlier();
        }
        return finding.warning();
    }

    /** Of streams that began before now, only amounts count, because their totals may have been applied elsewhere. */
    public synchronized void forgetEarlier() {
        interruption.change(streams::forgetEarlier);
    }

    /**
     * Takes the requests that may be sent to the store now; each must be answered by {@link #answered}.
     *
     * @param max the most pushes and reads of keys in doubt
     * @param atRest the most keys at rest to read in addition
     */
    public synchronized List<Push> take(int max, int atRest) {
        return projecting ? interruption.change(() -> projection.take(max, atRest)) : List.of();
    }

    /** Processes the store's answer to a request. */
    public synchronized void answered(Push request, Push.Reply reply) {
        interruption.change(() -> {
            long adopted = projection.answered(request, reply);
            if (adopted != 0) {
                counters.adopt(request.counter(), adopted);
            }
        });
    }

    @Override
    public synchronized int uncommitted() {
        return counters.uncommitted().cardinality();
    }

    @Override
    public synchronized int unanswered() {
        return projecting ? projection.unanswered(counters.uncommitted()) : 0;
    }

    // Publishing

    /**
     * Returns a second to publish at, which must be committed first: the wanted one, or the first one after it that no run has
     * used, of so many in all; empty if all of them were used, because the wall clock was set back.
     */
    public synchronized OptionalLong publishAt(long wantedSecond, long within) {
        return interruption.change(() -> published.use(wantedSecond, within));
    }

    /** Returns this second, or empty if it, or one within a minute after it, was used, as by an owner whose clock is ahead. */
    public synchronized OptionalLong publishInOrder(long second) {
        return interruption.change(() -> published.useInOrder(second));
    }

    /** Whether one of so many seconds after this one was published at: the wall clock was set back since. */
    public synchronized boolean isOvertaken(long second, long within) {
        return published.isOvertaken(second, within);
    }

    @Override
    public Snapshot snapshot() {
        return shared().snapshot();
    }

    private synchronized SnapshotParts shared() {
        return counters.shared();
    }

    @Override
    public Details details() {
        return detailed(counters::shared).get();
    }

    /** Returns what {@link #details()} will be when these changes are committed; the latest ones that were taken. */
    public Details details(Changes changes) {
        return detailed(() -> counters.shared(changes.counters())).get();
    }

    private synchronized Supplier<Details> detailed(Supplier<SnapshotParts> parts) {
        return counters.detailed(parts.get(), moves);
    }

    @Override
    public synchronized OptionalLong committed(String name) {
        return counters.committed(name);
    }

    /** The value of this counter, committed or not; 0 for one that is not known. */
    public synchronized long value(String name) {
        int counter = counters.find(name);
        return counter < 0 ? 0 : counters.value(counter);
    }

    @Override
    public synchronized @Nullable Explanation explain(String name) {
        int counter = counters.shown(name);
        return counter < 0 ? null : counters.explain(counter, moves, streams.parts(counter));
    }

    // Sizes

    LedgerSettings bounds() {
        return bounds;
    }

    synchronized long namesBytes() {
        return counters.memory();
    }

    /** The largest used share of its room for names, streams and watermarks; above 1 if more was loaded or added. */
    public synchronized double usedRoom() {
        return Math.max((double) counters.memory() / bounds.namesBytes(), streams.usedRoom());
    }

    synchronized long watermarks() {
        return streams.watermarks();
    }

    @Override
    public synchronized int size() {
        return counters.size() - counters.removed();
    }

    @Override
    public synchronized int streams() {
        return streams.size();
    }

    @Override
    public synchronized List<StreamReport> reports() {
        return streams.reports();
    }

    synchronized long arrivals(ToLongFunction<Arrivals> number) {
        return streams.arrivals(number);
    }
}
