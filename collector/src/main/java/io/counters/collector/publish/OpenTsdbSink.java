package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.google.gson.JsonParser;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.Delivery.Damaged;
import io.counters.collector.publish.Delivery.Piece;
import io.counters.collector.publish.Delivery.Rest;
import io.counters.collector.self.DiskFault;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.ConnectionPool;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * OpenTSDB's {@code /api/put}, over several keep-alive connections at once.
 *
 * <p>{@link #put} brings a tick to the {@link Spool}; a thread of this sink's own then sends what {@link Delivery} names,
 * and deletes a tick when all its points are confirmed. So what OpenTSDB does not take stays on disk and is sent again,
 * unchanged, until it does.
 *
 * <p>What an {@link Answer} means for the points of a request:
 *
 * <pre>
 *   204, or none failed                  confirmed
 *   some named as bad                    those are dropped, counted and said, the others confirmed
 *   some named with what passes          those are sent again: "Write timedout", "Please throttle", "Storage exception"
 *   some of unknown metric               those are sent again for ten minutes, and then dropped
 *   timeouts counted                     all but the bad ones are sent again: with bad ones among them, a TSD names the
 *                                        wrong points as timed out
 *   more failed than were named          each half is sent again
 *   one can't be read: 400, JSON         each half is sent again; alone, the point is dropped
 *   413                                  each half is sent again
 *   400 without JSON, closed, half       all are sent again; from the third time on each half, as a request that is too
 *   an answer                            large looks like this too
 *   anything else, no answer             all are sent again
 * </pre>
 */
public final class OpenTsdbSink implements Sink {
    private static final Logger log = LoggerFactory.getLogger(OpenTsdbSink.class);

    /** With ?sync a default TSD flushes to HBase once a second, so a connection carries a body a second. */
    static final int CONNECTIONS = 20;

    private static final int SYNC_MILLIS = 3_000;
    private static final int CALL_MILLIS = 5_000;
    /** The flush that a TSD does once a second, and a moment. */
    private static final long LAST_MILLIS = 2_000;

    private static final long ANSWER_BYTES_MAX = 16 * 1024 * 1024;
    private static final int ATTEMPTS_UNTIL_HALVED = 3;
    private static final int HALVED_POINTS_MIN = 50;
    /** That it is over is told of trouble that was longer: a request that fails now and then is no outage. */
    private static final Duration TOLD_AFTER = Duration.ofSeconds(3);

    private static final Duration UNKNOWN_KEPT = Duration.ofMinutes(10);
    private static final MediaType JSON = MediaType.get("application/json");

    private final HttpUrl url;
    private final OkHttpClient client;
    private final InstantSource clock;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final Spool spool;
    private final Bodies bodies;
    private final Delivery delivery;
    private final Semaphore moved = new Semaphore(0);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicLong troubleSince = new AtomicLong();
    private final AtomicBoolean unknownSaid = new AtomicBoolean();
    private volatile long lastNanos;
    private volatile boolean closing;
    private final LongAdder delivered;
    private final LongAdder bad;
    private final LongAdder lost;
    private final LongAdder retries;

    /**
     * A sink whose connections open when they are needed; it replays what an earlier life left in its spool.
     *
     * @param address of the TSD; {@code /api/put} is appended
     * @param folder of the spool, its own
     * @param random for the jitter of pauses
     * @param threads makes the one thread that sends
     * @throws IOException when the folder can't be used
     */
    public OpenTsdbSink(
            HttpUrl address,
            Path folder,
            PublishSettings settings,
            InstantSource clock,
            LongSupplier nanoClock,
            RandomGenerator random,
            ThreadFactory threads,
            FaultLog faults,
            Self self)
            throws IOException {
        HttpUrl.Builder put = address.newBuilder().addPathSegments("api/put").addQueryParameter("details", null);
        if (settings.safe()) {
            put.addQueryParameter("sync", null).addQueryParameter("sync_timeout", String.valueOf(SYNC_MILLIS));
        }
        url = put.build();
        this.clock = clock;
        this.nanoClock = nanoClock;
        this.faults = faults;
        client = new OkHttpClient.Builder()
                .connectTimeout(Duration.ofSeconds(2))
                .readTimeout(Duration.ZERO)
                .callTimeout(Duration.ofMillis(CALL_MILLIS))
                .followRedirects(false)
                .connectionPool(new ConnectionPool(CONNECTIONS, 1, TimeUnit.MINUTES))
                .build();
        client.dispatcher().setMaxRequests(CONNECTIONS);
        client.dispatcher().setMaxRequestsPerHost(CONNECTIONS);
        spool = new Spool(folder, settings.spoolBytes());
        bodies = new Bodies(settings.series(), settings.bodyBytes());
        delivery = new Delivery(spool, CONNECTIONS, settings.interval().toSeconds(), random, nanoClock.getAsLong());
        delivered = self.count("publish_points_total");
        bad = self.count("publish_bad_points_total");
        lost = self.count("publish_lost_points_total");
        retries = self.count("publish_retries_total");
        String label = "{sink=\"" + address.host() + ":" + address.port() + "\"}";
        self.gauge("publish_spool_points" + label, delivery::olderPoints);
        self.gauge("publish_spool_bytes" + label, delivery::olderBytes);
        self.gauge("publish_spool_oldest_seconds" + label, this::oldestAge);
        self.gauge("publish_replay_points_per_second" + label, () -> delivery.replayRate(nanoClock.getAsLong()));
        if (delivery.olderPoints() > 0) {
            log.info("{} points of an earlier life wait in {} and are sent now", delivery.olderPoints(), spool);
        }
        threads.newThread(this::run).start();
    }

    private long oldestAge() {
        long now = clock.millis() / 1000;
        return Math.max(0, now - delivery.oldest(now));
    }

    @Override
    public void put(long second, Snapshot values) {
        if (values.size() == 0) {
            return;
        }
        shed();
        try {
            delivery.begin(spool.write(second, values, bodies));
        } catch (IOException noDisk) {
            lost.add(values.size());
            faults.warn(
                    this + " spool",
                    this + " loses " + values.size() + " points of second " + second + ", as they can't be kept in "
                            + spool + ": " + DiskFault.text(noDisk) + "; the next ones carry the counts on");
        }
        shed();
        String trouble = spool.trouble();
        if (trouble != null) {
            faults.warn(this + " spool trouble", "the spool " + spool + " goes on, but " + trouble);
        }
        moved.release();
    }

    private void shed() {
        long shed = delivery.shed();
        if (shed > 0) {
            lost.add(shed);
            faults.warn(
                    this + " full",
                    "the spool " + spool + " is full: " + shed + " of its oldest points are lost; --spool gives it more"
                            + " room");
        }
    }

    // Sending

    private void run() {
        try {
            while (!isOver()) {
                long now = nanoClock.getAsLong();
                Piece piece = next(now);
                if (piece != null) {
                    send(piece);
                } else if (moved.tryAcquire(waitNanos(now), TimeUnit.NANOSECONDS)) {
                    moved.drainPermits();
                }
            }
        } catch (InterruptedException nobodyShould) {
            Thread.currentThread().interrupt();
        } finally {
            spool.sweep();
            ended.countDown();
        }
    }

    private long waitNanos(long now) {
        long wait = delivery.waitNanos(now);
        return closing ? Math.min(wait, Math.max(0, lastNanos - now)) : wait;
    }

    private boolean isOver() {
        return closing
                && (delivery.isCurrentDone() || delivery.isInTrouble() || nanoClock.getAsLong() - lastNanos >= 0);
    }

    private @Nullable Piece next(long now) {
        try {
            return delivery.next(now);
        } catch (Damaged tick) {
            lost.add(tick.points);
            faults.warn(this + " damaged", tick.points + " points of the spool are lost: " + tick.getMessage());
            return null;
        } catch (IOException notNow) {
            faults.warn(this + " unread", "the spool " + spool + " can't be read now and is tried again: " + notNow);
            return null;
        }
    }

    private void send(Piece piece) {
        byte[] body;
        try {
            body = piece.gzipped();
        } catch (IOException unreadable) {
            settle(piece, new Answer.Trouble("is not asked, as its spool can't be read: " + unreadable, false));
            return;
        }
        Call call = client.newCall(new Request.Builder()
                .url(url)
                .header("Content-Encoding", "gzip")
                .post(RequestBody.create(body, JSON))
                .build());
        call.enqueue(new Callback() {
            @Override
            public void onResponse(Call answeredCall, Response response) {
                try (response) {
                    // One byte more than is allowed, so that a longer answer is not taken for a whole one.
                    String text = response.peekBody(ANSWER_BYTES_MAX + 1).string();
                    settle(piece, Answer.of(response.code(), text));
                } catch (IOException half) {
                    settle(piece, new Answer.Trouble("broke off its answer: " + half, true));
                }
            }

            @Override
            public void onFailure(Call failedCall, IOException failure) {
                boolean reached = !(failure instanceof ConnectException) && !failedCall.isCanceled();
                settle(piece, new Answer.Trouble("can't be reached (" + failure + ")", reached));
            }
        });
    }

    /** Takes an answer, whatever it is; a piece that is not settled would be waited for for ever. */
    private void settle(Piece piece, Answer answer) {
        try {
            judge(piece, answer);
        } catch (IOException | RuntimeException fault) {
            faults.warn(this + " fault", "an answer of " + this + " could not be taken: " + fault);
            settle(piece, 0, 0, List.of(new Rest(null, piece.points)), true, false);
        }
    }

    private void judge(Piece piece, Answer answer) throws IOException {
        if (answer instanceof Answer.Taken) {
            settle(piece, piece.points, 0, List.of(), false, false);
        } else if (answer instanceof Answer.Counted counted) {
            judge(piece, counted);
        } else if (answer instanceof Answer.Unreadable unreadable) {
            if (piece.points == 1) {
                drop(points(piece).get(0), unreadable.why());
                settle(piece, 1, 1, List.of(), false, false);
            } else {
                settle(piece, 0, 0, halves(piece), false, true);
            }
        } else if (answer instanceof Answer.TooLarge) {
            warn(
                    "413",
                    "answered 413, so requests of " + piece.gzipped().length + " bytes are halved; --opentsdb-body"
                            + " makes them smaller from the start");
            settle(piece, 0, 0, piece.points == 1 ? whole(piece) : halves(piece), piece.points == 1, piece.points > 1);
        } else if (answer instanceof Answer.Trouble trouble) {
            if (!closing) {
                warn("trouble", trouble.why() + "; points are kept and sent again");
            }
            boolean halved = trouble.maySize()
                    && piece.attempts + 1 >= ATTEMPTS_UNTIL_HALVED
                    && piece.points > HALVED_POINTS_MIN;
            settle(piece, 0, 0, halved ? halves(piece) : whole(piece), true, false);
        }
    }

    private void judge(Piece piece, Answer.Counted counted) throws IOException {
        if (counted.failed() == 0 && counted.reasons().isEmpty()) {
            settle(piece, piece.points, 0, List.of(), false, false);
            return;
        }
        List<String> again = new ArrayList<>();
        int named = 0;
        int dropped = 0;
        boolean unknown = false;
        long now = nanoClock.getAsLong();
        for (String point : points(piece)) {
            String reason = counted.reasons()
                    .get(Answer.key(JsonParser.parseString(point).getAsJsonObject()));
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
                warn("points", "did not take a point yet (" + reason + "); it is sent again: " + point);
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
                    "did not take " + counted.failed() + " points and named " + named
                            + "; they are sent again in halves");
            settle(piece, 0, 0, piece.points == 1 ? whole(piece) : halves(piece), false, piece.points > 1);
            return;
        }
        int done = piece.points - again.size();
        boolean nothing = done == 0 && !unknown;
        List<Rest> rest =
                again.isEmpty() ? List.of() : again.size() == piece.points ? whole(piece) : List.of(pack(again));
        settle(piece, done, dropped, rest, nothing, false);
    }

    private void settle(Piece piece, int done, int dropped, List<Rest> rest, boolean trouble, boolean atOnce) {
        if (!rest.isEmpty()) {
            retries.increment();
        }
        long now = nanoClock.getAsLong();
        if (delivery.settle(piece, done, rest, trouble, atOnce, now)) {
            delivered.add((long) done - dropped);
            bad.add(dropped);
        }
        if (trouble) {
            troubleSince.compareAndSet(0, now == 0 ? 1 : now);
        } else {
            long since = troubleSince.getAndSet(0);
            if (since != 0 && now - since > TOLD_AFTER.toNanos()) {
                log.info("{} takes points again; {} wait in the spool", this, delivery.olderPoints());
            }
        }
        moved.release();
    }

    private void warn(String kind, String what) {
        faults.warn(this + " " + kind, this + " " + what);
    }

    private void drop(String point, String reason) {
        faults.warn(this + " bad", this + " refused a point for good (" + reason + "); it is dropped: " + point);
    }

    private void sayUnknown(String point) {
        if (unknownSaid.compareAndSet(false, true)) {
            faults.warn(
                    this + " unknown",
                    this + " does not know a metric or a tag of this point and makes none by itself; set"
                            + " tsd.core.auto_create_metrics = true there, or make each name with \"tsdb mkmetric NAME\";"
                            + " points of names that it does not know are sent again for "
                            + UNKNOWN_KEPT.toMinutes() + " minutes and then dropped (said once): " + point);
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

    /** Each point's JSON, as it was written: taken out, never made anew. */
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
            log.info("{} points for {} stay in {}, for the next start", spool.points(), this, spool);
        }
    }
}
