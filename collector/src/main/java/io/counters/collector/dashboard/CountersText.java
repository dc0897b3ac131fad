package io.counters.collector.dashboard;

import io.counters.collector.http.Text;
import io.counters.collector.ledger.CounterOrder;
import io.counters.collector.ledger.Snapshot;

/**
 * A JSON list of counters, sorted by name, a line for each; the characters of names need no escaping. In addition to the
 * snapshot it takes four bytes per counter, for the order.
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
     * @param part names contain it, in the metric or the tags; case does not matter
     * @param after names come after it, in the order of the list
     */
    record Filter(String prefix, String part, String after) {
        boolean takes(String name) {
            return name.startsWith(prefix) && name.compareTo(after) > 0 && CounterQuery.contains(name, part);
        }
    }

    /** @param limit the maximum number of counters; if there are more, the list names the last one as {@code next} */
    CountersText(Snapshot counters, Filter filter, int limit) {
        this.counters = counters;
        order = CounterOrder.byName(counters, filter::takes);
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
