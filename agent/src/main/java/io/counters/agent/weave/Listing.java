package io.counters.agent.weave;

import io.counters.agent.weave.MethodCounts.Increment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import net.bytebuddy.jar.asm.Type;

/** Describes what methods count: one line for each counter, in the grammar of rules where that is possible. */
final class Listing {
    private final String method;
    private final List<String> lines = new ArrayList<>();

    private Listing(String method) {
        this.method = method;
    }

    /** @param counts what each method counts; a key is a method's name followed by its descriptor */
    static List<String> lines(String owner, Map<String, MethodCounts> counts) {
        List<String> lines = new ArrayList<>();
        for (Map.Entry<String, MethodCounts> entry : counts.entrySet()) {
            lines.addAll(lines(owner, entry.getKey(), entry.getValue()));
        }
        return lines;
    }

    private static List<String> lines(String owner, String method, MethodCounts counts) {
        int open = method.indexOf('(');
        StringBuilder types = new StringBuilder();
        for (Type type : Type.getArgumentTypes(method.substring(open))) {
            types.append(types.length() == 0 ? "" : ",").append(type.getClassName());
        }
        Listing listing = new Listing(owner.replace('/', '.') + "#" + method.substring(0, open) + "(" + types + ")");
        List<Increment> returned = new ArrayList<>(counts.returned);
        List<Increment> thrown = new ArrayList<>(counts.thrown);
        for (Increment increment : counts.entry) {
            listing.add(increment, "entry");
        }
        for (Increment increment : counts.opened) {
            remove(returned, increment.name, -increment.amount, "");
            remove(thrown, increment.name, -increment.amount, "");
            listing.add(increment, "in flight");
        }
        for (Increment increment : returned) {
            boolean thrownToo =
                    increment.stage != Moment.RETURN && remove(thrown, increment.name, increment.amount, increment.on);
            String moment = increment.stage == null
                    ? thrownToo ? "exit" : "return"
                    : increment.stage.name().toLowerCase(Locale.ROOT) + " async";
            listing.add(increment, moment);
        }
        for (Increment increment : thrown) {
            listing.add(increment, "throw");
        }
        return listing.lines;
    }

    private void add(Increment increment, String moment) {
        StringBuilder line = new StringBuilder(method);
        line.append(" = ").append(increment.name).append(' ').append(moment);
        if (!increment.on.isEmpty()) {
            line.append(" on ").append(increment.on, 0, increment.on.length() - 1);
        }
        if (increment.amount != 1) {
            line.append(" by ").append(increment.amount);
        }
        lines.add(line.toString());
    }

    /** Removes one such amount if there is one, and returns whether there was. */
    private static boolean remove(List<Increment> increments, String name, int amount, String on) {
        for (int i = 0; i < increments.size(); i++) {
            Increment increment = increments.get(i);
            if (increment.name.equals(name) && increment.amount == amount && increment.on.equals(on)) {
                increments.remove(i);
                return true;
            }
        }
        return false;
    }
}
