package io.counters.collector.query;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the JSON of a query. Ignores properties that it does not know, as OpenTSDB does, because clients send more than they
 * need. For one document.
 */
final class QueryReader {
    private final JsonReader json;
    private final long nowMillis;

    private QueryReader(byte[] body, long nowMillis) {
        json = new JsonReader(new InputStreamReader(new ByteArrayInputStream(body), StandardCharsets.UTF_8));
        json.setStrictness(Strictness.STRICT);
        this.nowMillis = nowMillis;
    }

    /** @throws RequestException when it is not a query, with the place, the value and the rule */
    static Query read(byte[] body, long nowMillis) {
        QueryReader reader = new QueryReader(body, nowMillis);
        try {
            Query query = reader.query();
            if (reader.json.peek() != JsonToken.END_DOCUMENT) {
                throw RequestException.bad("something follows the query's JSON; send one object");
            }
            return query;
        } catch (IOException | IllegalStateException | NumberFormatException malformed) {
            throw RequestException.bad("the body is not the JSON of a query, at " + reader.json.getPath() + ": "
                    + Request.shown(String.valueOf(malformed.getMessage())));
        }
    }

    private Query query() throws IOException {
        String start = "";
        String end = "now";
        List<SubQuery> queries = new ArrayList<>();
        boolean isMillis = false;
        boolean showsQuery = false;
        json.beginObject();
        while (json.hasNext()) {
            switch (json.nextName()) {
                case "start" -> start = text();
                case "end" -> end = text();
                case "msResolution" -> isMillis = flag();
                case "showQuery" -> showsQuery = flag();
                case "queries" -> queries = queries();
                case "delete" -> refuse(flag(), "delete", "history cannot be deleted by a query; leave it out");
                case "useCalendar" ->
                    refuse(flag(), "useCalendar", "intervals of the calendar are not supported; leave it out");
                default -> json.skipValue();
            }
        }
        json.endObject();
        if (start.isEmpty()) {
            throw RequestException.bad("the query has no start; give Unix time, or a time ago such as 1h-ago");
        }
        return new Query(
                Query.millis("start", start, nowMillis),
                Query.millis("end", end.isEmpty() ? "now" : end, nowMillis),
                queries,
                isMillis,
                showsQuery);
    }

    private static void refuse(boolean isAsked, String place, String rule) {
        if (isAsked) {
            throw RequestException.bad(place + " is true; " + rule);
        }
    }

    private List<SubQuery> queries() throws IOException {
        List<SubQuery> queries = new ArrayList<>();
        json.beginArray();
        while (json.hasNext()) {
            queries.add(subQuery("queries[" + queries.size() + "]"));
        }
        json.endArray();
        return queries;
    }

    private SubQuery subQuery(String place) throws IOException {
        String metric = "";
        String aggregator = "";
        String downsample = "";
        boolean isRate = false;
        Rate rate = Rate.PLAIN;
        List<Filter> filters = List.of();
        boolean isExplicit = false;
        json.beginObject();
        while (json.hasNext()) {
            switch (json.nextName()) {
                case "metric" -> metric = text();
                case "aggregator" -> aggregator = text();
                case "downsample" -> downsample = text();
                case "rate" -> isRate = flag();
                case "rateOptions" -> rate = rate();
                // If there are both tags and filters, the last of them is used, as in OpenTSDB.
                case "tags" -> filters = tags(place + ".tags");
                case "filters" -> filters = filters(place + ".filters");
                case "explicitTags" -> isExplicit = flag();
                case "tsuids" ->
                    refuse(
                            !isNull() && !passIsEmpty(),
                            place + ".tsuids",
                            "the collector has no TSUIDs; use metric and tags");
                default -> json.skipValue();
            }
        }
        json.endObject();
        return subQuery(place, metric, aggregator, downsample, isRate ? rate : null, filters, isExplicit);
    }

    /** @param place where it is, for messages */
    static SubQuery subQuery(
            String place,
            String metric,
            String aggregator,
            String downsample,
            @Nullable Rate rate,
            List<Filter> filters,
            boolean isExplicit) {
        if (metric.isEmpty()) {
            throw RequestException.bad(place + " has no metric; /api/suggest?type=metrics lists them");
        }
        AggregateFunction named = AggregateFunction.named(aggregator);
        if (named == null) {
            throw RequestException.bad(
                    place + ".aggregator is " + Request.shown(aggregator) + "; /api/aggregators lists all");
        }
        try {
            return new SubQuery(
                    metric, named, downsample.isEmpty() ? null : Downsample.of(downsample), rate, filters, isExplicit);
        } catch (IllegalArgumentException rule) {
            throw RequestException.bad(
                    place + ".downsample is " + Request.shown(downsample) + ": " + rule.getMessage());
        }
    }

    private Rate rate() throws IOException {
        if (isNull()) {
            return Rate.PLAIN;
        }
        boolean isCounter = false;
        long counterMax = Rate.PLAIN.counterMax();
        long resetValue = 0;
        boolean dropsResets = false;
        json.beginObject();
        while (json.hasNext()) {
            switch (json.nextName()) {
                case "counter" -> isCounter = flag();
                case "counterMax" -> counterMax = number(counterMax);
                case "resetValue" -> resetValue = number(resetValue);
                case "dropResets" -> dropsResets = flag();
                default -> json.skipValue();
            }
        }
        json.endObject();
        return new Rate(isCounter, counterMax, resetValue, dropsResets);
    }

    private List<Filter> tags(String place) throws IOException {
        List<Filter> filters = new ArrayList<>();
        if (isNull()) {
            return filters;
        }
        json.beginObject();
        while (json.hasNext()) {
            String key = json.nextName();
            String value = text();
            try {
                filters.add(Filter.ofTag(key, value, true));
            } catch (IllegalArgumentException rule) {
                throw RequestException.bad(
                        place + "." + Request.shown(key) + " is " + Request.shown(value) + ": " + rule.getMessage());
            }
        }
        json.endObject();
        return filters;
    }

    private List<Filter> filters(String place) throws IOException {
        List<Filter> filters = new ArrayList<>();
        if (isNull()) {
            return filters;
        }
        json.beginArray();
        while (json.hasNext()) {
            String type = "";
            String key = "";
            String text = "";
            boolean isGroupBy = false;
            json.beginObject();
            while (json.hasNext()) {
                switch (json.nextName()) {
                    case "type" -> type = text();
                    case "tagk" -> key = text();
                    case "filter" -> text = text();
                    case "groupBy", "group_by" -> isGroupBy = flag();
                    default -> json.skipValue();
                }
            }
            json.endObject();
            try {
                filters.add(new Filter(Filter.type(type), key, text, isGroupBy));
            } catch (IllegalArgumentException rule) {
                throw RequestException.bad(place + "[" + filters.size() + "]: " + rule.getMessage());
            }
        }
        json.endArray();
        return filters;
    }

    /** A text or a number; empty for null. */
    private String text() throws IOException {
        return isNull() ? "" : json.nextString();
    }

    private boolean flag() throws IOException {
        if (isNull()) {
            return false;
        }
        return json.peek() == JsonToken.STRING ? Boolean.parseBoolean(json.nextString()) : json.nextBoolean();
    }

    /** Some clients send a whole number as 1e6. */
    private long number(long absent) throws IOException {
        String text = text();
        try {
            return text.isEmpty() ? absent : Long.parseLong(text);
        } catch (NumberFormatException isFraction) {
            return (long) Double.parseDouble(text);
        }
    }

    /** Passes over it, then. */
    private boolean isNull() throws IOException {
        boolean isNull = json.peek() == JsonToken.NULL;
        if (isNull) {
            json.nextNull();
        }
        return isNull;
    }

    private boolean passIsEmpty() throws IOException {
        json.beginArray();
        boolean isEmpty = !json.hasNext();
        while (json.hasNext()) {
            json.skipValue();
        }
        json.endArray();
        return isEmpty;
    }
}
