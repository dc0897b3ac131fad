package io.counters.collector.http;

import io.counters.collector.common.RejectedLines;
import java.util.List;

/** A JSON array of the reasons for which lines were rejected, in the order given, with examples by sender. */
final class RejectedText implements Text {
    private final List<RejectedLines> reasons;
    private int next;

    RejectedText(List<RejectedLines> reasons) {
        this.reasons = reasons;
    }

    @Override
    public boolean append(StringBuilder out) {
        out.append(next == 0 ? "[\n" : "");
        if (next < reasons.size()) {
            append(out, reasons.get(next++));
        }
        boolean more = next < reasons.size();
        out.append(more ? ",\n" : "\n]\n");
        return more;
    }

    private static void append(StringBuilder out, RejectedLines lines) {
        out.append("{\"reason\": ");
        quote(out, lines.reason());
        out.append(", \"rule\": ");
        quote(out, lines.rule());
        out.append(", \"lines\": ").append(lines.lines()).append(", \"examples\": [");
        String separator = "";
        for (RejectedLines.Example example : lines.examples()) {
            out.append(separator).append("{\"sender\": ");
            quote(out, example.sender());
            out.append(", \"lines\": ").append(example.lines());
            out.append(", \"seconds_ago\": ").append(example.secondsAgo());
            out.append(", \"line\": ");
            quote(out, example.line());
            out.append('}');
            separator = ", ";
        }
        out.append("]}");
    }

    /** Quotes a text that has only characters that a log may show. */
    private static void quote(StringBuilder out, String text) {
        out.append('"').append(text.replace("\\", "\\\\").replace("\"", "\\\"")).append('"');
    }
}
