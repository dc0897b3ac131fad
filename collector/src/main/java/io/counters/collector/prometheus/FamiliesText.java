package io.counters.collector.prometheus;

import io.counters.collector.http.Exposition;
import io.counters.collector.http.Text;
import java.util.BitSet;

/**
 * Families in one of Prometheus' text formats, written counter by counter. Prometheus' library writes a whole family at once,
 * with an object for each of its series, which is too much for a million counters; and it rounds large numbers.
 */
final class FamiliesText implements Text {
    private final Families families;
    private final BitSet shown;
    private final boolean isOpenMetrics;
    private int family = -1;
    private int place;
    private int end;
    private String sample = "";
    private String createdSample = "";

    /** @param shown the families that are written, by where they begin */
    FamiliesText(Families families, BitSet shown, Exposition format) {
        this.families = families;
        this.shown = shown;
        isOpenMetrics = format == Exposition.OPEN_METRICS;
    }

    @Override
    public boolean append(StringBuilder out) {
        if (place == end && !begin(out)) {
            out.append(isOpenMetrics ? "# EOF\n" : "");
            return false;
        }
        append(out, sample, families.value(place));
        long created = families.createdSecond(place);
        if (isOpenMetrics && !families.isGauge(family) && created > 0) {
            append(out, createdSample, created);
        }
        place++;
        return true;
    }

    private void append(StringBuilder out, String sampleName, long value) {
        out.append(sampleName);
        families.appendLabels(place, out);
        out.append(' ').append(value).append('\n');
    }

    private boolean begin(StringBuilder out) {
        family = shown.nextSetBit(family + 1);
        if (family < 0) {
            return false;
        }
        place = family;
        end = families.end(family);
        String name = families.familyName(family);
        boolean isGauge = families.isGauge(family);
        sample = isGauge ? name : name + PrometheusNames.TOTAL;
        createdSample = name + PrometheusNames.CREATED;
        String described = isOpenMetrics ? name : sample;
        out.append("# HELP ").append(described).append(" The counter ").append(families.metric(family));
        out.append(".\n# TYPE ").append(described).append(isGauge ? " gauge\n" : " counter\n");
        return true;
    }
}
