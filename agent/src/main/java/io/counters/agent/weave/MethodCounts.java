package io.counters.agent.weave;

import java.util.ArrayList;
import java.util.List;

/** What a method is to count, and when: the marks on it, as amounts to add to counters. */
final class MethodCounts {
    /** An amount for a counter. */
    static final class Tick {
        final String name;
        final int amount;

        /** Only for these Throwables: class names, each followed by {@code ;}. Empty is any. */
        final String on;

        Tick(String name, int amount, String on) {
            this.name = name;
            this.amount = amount;
            this.on = on;
        }
    }

    final List<Tick> entry = new ArrayList<>();
    final List<Tick> returned = new ArrayList<>();
    final List<Tick> thrown = new ArrayList<>();

    /** Adds what one mark asks for; what cannot be done is left out, and said. */
    void add(Mark mark, Names names, Refusals refusals, String owner, String method) {
        if (mark.async) {
            refusals.refuse(owner, method, "async comes later; it is not counted, use when=RETURN for now");
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
        StringBuilder on = new StringBuilder();
        for (String type : mark.on) {
            on.append(type).append(';');
        }
        String value = names.resolve(mark.value, owner, method);
        if (value != null && !(constructor && isAtEnd(mark.when))) {
            List<Tick> at = mark.when == Moment.ENTRY ? entry : mark.when == Moment.THROW ? thrown : returned;
            at.add(new Tick(value, mark.amount, mark.when == Moment.THROW ? on.toString() : ""));
            if (mark.when == Moment.EXIT) {
                thrown.add(new Tick(value, mark.amount, ""));
            }
        }
        String template = mark.errors;
        if (template.startsWith("+")) {
            template = value == null ? "" : Names.append(value, template.substring(1));
        }
        String errors = template.isEmpty() || constructor ? null : names.resolve(template, owner, method);
        if (errors != null) {
            thrown.add(new Tick(errors, 1, on.toString()));
        }
        String inFlight = mark.inFlight.isEmpty() || constructor ? null : names.resolve(mark.inFlight, owner, method);
        if (inFlight != null) {
            entry.add(new Tick(inFlight, 1, ""));
            returned.add(new Tick(inFlight, -1, ""));
            thrown.add(new Tick(inFlight, -1, ""));
        }
    }

    private static boolean isAtEnd(Moment when) {
        return when == Moment.THROW || when == Moment.EXIT;
    }

    boolean isEmpty() {
        return entry.isEmpty() && returned.isEmpty() && thrown.isEmpty();
    }
}
