package io.counters.collector.dashboard;

import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import io.counters.collector.http.Response;
import io.counters.collector.ledger.Details;
import io.counters.collector.ledger.LedgerView;
import io.counters.collector.ledger.Snapshot;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code /api/live}: sends each tab, as server-sent events, what changes on its screen. Each round, {@value #ROUND_MILLIS}
 * ms after the one before, takes one snapshot of all counters for all tabs. While no tab is open, it does nothing and keeps
 * nothing.
 *
 * <p>A tab whose screen changes, because it scrolls or searches, opens a new answer. For any thread.
 */
public final class LiveApi {
    private static final long ROUND_MILLIS = 500;
    private static final long BASE_NANOS = 5_000_000_000L;

    /** A window that no tab has read for this many rounds is forgotten; a new answer is read within 10 s. */
    private static final int EMPTY_ROUNDS_MAX = 30;

    private static final int WINDOWS_MAX = 500;
    private static final int ROWS_MAX = 500;
    private static final int WATCHED_MAX = 100;
    private static final int ROW_MAX = 100_000_000;
    private static final int PANEL_ROUNDS = 2;

    private final LedgerView counted;
    private final HealthPanel panel;
    private final LongSupplier nanoClock;
    private final LongSupplier wallSeconds;
    private final Map<TabWindow.Key, TabWindow> windows = new HashMap<>();
    private final Map<CounterQuery, CounterList> views = new HashMap<>();

    private @Nullable CounterRates moment;

    /** The later of two earlier snapshots; once it is old enough, rates are computed from it. */
    private @Nullable Snapshot base;

    private long baseNanos;
    private long rounds;

    LiveApi(LedgerView counted, HealthPanel panel, LongSupplier nanoClock, LongSupplier wallSeconds) {
        this.counted = counted;
        this.panel = panel;
        this.nanoClock = nanoClock;
        this.wallSeconds = wallSeconds;
    }

    /** One round. Returns the milliseconds until the next. */
    public synchronized long run() {
        for (Iterator<TabWindow> all = windows.values().iterator(); all.hasNext(); ) {
            if (all.next().emptyRounds() > EMPTY_ROUNDS_MAX) {
                all.remove();
            }
        }
        if (windows.isEmpty()) {
            forget();
            return ROUND_MILLIS;
        }
        CounterRates now = next();
        Set<CounterQuery> asked = new HashSet<>();
        windows.keySet().forEach(key -> asked.add(key.query()));
        views.keySet().retainAll(asked);
        views.values().forEach(view -> update(view, now));
        if (rounds++ % PANEL_ROUNDS == 0) {
            panel.update(windows.keySet().stream().anyMatch(TabWindow.Key::hasPanel));
        }
        windows.values().forEach(window -> window.update(now, panel));
        return ROUND_MILLIS;
    }

    private void forget() {
        views.clear();
        moment = null;
        base = null;
    }

    /** Takes a snapshot. */
    private CounterRates next() {
        CounterRates last = moment;
        Snapshot now = counted.snapshot();
        long nanos = nanoClock.getAsLong();
        if (last == null || !continues(last.now(), now)) {
            return first(nanos);
        }
        long[] moved = Arrays.copyOf(last.movedSeconds(), now.size());
        long second = wallSeconds.getAsLong();
        for (int counter = 0; counter < now.size(); counter++) {
            if (counter >= last.size() || now.values()[counter] != last.value(counter)) {
                moved[counter] = second;
            }
        }
        Snapshot earlier = last.earlier() == null ? base : last.earlier();
        long earlierNanos = last.earlier() == null ? baseNanos : last.earlierNanos();
        if (nanos - baseNanos >= BASE_NANOS) {
            earlier = base;
            earlierNanos = baseNanos;
            base = now;
            baseNanos = nanos;
        }
        moment = new CounterRates(now, nanos, earlier, earlierNanos, moved);
        return moment;
    }

    private CounterRates first(long nanos) {
        Details details = counted.details();
        views.values().forEach(CounterList::reset);
        windows.values().forEach(TabWindow::reset);
        base = new Snapshot(details.names(), details.values(), details.size());
        baseNanos = nanos;
        moment = new CounterRates(base, nanos, null, nanos, details.movedSeconds());
        return moment;
    }

    /** Whether each counter still has its number. */
    @SuppressWarnings("ReferenceEquality") // The same array has the same names; only other arrays are compared.
    private static boolean continues(Snapshot before, Snapshot now) {
        return now.size() >= before.size()
                && (now.names() == before.names()
                        || Arrays.equals(now.names(), 0, before.size(), before.names(), 0, before.size()));
    }

    private void update(CounterList view, CounterRates now) {
        long begun = nanoClock.getAsLong();
        view.update(now, begun);
        view.updated(begun, nanoClock.getAsLong());
    }

    /** {@code /api/live?q=&tag=&sort=&order=&from=&rows=&name=&panel=}. */
    Response events(Request request) {
        request.allow("q", "tag", "sort", "order", "from", "rows", "name", "panel");
        CounterQuery query = CounterQuery.of(request);
        List<String> names = request.parameters("name").stream().distinct().toList();
        if (names.size() > WATCHED_MAX) {
            throw RequestException.bad(
                    "the parameter name is given " + names.size() + " times; at most " + WATCHED_MAX + " are allowed");
        }
        TabWindow window = window(new TabWindow.Key(
                query,
                (int) request.number("from", 0, ROW_MAX, 0),
                (int) request.number("rows", 0, ROWS_MAX, 100),
                names,
                request.number("panel", 0, 1, 0) == 1));
        return Response.events(window.listeners, window.events());
    }

    /** The window for one more tab, which is going to listen to its events. */
    synchronized TabWindow window(TabWindow.Key key) {
        TabWindow known = windows.get(key);
        if (known != null) {
            known.expect();
            return known;
        }
        if (windows.size() >= WINDOWS_MAX) {
            throw new RequestException(
                    503,
                    "already " + WINDOWS_MAX + " lists are open, or were within the last seconds; try again later");
        }
        CounterRates now = moment == null ? next() : moment;
        CounterList view = views.computeIfAbsent(key.query(), fresh -> {
            CounterList made = new CounterList(fresh);
            update(made, now);
            return made;
        });
        TabWindow window = new TabWindow(key, view, wallSeconds);
        if (key.hasPanel() || windows.isEmpty()) {
            panel.update(key.hasPanel());
        }
        window.update(now, panel);
        windows.put(key, window);
        return window;
    }
}
