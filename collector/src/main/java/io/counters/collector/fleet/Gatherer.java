package io.counters.collector.fleet;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.intake.Kept;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.NewStreams;
import io.counters.wire.Commands;
import io.counters.wire.Verb;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Takes the lines that arrive at a collector of a fleet, and sends them to the owners of their names: every
 * {@value #WINDOW_MILLIS} ms, what has arrived is merged as {@link LineWindow} says, and written to the topic
 * {@code PREFIX.lines}. It keeps no count: every line is on its way to its owner.
 *
 * <p>Two windows take turns: intake fills one while the other is written. While Kafka does not acknowledge what was written,
 * the window stays open. It then needs memory only for what is different, not for what arrives: a line with a name that it
 * has already is merged. When its memory is used up, new lines are dropped, first those with totals, because their senders
 * repeat them. Intake never waits.
 *
 * <p>A partition must know a stream before the stream uses a name of it, so each stream is announced to every partition
 * when it is first heard and once an hour, and again when records were lost; not all at once, because a collector that
 * starts hears all streams within a second. An announcement is many times as large as the line that causes it, so few
 * streams may be new in a minute, and fewer from one address; the others wait, and so do their totals.
 */
final class Gatherer implements LineTarget, AutoCloseable {
    /** How long lines are gathered. */
    static final long WINDOW_MILLIS = 50;

    /** A window is sent earlier once it uses one part in this many of its memory, which is looked at so often. */
    private static final int EARLY_PART = 4;

    private static final long LOOK_MILLIS = 10;

    /** How often a stream is announced. */
    private static final long ANNOUNCED_EVERY_MILLIS = 3_600_000;

    /** The most streams that are announced with one window: with 64 partitions less than a megabyte. */
    private static final int ANNOUNCED_MAX = 256;

    /** How long Kafka may be silent before that is trouble. */
    private static final long SILENT_MILLIS = 5_000;

    /** How long a refused record is trouble if no other one is sent: a load balancer may send nothing more until this ends. */
    private static final long REFUSED_MILLIS = 60_000;

    /** The windows, the known streams and what waits for Kafka may use one part in this many of the heap. */
    private static final int HEAP_PART = 8;

    private static final int STREAMS_MIN = 64;

    /** One in this many of the known streams may be new in a minute, so that those that are heard stay known. */
    private static final int NEW_STREAMS_PART = 4;

    /** What a bound of the age keeps from overflowing: more than an age that any sender has. */
    private static final long AGE_MAX = Long.MAX_VALUE / 4;

    /** The maximum time that Kafka may delay the end. */
    static final long END_MILLIS = 2000;

    private final LongSupplier nanoClock;
    private final LongSupplier wallMillis;
    private final LineLog log;
    private final int partitions;
    private final SeededHash hashing;
    private final CRC32C crc = new CRC32C();
    private final GatheredCounts counts;
    private final FaultLog faults;
    private final WindowWriter writer;
    private final Answered answered = new Answered();
    private final Object lock = new Object();
    private final Object sending = new Object();
    private final long windowBytes;
    private final int streamsMax;

    // Under the lock
    private final Map<KnownStream, KnownStream> streams = new LinkedHashMap<>(16, 0.75f, true);
    private final KnownStream sought = new KnownStream(new byte[0], 0, 0, AddressKey.UNKNOWN);
    private final NewStreams newStreams;
    private final Queue<KnownStream> unannounced = new ArrayDeque<>();
    private LineWindow open;

    /** What becomes of the open window. */
    private SentWindow sentOpen;

    /** Lines that were not passed on since the start, because they wait until they are repeated. */
    private long waiting;

    /** When a record was lost last: streams that were announced until then must be announced again. */
    private volatile long announceAgainMillis = KnownStream.NEVER;

    // Under "sending"
    private LineWindow other;
    private long windows = 1;
    private long dueMillis;

    /** When Kafka last acknowledged a record, or had none to acknowledge. */
    private volatile long answeredMillis;

    /** Why Kafka did not take a record, if it has taken none since. */
    private volatile Optional<String> refusal = Optional.empty();

    private volatile boolean drops;
    private boolean closed;

    /**
     * @param partitions of the fleet
     * @param heapBytes this JVM's maximum heap, of which a share is used
     * @param wallMillis Unix time
     * @param hashing for names and the IDs of streams
     */
    Gatherer(
            LineLog log,
            int partitions,
            long heapBytes,
            LongSupplier nanoClock,
            LongSupplier wallMillis,
            SeededHash hashing,
            FaultLog faults,
            Metrics metrics) {
        this.log = log;
        this.nanoClock = nanoClock;
        this.wallMillis = wallMillis;
        this.faults = faults;
        windowBytes = windowBytes(heapBytes);
        this.partitions = partitions;
        this.hashing = hashing;
        streamsMax = (int) Math.max(STREAMS_MIN, windowBytes / KnownStream.BYTES);
        newStreams = new NewStreams(streamsMax / NEW_STREAMS_PART);
        open = new LineWindow(hashing, windowBytes);
        other = new LineWindow(hashing, windowBytes);
        open.begin(windows);
        sentOpen = new SentWindow(answered);
        writer = new WindowWriter(partitions, log);
        dueMillis = nowMillis() + WINDOW_MILLIS;
        answeredMillis = nowMillis();
        counts = new GatheredCounts(metrics);
        metrics.gauge(
                "fleet_waiting_bytes",
                "Memory of lines that wait for Kafka: in the windows, and sent but not acknowledged.",
                () -> openBytes() + log.waitingBytes());
        metrics.gauge(
                "fleet_waiting_bytes_max",
                "The maximum of this memory.",
                () -> 2 * windowBytes + log.waitingBytesMax());
        metrics.gauge("fleet_known_streams", "Streams that were heard here lately.", this::knownStreams);
        metrics.gauge(
                "fleet_known_streams_max",
                "The maximum of these; the totals of a stream beyond it wait until it has room.",
                () -> streamsMax);
    }

    /** An eighth of the share for each window, and for the known streams. */
    private static long windowBytes(long heapBytes) {
        return Math.min(1 << 29, heapBytes / HEAP_PART / 8);
    }

    /** What may wait in Kafka's producer: five eighths of the share. */
    static long producerBytes(long heapBytes) {
        return heapBytes / HEAP_PART / 8 * 5;
    }

    private long nowMillis() {
        return TimeUnit.NANOSECONDS.toMillis(nanoClock.getAsLong());
    }

    // Input

    @Override
    public boolean batch(Runnable lines) {
        synchronized (lock) {
            long before = open.dropped() + waiting;
            lines.run();
            return open.dropped() + waiting == before;
        }
    }

    /**
     * Takes lines as {@link #batch} does. What is returned waits until Kafka has all of them, at most for a time, and says
     * whether it has.
     */
    Supplier<Kept> take(Runnable lines) {
        synchronized (lock) {
            SentWindow with = sentOpen;
            return batch(lines) ? () -> with.await(nanoClock) ? Kept.ALL : Kept.LATE : () -> Kept.NO_ROOM;
        }
    }

    @Override
    public Object stream(byte[] id, int begin, int end, long ageMillis, long seq, long address) {
        long now = nowMillis();
        long hash = hashing.of(id, begin, end);
        sought.seek(id, begin, end, hash);
        KnownStream known = streams.get(sought);
        KnownStream stream = known == null ? fresh(id, begin, end, hash, address) : known;
        stream.bornMillis = now - Math.min(ageMillis, AGE_MAX);
        pass(stream, now, seq);
        return stream;
    }

    /** It is announced to no partition: the one that has a name of it gets its line and remembers it. */
    @Override
    public Object once(byte[] id, int begin, int end, long ageMillis) {
        long now = nowMillis();
        KnownStream stream = fresh(id, begin, end, hashing.of(id, begin, end), AddressKey.HTTP);
        stream.bornMillis = now - Math.min(ageMillis, AGE_MAX);
        admit(stream, now);
        return stream;
    }

    private KnownStream fresh(byte[] id, int begin, int end, long hash, long address) {
        int home = Partitions.of(id, begin, end, partitions, crc);
        return new KnownStream(Arrays.copyOfRange(id, begin, end), hash, home, address);
    }

    private void admit(KnownStream stream, long now) {
        stream.isAdmitted = !newStreams.isOver(stream.address, now);
        if (stream.isAdmitted) {
            newStreams.add(stream.address);
        } else {
            counts.deferredStreams.increment();
        }
    }

    @Override
    public void heard(Object stream) {
        pass((KnownStream) stream, nowMillis(), 0);
    }

    /**
     * Passes on that a stream was heard, if its lines may be passed on, and announces it when that is due. Beyond the rate of new
     * streams, one waits: its totals are repeated, and applied once every partition is told of it. The numbers of its datagrams
     * are not passed on meanwhile, because even its home must not remember all streams of a flood; they are shown as lost.
     *
     * @param seq as {@link LineWindow#from} has it
     */
    private void pass(KnownStream stream, long now, long seq) {
        if (!stream.isAdmitted) {
            admit(stream, now);
            if (!stream.isAdmitted) {
                return;
            }
            streams.put(stream, stream);
            if (streams.size() > streamsMax) {
                streams.remove(streams.keySet().iterator().next());
            }
        }
        boolean isDue = stream.announcedMillis == KnownStream.NEVER
                || now - stream.announcedMillis >= ANNOUNCED_EVERY_MILLIS
                || stream.announcedMillis <= announceAgainMillis;
        if (isDue && !stream.waits && unannounced.size() < streamsMax) {
            stream.waits = true;
            unannounced.add(stream);
        }
        open.from(stream, seq);
    }

    @Override
    public void merge(@Nullable Object stream, Verb verb, byte[] name, int begin, int end, long amount, long total) {
        if (stream == null || total == Commands.NO_TOTAL) {
            open.amount(verb, name, begin, end, amount);
        } else if (((KnownStream) stream).isAdmitted) {
            open.total((KnownStream) stream, verb, name, begin, end, amount, total);
        } else {
            waiting++;
            counts.deferredLines.increment();
        }
    }

    @Override
    public void merge(byte[] name, int begin, int end, long integer, long rest) {
        open.fraction(name, begin, end, integer, rest);
    }

    // Output

    /**
     * Sends what has arrived, if {@value #WINDOW_MILLIS} ms have passed, or the window is large already, and if Kafka has
     * room. One thread calls it again after the time that it returns.
     *
     * @return milliseconds, 1 to {@value #LOOK_MILLIS}
     */
    long run() {
        synchronized (sending) {
            long now = nowMillis();
            if (now >= dueMillis || openBytes() > windowBytes / EARLY_PART) {
                count();
                if (log.hasRoom()) {
                    send(now);
                }
                dueMillis = now + WINDOW_MILLIS;
            }
            return Math.max(1, Math.min(LOOK_MILLIS, dueMillis - nowMillis()));
        }
    }

    /** Counts what arrived and what was dropped, and logs the latter. */
    private void count() {
        ArrivedLines arrived;
        synchronized (lock) {
            arrived = open.takeArrived();
        }
        counts.taken.add(arrived.lines());
        counts.dropped.add(arrived.droppedTotals(), arrived.droppedAmounts(), arrived.droppedNumbers());
        drops = arrived.dropped() > 0;
        if (drops) {
            faults.warn(
                    "dropped lines",
                    () -> String.format(
                            Locale.ROOT,
                            "the memory for lines that wait for Kafka, %,d bytes, is full, so new lines are dropped: %,d with"
                                    + " totals, which their senders repeat, and %,d without; check Kafka's brokers, or raise"
                                    + " -Xmx",
                            openBytes() + log.waitingBytes(),
                            arrived.droppedTotals(),
                            arrived.droppedAmounts()));
        }
    }

    private void send(long now) {
        LineWindow full;
        SentWindow sending;
        synchronized (lock) {
            announce(now);
            full = open;
            other.begin(++windows);
            open = other;
            other = full;
            sending = sentOpen;
            sentOpen = new SentWindow(answered);
        }
        int announcedNow = full.streams().announced().cardinality();
        if (full.size() == 0 && announcedNow == 0) {
            sending.written(0);
            return;
        }
        counts.announced.add(announcedNow);
        counts.sent.add(full.size() - full.runs());
        if (log.waitingBytes() == 0) {
            answeredMillis = now;
        }
        sending.written(writer.write(full, now, wallMillis.getAsLong(), sending));
    }

    private void announce(long now) {
        for (int left = ANNOUNCED_MAX; left > 0; left--) {
            KnownStream stream = unannounced.peek();
            if (stream == null || !open.announce(stream)) {
                return;
            }
            unannounced.remove();
            stream.waits = false;
            stream.announcedMillis = now;
        }
    }

    /** What became of the records; called by the producer's thread. */
    private final class Answered implements LineLog.Answers {
        @Override
        public void waiting() {
            count();
        }

        @Override
        public void acknowledged(LineLog.Contents contents) {
            answeredMillis = nowMillis();
            refusal = Optional.empty();
            counts.records.increment();
            counts.bytes.add(contents.bytes());
        }

        @Override
        public void failed(LineLog.Contents contents, Exception why) {
            counts.lost.add(contents.totals(), contents.amounts(), contents.numbers());
            announceAgainMillis = nowMillis();
            refusal = Optional.of("Kafka refuses lines: " + Faults.reason(why));
            faults.warn(
                    "lost lines",
                    () -> String.format(
                            Locale.ROOT,
                            "Kafka did not take a record with %,d lines with totals, which their senders repeat, and %,d"
                                    + " without: %s; check Kafka's brokers and this collector's rights there",
                            contents.totals(),
                            contents.amounts(),
                            why));
        }
    }

    private long openBytes() {
        synchronized (lock) {
            return open.bytes();
        }
    }

    private long knownStreams() {
        synchronized (lock) {
            return streams.size();
        }
    }

    /** What is wrong now, for {@code /readyz}; empty if Kafka takes the lines. For any thread. */
    Optional<String> trouble() {
        long silent = nowMillis() - answeredMillis;
        if (drops) {
            return Optional.of("Kafka does not take the lines, and new ones are dropped");
        }
        Optional<String> refused = refusal.filter(why -> nowMillis() - announceAgainMillis < REFUSED_MILLIS);
        return refused.or(() -> log.waitingBytes() > 0 && silent >= SILENT_MILLIS
                ? Optional.of("Kafka has not taken lines for " + silent / 1000 + " s")
                : Optional.empty());
    }

    /** Like {@link #close}. Returns whether Kafka has acknowledged everything that had not been lost before. */
    boolean end() {
        long missing = counts.missing();
        close();
        return counts.missing() == missing && log.waitingBytes() == 0;
    }

    /**
     * Sends what has arrived, and waits until Kafka has it, at most {@value #END_MILLIS} ms. Call it when nothing arrives
     * any more. Idempotent.
     */
    @Override
    public void close() {
        log.endWithin(END_MILLIS);
        synchronized (sending) {
            if (!closed) {
                closed = true;
                count();
                send(nowMillis());
                log.close();
            }
        }
    }
}
