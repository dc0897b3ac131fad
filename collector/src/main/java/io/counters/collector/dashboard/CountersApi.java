package io.counters.collector.dashboard;

import com.google.gson.stream.JsonWriter;
import io.counters.collector.fleet.FleetView;
import io.counters.collector.fleet.Member;
import io.counters.collector.history.History;
import io.counters.collector.history.Samples;
import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import io.counters.collector.http.Response;
import io.counters.collector.ledger.Explanation;
import io.counters.collector.ledger.LedgerView;
import io.counters.collector.ledger.Removal;
import io.counters.collector.ledger.Snapshot;
import io.counters.wire.NameReader;
import io.counters.wire.Rejection;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** {@code /api/counters}: the list of counters, and each one by its name. For any thread. */
final class CountersApi {
    private static final int NEAREST = 3;

    private final LedgerView counted;
    private final BooleanSupplier commit;
    private final History history;
    private final InstantSource clock;
    private final Supplier<FleetView> fleet;

    CountersApi(
            LedgerView counted,
            BooleanSupplier commit,
            History history,
            InstantSource clock,
            Supplier<FleetView> fleet) {
        this.counted = counted;
        this.commit = commit;
        this.history = history;
        this.clock = clock;
        this.fleet = fleet;
    }

    /** {@code /api/counters?prefix=&q=&limit=&after=}. */
    Response list(Request request) {
        request.allow("prefix", "q", "limit", "after");
        CountersText.Filter filter = new CountersText.Filter(
                text(request.parameter("prefix")), text(request.parameter("q")), text(request.parameter("after")));
        int limit = (int) request.number("limit", 1, Integer.MAX_VALUE, Integer.MAX_VALUE);
        return new Response(200, Response.JSON, new CountersText(counted.snapshot(), filter, limit));
    }

    private static String text(@Nullable String parameter) {
        return Objects.requireNonNullElse(parameter, "");
    }

    /** {@code /api/counters/NAME}. */
    Response one(Request request) {
        request.allow();
        String name = name(request);
        long value = counted.committed(name).orElseThrow(() -> unknown(name));
        return Response.json(json -> {
            json.beginObject().name("name").value(name);
            tags(json, name);
            json.name("value").value(value).endObject();
            return false;
        });
    }

    /** {@code DELETE /api/counters/NAME}. Answers when the removal is on disk. */
    Response remove(Request request) {
        request.allow();
        String name = name(request);
        Removal removal = counted.remove(name);
        if (removal == null) {
            throw unknown(name);
        }
        if (!commit.getAsBoolean()) {
            throw new RequestException(
                    503,
                    "counter " + name
                            + " is removed, but this is not on disk yet, because the ledger cannot be written; the"
                            + " next commit that succeeds writes it. Until then a crash undoes the removal");
        }
        return Response.json(json -> {
            json.beginObject().name("name").value(name).name("value").value(removal.value());
            json.name("pushed").value(removal.isPushed());
            json.name("watermarks").value(removal.watermarks()).endObject();
            return false;
        });
    }

    /** {@code /api/counters/NAME/explain}. */
    Response explain(Request request) {
        request.allow();
        String name = name(request);
        Explanation counter = counted.explain(name);
        if (counter == null) {
            throw unknown(name);
        }
        return Response.json(json -> {
            json.beginObject().name("name").value(name);
            tags(json, name);
            json.name("value").value(counter.value()).name("committed").value(counter.committed());
            second(json.name("created"), counter.createdSecond());
            second(json.name("moved"), counter.movedSecond());
            json.name("decremented").value(counter.isDecremented());
            json.name("adopted").value(counter.adopted()).name("rest").value(counter.rest());
            json.name("senders").beginArray();
            for (Explanation.Part part : counter.parts()) {
                part(json, part);
            }
            json.endArray();
            json.name("senders_left_out").value(counter.partsLeftOut());
            json.name("applied_left_out").value(counter.appliedLeftOut()).endObject();
            return false;
        });
    }

    private static void second(JsonWriter json, long second) throws IOException {
        if (second == 0) {
            json.nullValue();
        } else {
            json.value(second);
        }
    }

    private static void part(JsonWriter json, Explanation.Part part) throws IOException {
        json.beginObject().name("sender").value(part.sender());
        json.name("increments").value(part.increments()).name("decrements").value(part.decrements());
        json.name("applied").value(part.applied());
        json.name("quiet_seconds").value(part.quietMillis() / 1000);
        json.name("lost").value(part.lost()).name("healed").value(part.healed());
        json.name("whole").value(part.isWhole());
        json.name("quarantined").value(part.isQuarantined()).endObject();
    }

    /** {@code /api/counters/NAME/history?from=&to=&step=&format=}. */
    Response history(Request request) {
        request.allow("from", "to", "step", "format");
        String name = name(request);
        HistoryRange range = HistoryRange.of(request, clock.millis() / 1000, history.stepSeconds());
        boolean isCsv = isCsv(request);
        try {
            Samples samples = history.samples(name, range.fromSecond(), range.toSecond(), range.stepSeconds());
            if (samples.size() == 0
                    && counted.committed(name).isEmpty()
                    && history.extent(name).isEmpty()) {
                throw unknown(name);
            }
            Samples thinned = range.thinned(samples);
            return isCsv ? csv(thinned) : json(range, thinned);
        } catch (IOException unreadable) {
            throw new RequestException(503, String.valueOf(unreadable.getMessage()));
        }
    }

    /**
     * Whether CSV is asked for, not JSON.
     *
     * @throws RequestException when it is something else
     */
    static boolean isCsv(Request request) {
        String format = request.parameter("format");
        if (format == null) {
            return text(request.header("Accept")).contains("text/csv");
        }
        if (!format.equals("json") && !format.equals("csv")) {
            throw RequestException.bad("the parameter format is " + Request.shown(format) + "; it must be json or csv");
        }
        return format.equals("csv");
    }

    private static Response json(HistoryRange range, Samples samples) {
        AtomicInteger next = new AtomicInteger(-1);
        return Response.json(json -> {
            int sample = next.getAndIncrement();
            if (sample < 0) {
                json.beginObject().name("name").value(samples.name());
                json.name("from").value(range.fromSecond()).name("to").value(range.toSecond());
                json.name("step").value(range.stepSeconds()).name("samples").beginArray();
                return true;
            }
            if (sample < samples.size()) {
                json.beginArray().value(samples.seconds()[sample]).value(samples.values()[sample]);
                json.endArray();
                return true;
            }
            json.endArray().endObject();
            return false;
        });
    }

    private static Response csv(Samples samples) {
        AtomicInteger next = new AtomicInteger(-1);
        return new Response(200, "text/csv; charset=utf-8", out -> {
            int sample = next.getAndIncrement();
            if (sample < 0) {
                out.append("second,value\n");
            } else if (sample < samples.size()) {
                out.append(samples.seconds()[sample]).append(',');
                out.append(samples.values()[sample]).append('\n');
            }
            return sample + 1 < samples.size();
        });
    }

    private static void tags(JsonWriter json, String name) throws IOException {
        String[] parts = name.split(",", -1);
        json.name("metric").value(parts[0]).name("tags").beginObject();
        for (int tag = 1; tag < parts.length; tag++) {
            int equals = parts[tag].indexOf('=');
            json.name(parts[tag].substring(0, equals)).value(parts[tag].substring(equals + 1));
        }
        json.endObject();
    }

    /**
     * The canonical name of the requested counter.
     *
     * @throws RequestException when it is not a valid name
     */
    static String name(Request request) {
        NameReader reader = new NameReader();
        Rejection broken = reader.read(request.rest());
        if (broken != null) {
            throw RequestException.bad(
                    "no counter can have the name " + Request.shown(request.rest()) + ": " + broken.rule());
        }
        return reader.name();
    }

    private RequestException unknown(String name) {
        FleetView view = fleet.get();
        if (view.isFleet()) {
            int partition = view.partition(name);
            Optional<Member> owner = view.owner(partition);
            if (owner.isEmpty() || !owner.get().name().equals(view.collector())) {
                return new RequestException(
                        404,
                        "counter " + name + " is in partition " + partition
                                + " of the fleet, which this collector does not"
                                + " own; "
                                + owner.map(member -> "its owner is " + member.name() + ", whose page is "
                                                + view.page(member))
                                        .orElse("its owner is not known at the moment"));
            }
        }
        List<String> nearest = nearest(name, counted.snapshot());
        return new RequestException(
                404,
                "there is no counter " + name + " here"
                        + (nearest.isEmpty() ? "" : "; similar names: " + String.join(" and ", nearest))
                        + ". /api/counters?q=PART lists names that contain a part. Write a slash in a name as %2F");
    }

    /** The names that differ least from this one, most similar first, at most {@value #NEAREST}. */
    static List<String> nearest(String name, Snapshot counters) {
        Comparator<String> farther = Comparator.<String>comparingInt(other -> difference(name, other))
                .thenComparing(Comparator.naturalOrder());
        PriorityQueue<String> nearest = new PriorityQueue<>(farther.reversed());
        for (int counter = 0; counter < counters.size(); counter++) {
            String other = counters.names()[counter];
            if (difference(name, other) <= name.length() / 2) {
                nearest.add(other);
                if (nearest.size() > NEAREST) {
                    nearest.remove();
                }
            }
        }
        return nearest.stream().sorted(farther).toList();
    }

    /** The length of the part that differs, between an equal beginning and an equal end; case does not matter. */
    private static int difference(String one, String other) {
        int most = Math.min(one.length(), other.length());
        int head = 0;
        while (head < most && isSame(one.charAt(head), other.charAt(head))) {
            head++;
        }
        int tail = 0;
        while (tail < most - head
                && isSame(one.charAt(one.length() - 1 - tail), other.charAt(other.length() - 1 - tail))) {
            tail++;
        }
        return Math.max(one.length(), other.length()) - head - tail;
    }

    private static boolean isSame(char one, char other) {
        return Character.toLowerCase(one) == Character.toLowerCase(other);
    }
}
