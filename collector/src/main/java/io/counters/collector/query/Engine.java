package io.counters.collector.query;

import io.counters.collector.history.Samples;
import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Answers queries from the history. For any thread. */
final class Engine {
    /** The order of series, on which first, last and diff depend. OpenTSDB's is the order in which it first saw them. */
    private static final Comparator<TimeSeries> ORDER =
            Comparator.comparing(series -> series.tags().toString());

    private final Source source;
    private final Catalog catalog;

    /** Where samples come from: the history. */
    @FunctionalInterface
    interface Source {
        /** The samples of a range, including both ends. */
        Samples samples(String counter, long fromSecond, long toSecond) throws IOException;
    }

    Engine(Source source, Catalog catalog) {
        this.source = source;
        this.catalog = catalog;
    }

    /** A series and its points, downsampled or as rates if the request says so. */
    private record Read(TimeSeries series, Points points) {}

    /**
     * The results of all queries, in the order of the queries.
     *
     * @throws RequestException when a metric or a tag is unknown, or the budget is not enough
     * @throws IOException when history cannot be read now
     */
    List<Result> answer(Query query, Budget budget) throws IOException {
        List<Result> results = new ArrayList<>();
        for (int index = 0; index < query.queries().size(); index++) {
            SubQuery asked = query.queries().get(index);
            Downsample downsample = asked.downsample();
            TimeWindow window = TimeWindow.of(
                    query.startMillis(), query.endMillis(), downsample == null ? 0 : downsample.intervalMillis());
            List<TimeSeries> wanted = wanted(asked, budget);
            for (List<TimeSeries> group : groups(asked, wanted)) {
                List<Read> read = read(group, asked, window, budget);
                if (!read.isEmpty()) {
                    results.add(result(asked, index, read, window, budget));
                }
            }
            wanted.forEach(series -> budget.giveBack(0));
        }
        return results;
    }

    /**
     * The series that a query asks for; the budget has room for them.
     *
     * @throws RequestException when its metric or a tag is unknown
     */
    List<TimeSeries> wanted(SubQuery asked, Budget budget) throws IOException {
        List<TimeSeries> all = catalog.of(asked.metric(), budget);
        if (all.isEmpty()) {
            throw RequestException.bad("No such name for 'metrics': " + Request.shown(asked.metric()) + "; "
                    + (catalog.isKept()
                            ? "/api/suggest?type=metrics lists those in the history"
                            : "there is no history; to keep one, use --history-counters 20000"));
        }
        checkTags(asked, all, budget);
        Set<String> keys = new TreeSet<>();
        asked.filters().stream()
                .filter(filter -> filter.type() != Filter.Type.NOT_KEY)
                .forEach(filter -> keys.add(filter.key()));
        Predicate<Map<String, String>> taker = taker(asked.filters(), budget);
        List<TimeSeries> wanted = new ArrayList<>();
        for (TimeSeries series : all) {
            budget.check();
            // Without filters it has no effect, as in OpenTSDB.
            boolean isExplicit = !asked.isExplicit()
                    || asked.filters().isEmpty()
                    || series.tags().keySet().equals(keys);
            if (isExplicit && taker.test(series.tags())) {
                wanted.add(series);
            } else {
                budget.giveBack(0);
            }
        }
        wanted.sort(ORDER);
        return wanted;
    }

    /** All filters must accept a series; of those that list values of one key, one is enough. */
    private static Predicate<Map<String, String>> taker(List<Filter> filters, Budget budget) {
        Map<String, Predicate<Map<String, String>>> listing = new HashMap<>();
        Predicate<Map<String, String>> all = tags -> true;
        for (Filter filter : filters) {
            Predicate<Map<String, String>> taker = filter.taker(budget);
            if (filter.type() == Filter.Type.LITERAL_OR) {
                listing.merge(filter.key(), taker, Predicate::or);
            } else {
                all = all.and(taker);
            }
        }
        for (Predicate<Map<String, String>> taker : listing.values()) {
            all = all.and(taker);
        }
        return all;
    }

    /** A tag that no metric has is an error; if only this metric lacks it, the answer is empty. */
    private void checkTags(SubQuery asked, List<TimeSeries> all, Budget budget) throws IOException {
        Set<String> keys = new HashSet<>();
        Set<String> values = new HashSet<>();
        for (Filter filter : asked.filters()) {
            if (filter.type() != Filter.Type.NOT_KEY) {
                keys.add(filter.key());
                values.addAll(filter.values());
            }
        }
        for (TimeSeries series : all) {
            series.tags().forEach((key, value) -> {
                keys.remove(key);
                values.remove(value);
            });
        }
        if (keys.isEmpty() && values.isEmpty()) {
            return;
        }
        Catalog.Unknown unknown = catalog.unknown(keys, values, budget);
        checkKnown("tagk", unknown.keys());
        checkKnown("tagv", unknown.values());
    }

    private static void checkKnown(String type, Set<String> unknown) {
        for (String name : unknown) {
            throw RequestException.bad("No such name for '" + type + "': " + Request.shown(name)
                    + "; /api/suggest?type=" + type + " lists those in the history");
        }
    }

    /** Groups are found by a text, not by a list of values: a map orders texts if the hashes of all of them collide. */
    static Collection<List<TimeSeries>> groups(SubQuery asked, List<TimeSeries> wanted) {
        Set<String> keys = new TreeSet<>();
        for (Filter filter : asked.filters()) {
            if (filter.isGroupBy() && filter.type() != Filter.Type.NOT_KEY) {
                keys.add(filter.key());
            }
        }
        Map<String, List<TimeSeries>> groups = new LinkedHashMap<>();
        for (TimeSeries series : wanted) {
            String group = asked.aggregator() == AggregateFunction.NONE
                    ? series.counter()
                    : keys.stream()
                            .map(key -> series.tags().getOrDefault(key, ""))
                            .collect(Collectors.joining(","));
            groups.computeIfAbsent(group, fresh -> new ArrayList<>()).add(series);
        }
        return groups.values();
    }

    private List<Read> read(List<TimeSeries> group, SubQuery asked, TimeWindow window, Budget budget)
            throws IOException {
        List<Read> read = new ArrayList<>();
        for (TimeSeries series : group) {
            budget.check();
            Samples samples =
                    source.samples(series.counter(), window.fromMillis() / 1000, window.toMillis() / 1000 - 1);
            if (samples.size() > 0) {
                budget.take(samples.size());
                Points points = Points.of(samples);
                Downsample downsample = asked.downsample();
                if (downsample != null) {
                    long sizeMax = downsample.sizeMax(points.size, window);
                    budget.take(sizeMax);
                    points = downsample.apply(points, window);
                    budget.giveBack(sizeMax);
                }
                Rate rate = asked.rate();
                points = rate == null ? points : rate.apply(points);
                budget.giveBack(samples.size());
                budget.take(points.size);
                read.add(new Read(series, points));
            }
        }
        return read;
    }

    private static Result result(SubQuery asked, int index, List<Read> read, TimeWindow window, Budget budget) {
        List<Points> points = read.stream().map(Read::points).toList();
        Points merged = new Merge(points, asked.rate() != null, asked.aggregator(), window, budget).merged();
        points.forEach(one -> budget.giveBack(one.size));
        budget.take(merged.size);
        NavigableMap<String, String> tags = new TreeMap<>();
        Set<String> aggregated = new TreeSet<>();
        for (Read one : read) {
            one.series().tags().forEach((key, value) -> {
                if (!value.equals(tags.computeIfAbsent(key, fresh -> value))) {
                    aggregated.add(key);
                }
            });
        }
        tags.keySet().removeAll(aggregated);
        return new Result(asked, index, tags, aggregated, merged);
    }
}
