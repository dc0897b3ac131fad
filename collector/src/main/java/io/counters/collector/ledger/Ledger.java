package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.self.Self;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Verb;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The value of every counter, the watermarks of every stream, and, with a shared store, what is known of its keys. A
 * pure state machine; the package says its rules. All methods may be called from any thread.
 */
public final class Ledger {
    /** The counter that takes the amounts of new names for which there is no room. */
    public static final String OVERFLOW = "counters.overflow";

    /** The watch of a ledger that remembers every stream there ever was. */
    static final long FOR_EVER = Long.MIN_VALUE;

    /** How much older than its last datagram a stream may look by one that was delayed. */
    private static final long DELAY_MILLIS = 60_000;

    private final LedgerSettings bounds;
    private final boolean projecting;
    private final LongSupplier clockMillis;

    private final NameTable names = new NameTable();
    private long[] values = new long[1024];
    private long[] committedValues = new long[1024];
    private int committedSize;
    private final BitSet changed = new BitSet();
    private final Projection projection;

    private final Map<String, Stream> streams = new HashMap<>();
    private final List<Stream> changedStreams = new ArrayList<>();
    private int lastStream;
    private long watermarks;
    private long watchMillis = FOR_EVER;
    private long publishedSecond;
    private boolean publishedChanged;
    private long commits;

    private final LongAdder applied;
    private final LongAdder healed;
    private final LongAdder nothingNew;
    private final LongAdder noRoom;
    private final LongAdder quarantined;
    private final LongAdder overflowed;

    /**
     * An empty ledger, whose memory of streams is complete.
     *
     * @param projecting whether there is a shared store to push to
     * @param clockMillis the ledger's time, which never runs backwards
     */
    public Ledger(LedgerSettings bounds, boolean projecting, LongSupplier clockMillis, Self self) {
        this.bounds = bounds;
        this.projecting = projecting;
        this.clockMillis = clockMillis;
        this.projection = new Projection(self);
        applied = self.count("ledger_applied_lines_total");
        healed = self.count("ledger_healed_total");
        nothingNew = self.count("ledger_nothing_new_lines_total");
        noRoom = self.count("ledger_no_room_lines_total");
        quarantined = self.count("ledger_quarantined_streams_total");
        overflowed = self.count("ledger_overflow_lines_total");
        self.gauge("ledger_counters", this::size);
        self.gauge("ledger_streams", this::streams);
        self.gauge("store_due_keys", this::unsettled);
    }

    // What comes in

    /**
     * The stream of the id {@code bytes[begin, end)}, remembered from now on when it is new.
     *
     * @param ageMillis since it began, at its sender
     * @param seq the number of this datagram in it
     * @return null when there is no room for another stream: its lines count by their amounts, and should it find room
     *     one day, it is not whole
     */
    public synchronized @Nullable Stream stream(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        String sender = new String(bytes, begin, end - begin, ISO_8859_1);
        long now = clockMillis.getAsLong();
        Stream stream = streams.get(sender);
        if (stream == null) {
            if (streams.size() >= bounds.streamsMax()) {
                noRoom.increment();
                watchMillis = Math.max(watchMillis, now + DELAY_MILLIS);
                return null;
            }
            boolean whole = watchMillis == FOR_EVER || ageMillis < now - watchMillis;
            stream = new Stream(++lastStream, sender, whole, now);
            streams.put(sender, stream);
        }
        stream.heardMillis = now;
        stream.datagrams++;
        stream.highestSeq = Math.max(stream.highestSeq, seq);
        return stream;
    }

    /**
     * Merges one command.
     *
     * @param stream what {@link #stream} gave for its {@code from} line; null without one
     * @param name its canonical name is {@code name[begin, end)}
     * @param amount 0 to 2^53
     * @param total at least {@code amount}, or {@link Commands#NO_TOTAL}
     */
    public synchronized void merge(
            @Nullable Stream stream, Verb verb, byte[] name, int begin, int end, long amount, long total) {
        int counter = names.find(name, begin, end);
        if (counter < 0) {
            if (names.size() >= bounds.countersMax()) {
                overflow(stream, verb, amount);
                return;
            }
            counter = add(name, begin, end);
        }
        if (stream == null || total == Commands.NO_TOTAL) {
            apply(counter, verb.signed(amount));
        } else {
            merge(stream, verb, counter, amount, total);
        }
    }

    private void merge(Stream stream, Verb verb, int counter, long amount, long total) {
        long mark = stream.watermark(counter, verb);
        if (total <= mark) {
            nothingNew.increment();
            return;
        }
        note(stream);
        if (mark == Stream.NONE && watermarks >= bounds.watermarksMax()) {
            noRoom.increment();
            stream.whole = false;
            apply(counter, verb.signed(amount));
            return;
        }
        long jump = mark != Stream.NONE ? total - mark : total;
        if (jump > CommandReader.AMOUNT_MAX && !stream.quarantined) {
            stream.quarantined = true;
            quarantined.increment();
        }
        boolean heals = !stream.quarantined && (mark != Stream.NONE || stream.whole);
        long news = heals ? jump : amount;
        healed.add(Math.max(0, news - amount));
        watermarks += stream.watermark(counter, verb, total);
        apply(counter, verb.signed(news));
    }

    private void overflow(@Nullable Stream stream, Verb verb, long amount) {
        overflowed.increment();
        if (stream != null) {
            stream.whole = false;
            note(stream);
        }
        byte[] name = OVERFLOW.getBytes(ISO_8859_1);
        int counter = names.find(name, 0, name.length);
        apply(counter < 0 ? add(name, 0, name.length) : counter, verb.signed(amount));
    }

    private void note(Stream stream) {
        if (!stream.noted) {
            stream.noted = true;
            changedStreams.add(stream);
        }
    }

    private void apply(int counter, long difference) {
        applied.increment();
        values[counter] += difference;
        changed.set(counter);
        if (projecting) {
            projection.moved(counter);
        }
    }

    private int add(byte[] name, int begin, int end) {
        int counter = names.add(name, begin, end);
        projection.add(Projected.NEW, 0, 0);
        if (counter == values.length) {
            values = Arrays.copyOf(values, 2 * counter);
            committedValues = Arrays.copyOf(committedValues, 2 * counter);
        }
        return counter;
    }

    // What is committed

    /** What is to be committed next, or null when nothing changed. Sets the goals of the pushes that may follow it. */
    synchronized @Nullable Changes changes() {
        if (projecting) {
            projection.setGoals(values, changed);
        }
        if (changed.isEmpty() && changedStreams.isEmpty() && !publishedChanged) {
            return null;
        }
        List<Changes.CounterRow> rows = new ArrayList<>();
        for (int counter = changed.nextSetBit(0); counter >= 0; counter = changed.nextSetBit(counter + 1)) {
            rows.add(projection.row(counter, names.name(counter), values[counter]));
        }
        List<Changes.Watermarks> marks = new ArrayList<>();
        for (Stream stream : changedStreams) {
            marks.add(stream.takeChanges());
            stream.noted = false;
        }
        changed.clear();
        changedStreams.clear();
        publishedChanged = false;
        return new Changes(commits + 1, clockMillis.getAsLong(), watchMillis, publishedSecond, rows, marks);
    }

    /** The changes are on disk: values may be published, goals may be pushed. */
    synchronized void committed(Changes changes) {
        commits = changes.number();
        for (Changes.CounterRow row : changes.counters()) {
            committedValues[row.id()] = row.value();
            committedSize = Math.max(committedSize, row.id() + 1);
        }
        projection.committed();
    }

    /** The changes did not reach the disk: they are part of the next commit. */
    synchronized void putBack(Changes changes) {
        for (Changes.CounterRow row : changes.counters()) {
            changed.set(row.id());
        }
        for (Changes.Watermarks marks : changes.streams()) {
            Stream stream = streams.get(marks.sender());
            if (stream != null) {
                stream.putBack(marks);
                note(stream);
            }
        }
        publishedChanged = true;
    }

    /** Takes up what an earlier life committed; before anything else. */
    synchronized void restore(long commit, long watch, long published) {
        commits = commit;
        watchMillis = watch;
        publishedSecond = published;
    }

    /** Takes up a counter; in the order of their numbers. */
    synchronized void restore(Changes.CounterRow row) {
        byte[] name = row.name().getBytes(ISO_8859_1);
        int counter = names.size();
        if (counter != row.id()) {
            throw new IllegalStateException("counter " + row.id() + " stands where " + counter + " should");
        }
        names.add(name, 0, name.length);
        if (counter == values.length) {
            values = Arrays.copyOf(values, 2 * counter);
            committedValues = Arrays.copyOf(committedValues, 2 * counter);
        }
        values[counter] = row.value();
        committedValues[counter] = row.value();
        committedSize = counter + 1;
        projection.add(row.projected(), row.pushed(), row.goal());
    }

    /** Takes up a stream with all its watermarks. */
    synchronized void restore(Changes.Watermarks marks) {
        Stream stream = new Stream(marks.stream(), marks.sender(), marks.whole(), marks.heardMillis());
        stream.quarantined = marks.quarantined();
        for (int i = 0; i < marks.counters().length; i++) {
            watermarks += stream.watermark(marks.counters()[i], Verb.INCREMENT, marks.increments()[i]);
            watermarks += stream.watermark(marks.counters()[i], Verb.DECREMENT, marks.decrements()[i]);
        }
        stream.takeChanges();
        streams.put(stream.sender, stream);
        lastStream = Math.max(lastStream, stream.id);
    }

    // What goes out

    /** Every counter with its committed value. */
    public synchronized Snapshot snapshot() {
        return new Snapshot(names.names(), Arrays.copyOf(committedValues, committedSize), committedSize);
    }

    /**
     * The requests that the shared store may be sent now; each must be answered by {@link #settle}.
     *
     * @param max how many pushes and reads of keys in doubt at the most
     * @param atRest how many keys at rest to look at besides
     */
    public synchronized List<Push> take(int max, int atRest) {
        return projecting ? projection.take(names, max, atRest) : List.of();
    }

    /** Takes the shared store's answer to a request. */
    public synchronized void settle(Push request, Push.Reply reply) {
        values[request.counter()] += projection.settle(request, reply, changed);
    }

    /** How many keys of the shared store are not known to be as they should. */
    public synchronized int unsettled() {
        return projecting ? projection.unsettled() : 0;
    }

    /**
     * A second to publish at: the wanted one, or the first after it that was never used, also by an earlier life. To
     * be committed before anything is sent.
     */
    public synchronized long publishAt(long wantedSecond) {
        publishedSecond = Math.max(wantedSecond, publishedSecond + 1);
        publishedChanged = true;
        return publishedSecond;
    }

    public synchronized int size() {
        return names.size();
    }

    public synchronized int streams() {
        return streams.size();
    }
}
