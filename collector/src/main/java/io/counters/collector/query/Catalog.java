package io.counters.collector.query;

import io.counters.collector.history.History;
import io.counters.collector.publish.Series;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The time series that exist: the counters in the history, with the metrics and tags that they have in OpenTSDB. For any
 * thread.
 */
final class Catalog {
    private static final int PAGE = 1_000;

    /** Sort before and after all characters of names: a comma follows a metric that has tags; longer names sort between. */
    private static final String BEFORE_LETTERS = " ";

    private static final String BEHIND_COMMA = "-";
    private static final String BEHIND_ALL = String.valueOf(Character.MAX_VALUE);

    private final History history;
    private final Series series;

    /** @param series how counters are named in OpenTSDB */
    Catalog(History history, Series series) {
        this.history = history;
        this.series = series;
    }

    /** Receives time series one by one. */
    @FunctionalInterface
    private interface Taker {
        void take(TimeSeries one);
    }

    /** Whether there is a history at all. */
    boolean isKept() {
        return history.countersMax() > 0;
    }

    /** All series of a metric, sorted by name; they count in the budget. */
    List<TimeSeries> of(String metric, Budget budget) throws IOException {
        List<TimeSeries> found = new ArrayList<>();
        // With a comma it would be a metric and its tags.
        if (metric.startsWith(series.prefix()) && metric.indexOf(',') < 0) {
            String own = metric.substring(series.prefix().length());
            forEach(own, own + BEHIND_COMMA, budget, one -> {
                budget.take(0);
                found.add(one);
            });
        }
        return found;
    }

    /** Reads them page by page, because there may be a million. */
    private void forEach(String from, String before, Budget budget, Taker taker) throws IOException {
        List<String> page = history.names(from, before, PAGE);
        while (!page.isEmpty()) {
            budget.check();
            page.forEach(name -> taker.take(series(name)));
            page = page.size() < PAGE ? List.of() : history.names(page.get(PAGE - 1) + BEFORE_LETTERS, before, PAGE);
        }
    }

    private TimeSeries series(String name) {
        String[] parts = name.split(",", -1);
        NavigableMap<String, String> tags = new TreeMap<>();
        for (int i = 1; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            tags.put(parts[i].substring(0, equals), parts[i].substring(equals + 1));
        }
        series.added(name).forEach(tag -> tags.put(tag.key(), tag.value()));
        return new TimeSeries(name, series.prefix() + parts[0], Collections.unmodifiableNavigableMap(tags));
    }

    /** The first metrics that begin with this, sorted. */
    List<String> metrics(String beginning, int max, Budget budget) throws IOException {
        String prefix = series.prefix();
        List<String> found = new ArrayList<>();
        if (!beginning.startsWith(prefix) && !prefix.startsWith(beginning)) {
            return found;
        }
        String own = beginning.substring(Math.min(prefix.length(), beginning.length()));
        String from = own;
        while (found.size() < max) {
            budget.check();
            List<String> next = history.names(from, own + BEHIND_ALL, 1);
            if (next.isEmpty()) {
                break;
            }
            String metric = next.get(0).split(",", 2)[0];
            found.add(prefix + metric);
            from = metric + BEHIND_COMMA;
        }
        return found;
    }

    /** The first keys of tags that begin with this, sorted. */
    List<String> keys(String beginning, int max, Budget budget) throws IOException {
        return first(beginning, max, budget, one -> one.tags().keySet().stream());
    }

    /** The first values of tags that begin with this, sorted. */
    List<String> values(String beginning, int max, Budget budget) throws IOException {
        return first(beginning, max, budget, one -> one.tags().values().stream());
    }

    private List<String> first(String beginning, int max, Budget budget, Function<TimeSeries, Stream<String>> words)
            throws IOException {
        TreeSet<String> found = new TreeSet<>();
        forEach(
                "",
                BEHIND_ALL,
                budget,
                one -> words.apply(one)
                        .filter(word -> word.startsWith(beginning))
                        .forEach(word -> {
                            found.add(word);
                            if (found.size() > max) {
                                found.pollLast();
                            }
                        }));
        return List.copyOf(found);
    }

    /** Those of these keys and values that no series has. */
    Unknown unknown(Set<String> keys, Set<String> values, Budget budget) throws IOException {
        Unknown unknown = new Unknown(new TreeSet<>(keys), new TreeSet<>(values));
        forEach("", BEHIND_ALL, budget, one -> {
            unknown.keys.removeAll(new HashSet<>(one.tags().keySet()));
            unknown.values.removeAll(new HashSet<>(one.tags().values()));
        });
        return unknown;
    }

    /** Keys and values of tags that no series has. */
    record Unknown(Set<String> keys, Set<String> values) {}
}
