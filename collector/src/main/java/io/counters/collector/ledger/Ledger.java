package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.self.SeededHash;
import io.counters.collector.self.Self;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Verb;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The value of every counter, the watermarks of every stream, and, with a store, the state of its keys. A pure state
 * machine; the package's Javadoc has its rules. All methods may be called from any thread.
 */
public final class Ledger implements Counted {
    /** The counter that takes the amounts of new names for which there is no room. */
    public static final String OVERFLOW = "counters.overflow";

    /** The watch of a ledger that has not forgotten any stream. */
    static final long FOR_EVER = Long.MIN_VALUE;

    /** A delayed datagram may make a stream look younger than it is, by at most this. */
    private static final long DELAY_MILLIS = 60_000;

    private static final long EXPIRY_EVERY_MILLIS = 60_000;

    private static final long MINUTE_MILLIS = 60_000;

    /** When there is no room, one in this many streams is dropped at once, so that the search for them is rare. */
    private static final int GIVING_WAY_PART = 64;

    /** After a search found no stream to drop, no other search is made for this time. */
    private static final long CROWDED_MILLIS = 1_000;

    private static final byte[] NO_BYTES = {};

    private final LedgerSettings bounds;
    private final boolean projecting;
    private final LongSupplier clockMillis;
    private final LongSupplier wallSeconds;

    private final SeededHash hashing;
    private final NameTable names;
    private final Values values = new Values();

    /**
     * The rest of each counter beyond its value, in parts of {@link Commands#ONE}: from minus one half to below one
     * half.
     */
    private final Values rests = new Values();

    private final CounterFacts facts = new CounterFacts();
    private final LastMoves moves;

    private BitSet changed = new BitSet();
    private int committedSize;

    /** The counters in the commit that is being written. */
    private BitSet committing = new BitSet();

    private final Projection projection;

    private final Map<Sender, Stream> streams = new HashMap<>();
    private final Sender sought;
    private final List<Stream> changedStreams = new ArrayList<>();
    private final List<Changes.Dropped> droppedStreams = new ArrayList<>();
    private int lastStream;
    private long watermarks;
    private long crowdedUntil;

    /**
     * What is new in this minute: names, by their memory, and streams; and the streams dropped for them.
     */
    private long minute = -1;

    private long newNames;
    private int crowdedOutNow;
    private final NewStreams newStreams;

    private Changes.Head head;
    private boolean headChanged;
    private long watchMillis = FOR_EVER;
    private final UsedSeconds published = new UsedSeconds();
    private boolean publishedChanged;
    private boolean adopts = true;
    private volatile boolean isEnding;
    private long begunMillis;
    private long expiredMillis;

    private final LongAdder applied;
    private final LongAdder healed;
    private final LongAdder nothingNew;
    private final LongAdder noRoom;
    private final LongAdder quarantined;
    private final LongAdder overflowed;
    private final LongAdder deferred;
    private final LongAdder expired;
    private final LongAdder crowdedOut;
    private final LongAdder inDoubt;
    private final LongAdder saturated;

    /** Log messages about sums that reached the end of the range: the first of each kind. */
    private final List<String> saturations = new ArrayList<>();

    /**
     * Creates an empty ledger, whose memory of streams is complete.
     *
     * @param projecting whether there is a store to push to
     * @param clockMillis the ledger's time, which never runs backwards
     * @param wallSeconds Unix time, for display: when a counter was created and when it last moved
     * @param id a random number that no other ledger has
     * @param hashing for names and the IDs of streams
     */
    public Ledger(
            LedgerSettings bounds,
            boolean projecting,
            LongSupplier clockMillis,
            LongSupplier wallSeconds,
            long id,
            SeededHash hashing,
            Self self) {
        this.hashing = hashing;
        names = new NameTable(hashing);
        sought = Sender.sought(hashing);
        this.head = Changes.Head.first(id);
        this.bounds = bounds;
        newStreams = new NewStreams(bounds.newStreamsMax());
        this.projecting = projecting;
        this.clockMillis = clockMillis;
        this.wallSeconds = wallSeconds;
        this.moves = new LastMoves(clockMillis.getAsLong());
        this.projection = new Projection(self);
        projection.removed(facts.committedRemoved());
        applied = self.count("ledger_applied_lines_total", "Lines that changed a counter.");
        healed = self.count("ledger_healed_total", "Counts that a later total restored after their datagram was lost.");
        nothingNew = self.count("ledger_nothing_new_lines_total", "Lines with a total that was known already.");
        noRoom = self.count(
                "ledger_no_room_lines_total",
                "Lines with a total that were counted by their amount, because there was no room for a stream or watermark.");
        quarantined = self.count("ledger_quarantined_streams_total", "Streams whose total jumped by more than 2^53.");
        overflowed = self.count(
                "ledger_overflow_lines_total",
                "Lines counted as counters.overflow, because there was no room for their names.");
        deferred = self.count(
                "ledger_deferred_lines_total",
                "Lines with a total that are not applied until their sender repeats them.");
        expired = self.count("ledger_expired_streams_total", "Streams forgotten after 24 hours of silence.");
        crowdedOut = self.count("ledger_crowded_out_streams_total", "Streams dropped to make room for others.");
        inDoubt = self.count(
                "ledger_in_doubt_total", "Amounts applied without knowing whether they had been applied before.");
        saturated = self.count(
                "ledger_saturated_lines_total",
                "Lines that were not added, because they would lead out of the range of 64 bits.");
        begunMillis = clockMillis.getAsLong();
    }

    // Input

    /**
     * Hands over a batch, such as the lines of a datagram: calls that belong together, which take the lock once. All other
     * threads wait meanwhile, so the work must neither block nor take more than some milliseconds. If it throws, what it has
     * done by then remains.
     *
     * @param work calls methods of this ledger
     */
    public synchronized void batch(Runnable work) {
        work.run();
    }

    /**
     * Returns the stream with the ID {@code bytes[begin, end)}. A new one is remembered only when a total of it is
     * applied, so a {@code from} line alone takes no room.
     *
     * @param ageMillis time since the stream began, measured by its sender
     * @param seq the number of this datagram in it
     * @param address a number that represents the sender's address; 0 if it is not known
     */
    public synchronized Stream stream(byte[] bytes, int begin, int end, long ageMillis, long seq, long address) {
        Stream stream = streams.get(sought.at(bytes, begin, end));
        if (stream == null) {
            stream = new Stream(0, sought.toString(), false, new Arrivals(seq - 1), factor());
            stream.bornMillis = listenedMillis() - ageMillis;
            stream.address = address;
        }
        stream.arrivals.add(seq);
        heard(stream);
        return stream;
    }

    /**
     * Returns the stream of a {@code from} line of a fleet's topic. Unlike {@link #stream}, it remembers a new stream at
     * once if there is room: a stream that first uses a name of this partition late in its life must not look unknown.
     *
     * @param ageMillis time since the stream began
     * @param first number of the first datagram that arrived; 0 if another partition counts the datagrams
     * @param last number of the last one; those between have arrived, too
     */
    public synchronized Stream announced(byte[] bytes, int begin, int end, long ageMillis, long first, long last) {
        Stream stream = streams.get(sought.at(bytes, begin, end));
        if (stream == null) {
            stream = new Stream(0, sought.toString(), false, new Arrivals(0), factor());
            stream.bornMillis = listenedMillis() - ageMillis;
            if (streams.size() < bounds.streamsMax() && !isOverRate(0) && remember(stream) != null) {
                note(stream);
            }
        }
        if (first > 0) {
            if (stream.arrivals.received() == 0) {
                stream.arrivals = arrivals(stream, first);
            }
            stream.arrivals.add(first, last);
        }
        heard(stream);
        return stream;
    }

    private int factor() {
        return (int) hashing.of(NO_BYTES, 0, 0);
    }

    /**
     * Records that a stream's sender is alive. Used for TCP connections, which send one {@code from} line and then
     * lines for days.
     */
    public synchronized void heard(Stream stream) {
        if (!stream.remembered || stream.dropped) {
            return;
        }
        stream.said++;
        stream.heardMillis = listenedMillis();
        if (stream.heardMillis - stream.committedHeardMillis > Stream.HEARD_EVERY_MILLIS) {
            note(stream);
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
            @Nullable Stream stream, Verb verb, byte[] name, int begin, int end, long amount, long total) {
        Stream of = stream == null || stream.dropped ? null : stream;
        boolean hasTotal = of != null && total != Commands.NO_TOTAL;
        int counter = names.find(name, begin, end);
        boolean isRefused = counter < 0 && !hasRoomForName(end - begin);
        if (of != null && hasTotal && isRefused && mayWaitForName(of, end - begin)) {
            deferred.increment();
            return 0;
        }
        if (of != null && hasTotal && !of.remembered) {
            if (waitsForStream(of)) {
                deferred.increment();
                return 0;
            }
            of = remember(of);
        }
        if (isRefused) {
            return overflow(hasTotal ? of : null, verb, amount);
        }
        if (counter < 0) {
            newNames += NameTable.memory(end - begin);
            counter = add(name, begin, end);
        }
        return of == null || !hasTotal ? apply(counter, verb, amount) : merge(of, verb, counter, amount, total);
    }

    /**
     * Merges a line without a total whose amount is not a whole number. The rest beyond the counter's value is kept, so
     * that the value is always the exact sum of all such lines, rounded half up.
     *
     * @param whole the amount, rounded down
     * @param rest what the amount has beyond that, in parts of {@link Commands#ONE}
     */
    public synchronized void merge(byte[] name, int begin, int end, long whole, long rest) {
        int counter = names.find(name, begin, end);
        if (counter < 0 && !hasRoomForName(end - begin)) {
            overflowed.increment();
            counter = overflow();
        } else if (counter < 0) {
            newNames += NameTable.memory(end - begin);
            counter = add(name, begin, end);
        }
        long before = rests.get(counter);
        boolean carries = before + rest >= Commands.ONE / 2;
        rests.move(counter, carries ? rest - Commands.ONE : rest);
        if (whole < 0) {
            facts.decrement(counter);
        }
        apply(counter, carries ? whole + 1 : whole);
    }

    private long merge(Stream stream, Verb verb, int counter, long amount, long total) {
        if (stream.quarantined) {
            // Its watermarks may be forged; its amounts still count.
            count(inDoubt, amount);
            note(stream);
            return apply(counter, verb, amount);
        }
        int place = stream.place(counter);
        long mark = place < 0 ? Stream.NONE : stream.watermarkAt(place, verb);
        if (total <= mark) {
            nothingNew.increment();
            return 0;
        }
        note(stream);
        long jump = mark != Stream.NONE ? total - mark : total;
        if (jump > CommandReader.AMOUNT_MAX) {
            // The jump is not applied, so the total is not kept.
            stream.quarantined = true;
            quarantined.increment();
            count(inDoubt, amount);
            return apply(counter, verb, amount);
        }
        if (place < 0 && watermarks >= bounds.watermarksMax()) {
            crowdOut(stream.said);
        }
        if (place < 0 && watermarks >= bounds.watermarksMax()) {
            noRoom.increment();
            stream.whole = false;
            return apply(counter, verb, amount);
        }
        boolean heals = mark != Stream.NONE || stream.whole;
        long news = heals ? jump : amount;
        if (news > amount) {
            count(healed, news - amount);
            stream.healed = Values.sum(stream.healed, news - amount);
        }
        if (!heals) {
            count(inDoubt, amount);
        }
        if (place < 0) {
            place = stream.add(counter);
            watermarks++;
        }
        stream.setWatermarkAt(place, verb, total);
        if (!heals) {
            stream.setUncountedAt(place, stream.uncountedAt(place) + verb.signed(total - amount));
        }
        return apply(counter, verb, news);
    }

    /** @param stream the stream of a line with a total; null for a line without one */
    private long overflow(@Nullable Stream stream, Verb verb, long amount) {
        overflowed.increment();
        if (stream != null) {
            stream.whole = false;
            note(stream);
        }
        return apply(overflow(), verb, amount);
    }

    private int overflow() {
        byte[] name = OVERFLOW.getBytes(ISO_8859_1);
        int counter = names.find(name, 0, name.length);
        return counter < 0 ? add(name, 0, name.length) : counter;
    }

    // Room for new names and streams

    private boolean isFull(int nameLength) {
        return names.memory() + NameTable.memory(nameLength) > bounds.namesBytes();
    }

    private boolean hasRoomForName(int length) {
        beginMinute();
        return !isFull(length) && newNames + NameTable.memory(length) <= bounds.newNamesBytes();
    }

    /** Whether a total for which there is no room may wait: it will be repeated, so nothing of it is lost. */
    private boolean mayWaitForName(Stream stream, int length) {
        return isWhole(stream) && !isFull(length);
    }

    private boolean isWhole(Stream stream) {
        return stream.remembered ? stream.whole : watchMillis == FOR_EVER || stream.bornMillis > watchMillis;
    }

    private void beginMinute() {
        long now = listenedMillis() / MINUTE_MILLIS;
        if (now != minute) {
            minute = now;
            newNames = 0;
            crowdedOutNow = 0;
        }
    }

    /**
     * Whether too many streams are new in this minute, and this one loses nothing by waiting. Once streams are dropped
     * for lack of room, no stream waits: each drop moves the watch ahead, and a stream that waited would no longer be
     * whole.
     */
    private boolean waitsForStream(Stream stream) {
        return isOverRate(stream.address) && isWhole(stream) && streams.size() < bounds.streamsMax();
    }

    private boolean isOverRate(long address) {
        return newStreams.isOver(address, listenedMillis());
    }

    /**
     * Remembers a stream.
     *
     * @return the stream with its ID, which another connection may have added meanwhile; null if there is no room
     */
    private @Nullable Stream remember(Stream stream) {
        Sender id = new Sender(stream.sender, hashing);
        Stream known = streams.get(id);
        if (known != null) {
            return known;
        }
        if (streams.size() >= bounds.streamsMax() && !isOverRate(stream.address)) {
            crowdOut(Long.MAX_VALUE);
        }
        if (streams.size() >= bounds.streamsMax() || isOverRate(stream.address)) {
            noRoom.increment();
            if (isWhole(stream)) {
                forgetNow();
            }
            return null;
        }
        newStreams.add(stream.address);
        long seq = stream.arrivals.highest();
        stream.whole = isWhole(stream);
        stream.id = ++lastStream;
        stream.remembered = true;
        stream.said = 1;
        if (seq > 0) {
            stream.arrivals = arrivals(stream, seq);
            stream.arrivals.add(seq);
        }
        stream.heardMillis = listenedMillis();
        stream.committedHeardMillis = stream.heardMillis;
        streams.put(id, stream);
        return stream;
    }

    /** Of a stream whose first datagram that arrived has this number. */
    private static Arrivals arrivals(Stream stream, long seq) {
        return new Arrivals(stream.whole && seq <= Arrivals.AHEAD_MAX ? 0 : seq - 1);
    }

    /**
     * Forgets the streams that sent least often, a part of all at once: a flood of streams that rarely send displaces
     * itself.
     *
     * @param said only streams that have sent less often than this are dropped
     */
    private void crowdOut(long said) {
        beginMinute();
        long now = listenedMillis();
        int most = Math.min(bounds.newStreamsMax() - crowdedOutNow, Math.max(1, streams.size() / GIVING_WAY_PART));
        if (now < crowdedUntil || most <= 0) {
            return;
        }
        List<Stream> least = streams.values().stream()
                .filter(stream -> stream.said < said)
                .sorted(Comparator.<Stream>comparingLong(stream -> stream.said)
                        .thenComparingLong(stream -> stream.heardMillis))
                .limit(most)
                .toList();
        crowdedOutNow += least.size();
        for (Stream stream : least) {
            streams.remove(sought.at(stream.sender.getBytes(ISO_8859_1)));
            forget(stream);
            crowdedOut.increment();
        }
        changedStreams.removeIf(stream -> stream.dropped);
        if (least.isEmpty()) {
            // All have sent more often: do not search again for each line.
            crowdedUntil = now + CROWDED_MILLIS;
        }
    }

    /** Forgets a stream that was removed from the table. The caller must also remove it from the changed streams. */
    private void forget(Stream stream) {
        droppedStreams.add(new Changes.Dropped(stream.id, stream.size()));
        watermarks -= stream.size();
        watchMillis = Math.max(watchMillis, stream.heardMillis + DELAY_MILLIS);
        headChanged = true;
        stream.dropped = true;
    }

    /**
     * Records that something is forgotten now: a stream that seems to have begun earlier than a minute from now is not
     * whole.
     */
    private void forgetNow() {
        watchMillis = Math.max(watchMillis, listenedMillis() + DELAY_MILLIS);
        headChanged = true;
    }

    private void note(Stream stream) {
        if (!stream.noted) {
            stream.noted = true;
            changedStreams.add(stream);
        }
    }

    private long apply(int counter, Verb verb, long amount) {
        apply(counter, verb.signed(amount));
        return amount;
    }

    private void apply(int counter, long difference) {
        applied.increment();
        move(counter, difference);
        changed.set(counter);
        facts.applied(counter, difference);
    }

    private void move(int counter, long difference) {
        if (!values.move(counter, difference)) {
            saturated.increment();
            if (saturations.isEmpty()) {
                saturations.add("counter " + names.name(counter) + " stays at " + values.get(counter) + ": adding "
                        + difference + " would exceed its range, -2^63 to 2^63-1; find the sender of far"
                        + " too large amounts");
            }
        }
    }

    /** Adds an amount to a count, which stops at the end of the range. The lock excludes other writers. */
    private static void count(LongAdder sum, long amount) {
        sum.add(Math.min(amount, Long.MAX_VALUE - sum.sum()));
    }

    /** Returns the log messages about sums that reached the end of the range since the last call. */
    synchronized List<String> takeSaturations() {
        List<String> taken = List.copyOf(saturations);
        saturations.clear();
        return taken;
    }

    private int add(byte[] name, int begin, int end) {
        int counter = names.add(name, begin, end);
        projection.add(adopts);
        changed.set(counter);
        values.add(counter);
        rests.add(counter);
        facts.add(counter);
        return counter;
    }

    private long listenedMillis() {
        return head.listenedMillis() + clockMillis.getAsLong() - begunMillis;
    }

    /** Forgets the streams that were not heard for the expiry time. */
    private void expire() {
        long now = listenedMillis();
        if (now - expiredMillis < EXPIRY_EVERY_MILLIS) {
            return;
        }
        expiredMillis = now;
        long since = now - bounds.expiryMillis();
        for (Iterator<Stream> all = streams.values().iterator(); all.hasNext(); ) {
            Stream stream = all.next();
            if (stream.heardMillis < since) {
                all.remove();
                forget(stream);
                expired.increment();
            }
        }
        changedStreams.removeIf(stream -> stream.dropped);
    }

    // Commits

    /** Returns what the next commit must write, or null if nothing changed. For one thread at a time. */
    @Nullable
    Changes changes() {
        return changes(1);
    }

    /** @param marksAtOnce see {@link Journal#marksAtOnce} */
    @Nullable
    Changes changes(int marksAtOnce) {
        int second = CounterFacts.second(wallSeconds.getAsLong());
        long now = clockMillis.getAsLong();
        boolean writesMoves = moves.isDue(now, isEnding);
        Changes taken = take(second, writesMoves, marksAtOnce);
        if (taken == null) {
            return null;
        }
        // Without the lock, because it looks through all values of the commit.
        moves.note(taken.counters(), second);
        return writesMoves ? taken.with(moves.take(now)) : taken;
    }

    private synchronized @Nullable Changes take(int second, boolean isDue, int marksAtOnce) {
        expire();
        if (!isDue
                && changed.isEmpty()
                && !facts.isChanged()
                && changedStreams.isEmpty()
                && droppedStreams.isEmpty()
                && !headChanged
                && !publishedChanged) {
            return null;
        }
        List<Changes.Watermarks> marks = new ArrayList<>();
        for (Stream stream : changedStreams) {
            marks.add(stream.takeChanges(marksAtOnce));
            stream.noted = false;
        }
        changedStreams.clear();
        List<Changes.Dropped> dropped = List.copyOf(droppedStreams);
        droppedStreams.clear();
        headChanged = false;
        List<UsedSeconds.Run> used = publishedChanged ? published.runs() : null;
        publishedChanged = false;
        Changes.Head next = new Changes.Head(
                head.id(), head.commit() + 1, clockMillis.getAsLong(), listenedMillis(), watchMillis, adopts);
        return new Changes(next, takeCounters(second), marks, dropped, used, Changes.Moves.NONE);
    }

    private Changes.Counters takeCounters(int second) {
        committing = changed;
        changed = new BitSet(names.size());
        int[] blocks = Values.blocks(committing);
        return new Changes.Counters(
                names.names(),
                committedSize,
                names.size(),
                committing,
                blocks,
                values.take(blocks),
                rests.takeChanged(blocks),
                projection.takeClaimed(),
                values.committed(blocks),
                facts.isChanged() ? facts.take(second) : Changes.Facts.AS_BEFORE);
    }

    /**
     * Makes the next commit write the state of every stream, even of those that sent nothing new since the last commit,
     * and when each counter last moved.
     */
    public synchronized void noteAll() {
        isEnding = true;
        streams.values().forEach(this::note);
    }

    /** Called when the changes are on disk: the values may be published, and the goals pushed. */
    synchronized void committed(Changes changes) {
        begunMillis += changes.head().listenedMillis() - head.listenedMillis();
        head = changes.head();
        Changes.Counters counters = changes.counters();
        committedSize = counters.size();
        values.committed(counters.blocks(), counters.values());
        rests.committed(counters.blocks(), counters.rests());
        committing = new BitSet();
        if (counters.facts().blocks().length > 0) {
            facts.committed();
            projection.removed(facts.committedRemoved());
        }
        projection.committed(counters.changed());
    }

    /** Called when the changes did not reach the disk: they become part of the next commit. */
    synchronized void putBack(Changes changes) {
        committing = new BitSet();
        changed.or(changes.counters().changed());
        droppedStreams.addAll(changes.dropped());
        headChanged = true;
        publishedChanged |= changes.published() != null;
        facts.putBack();
        moves.putBack(changes.moves());
        projection.putBack();
        for (Changes.Watermarks marks : changes.streams()) {
            Stream stream = streams.get(sought.at(marks.stream().sender().getBytes(ISO_8859_1)));
            // It may have been forgotten meanwhile, and another stream may have the same ID.
            if (stream != null && stream.id == marks.stream().id()) {
                stream.putBack(marks);
                note(stream);
            }
        }
    }

    /** Restores what an earlier run committed; called before anything else. */
    synchronized void restore(Changes.Head committed) {
        if (committed.commit() == 0) {
            return;
        }
        head = committed;
        watchMillis = committed.watchMillis();
        adopts = committed.adopts();
        expiredMillis = listenedMillis();
    }

    /** Restores the seconds that points were published for. */
    synchronized void restore(List<UsedSeconds.Run> used) {
        published.restore(used);
    }

    /** The mark to write to the store, by which a later run recognizes it. */
    public synchronized Mark mark() {
        return new Mark(head.id(), head.commit());
    }

    /**
     * Processes the mark that was found in the store, before anything is pushed there.
     *
     * @param found the mark there; null if there is none
     * @return a warning for the log; null if there is none
     */
    public synchronized @Nullable String found(@Nullable Mark found) {
        if (found == null || (found.ledger() == head.id() && found.commit() <= head.commit())) {
            return null;
        }
        if (found.ledger() == head.id()) {
            adopts = false;
            headChanged = true;
            projection.claimNothing(changed);
            return "this ledger is older than the mark that it wrote there, so it was restored from a backup; the totals"
                    + " of senders that still run restore what they have counted since";
        }
        if (head.commit() == 0) {
            forgetEarlier();
            return "another ledger has written there; this new ledger adopts its values, and of streams that began"
                    + " before now only amounts count";
        }
        return "another ledger has written there; two collectors must not write the same keys: stop one, or give"
                + " each its own --prefix";
    }

    /** Of streams that began before now, only amounts count, because their totals may have been applied elsewhere. */
    public synchronized void forgetEarlier() {
        watchMillis = Math.max(watchMillis, listenedMillis());
        headChanged = true;
    }

    /** Whether nothing was ever committed here. */
    public synchronized boolean isNew() {
        return head.commit() == 0;
    }

    /** Restores a counter; called in the order of their numbers. */
    synchronized void restore(Changes.CounterRow row) {
        seat(row);
        committedSize = row.id() + 1;
    }

    private void seat(Changes.CounterRow row) {
        byte[] name = row.name().getBytes(ISO_8859_1);
        int counter = names.size();
        if (counter != row.id()) {
            throw new IllegalStateException(
                    "found counter " + row.id() + " where counter " + counter + " was expected");
        }
        names.add(name, 0, name.length);
        values.restore(counter, row.value());
        rests.add(counter);
        if (row.rest() != 0) {
            rests.move(counter, row.rest());
        }
        projection.restore(row.isClaimed(), adopts);
        facts.restore(row);
        moves.restore(counter, row.moved());
    }

    /** Restores a stream with all its watermarks. */
    synchronized void restore(Changes.Watermarks marks) {
        Changes.StreamRow row = marks.stream();
        Stream stream =
                new Stream(row.id(), row.sender(), row.whole(), row.arrivals().copy(), factor());
        stream.remembered = true;
        stream.said = row.said();
        stream.quarantined = row.quarantined();
        stream.heardMillis = row.heardMillis();
        stream.healed = row.healed();
        for (int i = 0; i < marks.counters().length; i++) {
            stream.setWatermark(marks.counters()[i], Verb.INCREMENT, marks.increments()[i]);
            stream.setWatermark(marks.counters()[i], Verb.DECREMENT, marks.decrements()[i]);
        }
        for (int i = 0; i < marks.counters().length; i++) {
            if (marks.decrements()[i] > 0) {
                // If an earlier version of the collector has applied it.
                facts.decrement(marks.counters()[i]);
            }
        }
        watermarks += stream.size();
        stream.restore(marks.uncounted());
        stream.takeChanges(1);
        streams.put(new Sender(stream.sender, hashing), stream);
        lastStream = Math.max(lastStream, stream.id);
    }

    // Import

    /**
     * Adds what another ledger has counted: the counters that belong here, and all of its streams, because a stream that
     * first uses a name of this ledger later must not look unknown. For a ledger that is loaded and written once, and used
     * for nothing else.
     *
     * <p>An empty ledger becomes that part of the other one, with its ID, by which the store's mark is recognized. Otherwise
     * a counter that is in both gets the sum. A stream that is in both has counted the same totals twice, up to the lower
     * watermark. They are taken off, and the higher watermark stays. That is exact only if the whole stream is known on both
     * sides, so what this ledger has forgotten since the other one ended may be contained in a counter that is in both.
     *
     * @param belongs by a counter's name
     * @param isHome by a stream's ID: whether its datagrams are counted here
     * @throws IllegalArgumentException if a sum cannot be exact; nothing of this ledger may be written then
     */
    public synchronized void add(Ledger other, Predicate<String> belongs, Predicate<String> isHome) {
        // If it has forgotten no stream since then, none that it does not know has moved here.
        int doubtful = forgotMillis() > other.head.clockMillis() ? names.size() : 0;
        if (isNew()) {
            restore(other.head);
        } else if (names.size() == 0) {
            head = new Changes.Head(
                    other.head.id(),
                    Math.max(head.commit(), other.head.commit()),
                    head.clockMillis(),
                    head.listenedMillis(),
                    watchMillis,
                    adopts);
        }
        adopts &= other.adopts;
        // Of times spent listening.
        long later = head.listenedMillis() - other.head.listenedMillis();
        if (other.watchMillis != FOR_EVER) {
            watchMillis = Math.max(watchMillis, other.watchMillis + later);
        }
        headChanged = true;
        published.restore(other.published.runs(), published.runs());
        publishedChanged = true;
        int[] numbers = new int[other.names.size()];
        for (int of = 0; of < numbers.length; of++) {
            numbers[of] = belongs.test(other.names.name(of)) ? add(other.row(of, names.size())) : -1;
        }
        for (Stream of : other.streams.values()) {
            add(of, numbers, later, isHome.test(of.sender), doubtful);
        }
        noteAll();
    }

    /** The latest time, by the clock, at which a stream that is forgotten may have been heard. */
    private long forgotMillis() {
        // It has listened for at most the time that has passed.
        return watchMillis == FOR_EVER ? Long.MIN_VALUE : head.clockMillis() - (head.listenedMillis() - watchMillis);
    }

    /** A counter as another ledger may add it, under this number there. */
    private Changes.CounterRow row(int counter, int number) {
        return new Changes.CounterRow(
                number,
                names.name(counter),
                values.get(counter),
                rests.get(counter),
                projection.isClaimed(counter),
                CounterFacts.second(facts.createdSecond(counter)),
                CounterFacts.second(moves.second(counter)),
                facts.isDecremented(counter),
                facts.isRemoved(counter),
                facts.adopted(counter));
    }

    /** @return its number here */
    private int add(Changes.CounterRow row) {
        int counter = find(row.name());
        if (counter < 0) {
            seat(row);
            facts.note(row.id());
            moves.note(row.id());
            changed.set(row.id());
            return row.id();
        }
        if (facts.adopted(counter) != 0 || row.adopted() != 0) {
            throw new IllegalArgumentException(
                    "the counter " + row.name() + " is in both, and in one of them it began with"
                            + " a value from the store, in which the other's may be contained");
        }
        facts.add(counter, row);
        if (row.isClaimed()) {
            projection.disown(counter);
        }
        long rest = rests.get(counter) + row.rest();
        long carry = rest >= Commands.ONE / 2 ? 1 : rest < -Commands.ONE / 2 ? -1 : 0;
        rests.move(counter, row.rest() - carry * Commands.ONE);
        addTo(counter, row.value());
        addTo(counter, carry);
        return counter;
    }

    private void addTo(int counter, long difference) {
        if (!values.move(counter, difference)) {
            throw new IllegalArgumentException(
                    "the sum of the counter " + names.name(counter) + " would exceed its range, -2^63 to 2^63-1");
        }
        changed.set(counter);
    }

    /**
     * Adds a stream of another ledger.
     *
     * @param numbers of the other ledger's counters here; negative for those that do not belong here
     * @param doubtful counters below this number may contain totals of streams that are forgotten
     */
    private void add(Stream of, int[] numbers, long later, boolean isHome, int doubtful) {
        Sender id = new Sender(of.sender, hashing);
        Stream stream = streams.get(id);
        boolean isInBoth = stream != null;
        if (stream == null) {
            stream = new Stream(++lastStream, of.sender, of.whole, new Arrivals(0), factor());
            stream.remembered = true;
            stream.quarantined = of.quarantined;
            stream.heardMillis = of.heardMillis + later;
            streams.put(id, stream);
        } else if (!stream.whole || !of.whole || stream.quarantined || of.quarantined) {
            throw new IllegalArgumentException("the stream " + of.sender
                    + " is in both, and one of them does not know all of it, so what both have counted cannot be told");
        }
        stream.heardMillis = Math.max(stream.heardMillis, of.heardMillis + later);
        stream.said += of.said;
        if (isHome) {
            stream.healed = Values.sum(stream.healed, of.healed);
            stream.arrivals = stream.arrivals.plus(of.arrivals);
        }
        for (int place = 0; place < of.size(); place++) {
            int counter = numbers[of.counterAt(place)];
            if (counter >= 0 && counter < doubtful && !isInBoth) {
                throw new IllegalArgumentException("the counter " + names.name(counter) + " is in both, and may contain"
                        + " what the stream " + of.sender + " has counted, because streams were forgotten since the"
                        + " other ledger's collector was stopped");
            }
            if (counter >= 0) {
                addMarks(stream, counter, of, place, isInBoth);
            }
        }
    }

    private void addMarks(Stream stream, int counter, Stream of, int place, boolean isInBoth) {
        int known = stream.place(counter);
        if (known < 0) {
            known = stream.add(counter);
            watermarks++;
            stream.setUncountedAt(known, of.uncountedAt(place));
        } else if (stream.uncountedAt(known) != 0 || of.uncountedAt(place) != 0) {
            throw new IllegalArgumentException("the counter " + names.name(counter) + " was removed, and the stream "
                    + of.sender + ", which is in both, has counted in it");
        }
        for (Verb verb : Verb.values()) {
            long mine = stream.watermarkAt(known, verb);
            long others = of.watermarkAt(place, verb);
            if (isInBoth && Math.min(mine, others) > 0) {
                addTo(counter, -verb.signed(Math.min(mine, others)));
            }
            stream.setWatermarkAt(known, verb, Math.max(mine, others));
        }
    }

    // Output

    @Override
    public Snapshot snapshot() {
        return shared().snapshot();
    }

    @Override
    public Details details() {
        Shared shared;
        int[][] created;
        BitSet decremented;
        synchronized (this) {
            shared = shared();
            created = facts.created();
            decremented = facts.decremented();
        }
        return shared.details(created, moves, decremented);
    }

    /** Returns what {@link #snapshot()} will be when these changes are committed; the latest ones that were taken. */
    public Snapshot snapshot(Changes changes) {
        Changes.Counters counters = changes.counters();
        Shared shared;
        synchronized (this) {
            long[][] next = values.committed();
            for (int i = 0; i < counters.blocks().length; i++) {
                next[counters.blocks()[i]] = counters.values()[i];
            }
            boolean isAsBefore = counters.facts().blocks().length == 0;
            shared = shared(next, counters.size(), isAsBefore ? facts.committedRemoved() : facts.committingRemoved());
        }
        return shared.snapshot();
    }

    private synchronized Shared shared() {
        return shared(values.committed(), committedSize, facts.committedRemoved());
    }

    private Shared shared(long[][] blocks, int size, BitSet removed) {
        BitSet shown = null;
        if (!removed.isEmpty()) {
            shown = new BitSet(size);
            shown.set(0, size);
            shown.andNot(removed);
        }
        return new Shared(names.names(), blocks, size, shown);
    }

    /**
     * What a snapshot is made of, at one moment. Its arrays never change, so that the values are copied without the
     * lock and intake does not wait.
     *
     * @param some the counters to include; null for all
     */
    @SuppressWarnings("ArrayRecordComponent") // Used immediately.
    private record Shared(
            String[] names,
            long[][] committed,
            int size,
            @Nullable BitSet some) {
        Snapshot snapshot() {
            if (some == null) {
                long[] values = new long[size];
                for (int counter = 0; counter < size; counter += Values.BLOCK) {
                    int count = Math.min(Values.BLOCK, size - counter);
                    System.arraycopy(committed[Values.block(counter)], 0, values, counter, count);
                }
                return new Snapshot(names, values, size);
            }
            int[] counters = counters(some);
            String[] shownNames = new String[counters.length];
            long[] shownValues = new long[counters.length];
            for (int i = 0; i < counters.length; i++) {
                shownNames[i] = names[counters[i]];
                shownValues[i] = committed[Values.block(counters[i])][Values.place(counters[i])];
            }
            return new Snapshot(shownNames, shownValues, counters, counters.length);
        }

        private int[] counters(BitSet shown) {
            shown.clear(size, Math.max(size, shown.length()));
            return shown.stream().toArray();
        }

        Details details(int[][] created, LastMoves moves, BitSet decremented) {
            Snapshot snapshot = snapshot();
            int[] counters = some == null ? null : counters(some);
            long[] createdSeconds = new long[snapshot.size()];
            long[] movedSeconds = new long[snapshot.size()];
            BitSet places = some == null ? decremented : new BitSet();
            for (int i = 0; i < snapshot.size(); i++) {
                int counter = counters == null ? i : counters[i];
                createdSeconds[i] = Integer.toUnsignedLong(created[Values.block(counter)][Values.place(counter)]);
                movedSeconds[i] = Math.max(createdSeconds[i], moves.second(counter));
                if (counters != null && decremented.get(counter)) {
                    places.set(i);
                }
            }
            return new Details(
                    snapshot.names(), snapshot.values(), createdSeconds, movedSeconds, places, snapshot.size());
        }
    }

    /**
     * Takes the requests that may be sent to the store now; each must be answered by {@link #settle}.
     *
     * @param max the most pushes and reads of keys in doubt
     * @param atRest the most keys at rest to read in addition
     */
    public synchronized List<Push> take(int max, int atRest) {
        return projecting ? projection.take(names, values, max, atRest) : List.of();
    }

    /** Processes the store's answer to a request. */
    public synchronized void settle(Push request, Push.Reply reply) {
        long adopted = projection.settle(request, reply, values, changed);
        if (adopted != 0) {
            move(request.counter(), adopted);
            facts.adopt(request.counter(), adopted);
        }
    }

    @Override
    public synchronized int uncommitted() {
        BitSet all = (BitSet) changed.clone();
        all.or(committing);
        return all.cardinality();
    }

    @Override
    public synchronized int unsettled() {
        if (!projecting) {
            return 0;
        }
        BitSet all = (BitSet) changed.clone();
        all.or(committing);
        all.or(projection.due());
        return all.cardinality();
    }

    /**
     * Returns a second to publish at: the wanted one, or the first after it that was never used, even by an earlier
     * run. It must be committed before anything is sent.
     *
     * @param within how many seconds to try, including the wanted one
     * @return empty if all of them were used, because the wall clock was set back
     */
    public synchronized OptionalLong publishAt(long wantedSecond, long within) {
        OptionalLong free = published.use(wantedSecond, within);
        publishedChanged |= free.isPresent();
        return free;
    }

    /**
     * Returns this second to publish at, or empty if it, or one within a minute after it, was used: if the clock of a new owner
     * is behind that of the one before, a value of now must not precede an older one.
     */
    public synchronized OptionalLong publishInOrder(long second) {
        return published.isOvertaken(second) ? OptionalLong.empty() : publishAt(second, 1);
    }

    @Override
    public synchronized OptionalLong committed(String name) {
        int counter = find(name);
        boolean isShown = counter >= 0
                && counter < committedSize
                && !facts.committedRemoved().get(counter);
        return isShown
                ? OptionalLong.of(values.committed()[Values.block(counter)][Values.place(counter)])
                : OptionalLong.empty();
    }

    /** The value of this counter, committed or not; 0 for one that is not known. */
    public synchronized long value(String name) {
        int counter = find(name);
        return counter < 0 ? 0 : values.get(counter);
    }

    @Override
    public synchronized @Nullable Explanation explain(String name) {
        int counter = shown(name);
        if (counter < 0) {
            return null;
        }
        long now = listenedMillis();
        long value = values.get(counter);
        long rest = value - facts.adopted(counter);
        long appliedLeftOut = 0;
        int count = 0;
        Queue<Explanation.Part> largest = new PriorityQueue<>(Explanation.Part.SMALLEST_FIRST);
        for (Stream stream : streams.values()) {
            int place = stream.place(counter);
            if (place < 0) {
                continue;
            }
            count++;
            long applied = stream.appliedAt(place);
            rest -= applied;
            if (largest.size() < Explanation.PARTS_MAX) {
                largest.add(stream.part(place, now));
            } else if (Math.abs(applied) > Math.abs(largest.element().applied())) {
                appliedLeftOut += largest.remove().applied();
                largest.add(stream.part(place, now));
            } else {
                appliedLeftOut += applied;
            }
        }
        return new Explanation(
                name,
                value,
                counter < committedSize ? values.committed(counter) : 0,
                facts.createdSecond(counter),
                Math.max(facts.createdSecond(counter), moves.second(counter)),
                facts.isDecremented(counter),
                facts.adopted(counter),
                largest.stream()
                        .sorted(Explanation.Part.SMALLEST_FIRST.reversed())
                        .toList(),
                count - largest.size(),
                appliedLeftOut,
                rest);
    }

    /** The number of a counter that is not removed; -1 if there is none. */
    private int shown(String name) {
        int counter = find(name);
        return counter >= 0 && !facts.isRemoved(counter) ? counter : -1;
    }

    @Override
    public synchronized @Nullable Removal remove(String name) {
        int counter = shown(name);
        if (counter < 0) {
            return null;
        }
        long value = values.get(counter);
        values.reset(counter);
        rests.reset(counter);
        facts.remove(counter);
        changed.set(counter);
        projection.disown(counter);
        int marks = 0;
        for (Stream stream : streams.values()) {
            int place = stream.place(counter);
            if (place >= 0) {
                stream.setUncountedAt(place, stream.netTotalAt(place));
                note(stream);
                marks++;
            }
        }
        return new Removal(name, value, projecting, marks);
    }

    private int find(String name) {
        byte[] bytes = name.getBytes(ISO_8859_1);
        return names.find(bytes, 0, bytes.length);
    }

    /** How much it may keep. */
    LedgerSettings bounds() {
        return bounds;
    }

    synchronized long namesBytes() {
        return names.memory();
    }

    /**
     * How much of its room is used, as a share: the largest of those for names, streams and watermarks; above 1 if more was
     * loaded or added.
     */
    public synchronized double usedRoom() {
        return Math.max(
                (double) names.memory() / bounds.namesBytes(),
                Math.max((double) streams.size() / bounds.streamsMax(), (double) watermarks / bounds.watermarksMax()));
    }

    synchronized long watermarks() {
        return watermarks;
    }

    @Override
    public synchronized int size() {
        return names.size() - facts.removed();
    }

    @Override
    public synchronized int streams() {
        return streams.size();
    }

    @Override
    public synchronized List<StreamReport> reports() {
        long now = listenedMillis();
        List<StreamReport> reports = new ArrayList<>();
        for (Stream stream : streams.values()) {
            reports.add(new StreamReport(
                    stream.sender,
                    stream.whole,
                    stream.quarantined,
                    stream.size(),
                    stream.arrivals.sent(),
                    stream.arrivals.received(),
                    stream.arrivals.repeated(),
                    stream.healed,
                    now - stream.heardMillis));
        }
        return reports;
    }

    synchronized long arrivals(ToLongFunction<Arrivals> number) {
        return streams.values().stream()
                .mapToLong(stream -> number.applyAsLong(stream.arrivals))
                .reduce(0, Values::sum);
    }
}
