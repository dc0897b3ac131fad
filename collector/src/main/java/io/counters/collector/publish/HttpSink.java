package io.counters.collector.publish;

import io.counters.collector.common.DiskFault;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import okhttp3.Headers;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends points by HTTP, over several keep-alive connections at once: to OpenTSDB's {@code /api/put}, by OTLP, or by Prometheus'
 * remote write. What differs is its {@link PointFormat}, and the order of ticks: only OpenTSDB gets the current one before those
 * that wait.
 *
 * <p>{@link #put} writes a tick to the {@link Spool}; this sink's own thread then sends the pieces that {@link DeliverySchedule}
 * returns, and deletes a tick when all its points are confirmed. So points that the server does not confirm stay on disk and
 * are sent again, unchanged, until it does.
 */
public final class HttpSink implements Sink {
    private static final Logger log = LoggerFactory.getLogger(HttpSink.class);

    /** With ?sync, a TSD flushes to HBase once a second by default, so a connection carries one body a second. */
    static final int CONNECTIONS = 20;

    /** A little longer than a TSD's flush, which is once a second. */
    private static final long LAST_MILLIS = 2_000;

    /** One body as it is sent. Unpacked it is up to fifty times as large; one at a time is unpacked. */
    private static final int BODY_HEAP_SHARE = 512;

    static final int BODY_BYTES_MIN = 64 * 1024;

    /** Of other servers than OpenTSDB, which accept megabytes; their bodies have a limit of points as well. */
    private static final int BODY_BYTES = 256 * 1024;

    /** Parts of bodies that wait in memory to be sent again; beyond this, whole bodies are sent again from the spool. */
    private static final int KEPT_HEAP_SHARE = 16;

    /** Ticks in memory that something else has until they are confirmed, with their parts. */
    private static final int AHEAD_HEAP_SHARE = 16;

    private static final Duration AFTER_FAULT = Duration.ofSeconds(1);
    /** The end of a problem is logged only if it lasted longer, because single failures are not an outage. */
    private static final Duration TOLD_AFTER = Duration.ofSeconds(3);

    private final SinkAddress address;
    private final Requests requests;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final Backlog backlog;
    private final boolean isReadingAhead;
    private final TickPacker bodies;
    private final DeliverySchedule delivery;
    private final long aheadMax;
    private final Semaphore moved = new Semaphore(0);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicLong troubleSince = new AtomicLong();
    private volatile long lastNanos;
    private volatile boolean closing;

    /** The last tick could not be kept in the spool. */
    private volatile boolean unkept;

    private final SinkCounts counts;

    /**
     * Creates a sink that opens connections when they are needed, and replays the ticks that an earlier run left in its
     * spool.
     *
     * @param address of the server
     * @param folder of the spool, for this sink only
     * @param heapBytes the heap, which limits the sizes of bodies and answers
     * @param random for the jitter of pauses
     * @param threads creates the thread that sends
     * @throws IOException if the folder cannot be used
     */
    public HttpSink(
            SinkAddress address,
            Path folder,
            PublishSettings settings,
            long heapBytes,
            InstantSource clock,
            LongSupplier nanoClock,
            RandomGenerator random,
            ThreadFactory threads,
            FaultLog faults,
            Metrics metrics)
            throws IOException {
        this(
                address,
                new Spool(folder, settings.spoolBytes()),
                settings,
                heapBytes,
                clock,
                nanoClock,
                random,
                threads,
                faults,
                metrics);
    }

    /**
     * Creates a sink without a spool: a tick is only in memory, oldest first, until the {@code done} that is put with it is
     * called.
     *
     * @param origin what has the ticks until then, for the log
     */
    public static HttpSink readingAhead(
            SinkAddress address,
            String origin,
            PublishSettings settings,
            long heapBytes,
            InstantSource clock,
            LongSupplier nanoClock,
            RandomGenerator random,
            ThreadFactory threads,
            FaultLog faults,
            Metrics metrics) {
        return new HttpSink(
                address,
                new ReadAhead(origin),
                settings,
                heapBytes,
                clock,
                nanoClock,
                random,
                threads,
                faults,
                metrics);
    }

    private HttpSink(
            SinkAddress address,
            Backlog backlog,
            PublishSettings settings,
            long heapBytes,
            InstantSource clock,
            LongSupplier nanoClock,
            RandomGenerator random,
            ThreadFactory threads,
            FaultLog faults,
            Metrics metrics) {
        this.backlog = backlog;
        this.address = address;
        this.nanoClock = nanoClock;
        this.faults = faults;
        aheadMax = heapBytes / AHEAD_HEAP_SHARE;
        PointFormat format = address.kind().format(settings.series());
        bodies = new TickPacker(format, bodyBytes(address.kind(), settings.bodyBytes(), heapBytes));
        long now = nanoClock.getAsLong();
        isReadingAhead = backlog instanceof ReadAhead;
        if (address.kind() != SinkAddress.Kind.OPENTSDB) {
            delivery = DeliverySchedule.inOrder(backlog, CONNECTIONS, random, now);
        } else if (backlog instanceof ReadAhead ahead) {
            delivery = DeliverySchedule.oldestFirst(ahead, CONNECTIONS, random, now);
        } else {
            delivery = new DeliverySchedule(
                    backlog, CONNECTIONS, settings.interval().toSeconds(), random, now);
        }
        ResponsePolicy policy = new ResponsePolicy(
                toString(), format, delivery::keptBytes, heapBytes / KEPT_HEAP_SHARE, nanoClock, faults);
        requests = new Requests(
                address.endpoint(settings.safe()),
                Headers.of(address.headers(format)),
                format,
                toString(),
                clock,
                CONNECTIONS,
                heapBytes,
                policy,
                this::apply,
                this::lost,
                faults);
        counts = new SinkCounts(address.label(), metrics);
        show(address.label(), clock, metrics);
        if (delivery.olderPoints() > 0) {
            log.info("sending the points that an earlier run left in {}: {}", backlog, delivery.olderPoints());
        }
        threads.newThread(this::run).start();
    }

    private void show(String sink, InstantSource clock, Metrics metrics) {
        metrics.gauge("publish_spool_bytes", "Size of the spool on disk.", "sink", sink, delivery::olderBytes);
        if (!isReadingAhead) {
            Sink.showLag(sink, this::waitingPoints, this::oldestSecond, clock, metrics);
        }
        metrics.gauge(
                "publish_in_flight_bytes",
                "Size of the requests with points that are in flight.",
                "sink",
                sink,
                requests::inFlightBytes);
        metrics.gauge(
                "publish_replay_points_per_second",
                "Rate at which points of older ticks are sent.",
                "sink",
                sink,
                () -> delivery.replayRate(nanoClock.getAsLong()));
    }

    private static int bodyBytes(SinkAddress.Kind kind, int openTsdbBytes, long heapBytes) {
        int wanted = kind == SinkAddress.Kind.OPENTSDB ? openTsdbBytes : BODY_BYTES;
        int allowed = bodyBytes(wanted, heapBytes);
        if (allowed < wanted && kind == SinkAddress.Kind.OPENTSDB) {
            log.warn(
                    "--opentsdb-body is {} bytes, but a heap of {} MB allows bodies of at most {} bytes; raise -Xmx",
                    wanted,
                    heapBytes >> 20,
                    allowed);
        }
        return allowed;
    }

    /** The maximum size of a body, by the setting and by the heap. */
    static int bodyBytes(int wanted, long heapBytes) {
        return (int) Math.min(wanted, Math.max(BODY_BYTES_MIN, heapBytes / BODY_HEAP_SHARE));
    }

    @Override
    public void put(long second, Snapshot values) {
        put(second, values, () -> {});
    }

    @Override
    public void put(long second, Snapshot values, Runnable done) {
        if (values.size() == 0) {
            done.run();
            return;
        }
        shed();
        try {
            TickBodies tick = backlog.write(second, values, bodies, done);
            if (isReadingAhead) {
                delivery.add(tick);
            } else {
                delivery.begin(tick);
            }
            unkept = false;
        } catch (IOException noDisk) {
            unkept = true;
            counts.lost.add(values.size());
            faults.warn(
                    this + " spool",
                    this + " loses the points of second " + second + " (points: " + values.size()
                            + "), because they cannot be written to " + backlog + ": " + DiskFault.text(noDisk)
                            + "; counts are unaffected, and the next tick has them");
            done.run();
        }
        shed();
        String trouble = backlog.trouble();
        if (trouble != null) {
            faults.warn(this + " spool trouble", "the spool " + backlog + " continues, but " + trouble);
        }
        moved.release();
    }

    @Override
    public String label() {
        return address.label();
    }

    @Override
    public boolean hasRoom() {
        return backlog.bytes() + delivery.keptBytes() < aheadMax;
    }

    @Override
    public boolean needsOrder() {
        return address.kind() != SinkAddress.Kind.OPENTSDB;
    }

    @Override
    public long waitingPoints() {
        return delivery.olderPoints();
    }

    @Override
    public long oldestSecond(long nothing) {
        return delivery.oldest(nothing);
    }

    @Override
    public Optional<String> trouble() {
        if (unkept) {
            return Optional.of(this + " loses points, because they cannot be written to " + backlog);
        }
        if (delivery.isUnreadable()) {
            return Optional.of(this + " sends no points, because its oldest tick in " + backlog + " cannot be read");
        }
        return troubleSince.get() == 0
                ? Optional.empty()
                : Optional.of(this + " takes no points; older points in the spool: " + delivery.olderPoints());
    }

    private void shed() {
        long shed = delivery.shed();
        if (shed > 0) {
            counts.lost.add(shed);
            faults.warn(
                    this + " full",
                    "the spool " + backlog + " is full, so its oldest points are lost (points: " + shed
                            + "); to keep more, raise --spool");
        }
    }

    // Sending

    private void run() {
        try {
            while (!isOver()) {
                try {
                    step();
                } catch (RuntimeException fault) {
                    faults.warn(this + " fault", this + " failed and continues: " + fault);
                    moved.tryAcquire(AFTER_FAULT.toNanos(), TimeUnit.NANOSECONDS);
                }
            }
        } catch (InterruptedException nobodyShould) {
            Thread.currentThread().interrupt();
        } finally {
            backlog.sweep();
            ended.countDown();
        }
    }

    private void step() throws InterruptedException {
        long now = nanoClock.getAsLong();
        Piece piece = next(now);
        if (piece != null) {
            while (!requests.hasRoom(piece)) {
                moved.tryAcquire(1, TimeUnit.SECONDS);
            }
            requests.send(piece);
        } else if (moved.tryAcquire(waitNanos(now), TimeUnit.NANOSECONDS)) {
            moved.drainPermits();
        }
    }

    private long waitNanos(long now) {
        long wait = delivery.waitNanos(now);
        return closing ? Math.min(wait, Math.max(0, lastNanos - now)) : wait;
    }

    private boolean isOver() {
        return closing && (isLastDone() || delivery.isInTrouble() || nanoClock.getAsLong() - lastNanos >= 0);
    }

    /** Whether the last tick is confirmed; older ones are in the spool, and if there is no spool, there are none. */
    private boolean isLastDone() {
        return isReadingAhead ? delivery.isDone() : delivery.isCurrentDone();
    }

    private @Nullable Piece next(long now) {
        try {
            return delivery.next(now);
        } catch (DamagedTick tick) {
            sayLost(tick.points, tick);
            return null;
        } catch (IOException notNow) {
            faults.warn(this + " unread", "the spool " + backlog + " cannot be read now and is tried again: " + notNow);
            return null;
        }
    }

    private void sayLost(int points, Exception why) {
        counts.lost.add(points);
        faults.warn(this + " damaged", "points of the spool are lost (points: " + points + "): " + why);
    }

    private void lost(Piece piece, IOException why) {
        sayLost(delivery.lose(piece), why);
    }

    private void apply(Piece piece, Outcome outcome) {
        if (!outcome.rest().isEmpty()) {
            counts.retries.increment();
        }
        long now = nanoClock.getAsLong();
        if (delivery.apply(piece, outcome, now)) {
            counts.delivered.add((long) outcome.done() - outcome.dropped());
            if (outcome.dropped() > 0) {
                counts.refused(outcome.dropped(), outcome.reason());
            }
        }
        if (outcome.pause() == Outcome.Pause.SERVER) {
            troubleSince.compareAndSet(0, now == 0 ? 1 : now);
        } else {
            long since = troubleSince.getAndSet(0);
            if (since != 0 && now - since > TOLD_AFTER.toNanos()) {
                log.info("{} accepts points again; points in the spool: {}", this, delivery.olderPoints());
            }
        }
        moved.release();
    }

    @Override
    public String toString() {
        return address.toString();
    }

    @Override
    public void close() {
        if (closing) {
            return;
        }
        lastNanos = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(LAST_MILLIS);
        closing = true;
        requests.closing();
        moved.release();
        try {
            ended.await(LAST_MILLIS + 100, TimeUnit.MILLISECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
        requests.close();
        long left = delivery.olderPoints();
        if (left > 0 || !delivery.isCurrentDone()) {
            log.info("points for {} that stay in {} for the next start: {}", this, backlog, backlog.points());
        }
    }
}
