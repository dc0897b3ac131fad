package io.counters.collector.post;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import io.counters.collector.http.Response;
import io.counters.collector.http.Route;
import io.counters.collector.http.Text;
import io.counters.collector.intake.HttpStreams;
import io.counters.collector.intake.Kept;
import io.counters.collector.intake.LineTarget;
import io.counters.wire.CommandReader;
import io.counters.wire.Rejection;
import io.counters.wire.StatsdName;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code POST /count}: answered with 202 when the lines of the body are kept. For any thread. */
public final class CountRoute {
    private static final String PATH = "/count";
    private static final String KEY = "Idempotency-Key";
    private static final Pattern KEY_FORM = Pattern.compile("\"?([A-Za-z0-9._:/-]{16,200})\"?");
    private static final int DIGEST_BYTES = 20;

    /** A line that is counted needs up to this many times its length: 60 bytes for each value {@code :1} of a StatsD line. */
    private static final int MEMORY_PART = 32;

    private static final int BODY_BYTES_MIN = 64 << 10;

    private final int bodyBytesMax;
    private final int nameBytesMax;
    private final Supplier<StatsdName> statsdNames;
    private final LineTarget target;
    private final Function<Runnable, Supplier<Kept>> taking;
    private final FaultLog faults;
    private final Metrics metrics;
    private final LongAdder requests;
    private final LongAdder lines;
    private final LongAdder rejectedForKey;
    private final LongAdder unkept;

    /** There is memory for the lines of one request. */
    private final Object reading = new Object();

    /**
     * @param memoryBytes for reading requests, one at a time
     * @param nameBytesMax the maximum bytes of a name
     * @param statsdNames creates what reads the names of StatsD lines
     * @param target takes the lines
     * @param taking has a batch of lines taken by the target; what it returns waits until they are kept, and says what
     *     became of them
     */
    public CountRoute(
            long memoryBytes,
            int nameBytesMax,
            Supplier<StatsdName> statsdNames,
            LineTarget target,
            Function<Runnable, Supplier<Kept>> taking,
            FaultLog faults,
            Metrics metrics) {
        bodyBytesMax = (int) Math.max(BODY_BYTES_MIN, Math.min(1 << 24, memoryBytes / MEMORY_PART));
        this.nameBytesMax = nameBytesMax;
        this.statsdNames = statsdNames;
        this.target = target;
        this.taking = taking;
        this.faults = faults;
        this.metrics = metrics;
        requests = metrics.count("post_requests_total", "Requests to /count that were answered with 202.");
        lines = metrics.count("post_lines_total", "Lines of requests to /count that were taken.");
        rejectedForKey = metrics.count(
                "post_rejected_keyed_lines_total",
                "Lines of requests to /count that were rejected because the request has an Idempotency-Key.");
        unkept = metrics.count(
                "post_unkept_requests_total",
                "Requests to /count that were answered with 429, because their lines were not kept in time.");
    }

    public Route route() {
        return Route.post(PATH, bodyBytesMax, Route.Work.DISK, this::answer);
    }

    private Response answer(Request request) {
        request.allow();
        byte[] key = key(request.header(KEY));
        PostedLines posted;
        Supplier<Kept> taken;
        synchronized (reading) {
            posted = new PostedLines(nameBytesMax, key != null);
            byte[] body = request.decompressed(bodyBytesMax);
            new CommandReader(posted, statsdNames.get()).datagram(body, 0, body.length);
            posted.rejected().forEach(this::count);
            rejectedForKey.add(posted.rejectedForKey());
            if (posted.taken() == 0) {
                if (posted.allRejected() > 0) {
                    return outcome(400, posted);
                }
                throw RequestException.bad("the body has no lines; send lines such as \"increment orders.placed 1\"");
            }
            taken = taking.apply(() -> posted.merge(target, key));
            // Others are read while this request waits.
            posted.release();
        }
        Kept kept = taken.get();
        if (kept != Kept.ALL) {
            unkept.increment();
            faults.warn(
                    "posts not kept",
                    "requests to /count were answered with 429, so that their senders repeat them, because their lines were"
                            + " not kept in time, or too many names or streams are new; see the other messages");
            throw new RequestException(
                    429,
                    key == null
                            ? "the lines are not kept yet, or too many names are new; if they are sent again, they may count"
                                    + " twice, because the request has no " + KEY
                            : "the lines are not kept yet, or too many names or keys are new; send the same again",
                    Map.of("Retry-After", String.valueOf(kept.retrySeconds())));
        }
        requests.increment();
        lines.add(posted.taken());
        return outcome(202, posted);
    }

    private void count(Rejection why, int times) {
        metrics.count("intake_rejected_lines_total", "Lines that were rejected, by reason.", "reason", why.reason())
                .add(times);
    }

    /** The ID of the stream of this key. */
    private static byte @Nullable [] key(@Nullable String header) {
        if (header == null) {
            return null;
        }
        var key = KEY_FORM.matcher(header.strip());
        if (!key.matches()) {
            throw RequestException.bad("the header " + KEY + " is " + Request.shown(header)
                    + "; it is STREAM/SEQ, 16 to 200 of A-Z a-z 0-9 . _ : / -, and is never used for other lines");
        }
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256").digest(key.group(1).getBytes(ISO_8859_1));
            return (HttpStreams.POST + HexFormat.of().formatHex(hash, 0, DIGEST_BYTES)).getBytes(ISO_8859_1);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JDK has SHA-256", impossible);
        }
    }

    /** {@code {"counted":2,"rejected":1,"lines":[{"line":"...","rule":"..."}]}}, of the rejected lines the first ones. */
    private static Response outcome(int status, PostedLines posted) {
        JsonObject document = new JsonObject();
        document.addProperty("counted", posted.taken());
        document.addProperty("rejected", posted.allRejected());
        JsonArray shown = new JsonArray();
        for (PostedLines.Shown one : posted.shown()) {
            JsonObject line = new JsonObject();
            line.addProperty("line", one.line());
            line.addProperty("rule", one.rule());
            shown.add(line);
        }
        document.add("lines", shown);
        return new Response(status, Response.JSON, Text.of(document + "\n"));
    }
}
