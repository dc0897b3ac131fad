package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The streams that the ledger remembers. Decides which are remembered, which are whole, and which are forgotten; the package's
 * Javadoc has the rules. The ledger's lock protects it.
 */
final class StreamTable {
    /** A delayed datagram may make a stream look younger than it is, by at most this. */
    private static final long DELAY_MILLIS = 60_000;

    private static final long EXPIRY_EVERY_MILLIS = 60_000;

    /** When there is no room, one in this many streams is dropped at once, so that the search for them is rare. */
    private static final int GIVING_WAY_PART = 64;

    /** After a search found no stream to drop, no other search is made for this time. */
    private static final long CROWDED_MILLIS = 1_000;

    private final LedgerSettings bounds;
    private final ListeningClock listening;
    private final SeededHash hashing;

    /** Each has {@code remembered} set and {@code dropped} not set, and an ID of its own, at most {@link #lastId}. */
    private final Map<StreamKey, InboundStream> streams;

    private int lastId;

    /** The sum of the sizes of all streams. */
    private long watermarks;

    /** Exactly those with {@code noted} set; all of them are in the table. */
    private final List<InboundStream> changed = new ArrayList<>();

    /** Not in the table, but still in the last commit. */
    private final List<Changes.Dropped> dropped = new ArrayList<>();

    /**
     * The time, spent listening, since which all streams are remembered: whatever was applied of a stream that began later
     * is in its watermarks. It only grows.
     */
    private long watchMillis;

    private final NewStreams newStreams;

    /** Those that two senders seem to continue. */
    final ClonedStreams cloned;

    /** How many streams may still be dropped in this minute for lack of room. */
    private final MinuteBudget crowding;

    private long crowdedUntil;
    private long expiredMillis;

    /** For searches in the table. */
    private final StreamKey sought;

    private final LongAdder noRoom;
    private final LongAdder expired;
    private final LongAdder crowdedOut;

    /** @param state taken over */
    StreamTable(LedgerSettings bounds, ListeningClock listening, LedgerState state, Metrics metrics) {
        this.bounds = bounds;
        this.listening = listening;
        hashing = state.hashing;
        sought = StreamKey.sought(hashing);
        streams = state.streams;
        for (InboundStream stream : streams.values()) {
            watermarks += stream.size();
            lastId = Math.max(lastId, stream.id);
        }
        watchMillis = state.head().watchMillis();
        expiredMillis = listening.millis();
        newStreams = new NewStreams(bounds.newStreamsMax());
        cloned = new ClonedStreams(listening, metrics);
        crowding = new MinuteBudget(bounds.newStreamsMax());
        noRoom = metrics.count(
                "ledger_no_room_lines_total",
                "Lines with a total that were counted by their amount, wait or were refused, because there was no room"
                        + " for a stream or watermark.");
        expired = metrics.count("ledger_expired_streams_total", "Streams forgotten after 24 hours of silence.");
        crowdedOut = metrics.count("ledger_crowded_out_streams_total", "Streams dropped to make room for others.");
    }

    // Streams

    /** See {@code Ledger.stream}. */
    InboundStream stream(byte[] bytes, int begin, int end, long ageMillis, long seq, long address) {
        InboundStream stream = streams.get(sought.at(bytes, begin, end));
        if (stream == null) {
            stream = begun(ageMillis, Math.max(0, seq - 1));
            stream.address = address;
        }
        stream.fromDatagrams = address != AddressKey.HTTP;
        ClonedStreams.Order order = ClonedStreams.order(stream, seq);
        if (seq > 0) {
            stream.arrivals.add(seq);
        }
        heard(stream);
        stream.order = order;
        return stream;
    }

    /** See {@code Ledger.announced}. */
    InboundStream announced(byte[] bytes, int begin, int end, long ageMillis, long first, long last) {
        InboundStream stream = streams.get(sought.at(bytes, begin, end));
        if (stream == null) {
            stream = begun(ageMillis, 0);
            if (streams.size() < bounds.streamsMax() && !isOverRate(0)) {
                remember(stream);
            }
        }
        if (first > 0) {
            if (stream.arrivals.received() == 0) {
                stream.countFrom(first);
            }
            stream.arrivals.add(first, last);
        }
        heard(stream);
        return stream;
    }

    /** A stream that is not remembered, with the ID that was sought. */
    private InboundStream begun(long ageMillis, long seqBefore) {
        InboundStream stream = new InboundStream(0, sought.toString(), false, new Arrivals(seqBefore), hashing);
        stream.bornMillis = listening.millis() - ageMillis;
        return stream;
    }

    /** Records that a stream's sender is alive. Its next lines may be of any datagram. */
    void heard(InboundStream stream) {
        cloned.end(stream);
        if (!stream.remembered || stream.dropped) {
            return;
        }
        stream.said++;
        stream.heardMillis = listening.millis();
        if (stream.heardMillis - stream.committedHeardMillis > InboundStream.HEARD_EVERY_MILLIS) {
            note(stream);
        }
    }

    /** Whether nothing of a stream can have been applied and then forgotten. */
    boolean isWhole(InboundStream stream) {
        return stream.remembered ? stream.whole : !hasForgotten() || stream.bornMillis > watchMillis;
    }

    /**
     * Whether too many streams are new in this minute, and this one loses nothing by waiting. Once streams are dropped
     * for lack of room, no stream waits: each drop moves the watch ahead, and a stream that waited would no longer be
     * whole. One whose amounts are its totals need not be whole. Where nothing may count without room, all wait.
     */
    boolean waits(InboundStream stream) {
        if (stream.remembered) {
            return false;
        }
        return (stream.once || refusesWithoutRoom(stream))
                ? !makesRoom(stream)
                : isOverRate(stream.address) && isWhole(stream) && streams.size() < bounds.streamsMax();
    }

    /** Whether its present lines must not count by their amounts: they may be replayed. */
    boolean refusesWithoutRoom(InboundStream stream) {
        return bounds.refusesWithoutRoom() && stream.fromDatagrams;
    }

    /** Whether there is room for a new stream, perhaps after others gave way. */
    private boolean makesRoom(InboundStream stream) {
        if (isOverRate(stream.address)) {
            return false;
        }
        if (streams.size() >= bounds.streamsMax()) {
            crowdOut(Long.MAX_VALUE);
        }
        return streams.size() < bounds.streamsMax();
    }

    private boolean isOverRate(long address) {
        return newStreams.isOver(address, listening.millis());
    }

    /** Returns the remembered stream with this one's ID, which another connection may have added; null without room. */
    @Nullable
    InboundStream remember(InboundStream stream) {
        StreamKey id = new StreamKey(stream.sender, hashing);
        InboundStream known = streams.get(id);
        if (known != null) {
            return known;
        }
        if (!makesRoom(stream)) {
            noRoom.increment();
            if (isWhole(stream)) {
                // A part of it is applied and forgotten now.
                watchSince(listening.millis() + DELAY_MILLIS);
            }
            return null;
        }
        newStreams.add(stream.address);
        stream.begin(++lastId, isWhole(stream), listening.millis());
        note(stream);
        streams.put(id, stream);
        return stream;
    }

    // Watermarks

    /** Whether another watermark of this stream may be kept; makes room for it if streams that send less often can give way. */
    boolean hasRoomForWatermark(InboundStream stream) {
        if (watermarks >= bounds.watermarksMax()) {
            crowdOut(stream.said);
        }
        if (watermarks >= bounds.watermarksMax()) {
            noRoom.increment();
            return false;
        }
        return true;
    }

    /** Makes a place for the watermarks of a counter that has none in this stream. */
    int addPlace(InboundStream stream, int counter) {
        int place = stream.add(counter);
        watermarks++;
        return place;
    }

    /**
     * Makes what this counter got from streams no longer part of its value; its watermarks stay.
     *
     * @return how many streams have a watermark of it
     */
    int remove(int counter) {
        int count = 0;
        for (InboundStream stream : streams.values()) {
            int place = stream.place(counter);
            if (place >= 0) {
                stream.setUncountedAt(place, stream.netTotalAt(place));
                note(stream);
                count++;
            }
        }
        return count;
    }

    // Forgetting

    /**
     * Forgets the streams that sent least often, a part of all at once: a flood of streams that rarely send displaces
     * itself.
     *
     * @param said only streams that have sent less often than this are dropped
     */
    private void crowdOut(long said) {
        long now = listening.millis();
        long most = Math.min(crowding.left(now), Math.max(1, streams.size() / GIVING_WAY_PART));
        if (now < crowdedUntil || most <= 0) {
            return;
        }
        List<InboundStream> least = streams.values().stream()
                .filter(stream -> stream.said < said
                        && (!refusesWithoutRoom(stream) || stream.heardMillis <= now - bounds.replayMillis()))
                .sorted(Comparator.<InboundStream>comparingLong(stream -> stream.said)
                        .thenComparingLong(stream -> stream.heardMillis))
                .limit(most)
                .toList();
        crowding.take(least.size());
        for (InboundStream stream : least) {
            streams.remove(sought.at(stream.sender.getBytes(ISO_8859_1)));
            forget(stream);
            crowdedOut.increment();
        }
        changed.removeIf(stream -> stream.dropped);
        if (least.isEmpty()) {
            // All have sent more often: do not search again for each line.
            crowdedUntil = now + CROWDED_MILLIS;
        }
    }

    /** Forgets the streams that were not heard for the expiry time. */
    void expire() {
        long now = listening.millis();
        if (now - expiredMillis < EXPIRY_EVERY_MILLIS) {
            return;
        }
        expiredMillis = now;
        long since = now - bounds.expiryMillis();
        for (Iterator<InboundStream> all = streams.values().iterator(); all.hasNext(); ) {
            InboundStream stream = all.next();
            if (stream.heardMillis < since) {
                all.remove();
                forget(stream);
                expired.increment();
            }
        }
        changed.removeIf(stream -> stream.dropped);
    }

    /** Forgets a stream that was removed from the table. The caller must also remove it from the changed ones. */
    private void forget(InboundStream stream) {
        dropped.add(new Changes.Dropped(stream.id, stream.size()));
        watermarks -= stream.size();
        watchSince(
                refusesWithoutRoom(stream)
                        ? stream.beganAtLatest() + bounds.replayMillis()
                        : stream.heardMillis + DELAY_MILLIS);
        stream.dropped = true;
    }

    /** Of streams that began before now, only amounts count. */
    void forgetEarlier() {
        watchSince(listening.millis());
    }

    /** Streams that seem to have begun earlier than this, in time spent listening, are not whole. */
    void watchSince(long millis) {
        watchMillis = Math.max(watchMillis, millis);
    }

    long watchMillis() {
        return watchMillis;
    }

    // Commits

    void note(InboundStream stream) {
        if (!stream.noted) {
            changed.add(stream);
            stream.noted = true;
        }
    }

    /** Makes the next commit write the state of every stream. */
    void noteAll() {
        streams.values().forEach(this::note);
    }

    boolean isChanged() {
        return !changed.isEmpty() || !dropped.isEmpty();
    }

    /** Takes the changed streams; see {@code Journal.watermarksAtOnce}. */
    List<Changes.Watermarks> takeChanged(int watermarksAtOnce) {
        List<Changes.Watermarks> taken = new ArrayList<>();
        for (InboundStream stream : changed) {
            taken.add(stream.takeChanges(watermarksAtOnce));
            stream.noted = false;
        }
        changed.clear();
        return taken;
    }

    /** Takes the streams that were forgotten. */
    List<Changes.Dropped> takeDropped() {
        List<Changes.Dropped> taken = List.copyOf(dropped);
        dropped.clear();
        return taken;
    }

    /** Called when what was taken did not reach the disk. */
    void putBack(List<Changes.Watermarks> failed, List<Changes.Dropped> notDropped) {
        dropped.addAll(notDropped);
        for (Changes.Watermarks one : failed) {
            InboundStream stream = streams.get(sought.at(one.stream().sender().getBytes(ISO_8859_1)));
            // It may have been forgotten meanwhile, and another stream may have the same ID.
            if (stream != null && stream.id == one.stream().id()) {
                stream.putBack(one);
                note(stream);
            }
        }
    }

    // Import

    /** Takes over the time that another ledger has listened, as if it had been here. */
    void takeOver(long listenedMillis) {
        listening.add(listenedMillis);
        expiredMillis = listening.millis();
    }

    /** Whether streams were forgotten. */
    boolean hasForgotten() {
        return watchMillis != Changes.Head.FOR_EVER;
    }

    Collection<InboundStream> all() {
        return streams.values();
    }

    /** The stream with this ID; null if it is not remembered. */
    @Nullable
    InboundStream find(String id) {
        return streams.get(sought.at(id.getBytes(ISO_8859_1)));
    }

    /** Remembers a stream that another ledger knows, without its watermarks. */
    InboundStream add(InboundStream other) {
        InboundStream stream = new InboundStream(++lastId, other.sender, other.whole, new Arrivals(0), hashing);
        stream.remembered = true;
        stream.quarantined = other.quarantined;
        streams.put(new StreamKey(other.sender, hashing), stream);
        return stream;
    }

    // For display

    int size() {
        return streams.size();
    }

    /** How much of the room for streams and watermarks is used, as a share: the larger one. */
    double usedRoom() {
        return Math.max((double) streams.size() / bounds.streamsMax(), (double) watermarks / bounds.watermarksMax());
    }

    long watermarks() {
        return watermarks;
    }

    long arrivals(ToLongFunction<Arrivals> number) {
        return streams.values().stream()
                .mapToLong(stream -> number.applyAsLong(stream.arrivals))
                .reduce(0, Values::sum);
    }

    List<StreamReport> reports() {
        long now = listening.millis();
        return streams.values().stream().map(stream -> stream.report(now)).toList();
    }

    /** What streams have to do with the value of a counter. */
    StreamParts parts(int counter) {
        return StreamParts.of(streams.values(), counter, listening.millis());
    }
}
