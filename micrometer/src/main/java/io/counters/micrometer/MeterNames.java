package io.counters.micrometer;

import io.counters.wire.NameReader;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.config.NamingConvention;
import java.util.Map;
import java.util.TreeMap;

/** Makes the names of counters from those of meters, by the rules at {@link CountersMeterRegistry}. */
final class MeterNames {
    private final Faults faults;

    MeterNames(Faults faults) {
        this.faults = faults;
    }

    /**
     * The name of a meter's counter. Only the metric may still break a rule, by its length.
     *
     * @param suffix of the metric
     */
    String name(Meter.Id id, NamingConvention convention, String suffix) {
        StringBuilder name = new StringBuilder(cleaned(id.getConventionName(convention))).append(suffix);
        Map<String, String> tags = new TreeMap<>();
        for (Tag tag : id.getConventionTags(convention)) {
            String key = cleaned(tag.getKey());
            String value = cleaned(tag.getValue());
            if (!key.isEmpty() && !value.isEmpty()) {
                tags.put(key, value);
            }
        }
        StringBuilder leftOut = new StringBuilder();
        int count = 0;
        for (Map.Entry<String, String> tag : tags.entrySet()) {
            String written = "," + tag.getKey() + "=" + tag.getValue();
            if (count < NameReader.TAGS_MAX && name.length() + written.length() <= NameReader.BYTES_MAX) {
                name.append(written);
                count++;
            } else {
                leftOut.append(leftOut.length() == 0 ? "" : ", ").append(tag.getKey());
            }
        }
        if (leftOut.length() > 0) {
            faults.note(Faults.Reason.TAGS, id, "the tags " + leftOut + " were left out of " + name);
        }
        return name.toString();
    }

    private static String cleaned(String text) {
        StringBuilder name = new StringBuilder(text.length());
        text.codePoints().forEach(c -> name.append(c < 128 && NameReader.isLetter((byte) c) ? (char) c : '_'));
        return name.toString();
    }
}
