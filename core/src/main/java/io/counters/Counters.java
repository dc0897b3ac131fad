package io.counters;

import io.counters.cells.Cells;
import io.counters.emit.Checkpointed;
import io.counters.emit.Checkpoints;
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
 * The API's entry point: counts by name, creates {@link Counter} handles, and starts sending in a JVM without the
 * agent.
 *
 * <pre>{@code
 * Counters.increment("orders.placed");
 * Counters.add("orders.cents,currency=eur", 1999);
 * }</pre>
 *
 * <p>A name is a metric and up to 7 tags, {@code metric,key=value,key=value}, consisting of
 * {@code A-Z a-z 0-9 - _ . /}, and has at most 250 bytes. A name that breaks this rule is refused: this is logged once
 * on stderr, and its counts go to {@value #REFUSED}, so that none is lost. Beyond {@value Cells#COUNTERS_MAX} names,
 * counts of a new name go to {@value Cells#OVERFLOW}.
 *
 * <p>All methods may be called from any thread. Counting never throws, with one exception: an {@link OutOfMemoryError}
 * if there is no memory for a new name, because a count under another name could never be corrected.
 */
public final class Counters {
    /** The counter for all counts whose names break the rules. */
    public static final String REFUSED = "counters.refused";

    private static final int COMPLAINTS_MAX = 20;
    private static final int NAMES_KEPT_MAX = 2 * Cells.COUNTERS_MAX;

    private static final ConcurrentHashMap<String, Counter> BY_NAME = new ConcurrentHashMap<>();

    /**
     * A cache before the map for names that are literals: by the name's hash, compared by the identity of its String.
     */
    private static final @Nullable Counter[] RECENT = new Counter[1024];

    /** What has been sent so far, shared by all emitters of this JVM so that nothing is sent twice. */
    private static final CounterTable SENT = new CounterTable();

    private static final AtomicInteger complaints = new AtomicInteger();
    private static final AtomicReference<@Nullable Emitter> emitter = new AtomicReference<>();
    private static final AtomicBoolean secondStart = new AtomicBoolean();

    private Counters() {}

    /** The counter of this name, created if it is new. Keep it in a field if the name is counted often. */
    public static Counter counter(String name) {
        Counter known = BY_NAME.get(name == null ? "" : name);
        return known != null ? known : create(name == null ? "" : name);
    }

    /**
     * The counter of this name with these tags, {@code counter("payments.tried", "method", "card")}: the same one as that
     * of {@code "payments.tried,method=card"}. Finding it costs more than counting, so keep it if its tags are fixed.
     *
     * <p>Tags that break the rules of a name are refused like a name that does: if a key has no value, if a key or a
     * value is null, empty, or has other characters than a name, or if a key appears twice.
     *
     * @param name a metric, which may have tags of its own
     * @param tags keys and values in turn, at most 7 of each with those of the name
     */
    public static Counter counter(String name, String... tags) {
        if (tags == null) {
            return counter((name == null ? "" : name) + ',');
        }
        if (tags.length == 0) {
            return counter(name);
        }
        StringBuilder tagged = new StringBuilder(64).append(name == null ? "" : name);
        for (int i = 0; i < tags.length; i++) {
            append(tagged.append(i % 2 == 0 ? ',' : '='), tags[i]);
        }
        return counter(tagged.toString());
    }

    /** Appends a key or a value; one that would read as several is quoted, so that the name is refused. */
    private static void append(StringBuilder tagged, @Nullable String part) {
        if (part == null) {
            return;
        }
        boolean splits = part.indexOf(',') >= 0 || part.indexOf('=') >= 0;
        tagged.append(splits ? "'" : "").append(part).append(splits ? "'" : "");
    }

    /** Adds one under this name; fastest if the name is a literal. */
    public static void increment(String name) {
        recent(name).increment();
    }

    /** Subtracts one under this name. */
    public static void decrement(String name) {
        recent(name).decrement();
    }

    /** Adds an amount of either sign; see {@link Counter#add}. */
    public static void add(String name, long amount) {
        recent(name).add(amount);
    }

    // Identity is meant: a literal is one String in the whole JVM, and comparing references costs almost nothing.
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
     * Starts sending all counts, including earlier ones, once a second from one daemon thread. For a service without
     * the agent.
     *
     * <p>Returns at once: sending, and every failure of it, happens on that thread. If the agent is present, or an
     * earlier start has not been closed, this does nothing and logs that once.
     *
     * <p>If the JVM has CRaC, or {@code org.crac} is on the class path, everything is sent and all sockets are closed
     * before a checkpoint; a restored process sends in streams of its own.
     *
     * @param collector {@code host:port}, or {@code host} for port 11212; several collectors, with weights, are written
     *     {@code h1*3;h2}, and each name is sent to the one that owns it
     * @return its {@code close} makes a last sweep, within 500 ms; when the JVM ends, this happens without it
     * @throws IllegalArgumentException if {@code collector} does not have that form
     */
    public static AutoCloseable start(String collector) {
        return start(EmitterSettings.to(collector));
    }

    /** Starts sending like {@link #start(String)}, with other settings than the defaults. */
    public static AutoCloseable start(EmitterSettings settings) {
        Emitter fresh = new Emitter(settings, SENT, Counters::complain);
        boolean agent = !Cells.keep();
        if (agent || !emitter.compareAndSet(null, fresh)) {
            if (secondStart.compareAndSet(false, true)) {
                complain("Counters.start does nothing: " + (agent ? "the agent" : "an earlier start")
                        + " already sends");
            }
            return () -> {};
        }
        fresh.start();
        Restores.registerOnce();
        return () -> {
            fresh.close();
            emitter.compareAndSet(fresh, null);
        };
    }

    /** Tells the emitter that runs when this process is copied. */
    private static final class Restores implements Checkpointed {
        private static final Checkpoints CHECKPOINTS = new Checkpoints(new Restores());

        static {
            // The library passes on to the JVM, so one of them is enough.
            if (!CHECKPOINTS.register(Checkpoints.OF_THE_JVM, null)) {
                CHECKPOINTS.register(Checkpoints.OF_THE_APPLICATION, Counters.class.getClassLoader());
            }
        }

        /** Registers by initializing this class. */
        static void registerOnce() {}

        @Override
        public void beforeCheckpoint() {
            Emitter running = emitter.get();
            if (running != null) {
                running.beforeCheckpoint();
            }
        }

        @Override
        public void afterRestore() {
            Emitter running = emitter.get();
            if (running != null) {
                running.afterRestore();
            }
        }
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
            System.err.println("counters: further messages are suppressed; watch the counter " + REFUSED);
        }
    }
}
