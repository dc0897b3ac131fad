package io.counters.collector.dashboard;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonParseException;
import com.google.gson.stream.JsonReader;
import io.counters.collector.history.History;
import io.counters.collector.history.Samples;
import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import io.counters.collector.http.Response;
import io.counters.collector.ledger.CounterOrder;
import io.counters.collector.ledger.LedgerView;
import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.io.StringReader;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;

/** The page's API besides {@link LiveApi}: facts, tags, the history of several counters, all rows as a file. For any thread. */
final class PageApi {
    static final int HISTORY_BODY_BYTES_MAX = 64 * 1024;

    private static final int NAMES_MAX = 100;
    private static final int TAG_KEYS_MAX = 30;
    private static final int TAG_VALUES_MAX = 200;
    private static final int STEPS_MAX = 2_000;
    private static final long SECOND_MAX = 99_999_999_999L;

    private final LedgerView counted;
    private final History history;
    private final IntSupplier udpPort;
    private final InstantSource clock;

    PageApi(LedgerView counted, History history, IntSupplier udpPort, InstantSource clock) {
        this.counted = counted;
        this.history = history;
        this.udpPort = udpPort;
        this.clock = clock;
    }

    /** {@code /api/page}: what the examples on an empty page need. */
    Response page(Request request) {
        request.allow();
        return Response.json(json -> {
            json.beginObject().name("udpPort").value(udpPort.getAsInt()).endObject();
            return false;
        });
    }

    /** {@code /api/tags}: the keys of tags, with their values; a bounded number of each. */
    Response tags(Request request) {
        request.allow();
        Snapshot counters = counted.snapshot();
        Map<String, Map<String, Integer>> tags = new TreeMap<>();
        for (int counter = 0; counter < counters.size(); counter++) {
            String name = counters.names()[counter];
            for (int comma = name.indexOf(','); comma >= 0; ) {
                int next = name.indexOf(',', comma + 1);
                int equals = name.indexOf('=', comma + 1);
                String key = name.substring(comma + 1, equals);
                Map<String, Integer> values = tags.get(key);
                if (values == null && tags.size() < TAG_KEYS_MAX) {
                    values = new TreeMap<>();
                    tags.put(key, values);
                }
                if (values != null) {
                    String value = name.substring(equals + 1, next < 0 ? name.length() : next);
                    if (values.size() < TAG_VALUES_MAX || values.containsKey(value)) {
                        values.merge(value, 1, Integer::sum);
                    }
                }
                comma = next;
            }
        }
        Iterator<Map.Entry<String, Map<String, Integer>>> keys = tags.entrySet().iterator();
        AtomicInteger written = new AtomicInteger();
        return Response.json(json -> {
            if (written.getAndIncrement() == 0) {
                json.beginObject();
            }
            if (!keys.hasNext()) {
                json.endObject();
                return false;
            }
            Map.Entry<String, Map<String, Integer>> key = keys.next();
            json.name(key.getKey()).beginObject();
            for (Map.Entry<String, Integer> value : key.getValue().entrySet()) {
                json.name(value.getKey()).value(value.getValue());
            }
            json.endObject();
            return true;
        });
    }

    /** The body of a request to {@link #histories}. */
    private record Past(List<String> names, long from, long to, int step) {}

    /** {@code POST /api/history}: the samples of several counters, see docs/http-api.md. */
    Response histories(Request request) {
        request.allow();
        Past past = past(request);
        List<Samples> all = new ArrayList<>();
        try {
            for (String name : past.names) {
                Samples samples = history.samples(name, past.from, past.to, past.step);
                all.add(new HistoryRange(past.from, past.to, past.step).thinned(samples));
            }
        } catch (IOException unreadable) {
            throw new RequestException(503, String.valueOf(unreadable.getMessage()));
        }
        AtomicInteger next = new AtomicInteger();
        return Response.json(json -> {
            int place = next.getAndIncrement();
            if (place == 0) {
                json.beginObject()
                        .name("step")
                        .value(past.step)
                        .name("counters")
                        .beginArray();
            }
            if (place == all.size()) {
                json.endArray().endObject();
                return false;
            }
            Samples samples = all.get(place);
            json.beginObject()
                    .name("name")
                    .value(samples.name())
                    .name("seconds")
                    .beginArray();
            for (int i = 0; i < samples.size(); i++) {
                json.value(samples.seconds()[i]);
            }
            json.endArray().name("values").beginArray();
            for (int i = 0; i < samples.size(); i++) {
                json.value(samples.values()[i]);
            }
            json.endArray().endObject();
            return true;
        });
    }

    private Past past(Request request) {
        List<String> names = new ArrayList<>();
        long from = 0;
        long to = clock.millis() / 1000;
        int step = history.stepSeconds();
        try (JsonReader json = new JsonReader(new StringReader(new String(request.body(), UTF_8)))) {
            json.beginObject();
            while (json.hasNext()) {
                switch (json.nextName()) {
                    case "names" -> {
                        json.beginArray();
                        while (json.hasNext()) {
                            names.add(json.nextString());
                        }
                        json.endArray();
                    }
                    case "from" -> from = json.nextLong();
                    case "to" -> to = json.nextLong();
                    case "step" -> step = json.nextInt();
                    default -> throw RequestException.bad("the body may have names, from, to and step only");
                }
            }
            json.endObject();
        } catch (IOException | IllegalStateException | NumberFormatException | JsonParseException broken) {
            throw RequestException.bad("the body must be {\"names\": [...], \"from\": SECOND, \"to\": SECOND, \"step\":"
                    + " SECONDS}: " + Request.shown(String.valueOf(broken.getMessage())));
        }
        if (names.size() > NAMES_MAX
                || step < 1
                || from < 0
                || to < from
                || to > SECOND_MAX
                || (to - from) / step > STEPS_MAX) {
            throw RequestException.bad("names may have at most " + NAMES_MAX + ", from must not be later than to, and"
                    + " there may be at most " + STEPS_MAX + " steps between them");
        }
        return new Past(names, from, to, step);
    }

    /** {@code /api/rows?q=&tag=&format=}: all counters that a tab's query finds, sorted by name, as a file. */
    Response rows(Request request) {
        request.allow("q", "tag", "format");
        CounterQuery query = CounterQuery.of(request);
        boolean isCsv = CountersApi.isCsv(request);
        Snapshot counters = counted.snapshot();
        String[] names = counters.names();
        int[] order = CounterOrder.byName(counters, query::takes);
        AtomicInteger next = new AtomicInteger();
        String file = "attachment; filename=\"counters." + (isCsv ? "csv" : "json") + '"';
        return new Response(
                200,
                isCsv ? "text/csv; charset=utf-8" : Response.JSON,
                out -> {
                    int row = next.getAndIncrement();
                    if (row == 0) {
                        out.append(isCsv ? "name,value\n" : "[");
                    }
                    if (row == order.length) {
                        out.append(isCsv ? "" : "\n]\n");
                        return false;
                    }
                    String name = names[order[row]];
                    long value = counters.values()[order[row]];
                    if (isCsv) {
                        out.append('"').append(name).append("\",").append(value).append('\n');
                    } else {
                        out.append(row == 0 ? "\n" : ",\n")
                                .append("{\"name\": \"")
                                .append(name);
                        out.append("\", \"value\": ").append(value).append('}');
                    }
                    return true;
                },
                Map.of("Content-Disposition", file));
    }
}
