package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.collector.ledger.Snapshot;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

/**
 * OpenTSDB's {@code /api/put}, over a few keep-alive connections at once.
 *
 * <p>Integers, Unix seconds, gzip and a Content-Length; each body stays under {@value #BODY_BYTES_MAX} bytes on the wire,
 * which is what a TSD takes unless set otherwise. With {@code details} an answer counts the points that failed, and the
 * good ones are stored, also in a 400; the whole body is sent again unchanged only where nothing was.
 */
public final class OpenTsdbSink implements Sink {
    private static final int BODY_BYTES_MAX = 7_900;
    private static final int POINTS_A_BODY = 500;
    private static final int CONNECTIONS = 8;
    private static final long PAUSE_MILLIS = 500;
    private static final long CALL_MILLIS = 3000;
    private static final long ANSWER_BYTES_MAX = 1024 * 1024;
    private static final Pattern SUMMARY = Pattern.compile("\"failed\"\\s*:\\s*(\\d{1,9})");
    private static final MediaType JSON = MediaType.get("application/json");

    private final HttpUrl url;
    private final OkHttpClient client;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final LongAdder delivered;
    private final LongAdder bad;
    private final LongAdder lost;
    private final LongAdder retries;

    /**
     * A sink whose connections open when they are needed.
     *
     * @param address of the TSD; {@code /api/put} is appended
     */
    public OpenTsdbSink(HttpUrl address, LongSupplier nanoClock, FaultLog faults, Self self) {
        this.url = address.newBuilder()
                .addPathSegments("api/put")
                .addQueryParameter("details", null)
                .build();
        this.nanoClock = nanoClock;
        this.faults = faults;
        client =
                new OkHttpClient.Builder().connectTimeout(Duration.ofSeconds(2)).build();
        client.dispatcher().setMaxRequestsPerHost(CONNECTIONS);
        delivered = self.count("publish_points_total");
        bad = self.count("publish_bad_points_total");
        lost = self.count("publish_lost_points_total");
        retries = self.count("publish_retries_total");
    }

    @SuppressWarnings("ArrayRecordComponent") // Each body is itself alone: compared by identity.
    private record Body(byte[] gzipped, int points) {}

    @Override
    public void put(long second, Snapshot values, Duration within) {
        long deadline = nanoClock.getAsLong() + within.toNanos();
        List<Body> left = bodies(second, values);
        while (!left.isEmpty()) {
            left = send(left, deadline);
            if (!left.isEmpty() && !pause(deadline)) {
                int points = left.stream().mapToInt(Body::points).sum();
                lost.add(points);
                faults.warn(
                        "points lost",
                        this + " confirmed no more of second " + second + " in time; " + points
                                + " points are given up, the next ones carry the counts on");
                return;
            }
        }
    }

    /** Sends every body once; returns those that must be sent again. */
    private List<Body> send(List<Body> bodies, long deadline) {
        Set<Body> left = ConcurrentHashMap.newKeySet();
        left.addAll(bodies);
        Semaphore answered = new Semaphore(0);
        for (Body body : bodies) {
            Call call = client.newCall(new Request.Builder()
                    .url(url)
                    .header("Content-Encoding", "gzip")
                    .post(RequestBody.create(body.gzipped, JSON))
                    .build());
            call.timeout().timeout(CALL_MILLIS, TimeUnit.MILLISECONDS);
            call.enqueue(new Callback() {
                @Override
                public void onResponse(Call answeredCall, Response response) {
                    try (response) {
                        if (isTaken(response, body)) {
                            left.remove(body);
                        } else {
                            retries.increment();
                        }
                    } catch (IOException | RuntimeException half) {
                        faults.warn("opentsdb", OpenTsdbSink.this + " broke off its answer: " + half);
                        retries.increment();
                    } finally {
                        answered.release();
                    }
                }

                @Override
                public void onFailure(Call failedCall, IOException failure) {
                    faults.warn(
                            "opentsdb",
                            OpenTsdbSink.this + " can't be reached (" + failure + "); points are sent again");
                    retries.increment();
                    answered.release();
                }
            });
        }
        if (!isAnswered(answered, bodies.size(), deadline)) {
            // What still waits for an answer, a connection or a name's address is given up, not waited for.
            client.dispatcher().cancelAll();
        }
        return List.copyOf(left);
    }

    /** Whether all answers came in time; takes none where they did not. An interrupt ends the time. */
    private boolean isAnswered(Semaphore answered, int count, long deadline) {
        try {
            return answered.tryAcquire(count, Math.max(0, deadline - nanoClock.getAsLong()), TimeUnit.NANOSECONDS);
        } catch (InterruptedException ending) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private boolean isTaken(Response response, Body body) throws IOException {
        String text = response.peekBody(ANSWER_BYTES_MAX).string();
        Matcher summary = SUMMARY.matcher(text);
        boolean counted = (response.isSuccessful() || response.code() == 400) && summary.find();
        long failed = counted ? Math.min(Long.parseLong(summary.group(1)), body.points) : 0;
        if (failed > 0 || !response.isSuccessful()) {
            faults.warn(
                    "opentsdb " + response.code(),
                    this + " answered " + response.code() + ": " + text.substring(0, Math.min(text.length(), 300)));
        }
        if (!counted && !response.isSuccessful()) {
            return false;
        }
        bad.add(failed);
        delivered.add(body.points - failed);
        return true;
    }

    private boolean pause(long deadline) {
        long pause = Math.min(TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS), deadline - nanoClock.getAsLong());
        if (pause <= 0) {
            return false;
        }
        try {
            TimeUnit.NANOSECONDS.sleep(pause);
            return true;
        } catch (InterruptedException ending) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static List<Body> bodies(long second, Snapshot values) {
        List<Body> bodies = new ArrayList<>();
        for (int begin = 0; begin < values.size(); begin += POINTS_A_BODY) {
            add(bodies, second, values, begin, Math.min(begin + POINTS_A_BODY, values.size()));
        }
        return bodies;
    }

    /** Adds the points {@code [begin, end)} in one body, or in halves while that is too large. */
    private static void add(List<Body> bodies, long second, Snapshot values, int begin, int end) {
        byte[] gzipped = gzip(json(second, values, begin, end));
        if (gzipped.length > BODY_BYTES_MAX && end - begin > 1) {
            int middle = (begin + end) >>> 1;
            add(bodies, second, values, begin, middle);
            add(bodies, second, values, middle, end);
        } else {
            bodies.add(new Body(gzipped, end - begin));
        }
    }

    /** The letters of names and numbers need no escaping in JSON. */
    private static byte[] json(long second, Snapshot values, int begin, int end) {
        StringBuilder json = new StringBuilder("[");
        for (int i = begin; i < end; i++) {
            Series series = Series.of(values.names()[i]);
            json.append(i == begin ? "" : ",").append("{\"metric\":\"").append(series.metric());
            json.append("\",\"timestamp\":")
                    .append(second)
                    .append(",\"value\":")
                    .append(values.values()[i]);
            json.append(",\"tags\":{");
            String comma = "";
            for (var tag : series.tags().entrySet()) {
                json.append(comma)
                        .append('"')
                        .append(tag.getKey())
                        .append("\":\"")
                        .append(tag.getValue())
                        .append('"');
                comma = ",";
            }
            json.append("}}");
        }
        return json.append(']').toString().getBytes(US_ASCII);
    }

    private static byte[] gzip(byte[] plain) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream(plain.length / 4 + 64);
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(plain);
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
        return packed.toByteArray();
    }

    @Override
    public String toString() {
        return "OpenTSDB at " + url.scheme() + "://" + url.host() + ":" + url.port();
    }

    @Override
    public void close() {
        client.dispatcher().executorService().shutdown();
        client.connectionPool().evictAll();
    }
}
