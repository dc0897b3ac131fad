package io.counters.collector.dashboard;

import io.counters.collector.http.Listeners;
import io.counters.collector.http.Text;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * What a tab has on its screen: some rows of a view, and counters that it watches by name, because they are pinned or drawn.
 * Tabs that show the same share one window. Each round compares it with the previous round once, whatever the number of tabs;
 * a tab that has received the previous round gets the difference, any other tab gets everything.
 *
 * <p>{@link #events} may be called by any thread, all else by one at a time.
 */
final class TabWindow {
    /**
     * What identifies a window.
     *
     * @param from the first row
     * @param rows how many rows
     * @param watched the names of counters
     * @param hasPanel whether the state of the collector is on the screen
     */
    record Key(CounterQuery query, int from, int rows, List<String> watched, boolean hasPanel) {
        Key {
            watched = List.copyOf(watched);
        }
    }

    /** A round in which something changed, ready to be sent. */
    private record Round(int number, String all, String change) {}

    final Key key;
    final CounterList view;
    final Listeners listeners = new Listeners();

    private final LongSupplier wallSeconds;
    private final int[] watchedCounters;

    /** Watched names whose counters are not known yet, with their places. */
    private final Map<String, Integer> missing = new HashMap<>();

    private int looked;
    private int[] shown = {};
    private int watchedShown;
    private long[] values = {};
    private String[] rates = {};
    private long[] moved = {};
    private int found = -1;
    private int total = -1;
    private String told = "";
    private String toldPanel = "";
    private int emptyRounds;
    private volatile Round round = new Round(0, "", "");

    /** @param wallSeconds the wall clock, which each tab is told at first: the browser's may differ */
    TabWindow(Key key, CounterList view, LongSupplier wallSeconds) {
        this.key = key;
        this.view = view;
        this.wallSeconds = wallSeconds;
        watchedCounters = new int[key.watched().size()];
        reset();
    }

    /** Starts again, because counters have new numbers. */
    void reset() {
        Arrays.fill(watchedCounters, -1);
        missing.clear();
        for (int i = 0; i < watchedCounters.length; i++) {
            missing.put(key.watched().get(i), i);
        }
        looked = 0;
        found = -1;
    }

    /** Called when a tab asks for it, because a while passes until that tab listens. */
    void expect() {
        emptyRounds = 0;
    }

    /** For how many rounds in a row no tab has looked at it, or asked for it. */
    int emptyRounds() {
        emptyRounds = listeners.isEmpty() ? emptyRounds + 1 : 0;
        return emptyRounds;
    }

    /**
     * Compares with the previous round.
     *
     * @param panel the events that are the same for all windows
     */
    void update(CounterRates moment, HealthPanel panel) {
        int[] now = counters(moment);
        boolean isSame = Arrays.equals(now, shown) && found == view.size() && total == moment.size();
        StringBuilder change = new StringBuilder();
        if (!isSame) {
            shown = now;
            values = new long[now.length];
            rates = new String[now.length];
            moved = new long[now.length];
            found = view.size();
            total = moment.size();
        }
        for (int i = 0; i < shown.length; i++) {
            refresh(i, moment, change);
        }
        String troubles = panel.troubles();
        String state = key.hasPanel() ? panel.state() : "";
        String further = (troubles.equals(told) ? "" : troubles) + (state.equals(toldPanel) ? "" : state);
        if (isSame && change.length() == 0 && further.isEmpty()) {
            return;
        }
        told = troubles;
        toldPanel = state;
        String rows = rows(moment);
        String all = rows + troubles + state;
        String changed = change.length() == 0 ? "" : "event: change\ndata: [" + change + "]\n\n";
        round = new Round(round.number + 1, all, (isSame ? changed : rows) + further);
        listeners.wake();
    }

    private int[] counters(CounterRates moment) {
        find(moment);
        int rows = Math.max(0, Math.min(key.rows(), view.size() - key.from()));
        int[] now = new int[rows + watchedCounters.length];
        for (int row = 0; row < rows; row++) {
            now[row] = view.counter(key.from() + row);
        }
        int size = rows;
        for (int i = 0; i < watchedCounters.length; i++) {
            if (watchedCounters[i] >= 0) {
                now[size++] = watchedCounters[i];
            }
        }
        watchedShown = size - rows;
        return Arrays.copyOf(now, size);
    }

    /** Looks for watched names among the new counters. */
    private void find(CounterRates moment) {
        for (; looked < moment.size() && !missing.isEmpty(); looked++) {
            Integer place = missing.remove(moment.name(looked));
            if (place != null) {
                watchedCounters[place] = looked;
            }
        }
    }

    private void refresh(int i, CounterRates moment, StringBuilder change) {
        int counter = shown[i];
        long value = moment.value(counter);
        String rate = moment.hasRates() ? rate(moment.rate(counter)) : "null";
        if (rates[i] != null && value == values[i] && rate.equals(rates[i])) {
            return;
        }
        values[i] = value;
        rates[i] = rate;
        moved[i] = moment.movedSecond(counter);
        change.append(change.length() == 0 ? "[" : ",[").append(i).append(',');
        numbers(change, i).append(']');
    }

    private StringBuilder numbers(StringBuilder out, int i) {
        return out.append('"')
                .append(values[i])
                .append("\",")
                .append(rates[i])
                .append(',')
                .append(moved[i]);
    }

    /** Rates have three decimals; more could not be read while they change. */
    private static String rate(double rate) {
        double size = Math.abs(rate);
        if (size >= 100 || size == 0) {
            return Long.toString(Math.round(rate));
        }
        double scale = size >= 10 ? 10 : size >= 1 ? 100 : 1000;
        return Double.toString(Math.round(rate * scale) / scale);
    }

    private String rows(CounterRates moment) {
        StringBuilder out = new StringBuilder(64 + 64 * shown.length);
        out.append("event: rows\ndata: {\"total\":").append(total);
        out.append(",\"found\":").append(found);
        out.append(",\"from\":").append(key.from());
        out.append(",\"watched\":").append(watchedShown).append(",\"rows\":[");
        for (int i = 0; i < shown.length; i++) {
            out.append(i == 0 ? "[\"" : ",[\"").append(moment.name(shown[i])).append("\",");
            numbers(out, i).append(']');
        }
        return out.append("]}\n\n").toString();
    }

    /** The events for one more tab. */
    Text events() {
        return new Text() {
            private int seen = -1;

            @Override
            public boolean append(StringBuilder out) {
                Round newest = round;
                if (newest.number != seen) {
                    if (seen < 0) {
                        // All times that follow are by this clock.
                        out.append("event: now\ndata: ")
                                .append(wallSeconds.getAsLong())
                                .append("\n\n");
                    }
                    out.append(newest.number == seen + 1 ? newest.change : newest.all);
                    seen = newest.number;
                }
                return false;
            }
        };
    }
}
