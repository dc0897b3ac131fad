package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.Delivery.Damaged;
import io.counters.collector.publish.Delivery.Piece;
import io.counters.collector.publish.Delivery.Rest;
import io.counters.collector.self.DiskFault;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import okio.BufferedSink;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * OpenTSDB's {@code /api/put}, over several keep-alive connections at once.
 *
 * <p>{@link #put} writes a tick to the {@link Spool}; this sink's own thread then sends the pieces that {@link Delivery}
 * returns, and deletes a tick when all its points are confirmed. So points that OpenTSDB does not confirm stay on disk and
 * are sent again, unchanged, until it does.
 *
 * <p>How an {@link Answer} affects the points of a request:
 *
 * <pre>
 *   204, or none failed                  confirmed
 *   some named as bad                    those are dropped, counted and logged, the others confirmed
 *   some named with a temporary reason   those are sent again: "Write timedout", "Please throttle", "Storage exception"
 *   some of unknown metric               those are sent again for ten minutes, and then dropped
 *   timeouts counted                     all but the bad ones are sent again: if there are bad ones, a TSD names the
 *                                        wrong points as timed out
 *   more failed than were named          each half is sent again
 *   one cannot be read: 400, JSON         each half is sent again; a single point is dropped
 *   413                                  each half is sent again
 *   400 without JSON, closed, half       all are sent again; from the third time on each half, because a request that
 *   an answer                            is too large can also cause this
 *   anything else, no answer, one that   all are sent again
 *   is too long for this many points
 * </pre>
 */
public final class OpenTsdbSink implements Sink {
    private static final Logger log = LoggerFactory.getLogger(OpenTsdbSink.class);

    /** With ?sync, a TSD flushes to HBase once a second by default, so a connection carries one body a second. */
    static final int CONNECTIONS = 20;

    private static final int SYNC_MILLIS = 3_000;
    private static final int CALL_MILLIS = 5_000;
    /** A little longer than a TSD's flush, which is once a second. */
    private static final long LAST_MILLIS = 2_000;

    /** The maximum characters of an answer: for each point of the request, for the rest, and as a share of the heap. */
    private static final long ANSWER_CHARS_A_POINT = 1024;

    private static final long ANSWER_CHARS_MIN = 64 * 1024;
    private static final int ANSWER_HEAP_SHARE = 128;

    /** The bodies of all requests in flight; a single one may be larger. */
    private static final int IN_FLIGHT_HEAP_SHARE = 8;

    /** One body as it is sent. Unpacked it is up to fifty times as large; one at a time is unpacked. */
    private static final int BODY_HEAP_SHARE = 512;

    static final int BODY_BYTES_MIN = 64 * 1024;

    /** Parts of bodies that wait in memory to be sent again; beyond this, whole bodies are sent again from the spool. */
    private static final int KEPT_HEAP_SHARE = 16;

    /** Ticks in memory that something else has until they are confirmed, with their parts. */
    private static final int AHEAD_HEAP_SHARE = 16;

    private static final Duration AFTER_FAULT = Duration.ofSeconds(1);
    private static final int ATTEMPTS_UNTIL_HALVED = 3;
    private static final int HALVED_POINTS_MIN = 50;
    /** The end of a problem is logged only if it lasted longer, because single failures are not an outage. */
    private static final Duration TOLD_AFTER = Duration.ofSeconds(3);

    private static final Duration UNKNOWN_KEPT = Duration.ofMinutes(10);
    private static final MediaType JSON = MediaType.get("application/json");

    private final HttpUrl url;
    private final OkHttpClient client;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final Backlog backlog;
    private final boolean isReadingAhead;
    private final Bodies bodies;
    private final Delivery delivery;
    private final long inFlightMax;
    private final long answerMax;
    private final long keptMax;
    private final long aheadMax;
    private final AtomicLong inFlight = new AtomicLong();
    private final Object unpacking = new Object();
    private final Semaphore moved = new Semaphore(0);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicLong troubleSince = new AtomicLong();
    private final AtomicBoolean unknownSaid = new AtomicBoolean();
    private volatile long lastNanos;
    private volatile boolean closing;

    /** The last tick could not be kept in the spool. */
    private volatile boolean unkept;

    private final LongAdder delivered;
    private final LongAdder bad;
    private final LongAdder lost;
    private final LongAdder retries;

    /**
     * Creates a sink that opens connections when they are needed, and replays the ticks that an earlier run left in its
     * spool.
     *
     * @param address of the TSD; {@code /api/put} is appended
     * @param folder of the spool, for this sink only
     * @param heapBytes the heap, which limits the sizes of bodies and answers
     * @param random for the jitter of pauses
     * @param threads creates the thread that sends
     * @throws IOException if the folder cannot be used
     */
    public OpenTsdbSink(
            HttpUrl address,
            Path folder,
            PublishSettings settings,
            long heapBytes,
            InstantSource clock,
            LongSupplier nanoClock,
            RandomGenerator random,
            ThreadFactory threads,
            FaultLog faults,
            Self self)
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
                self);
    }

    /**
     * Creates a sink without a spool: a tick is only in memory, oldest first, until the {@code done} that is put with it is
     * called.
     *
     * @param origin what has the ticks until then, for the log
     */
    public static OpenTsdbSink readingAhead(
            HttpUrl address,
            String origin,
            PublishSettings settings,
            long heapBytes,
            InstantSource clock,
            LongSupplier nanoClock,
            RandomGenerator random,
            ThreadFactory threads,
            FaultLog faults,
            Self self) {
        return new OpenTsdbSink(
                address, new ReadAhead(origin), settings, heapBytes, clock, nanoClock, random, threads, faults, self);
    }

    private OpenTsdbSink(
            HttpUrl address,
            Backlog backlog,
            PublishSettings settings,
            long heapBytes,
            InstantSource clock,
            LongSupplier nanoClock,
            RandomGenerator random,
            ThreadFactory threads,
            FaultLog faults,
            Self self) {
        this.backlog = backlog;
        HttpUrl.Builder put = address.newBuilder().addPathSegments("api/put").addQueryParameter("details", null);
        if (settings.safe()) {
            put.addQueryParameter("sync", null).addQueryParameter("sync_timeout", String.valueOf(SYNC_MILLIS));
        }
        url = put.build();
        this.nanoClock = nanoClock;
        this.faults = faults;
        inFlightMax = heapBytes / IN_FLIGHT_HEAP_SHARE;
        answerMax = heapBytes / ANSWER_HEAP_SHARE;
        keptMax = heapBytes / KEPT_HEAP_SHARE;
        aheadMax = heapBytes / AHEAD_HEAP_SHARE;
        Dispatcher dispatcher = new Dispatcher(callers(faults));
        dispatcher.setMaxRequests(CONNECTIONS);
        dispatcher.setMaxRequestsPerHost(CONNECTIONS);
        client = new OkHttpClient.Builder()
                .dispatcher(dispatcher)
                .connectTimeout(Duration.ofSeconds(2))
                .readTimeout(Duration.ZERO)
                .callTimeout(Duration.ofMillis(CALL_MILLIS))
                .followRedirects(false)
                .connectionPool(new ConnectionPool(CONNECTIONS, 1, TimeUnit.MINUTES))
                .build();
        int bodyBytes = bodyBytes(settings.bodyBytes(), heapBytes);
        if (bodyBytes < settings.bodyBytes()) {
            log.warn(
                    "--opentsdb-body is {} bytes, but a heap of {} MB allows bodies of at most {} bytes; raise -Xmx",
                    settings.bodyBytes(),
                    heapBytes >> 20,
                    bodyBytes);
        }
        bodies = new Bodies(settings.series(), bodyBytes);
        long now = nanoClock.getAsLong();
        if (backlog instanceof ReadAhead ahead) {
            isReadingAhead = true;
            delivery = Delivery.oldestFirst(ahead, CONNECTIONS, random, now);
        } else {
            isReadingAhead = false;
            delivery = new Delivery(backlog, CONNECTIONS, settings.interval().toSeconds(), random, now);
        }
        delivered = self.count("publish_points_total", "Points that OpenTSDB confirmed.");
        bad = self.count("publish_bad_points_total", "Points that OpenTSDB refused permanently.");
        lost = self.count("publish_lost_points_total", "Points that were lost before they were delivered.");
        retries = self.count(
                "publish_retries_total", "Requests to OpenTSDB that were sent again, completely or in part.");
        String sink = address.host() + ":" + address.port();
        self.gauge("publish_spool_bytes", "Size of the spool on disk.", "sink", sink, delivery::olderBytes);
        if (!isReadingAhead) {
            Sink.showLag(sink, this::waitingPoints, this::oldestSecond, clock, self);
        }
        self.gauge(
                "publish_in_flight_bytes",
                "Size of the requests to OpenTSDB that are in flight.",
                "sink",
                sink,
                inFlight::get);
        self.gauge(
                "publish_replay_points_per_second",
                "Rate at which points of older ticks are sent.",
                "sink",
                sink,
                () -> delivery.replayRate(nanoClock.getAsLong()));
        if (delivery.olderPoints() > 0) {
            log.info("sending the points that an earlier run left in {}: {}", backlog, delivery.olderPoints());
        }
        threads.newThread(this::run).start();
    }

    /** The maximum size of a body, by the setting and by the heap. */
    static int bodyBytes(int wanted, long heapBytes) {
        return (int) Math.min(wanted, Math.max(BODY_BYTES_MIN, heapBytes / BODY_HEAP_SHARE));
    }

    /** okhttp bounds their number. If a thread fails, its request has failed, and the next request gets a new thread. */
    private ExecutorService callers(FaultLog faults) {
        return new ThreadPoolExecutor(0, Integer.MAX_VALUE, 1, TimeUnit.MINUTES, new SynchronousQueue<>(), work -> {
            Thread thread = new Thread(work, "counters-opentsdb-call");
            thread.setDaemon(true);
            thread.setUncaughtExceptionHandler(
                    (ended, fault) -> faults.warn("opentsdb call", "a request to OpenTSDB failed: " + fault));
            return thread;
        });
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
            lost.add(values.size());
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
    public boolean hasRoom() {
        return backlog.bytes() + delivery.keptBytes() < aheadMax;
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
        return troubleSince.get() == 0
                ? Optional.empty()
                : Optional.of(this + " takes no points; older points in the spool: " + delivery.olderPoints());
    }

    private void shed() {
        long shed = delivery.shed();
        if (shed > 0) {
            lost.add(shed);
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
            Exchange exchange = new Exchange(piece);
            exchange.awaitRoom();
            exchange.begin();
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
        } catch (Damaged tick) {
            sayLost(tick.points, tick);
            return null;
        } catch (IOException notNow) {
            faults.warn(this + " unread", "the spool " + backlog + " cannot be read now and is tried again: " + notNow);
            return null;
        }
    }

    private void sayLost(int points, Exception why) {
        lost.add(points);
        faults.warn(this + " damaged", "points of the spool are lost (points: " + points + "): " + why);
    }

    /**
     * The result of a piece.
     *
     * @param done points that need not be sent again
     * @param dropped how many of them were refused
     * @param rest the parts that are sent again
     * @param trouble whether the whole request failed
     * @param atOnce whether the rest may be sent at once
     */
    private record Verdict(int done, int dropped, List<Rest> rest, boolean trouble, boolean atOnce) {
        static Verdict taken(Piece piece) {
            return new Verdict(piece.points, 0, List.of(), false, false);
        }

        static Verdict again(Piece piece) {
            return new Verdict(0, 0, whole(piece), true, false);
        }

        static Verdict inHalves(Piece piece) throws IOException {
            return new Verdict(0, 0, halves(piece), false, true);
        }
    }

    /** One request. Its piece is settled exactly once, even after an error; otherwise its tick would never end. */
    private final class Exchange extends RequestBody implements Callback {
        private final Piece piece;
        private final int bytes;
        private final AtomicBoolean settled = new AtomicBoolean();
        /** Created in advance, while there is memory for it. */
        private final Verdict again;

        private byte[] body = {};
        private volatile boolean reached;

        Exchange(Piece piece) {
            this.piece = piece;
            bytes = piece.bytes();
            again = Verdict.again(piece);
        }

        /** Waits until the requests in flight leave room for this body. */
        void awaitRoom() throws InterruptedException {
            while (inFlight.get() > 0 && inFlight.get() + bytes > inFlightMax) {
                moved.tryAcquire(1, TimeUnit.SECONDS);
            }
            inFlight.addAndGet(bytes);
        }

        void begin() {
            try {
                body = piece.gzipped();
                client.newCall(new Request.Builder()
                                .url(url)
                                .header("Content-Encoding", "gzip")
                                .post(this)
                                .build())
                        .enqueue(this);
            } catch (TickFile.DamagedFile | NoSuchFileException gone) {
                settle(new Verdict(0, 0, again.rest, false, true));
                sayLost(delivery.lose(piece), gone);
            } catch (IOException unreadable) {
                settle(new Answer.Trouble("gets no request, because its spool cannot be read: " + unreadable, false));
            } catch (RuntimeException | Error fault) {
                failed(fault);
            }
        }

        @Override
        public MediaType contentType() {
            return JSON;
        }

        @Override
        public long contentLength() {
            return body.length;
        }

        @Override
        public void writeTo(BufferedSink out) throws IOException {
            reached = true;
            out.write(body);
        }

        @Override
        public void onResponse(Call call, Response response) {
            Answer answer;
            try (response) {
                BoundedText text = new BoundedText(
                        new InputStreamReader(response.body().byteStream(), UTF_8),
                        Math.min(answerMax, ANSWER_CHARS_MIN + piece.points * ANSWER_CHARS_A_POINT));
                answer = Answer.read(response.code(), text, piece.points);
                if (response.code() != 204 && !text.isEnded()) {
                    // Otherwise okhttp would read on for a while to reuse the connection.
                    call.cancel();
                }
            } catch (IOException half) {
                answer = new Answer.Trouble("sent an incomplete answer: " + FaultLog.shown(half.toString()), true);
            } catch (RuntimeException | Error fault) {
                failed(fault);
                return;
            }
            settle(answer);
        }

        @Override
        public void onFailure(Call call, IOException failure) {
            String why = FaultLog.shown(failure.toString());
            settle(new Answer.Trouble("cannot be reached (" + why + ")", reached && !call.isCanceled()));
        }

        private void settle(Answer answer) {
            Verdict verdict;
            try {
                verdict = bounded(judge(piece, answer));
            } catch (IOException | RuntimeException | Error fault) {
                failed(fault);
                return;
            }
            settle(verdict);
        }

        /** If too many parts wait in memory, the whole piece is sent again instead of a part. */
        private Verdict bounded(Verdict wanted) {
            boolean keeps = !piece.isKept() && wanted.rest.stream().anyMatch(rest -> rest.gzipped() != null);
            if (!keeps || delivery.keptBytes() + bytes <= keptMax) {
                return wanted;
            }
            warn(
                    "kept",
                    "fails parts of so many requests that no more parts are kept in memory; whole requests are sent again");
            return again;
        }

        private void failed(Throwable fault) {
            settle(again);
            faults.warn(
                    OpenTsdbSink.this + " fault",
                    "a request to " + OpenTsdbSink.this + " failed and is sent again: " + fault);
        }

        private void settle(Verdict verdict) {
            if (settled.compareAndSet(false, true)) {
                inFlight.addAndGet(-bytes);
                OpenTsdbSink.this.settle(piece, verdict);
            }
        }
    }

    private Verdict judge(Piece piece, Answer answer) throws IOException {
        if (answer instanceof Answer.Taken) {
            return Verdict.taken(piece);
        }
        // An unpacked body is much larger than a sent one, so one at a time is unpacked.
        synchronized (unpacking) {
            if (answer instanceof Answer.Counted counted) {
                return judge(piece, counted);
            }
            if (answer instanceof Answer.Unreadable unreadable) {
                if (piece.points > 1) {
                    return Verdict.inHalves(piece);
                }
                drop(points(piece).get(0), unreadable.why());
                return new Verdict(1, 1, List.of(), false, false);
            }
            if (answer instanceof Answer.TooLarge) {
                warn(
                        "413",
                        "answered 413, so requests of " + piece.bytes() + " bytes are halved; to send smaller ones from"
                                + " the start, lower --opentsdb-body");
                return piece.points > 1 ? Verdict.inHalves(piece) : Verdict.again(piece);
            }
            Answer.Trouble trouble = (Answer.Trouble) answer;
            if (!closing) {
                warn("trouble", trouble.why() + "; points are kept and sent again");
            }
            boolean halved = trouble.maySize()
                    && piece.attempts + 1 >= ATTEMPTS_UNTIL_HALVED
                    && piece.points > HALVED_POINTS_MIN;
            return halved ? new Verdict(0, 0, halves(piece), true, false) : Verdict.again(piece);
        }
    }

    private Verdict judge(Piece piece, Answer.Counted counted) throws IOException {
        if (counted.failed() == 0 && counted.reasons().isEmpty()) {
            return Verdict.taken(piece);
        }
        List<String> again = new ArrayList<>();
        int named = 0;
        int dropped = 0;
        boolean unknown = false;
        long now = nanoClock.getAsLong();
        for (String point : points(piece)) {
            String reason = counted.reasons().get(Answer.key(point));
            if (reason == null) {
                if (counted.timeouts() > 0) {
                    again.add(point);
                }
                continue;
            }
            named++;
            Answer.Fate fate = Answer.fate(reason);
            if (fate == Answer.Fate.UNKNOWN) {
                sayUnknown(point);
                if (piece.unknownNanos(now) > UNKNOWN_KEPT.toNanos()) {
                    fate = Answer.Fate.BAD;
                }
                unknown = true;
            } else if (fate == Answer.Fate.PASSING) {
                warn("points", "did not store a point (" + reason + "); it is sent again: " + point);
            }
            if (fate == Answer.Fate.BAD) {
                drop(point, reason);
                dropped++;
            } else {
                again.add(point);
            }
        }
        if (named < counted.failed() && counted.timeouts() == 0) {
            warn(
                    "counts",
                    "did not name all points that failed (failed: " + counted.failed() + ", named: " + named
                            + "); the request is sent again in halves");
            return piece.points > 1 ? Verdict.inHalves(piece) : new Verdict(0, 0, whole(piece), false, false);
        }
        int done = piece.points - again.size();
        boolean nothing = done == 0 && !unknown;
        List<Rest> rest =
                again.isEmpty() ? List.of() : again.size() == piece.points ? whole(piece) : List.of(pack(again));
        return new Verdict(done, dropped, rest, nothing, false);
    }

    private void settle(Piece piece, Verdict verdict) {
        if (!verdict.rest.isEmpty()) {
            retries.increment();
        }
        long now = nanoClock.getAsLong();
        if (delivery.settle(piece, verdict.done, verdict.rest, verdict.trouble, verdict.atOnce, now)) {
            delivered.add((long) verdict.done - verdict.dropped);
            bad.add(verdict.dropped);
        }
        if (verdict.trouble) {
            troubleSince.compareAndSet(0, now == 0 ? 1 : now);
        } else {
            long since = troubleSince.getAndSet(0);
            if (since != 0 && now - since > TOLD_AFTER.toNanos()) {
                log.info("{} accepts points again; points in the spool: {}", this, delivery.olderPoints());
            }
        }
        moved.release();
    }

    private void warn(String kind, String what) {
        faults.warn(this + " " + kind, this + " " + what);
    }

    private void drop(String point, String reason) {
        faults.warn(this + " bad", this + " refused a point permanently (" + reason + "); it is dropped: " + point);
    }

    private void sayUnknown(String point) {
        if (unknownSaid.compareAndSet(false, true)) {
            faults.warn(
                    this + " unknown",
                    this + " does not know a metric or a tag of this point and does not create it; set"
                            + " tsd.core.auto_create_metrics = true there, or create each name with \"tsdb mkmetric NAME\";"
                            + " points with unknown names are sent again for "
                            + UNKNOWN_KEPT.toMinutes() + " minutes and then dropped (logged once): " + point);
        }
    }

    // Parts of a body

    private static List<Rest> whole(Piece piece) {
        return List.of(new Rest(null, piece.points));
    }

    private static List<Rest> halves(Piece piece) throws IOException {
        List<String> points = points(piece);
        int middle = points.size() / 2;
        return List.of(pack(points.subList(0, middle)), pack(points.subList(middle, points.size())));
    }

    /** Each point's JSON, extracted unchanged. */
    private static List<String> points(Piece piece) throws IOException {
        String json = Bodies.json(piece.gzipped());
        List<String> points = new ArrayList<>();
        int begin = 1;
        for (int end = json.indexOf("}},", begin); end >= 0; end = json.indexOf("}},", begin)) {
            points.add(json.substring(begin, end + 2));
            begin = end + 3;
        }
        points.add(json.substring(begin, json.length() - 1));
        return points;
    }

    private static Rest pack(List<String> points) {
        byte[] json = ("[" + String.join(",", points) + "]").getBytes(US_ASCII);
        return new Rest(Bodies.gzip(json, 0, json.length), points.size());
    }

    @Override
    public String toString() {
        return "OpenTSDB at " + url.scheme() + "://" + url.host() + ":" + url.port();
    }

    @Override
    public void close() {
        if (closing) {
            return;
        }
        lastNanos = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(LAST_MILLIS);
        closing = true;
        moved.release();
        try {
            ended.await(LAST_MILLIS + 100, TimeUnit.MILLISECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
        client.dispatcher().cancelAll();
        client.dispatcher().executorService().shutdown();
        client.connectionPool().evictAll();
        long left = delivery.olderPoints();
        if (left > 0 || !delivery.isCurrentDone()) {
            log.info("points for {} that stay in {} for the next start: {}", this, backlog, backlog.points());
        }
    }
}
