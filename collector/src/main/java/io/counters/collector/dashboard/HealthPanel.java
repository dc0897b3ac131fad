package io.counters.collector.dashboard;

import com.google.gson.stream.JsonWriter;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.RejectedLines;
import io.counters.collector.fleet.FleetView;
import io.counters.collector.fleet.Member;
import io.counters.collector.ledger.LedgerView;
import io.counters.collector.ledger.StreamReport;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.function.Supplier;

/**
 * The health of the collector: its metrics, parts, rejected lines and senders, as events for the page. Created once for all
 * tabs. Used by one thread at a time.
 */
final class HealthPanel {
    private static final int SENDERS_MAX = 50;
    private static final int EXAMPLES_MAX = 3;

    /** While one of these grows, someone must act; the page gives the remedy, by panel.js. */
    static final Set<String> LOSSES = Set.of(
            "intake_kernel_drops_total",
            "intake_rejected_lines_total",
            "intake_joined_counts_total",
            "intake_refused_connections_total",
            "ledger_overflow_lines_total",
            "ledger_saturated_lines_total",
            "ledger_no_room_lines_total",
            "ledger_quarantined_streams_total",
            "ledger_cloned_streams_total",
            "ledger_failed_commits_total",
            "store_refused_keys_total",
            "store_foreign_values_total",
            "publish_bad_points_total",
            "publish_lost_points_total",
            "log_dropped_lines_total");

    private final LedgerView counted;
    private final Metrics metrics;
    private final FaultLog log;
    private final Supplier<List<String>> troubles;
    private final Supplier<List<PartState>> parts;
    private final Supplier<FleetView> fleet;
    private String troublesEvent = "";
    private String stateEvent = "";

    HealthPanel(
            LedgerView counted,
            Metrics metrics,
            FaultLog log,
            Supplier<List<String>> troubles,
            Supplier<List<PartState>> parts,
            Supplier<FleetView> fleet) {
        this.counted = counted;
        this.metrics = metrics;
        this.log = log;
        this.troubles = troubles;
        this.parts = parts;
        this.fleet = fleet;
    }

    /** @param isWanted whether a tab shows the panel; otherwise only what is wrong is looked up */
    void update(boolean isWanted) {
        SortedMap<String, Long> values = metrics.values();
        troublesEvent = event("troubles", json -> {
            json.beginObject().name("troubles").beginArray();
            for (String trouble : troubles.get()) {
                json.value(trouble);
            }
            json.endArray().name("losses").beginObject();
            for (Map.Entry<String, Long> metric : values.entrySet()) {
                if (metric.getValue() != 0 && LOSSES.contains(metric.getKey().replaceFirst("\\{.*", ""))) {
                    json.name(metric.getKey()).value(metric.getValue());
                }
            }
            json.endObject().endObject();
        });
        stateEvent = isWanted ? event("panel", json -> write(json, values)) : "";
    }

    /** The problems, as an event: in words, and as the metrics of losses. */
    String troubles() {
        return troublesEvent;
    }

    /** Everything, as an event; empty if no tab shows it. */
    String state() {
        return stateEvent;
    }

    private interface Json {
        void write(JsonWriter json) throws IOException;
    }

    private static String event(String name, Json data) {
        StringWriter out = new StringWriter();
        try {
            data.write(new JsonWriter(out));
        } catch (IOException impossible) {
            throw new UncheckedIOException("a text in memory cannot be written", impossible);
        }
        return "event: " + name + "\ndata: " + out + "\n\n";
    }

    private void write(JsonWriter json, Map<String, Long> values) throws IOException {
        json.beginObject().name("metrics").beginObject();
        for (Map.Entry<String, Long> metric : values.entrySet()) {
            json.name(metric.getKey()).value(metric.getValue());
        }
        json.endObject().name("parts").beginArray();
        for (PartState part : parts.get()) {
            json.beginObject().name("name").value(part.name());
            json.name("trouble").value(part.trouble().orElse(null));
            json.name("since").value(part.sinceSecond()).endObject();
        }
        json.endArray().name("rejected").beginArray();
        for (RejectedLines lines : log.rejectedLines()) {
            write(json, lines);
        }
        json.endArray().name("senders").beginArray();
        List<StreamReport> reports = counted.reports();
        for (StreamReport report : reports.stream()
                .sorted(StreamReport.WORST_FIRST)
                .limit(SENDERS_MAX)
                .toList()) {
            write(json, report);
        }
        json.endArray().name("sendersInAll").value(reports.size());
        json.name("fleet").beginArray();
        FleetView view = fleet.get();
        for (Member member : view.members()) {
            json.beginObject().name("name").value(member.name());
            json.name("isSelf").value(member.name().equals(view.collector()));
            json.name("partitions").value(member.partitions().size());
            json.name("ranges").value(member.ranges());
            json.name("page").value(view.page(member)).endObject();
        }
        json.endArray().name("partitionsInAll").value(view.partitions()).endObject();
    }

    private static void write(JsonWriter json, RejectedLines lines) throws IOException {
        json.beginObject().name("reason").value(lines.reason()).name("rule").value(lines.rule());
        json.name("lines").value(lines.lines()).name("examples").beginArray();
        for (RejectedLines.Example example :
                lines.examples().stream().limit(EXAMPLES_MAX).toList()) {
            json.beginObject().name("sender").value(example.sender());
            json.name("line").value(example.line());
            json.name("secondsAgo").value(example.secondsAgo()).endObject();
        }
        json.endArray().endObject();
    }

    private static void write(JsonWriter json, StreamReport sender) throws IOException {
        json.beginObject().name("sender").value(sender.sender());
        json.name("counters").value(sender.counters());
        json.name("sent").value(sender.sent()).name("lost").value(sender.lost());
        json.name("healed").value(sender.healed());
        json.name("quietSeconds").value(sender.quietMillis() / 1000);
        json.name("whole").value(sender.whole());
        json.name("quarantined").value(sender.quarantined()).name("cloned").value(sender.cloned());
        json.name("split").value(sender.isSplit()).endObject();
    }
}
