package io.counters;

import io.counters.cells.Cells;
import io.counters.emit.CounterTable;
import io.counters.emit.Emitter;
import io.counters.emit.EmitterSettings;
import io.counters.wire.NameReader;
import io.counters.wire.Rejection;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The root of the API: counts by name, hands out {@link Counter} handles, and starts sending where no agent does.
 *
 * <pre>{@code
 * Counters.increment("orders.placed");
 * Counters.add("orders.cents,currency=eur", 1999);
 * }</pre>
 *
 * <p>A name is a metric and up to 7 tags, {@code metric,key=value,key=value}, of the letters {@code A-Z a-z 0-9 - _ . /},
 * at most 250 bytes. A name that breaks this is refused: said once on stderr, and what is counted under it is counted
 * as {@value #REFUSED}, so that nothing vanishes. Beyond {@value Cells#COUNTERS_MAX} names a new name is counted as
 * {@value Cells#OVERFLOW}.
 *
 * <p>All methods may be called from any thread. Counting never throws, but where there is no memory left for a name that
 * is new: {@link OutOfMemoryError} then, as a count under another name would stay wrong.
 */
public final class Counters {
    /** The counter that takes what is counted under names that break the rules. */
    public static final String REFUSED = "counters.refused";

    private static final int COMPLAINTS_MAX = 20;
    private static final int NAMES_KEPT_MAX = 2 * Cells.COUNTERS_MAX;

    private static final ConcurrentHashMap<String, Counter> BY_NAME = new ConcurrentHashMap<>();

    /** By the hash of the name and the identity of its String: in front of the map, for names that are literals. */
    private static final @Nullable Counter[] RECENT = new Counter[1024];

    /** What has been sent, by one emitter or the next: nothing is sent twice. */
    private static final CounterTable SENT = new CounterTable();

    private static final AtomicInteger complaints = new AtomicInteger();
    private static final AtomicReference<@Nullable Emitter> emitter = new AtomicReference<>();
    private static final AtomicBoolean secondStart = new AtomicBoolean();

    private Counters() {}

    /** The counter of this name, created when it is new. Keep it where the same name is counted often. */
    public static Counter counter(String name) {
        Counter known = BY_NAME.get(name == null ? "" : name);
        return known != null ? known : create(name == null ? "" : name);
    }

    /** Counts one under this name; quickest when the name is a literal. */
    public static void increment(String name) {
        recent(name).increment();
    }

    /** Takes one off this name. */
    public static void decrement(String name) {
        recent(name).decrement();
    }

    /** Adds an amount of either sign; see {@link Counter#add}. */
    public static void add(String name, long amount) {
        recent(name).add(amount);
    }

    // Identity is the point: a literal is one String in the whole JVM, and comparing references costs nothing.
    @SuppressWarnings("ReferenceEquality")
    private static Counter recent(String name) {
        if (name == null) {
            return counter(name);
        }
        int slot = name.hashCode() & (RECENT.length - 1);
        Counter recent = RECENT[slot];
        if (recent != null && recent.asked == name) {
            return recent;
        }
        Counter counter = counter(name);
        if (counter.asked == name) {
            RECENT[slot] = counter;
        }
        return counter;
    }

    private static Counter create(String asked) {
        NameReader reader = new NameReader();
        Rejection why = reader.read(asked);
        String kept = asked.intern();
        Counter counter = new Counter(kept, why == null ? reader.name() : REFUSED);
        Counter first = BY_NAME.size() < NAMES_KEPT_MAX ? BY_NAME.putIfAbsent(kept, counter) : null;
        if (first != null) {
            return first;
        }
        if (why != null) {
            complain("the name " + quoted(asked) + " is refused: " + why.rule() + "; it is counted as " + REFUSED);
        }
        return counter;
    }

    /**
     * Starts sending what is and was counted, once a second, from one daemon thread. For a service without the agent.
     *
     * <p>Returns at once: the collector's name is resolved, and every fault is met, on that thread. Where the agent is
     * present, or something was started before, this does nothing and says so once.
     *
     * @param collector {@code host:port}, or {@code host}, which means port 11212; several, with weights, as
     *     {@code h1*3;h2}: each name goes to the one that owns it
     * @return closes with a last sweep, within 500 ms; a JVM that ends does that by itself
     * @throws IllegalArgumentException if {@code collector} is not of that form
     */
    public static AutoCloseable start(String collector) {
        return start(EmitterSettings.to(collector));
    }

    /** As {@link #start(String)}, with other settings than the default ones. */
    public static AutoCloseable start(EmitterSettings settings) {
        Emitter fresh = new Emitter(settings, SENT, Counters::complain);
        boolean agent = !Cells.keep();
        if (agent || !emitter.compareAndSet(null, fresh)) {
            if (secondStart.compareAndSet(false, true)) {
                complain("Counters.start does nothing: " + (agent ? "the agent" : "an earlier start")
                        + " sends already");
            }
            return () -> {};
        }
        fresh.start();
        return () -> {
            fresh.close();
            emitter.compareAndSet(fresh, null);
        };
    }

    private static String quoted(String name) {
        StringBuilder shown = new StringBuilder("\"");
        for (int i = 0; i < Math.min(name.length(), 60); i++) {
            char c = name.charAt(i);
            shown.append(c >= ' ' && c < 127 ? c : '?');
        }
        return shown.append(name.length() > 60 ? "\"..." : "\"").toString();
    }

    private static void complain(String message) {
        int before = complaints.getAndIncrement();
        if (before < COMPLAINTS_MAX) {
            System.err.println("counters: " + message);
        } else if (before == COMPLAINTS_MAX) {
            System.err.println("counters: further complaints are left out; watch the counter " + REFUSED);
        }
    }
}
