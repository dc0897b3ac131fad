package io.counters.agent.weave;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a method is to count, and when: the marks on it, as amounts to add to counters. */
final class MethodCounts {
    private static final String STAGE = ")Ljava/util/concurrent/CompletionStage;";
    private static final String FUTURE = ")Ljava/util/concurrent/CompletableFuture;";
    private static final String SUSPEND = "Lkotlin/coroutines/Continuation;)Ljava/lang/Object;";

    /** An amount for a counter. */
    static final class Tick {
        final String name;
        final int amount;

        /** Only for these Throwables: class names, each followed by {@code ;}. Empty is any. */
        final String on;

        /** RETURN, THROW or EXIT of the stage that the method returns; null where the method's own end counts. */
        final @Nullable Moment stage;

        Tick(String name, int amount, String on, @Nullable Moment stage) {
            this.name = name;
            this.amount = amount;
            this.on = on;
            this.stage = stage;
        }
    }

    final List<Tick> entry = new ArrayList<>();

    /** What is in flight goes up as the last thing before the body, and down as the first thing after it. */
    final List<Tick> opened = new ArrayList<>();

    final List<Tick> returned = new ArrayList<>();
    final List<Tick> thrown = new ArrayList<>();

    /** Whether it is a suspend function of Kotlin. */
    boolean suspends;

    /** Whether it is entered again when it is resumed: then a call is counted when it is over. */
    boolean reentered;

    /** Adds what one mark asks for; what cannot be done is left out, and said. */
    void add(Mark mark, Names names, Refusals refusals, String owner, String method, String descriptor) {
        if (mark.async && !descriptor.endsWith(STAGE) && !descriptor.endsWith(FUTURE)) {
            refusals.refuse(
                    owner,
                    method,
                    "async is for methods declared to return a CompletionStage or CompletableFuture; this one is not, "
                            + "and not counted; remove async=true to count when it returns");
            return;
        }
        boolean constructor = method.equals("<init>");
        if (constructor && (isAtEnd(mark.when) || !mark.errors.isEmpty() || !mark.inFlight.isEmpty())) {
            refusals.refuse(
                    owner,
                    method,
                    "a constructor counts at ENTRY or RETURN only, as no handler can be put around super(...); "
                            + "THROW, EXIT, errors and inFlight are left out");
        }
        suspends = descriptor.endsWith(SUSPEND);
        if (suspends && !mark.inFlight.isEmpty()) {
            refusals.refuse(
                    owner,
                    method,
                    "inFlight is left out: a suspend function is left and entered again within one call; "
                            + "count around the coroutine instead");
        }
        StringBuilder types = new StringBuilder();
        for (String type : mark.on) {
            types.append(type).append(';');
        }
        String on = types.toString();
        String value = names.resolve(mark.value, owner, method);
        if (value != null && !(constructor && isAtEnd(mark.when))) {
            if (mark.when == Moment.ENTRY) {
                entry.add(new Tick(value, mark.amount, "", null));
            } else {
                atEnd(mark, mark.when, value, mark.amount, mark.when == Moment.THROW ? on : "");
            }
        }
        String template = mark.errors;
        if (template.startsWith("+")) {
            template = value == null ? "" : Names.append(value, template.substring(1));
        }
        String errors = template.isEmpty() || constructor ? null : names.resolve(template, owner, method);
        if (errors != null) {
            atEnd(mark, Moment.THROW, errors, 1, on);
        }
        String inFlight =
                mark.inFlight.isEmpty() || constructor || suspends ? null : names.resolve(mark.inFlight, owner, method);
        if (inFlight != null) {
            opened.add(new Tick(inFlight, 1, "", null));
            returned.add(0, new Tick(inFlight, -1, "", mark.async ? Moment.EXIT : null));
            thrown.add(0, new Tick(inFlight, -1, "", null));
        }
    }

    /** A call that throws ends there and then, also one that would have returned a stage. */
    private void atEnd(Mark mark, Moment when, String name, int amount, String on) {
        if (mark.async) {
            returned.add(new Tick(name, amount, on, when));
        } else if (when != Moment.THROW) {
            returned.add(new Tick(name, amount, on, null));
        }
        if (when != Moment.RETURN) {
            thrown.add(new Tick(name, amount, on, null));
        }
    }

    /** Counts nothing at entry any more, as this code is entered several times for one call. */
    void reenter() {
        reentered = true;
        returned.addAll(entry);
        thrown.addAll(entry);
        entry.clear();
    }

    private static boolean isAtEnd(Moment when) {
        return when == Moment.THROW || when == Moment.EXIT;
    }

    boolean isEmpty() {
        return entry.isEmpty() && opened.isEmpty() && returned.isEmpty() && thrown.isEmpty();
    }
}
