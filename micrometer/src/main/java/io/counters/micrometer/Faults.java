package io.counters.micrometer;

import io.counters.Counter;
import io.counters.Counters;
import io.micrometer.core.instrument.Meter;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Counts what cannot be counted as a meter says, by its reason, and logs each reason once, or once for each meter if each
 * needs a remedy of its own. Any thread.
 */
final class Faults {
    static final String NAME = "counters.micrometer.faults";

    /** The maximum names of meters for which one reason is logged. */
    static final int SAID_MAX = 100;

    enum Reason {
        /** A negative amount. */
        NEGATIVE("a meter only rises, so it is not counted"),
        /** An amount or a value of a function that is NaN, infinite, or 2^63 or more. */
        NOT_FINITE("it is not counted"),
        /** A function whose value is below an earlier one. */
        FELL(
                "a function of a counter must never fall; at half or less it is taken to have begun again at 0, and else what it rises"
                        + " above its highest value is counted"),
        /** A function that threw. */
        FAILED("what it counts meanwhile is counted once it works"),
        /** Functions that do not return, while the application runs or at the end. */
        BLOCKED("what functions have counted since they were last read may be lost"),
        /** A meter some of whose tags do not fit. */
        TAGS("a name has at most 7 tags and 250 bytes; meters that differ in these tags only add up");

        final String rule;
        final String name = NAME + ",reason=" + name().toLowerCase(Locale.ROOT);

        Reason(String rule) {
            this.rule = rule;
        }
    }

    private final Consumer<String> log;
    private final Set<String> said = ConcurrentHashMap.newKeySet();
    private final Map<Reason, Counter> counters = new EnumMap<>(Reason.class);

    Faults(Consumer<String> log) {
        this.log = log;
        for (Reason reason : Reason.values()) {
            counters.put(reason, Counters.counter(reason.name));
        }
    }

    /** @param what happened to this meter, in words */
    void note(Reason reason, Meter.Id meter, String what) {
        note(reason, reason == Reason.TAGS ? meter.getName() : "", "the meter " + meter.getName() + ": " + what);
    }

    void note(Reason reason, String what) {
        note(reason, "", what);
    }

    private void note(Reason reason, String name, String what) {
        Counter counter = counters.get(reason);
        if (counter != null) {
            counter.increment();
        }
        boolean mayBeSaid = name.isEmpty() || said.size() < SAID_MAX;
        if (mayBeSaid && said.add(reason + " " + name)) {
            String further = name.isEmpty() ? "Further cases" : "Further cases of this name";
            log.accept(
                    what + "; " + reason.rule + ". " + further + " are not logged, and are counted as " + reason.name);
        }
    }
}
