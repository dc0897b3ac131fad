package io.counters.collector.query;

import com.google.gson.stream.JsonWriter;
import io.counters.collector.http.Json;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The JSON of results, written some hundred points at a time. */
final class ResultsJson implements Json.Pieces {
    private static final int PIECE = 200;

    private final List<Result> results;
    private final boolean isMillis;
    private final boolean showsQuery;
    private final boolean isArrays;
    private boolean isOpen;
    private int result;
    private int point;

    /** @param isArrays whether points are written as {@code [time, value]}, not as names and values of an object */
    ResultsJson(List<Result> results, Query query, boolean isArrays) {
        this.results = results;
        isMillis = query.isMillis();
        showsQuery = query.showsQuery();
        this.isArrays = isArrays;
    }

    @Override
    public boolean write(JsonWriter json) throws IOException {
        if (!isOpen) {
            json.beginArray();
            isOpen = true;
        }
        if (result == results.size()) {
            json.endArray();
            return false;
        }
        Result now = results.get(result);
        if (point == 0) {
            begin(json, now);
        }
        int end = Math.min(point + PIECE, now.points().size);
        while (point < end) {
            write(json, now);
            point++;
        }
        if (point == now.points().size) {
            end(json);
            result++;
            point = 0;
        }
        return true;
    }

    private void begin(JsonWriter json, Result now) throws IOException {
        json.beginObject()
                .name("metric")
                .value(now.query().metric())
                .name("tags")
                .beginObject();
        for (var tag : now.tags().entrySet()) {
            json.name(tag.getKey()).value(tag.getValue());
        }
        json.endObject().name("aggregateTags").beginArray();
        for (String key : now.aggregated()) {
            json.value(key);
        }
        json.endArray();
        if (showsQuery) {
            query(json.name("query"), now.query(), now.index());
        }
        json.name("dps");
        if (isArrays) {
            json.beginArray();
        } else {
            json.beginObject();
        }
    }

    private void end(JsonWriter json) throws IOException {
        if (isArrays) {
            json.endArray();
        } else {
            json.endObject();
        }
        json.endObject();
    }

    private void write(JsonWriter json, Result now) throws IOException {
        long millis = now.points().millis[point];
        long time = isMillis ? millis : millis / 1000;
        if (isArrays) {
            json.beginArray().value(time);
        } else {
            json.name(Long.toString(time));
        }
        if (now.points().isInteger) {
            json.value(now.points().integer(point));
        } else {
            value(json, now.points().real(point), now.query().downsample());
        }
        if (isArrays) {
            json.endArray();
        }
    }

    /** NaN is in quotes, because JSON has no such number. */
    private static void value(JsonWriter json, double value, @Nullable Downsample downsample) throws IOException {
        if (!Double.isNaN(value)) {
            json.value(value);
        } else if (downsample != null && downsample.fill() == Downsample.Fill.NULL) {
            json.nullValue();
        } else {
            json.value("NaN");
        }
    }

    private static void query(JsonWriter json, SubQuery query, int index) throws IOException {
        Downsample downsample = query.downsample();
        Rate rate = query.rate();
        json.beginObject();
        json.name("aggregator").value(query.aggregator().toString());
        json.name("metric").value(query.metric());
        json.name("downsample").value(downsample == null ? null : downsample.text());
        json.name("rate").value(rate != null);
        json.name("filters").beginArray();
        for (Filter filter : query.filters()) {
            json.beginObject();
            json.name("tagk").value(filter.key());
            json.name("filter").value(filter.text());
            json.name("group_by").value(filter.isGroupBy());
            json.name("type").value(filter.type().id());
            json.endObject();
        }
        json.endArray();
        json.name("index").value(index);
        if (rate != null) {
            json.name("rateOptions").beginObject();
            json.name("counter").value(rate.isCounter());
            json.name("counterMax").value(rate.counterMax());
            json.name("resetValue").value(rate.resetValue());
            json.name("dropResets").value(rate.dropsResets());
            json.endObject();
        }
        json.name("explicitTags").value(query.isExplicit());
        json.name("tags").beginObject();
        for (Filter filter : query.filters()) {
            if (filter.isGroupBy()) {
                json.name(filter.key()).value(filter.type().id() + "(" + filter.text() + ")");
            }
        }
        json.endObject();
        json.endObject();
    }
}
