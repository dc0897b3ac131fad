package io.counters.collector.dashboard;

import io.counters.collector.http.Text;
import io.counters.collector.ledger.Order;
import io.counters.collector.ledger.Snapshot;

/**
 * A JSON list of counters, by name in order, a line each; the letters of names need no escaping. Beside the snapshot it holds
 * four bytes a counter: the order.
 */
final class CountersText implements Text {
    private final Snapshot counters;
    private final int[] order;
    private final int size;
    private int next;

    /**
     * Which counters are listed.
     *
     * @param prefix names begin with it
     * @param part stands somewhere in a name or its tags, whatever the case
     * @param after names come behind it, in the order of the list
     */
    record Filter(String prefix, String part, String after) {
        boolean takes(String name) {
            return name.startsWith(prefix) && name.compareTo(after) > 0 && Query.contains(name, part);
        }
    }

    /** @param limit how many are listed at the most; if there are more, the list names the last one as {@code next} */
    CountersText(Snapshot counters, Filter filter, int limit) {
        this.counters = counters;
        order = Order.byName(counters, filter::takes);
        size = Math.min(order.length, limit);
    }

    @Override
    public boolean append(StringBuilder out) {
        out.append(next == 0 ? "{\"counters\": [" : "");
        if (next < size) {
            int counter = order[next];
            out.append(next++ == 0 ? "\n" : ",\n").append("{\"name\": \"").append(counters.names()[counter]);
            out.append("\", \"value\": ").append(counters.values()[counter]).append('}');
            return true;
        }
        out.append("\n]");
        if (size < order.length) {
            out.append(", \"next\": \"")
                    .append(counters.names()[order[size - 1]])
                    .append('"');
        }
        out.append("}\n");
        return false;
    }
}
