package io.counters.collector.dashboard;

import io.counters.collector.http.Text;
import io.counters.collector.ledger.StreamReport;
import java.util.List;

/** A JSON array of streams, in the order given. The characters of IDs need no escaping. */
final class StreamsText implements Text {
    private final List<StreamReport> streams;
    private int next;

    StreamsText(List<StreamReport> streams) {
        this.streams = streams;
    }

    @Override
    public boolean append(StringBuilder out) {
        out.append(next == 0 ? "[\n" : "");
        if (next < streams.size()) {
            append(out, streams.get(next++));
        }
        boolean more = next < streams.size();
        out.append(more ? ",\n" : "\n]\n");
        return more;
    }

    private static void append(StringBuilder out, StreamReport stream) {
        out.append("{\"sender\": \"").append(stream.sender());
        out.append("\", \"counters\": ").append(stream.counters());
        out.append(", \"sent\": ").append(stream.sent());
        out.append(", \"received\": ").append(stream.received());
        out.append(", \"repeated\": ").append(stream.repeated());
        out.append(", \"lost\": ").append(stream.lost());
        out.append(", \"healed\": ").append(stream.healed());
        out.append(", \"quiet_seconds\": ").append(stream.quietMillis() / 1000);
        out.append(", \"whole\": ").append(stream.whole());
        out.append(", \"quarantined\": ").append(stream.quarantined());
        out.append(", \"cloned\": ").append(stream.cloned());
        out.append(", \"split\": ").append(stream.isSplit()).append('}');
    }
}
