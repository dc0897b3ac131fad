package io.counters.agent.weave;

import io.counters.agent.weave.ClassMarks.Said;
import io.counters.wire.NameTemplates;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a method counts and when: its marks, converted to amounts that are added to counters. */
final class MethodCounts {
    private static final String STAGE = ")Ljava/util/concurrent/CompletionStage;";
    private static final String FUTURE = ")Ljava/util/concurrent/CompletableFuture;";
    private static final String SUSPEND = "Lkotlin/coroutines/Continuation;)Ljava/lang/Object;";

    private static final String BY_EXCEPTION = ",exception=" + Mark.EXCEPTION;
    private static final String BY_EXAMPLE = ",exception=Exception";
    private static final String IN_FLIGHT = "IN_FLIGHT";

    /** An amount that is added to a counter. */
    static final class Increment {
        /** Canonical; with {@link Mark#EXCEPTION} in place of the Throwable's class if it depends on that. */
        final String name;

        final int amount;

        /** Class names of Throwables, each followed by {@code ;}: only these count. Empty: all count. */
        final String on;

        /** With {@code async}, the moment of the returned stage: RETURN, THROW or EXIT. Null if the method's end counts. */
        final @Nullable Moment stage;

        Increment(String name, int amount, String on, @Nullable Moment stage) {
            this.name = name;
            this.amount = amount;
            this.on = on;
            this.stage = stage;
        }

        /** Whether its name depends on the Throwable that ends the call. */
        boolean isByException() {
            return name.contains(Mark.EXCEPTION);
        }
    }

    final List<Increment> entry = new ArrayList<>();

    /** The increments of {@code inFlight}. They are last before the body, and the decrements are first after it. */
    final List<Increment> opened = new ArrayList<>();

    final List<Increment> returned = new ArrayList<>();
    final List<Increment> thrown = new ArrayList<>();

    /** Whether it is a suspend function of Kotlin. */
    boolean suspends;

    /** Whether it is entered again when it is resumed; then a call is counted when it ends. */
    boolean reentered;

    /** What is counted: moments, each with a name. */
    private final Set<String> counted = new HashSet<>(4);

    /** The increments and decrements of {@code inFlight}. */
    private final List<Increment> flights = new ArrayList<>(0);

    /** Adds the amounts of one mark. Parts that cannot work are ignored and logged. */
    void add(Said said, NameTemplates names, RefusedMarks refusals, String method, String descriptor) {
        Mark mark = said.mark;
        String owner = said.owner;
        boolean staged = descriptor.endsWith(STAGE) || descriptor.endsWith(FUTURE);
        if (mark.async && !staged) {
            refusals.refuse(
                    owner,
                    method,
                    "async is for methods declared to return a CompletionStage or CompletableFuture; this method is"
                            + " not, so it is not counted; remove async=true to count it when it returns");
            return;
        }
        boolean async = staged && (mark.async || mark.asyncIfStage);
        boolean constructor = method.equals("<init>");
        if (constructor && (isAtEnd(mark.when) || !mark.errors.isEmpty() || !mark.inFlight.isEmpty())) {
            refusals.refuse(
                    owner,
                    method,
                    "a constructor counts at ENTRY or RETURN only, because no handler can be placed around super(...);"
                            + " THROW, EXIT, errors and inFlight are ignored");
        }
        suspends = descriptor.endsWith(SUSPEND);
        if (suspends && !mark.inFlight.isEmpty()) {
            refusals.refuse(
                    owner,
                    method,
                    "inFlight is ignored, because a suspend function returns and is entered again within one call;"
                            + " put inFlight on a method around the coroutine instead");
        }
        StringBuilder types = new StringBuilder();
        for (String type : mark.on) {
            types.append(type).append(';');
        }
        String on = types.toString();
        String value = mark.counts ? value(mark, names, owner, method) : null;
        if (value != null && !(constructor && isAtEnd(mark.when)) && isNew(said, mark.when.name(), value, on)) {
            if (mark.when == Moment.ENTRY) {
                entry.add(new Increment(value, mark.amount, "", null));
            } else {
                atEnd(async, mark.when, value, mark.amount, mark.when == Moment.THROW ? on : "");
            }
        }
        String template = mark.errors;
        if (template.startsWith("+")) {
            template = value == null ? "" : NameTemplates.append(value, template.substring(1));
        }
        String errors = template.isEmpty() || constructor ? null : names.resolve(template, owner, method);
        if (errors != null && isNew(said, Moment.THROW.name(), errors, on)) {
            atEnd(async, Moment.THROW, errors, 1, on);
        }
        String inFlight =
                mark.inFlight.isEmpty() || constructor || suspends ? null : names.resolve(mark.inFlight, owner, method);
        if (inFlight != null && isNew(said, IN_FLIGHT, inFlight, "")) {
            addInFlight(inFlight, async ? Moment.EXIT : null);
        }
    }

    private void addInFlight(String name, @Nullable Moment stage) {
        opened.add(new Increment(name, 1, "", null));
        returned.add(0, new Increment(name, -1, "", stage));
        thrown.add(0, new Increment(name, -1, "", null));
        flights.addAll(Arrays.asList(opened.get(opened.size() - 1), returned.get(0), thrown.get(0)));
    }

    /**
     * Whether a mark counts something more. If not, its Throwables are added to those for which the name counts already, so
     * that a Throwable of both counts once.
     */
    private boolean isNew(Said said, String moment, String name, String on) {
        if (counted.add(moment + " " + name) || said.isCount) {
            return true;
        }
        if (moment.equals(Moment.THROW.name())) {
            widen(returned, name, on);
            widen(thrown, name, on);
        }
        return false;
    }

    private static void widen(List<Increment> moment, String name, String on) {
        for (int i = 0; i < moment.size(); i++) {
            Increment increment = moment.get(i);
            if (increment.name.equals(name) && !increment.on.isEmpty()) {
                moment.set(
                        i,
                        new Increment(name, increment.amount, on.isEmpty() ? "" : increment.on + on, increment.stage));
            }
        }
    }

    /** Removes {@code inFlight} if the method counts anything else under that name: the sum would mean neither of the two. */
    void separate(RefusedMarks refusals, String owner, String method) {
        for (int i = 0; i < flights.size(); i += 3) {
            String name = flights.get(i).name;
            boolean mixed = false;
            for (Moment moment : Moment.values()) {
                mixed |= counted.contains(moment + " " + name);
            }
            if (mixed) {
                refusals.refuse(
                        owner,
                        method,
                        "calls in progress are not counted as " + name + ", because the method counts calls under that"
                                + " name, too; give one of the two another name");
                List<Increment> flight = flights.subList(i, i + 3);
                opened.removeAll(flight);
                returned.removeAll(flight);
                thrown.removeAll(flight);
            }
        }
    }

    private static @Nullable String value(Mark mark, NameTemplates names, String owner, String method) {
        if (!mark.byException) {
            return names.resolve(mark.value, owner, method);
        }
        // The tag is checked and sorted with an example.
        String name = names.resolve(mark.value.replace(BY_EXCEPTION, BY_EXAMPLE), owner, method);
        return name == null ? null : name.replace(BY_EXAMPLE, BY_EXCEPTION);
    }

    /** A call that throws has ended, even if the method is declared to return a stage. */
    private void atEnd(boolean async, Moment when, String name, int amount, String on) {
        if (async) {
            returned.add(new Increment(name, amount, on, when));
        } else if (when != Moment.THROW) {
            returned.add(new Increment(name, amount, on, null));
        }
        if (when != Moment.RETURN) {
            thrown.add(new Increment(name, amount, on, null));
        }
    }

    /** Moves what counts at entry to the end of the call, because the code is entered several times per call. */
    void reenter() {
        reentered = true;
        returned.addAll(entry);
        thrown.addAll(entry);
        entry.clear();
    }

    /** Removes what counts under a name with this text; returns whether anything did. */
    boolean removeNamed(String text) {
        boolean removed = false;
        for (List<Increment> moment : Arrays.asList(entry, opened, returned, thrown)) {
            removed |= moment.removeIf(increment -> increment.name.contains(text));
        }
        return removed;
    }

    private static boolean isAtEnd(Moment when) {
        return when == Moment.THROW || when == Moment.EXIT;
    }

    boolean isEmpty() {
        return entry.isEmpty() && opened.isEmpty() && returned.isEmpty() && thrown.isEmpty();
    }
}
