package io.counters.collector.query;

import com.google.gson.stream.JsonWriter;
import io.counters.collector.history.History;
import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import io.counters.collector.http.Response;
import io.counters.collector.http.Route;
import io.counters.collector.http.Route.Work;
import io.counters.collector.publish.Series;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.function.LongSupplier;

/** The requests that Grafana sends to an OpenTSDB. For any thread. */
public final class QueryApi {
    private static final int BODY_BYTES_MAX = 64 * 1024;

    /** How many names OpenTSDB lists by default. */
    private static final int LISTED = 25;

    private static final int LISTED_MAX = 10_000;
    private static final int PIECE = 100;

    private final Catalog catalog;
    private final Engine engine;
    private final long heapBytes;
    private final InstantSource clock;
    private final LongSupplier nanoClock;

    /**
     * @param series how counters are named in OpenTSDB
     * @param heapBytes the maximum size of the heap
     * @param clock the wall clock
     * @param nanoClock monotonic
     */
    public QueryApi(History history, Series series, long heapBytes, InstantSource clock, LongSupplier nanoClock) {
        this(new Catalog(history, series), history::samples, heapBytes, clock, nanoClock);
    }

    QueryApi(Catalog catalog, Engine.Source source, long heapBytes, InstantSource clock, LongSupplier nanoClock) {
        this.catalog = catalog;
        this.heapBytes = heapBytes;
        this.clock = clock;
        this.nanoClock = nanoClock;
        engine = new Engine(source, catalog);
    }

    /** The routes that the port serves. */
    public List<Route> routes() {
        return List.of(
                Route.post("/api/query", BODY_BYTES_MAX, Work.DISK, this::postedQuery),
                Route.get("/api/query", Work.DISK, this::query),
                Route.get("/api/suggest", Work.DISK, this::suggest),
                Route.get("/api/search/lookup", Work.DISK, this::lookup),
                Route.get("/api/aggregators", Work.NONE, request -> aggregators()),
                Route.get("/api/config/filters", Work.NONE, request -> filters()),
                Route.post("/api/put", BODY_BYTES_MAX, Work.NONE, request -> refusedPut()));
    }

    private Response postedQuery(Request request) {
        return answer(QueryReader.read(request.body(), clock.millis()), request);
    }

    private Response query(Request request) {
        return answer(QueryParameters.read(request, clock.millis()), request);
    }

    private Response answer(Query query, Request request) {
        boolean isArrays = QueryParameters.isSet(request, "arrays");
        List<Result> results = read(() -> engine.answer(query, budget()));
        return Response.json(new ResultsJson(results, query, isArrays));
    }

    private Budget budget() {
        return new Budget(heapBytes, nanoClock);
    }

    @FunctionalInterface
    private interface Reading<T> {
        T read() throws IOException;
    }

    private static <T> T read(Reading<T> reading) {
        try {
            return reading.read();
        } catch (IOException cannot) {
            throw new RequestException(503, String.valueOf(cannot.getMessage()));
        }
    }

    private Response suggest(Request request) {
        String type = Objects.requireNonNullElse(request.parameter("type"), "");
        String beginning = Objects.requireNonNullElse(request.parameter("q"), "");
        int max = (int) request.number("max", 1, LISTED_MAX, LISTED);
        List<String> words = read(() -> switch (type) {
            case "metrics" -> catalog.metrics(beginning, max, budget());
            case "tagk" -> catalog.keys(beginning, max, budget());
            case "tagv" -> catalog.values(beginning, max, budget());
            default ->
                throw RequestException.bad(
                        "the parameter type is " + Request.shown(type) + "; it must be metrics, tagk or tagv");
        });
        return list(JsonWriter::beginArray, words, JsonWriter::value, JsonWriter::endArray);
    }

    /** A part of a document. */
    @FunctionalInterface
    private interface Part {
        void write(JsonWriter json) throws IOException;
    }

    /** A part of a document, of each of a list. */
    @FunctionalInterface
    private interface Element<T> {
        void write(JsonWriter json, T one) throws IOException;
    }

    private static <T> Response list(Part head, List<T> all, Element<T> element, Part foot) {
        Iterator<T> next = all.iterator();
        boolean[] isBegun = new boolean[1];
        return Response.json(json -> {
            if (!isBegun[0]) {
                head.write(json);
                isBegun[0] = true;
            }
            for (int i = 0; i < PIECE && next.hasNext(); i++) {
                element.write(json, next.next());
            }
            if (!next.hasNext()) {
                foot.write(json);
            }
            return next.hasNext();
        });
    }

    private Response lookup(Request request) {
        String m = request.parameter("m");
        int limit = (int) request.number("limit", 0, LISTED_MAX, LISTED);
        SubQuery asked = QueryParameters.lookup(m);
        List<TimeSeries> found = read(() -> engine.wanted(asked, budget())).stream()
                .limit(limit == 0 ? LISTED_MAX : limit)
                .toList();
        return list(
                json -> {
                    json.beginObject().name("type").value("LOOKUP");
                    json.name("metric").value(asked.metric()).name("limit").value(limit);
                    json.name("totalResults")
                            .value(found.size())
                            .name("results")
                            .beginArray();
                },
                found,
                QueryApi::write,
                json -> json.endArray().endObject());
    }

    private static void write(JsonWriter json, TimeSeries series) throws IOException {
        json.beginObject().name("metric").value(series.metric()).name("tags").beginObject();
        for (var tag : series.tags().entrySet()) {
            json.name(tag.getKey()).value(tag.getValue());
        }
        json.endObject().endObject();
    }

    private static Response aggregators() {
        return Response.json(json -> {
            json.beginArray();
            for (String name : AggregateFunction.names()) {
                json.value(name);
            }
            json.endArray();
            return false;
        });
    }

    private static Response filters() {
        return Response.json(json -> {
            json.beginObject();
            for (Filter.Type type : Filter.Type.values()) {
                json.name(type.id()).beginObject();
                json.name("examples").value(type.examples());
                json.name("description").value(type.description);
                json.endObject();
            }
            json.endObject();
            return false;
        });
    }

    private static Response refusedPut() {
        throw new RequestException(
                403,
                "this is a counters collector, which answers OpenTSDB's queries but accepts no points; send counts to its"
                        + " UDP port, and points to an OpenTSDB");
    }
}
