package io.counters.agent.weave;

import io.counters.agent.weave.MethodCounts.Tick;
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
        List<Tick> returned = new ArrayList<>(counts.returned);
        List<Tick> thrown = new ArrayList<>(counts.thrown);
        for (Tick tick : counts.entry) {
            listing.add(tick, "entry");
        }
        for (Tick tick : counts.opened) {
            remove(returned, tick.name, -tick.amount, "");
            remove(thrown, tick.name, -tick.amount, "");
            listing.add(tick, "in flight");
        }
        for (Tick tick : returned) {
            boolean thrownToo = tick.stage != Moment.RETURN && remove(thrown, tick.name, tick.amount, tick.on);
            String moment = tick.stage == null
                    ? thrownToo ? "exit" : "return"
                    : tick.stage.name().toLowerCase(Locale.ROOT) + " async";
            listing.add(tick, moment);
        }
        for (Tick tick : thrown) {
            listing.add(tick, "throw");
        }
        return listing.lines;
    }

    private void add(Tick tick, String moment) {
        StringBuilder line = new StringBuilder(method);
        line.append(" = ").append(tick.name).append(' ').append(moment);
        if (!tick.on.isEmpty()) {
            line.append(" on ").append(tick.on, 0, tick.on.length() - 1);
        }
        if (tick.amount != 1) {
            line.append(" by ").append(tick.amount);
        }
        lines.add(line.toString());
    }

    /** Removes one such amount if there is one, and returns whether there was. */
    private static boolean remove(List<Tick> ticks, String name, int amount, String on) {
        for (int i = 0; i < ticks.size(); i++) {
            Tick tick = ticks.get(i);
            if (tick.name.equals(name) && tick.amount == amount && tick.on.equals(on)) {
                ticks.remove(i);
                return true;
            }
        }
        return false;
    }
}
