package io.counters.collector.prometheus;

import io.counters.collector.ledger.CounterOrder;
import io.counters.collector.ledger.Details;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What the counters are called in Prometheus. The counters of one metric, which differ in their tags, are a family. Families
 * and their counters are sorted by name, and are identified by their place in that order, from 0.
 *
 * <p>A family has the plain name of its metric, and labels have the plain names of tag keys, unless two of them are equal.
 * Then the one that was created first has it, so that no later counter renames a series, and the other is escaped; for equal
 * times, the first by name. If one key of a counter is escaped, all of its keys are.
 *
 * <p>Takes four bytes and some bits per counter in addition to the ledger's details; while it is created, up to eight more.
 */
final class Families {
    /** The maximum number of keys of one metric that are compared; if it has more, all of its keys are escaped. */
    static final int KEYS_MAX = 1_000;

    private static final int COLLISIONS_KEPT = 20;

    private final Details counters;
    private final int[] order;

    /** The places where families begin. */
    private final BitSet begins = new BitSet();

    /** The families, by where they begin, that have gauges. */
    private final BitSet gauges = new BitSet();

    /** The families, by where they begin, whose names are escaped. */
    private final BitSet escapedNames = new BitSet();

    /** The counters whose tag keys are escaped. */
    private final BitSet escapedKeys = new BitSet();

    private final List<String> collisions = new ArrayList<>();
    private int collisionsCount;

    Families(Details counters) {
        this.counters = counters;
        String[] names = counters.names();
        order = CounterOrder.sorted(
                IntStream.range(0, counters.size()).toArray(), (one, other) -> names[one].compareTo(names[other]));
        findFamilies();
        escapeNames();
        for (int family = begins.nextSetBit(0); family >= 0; family = begins.nextSetBit(family + 1)) {
            escapeKeys(family);
        }
    }

    private void findFamilies() {
        String metric = "";
        int family = 0;
        for (int place = 0; place < order.length; place++) {
            if (!isOf(metric, name(place))) {
                metric = metricOf(name(place));
                family = place;
                begins.set(family);
            }
            if (counters.decremented().get(order[place]) || value(place) < 0) {
                gauges.set(family);
            }
        }
    }

    private static boolean isOf(String metric, String name) {
        return !metric.isEmpty()
                && name.startsWith(metric)
                && (name.length() == metric.length() || name.charAt(metric.length()) == ',');
    }

    private static String metricOf(String name) {
        int comma = name.indexOf(',');
        return comma < 0 ? name : name.substring(0, comma);
    }

    /** Finds equal plain names by their hashes, so that not all of them are in memory at once. */
    private void escapeNames() {
        begins.stream().filter(this::needsEscaping).forEach(escapedNames::set);
        long[] byHash = begins.stream()
                .mapToLong(family -> (long) plainName(family).hashCode() << 32 | family)
                .toArray();
        Arrays.sort(byHash);
        for (int from = 0, to; from < byHash.length; from = to) {
            to = from + 1;
            while (to < byHash.length && byHash[to] >> 32 == byHash[from] >> 32) {
                to++;
            }
            if (to - from > 1) {
                // The families of one hash are in the order of their names.
                escapeNames(Arrays.stream(byHash, from, to)
                        .mapToInt(entry -> (int) entry)
                        .toArray());
            }
        }
    }

    private void escapeNames(int... families) {
        Map<String, Integer> first = new HashMap<>();
        for (int family : families) {
            if (!escapedNames.get(family)) {
                first.merge(
                        plainName(family),
                        family,
                        (one, other) -> createdFirst(other) < createdFirst(one) ? other : one);
            }
        }
        for (int family : families) {
            String plain = plainName(family);
            int kept = first.getOrDefault(plain, family);
            if (kept != family && !escapedNames.get(family)) {
                escapedNames.set(family);
                collide("the counters " + metric(kept) + " and " + metric(family) + " are both " + plain
                        + " for Prometheus, so the latter is " + PrometheusNames.escaped(metric(family))
                        + "; give one of them another name");
            }
        }
    }

    /** A gauge that ends with {@code _total} or {@code _created} could be the value or the time of a counter. */
    private boolean needsEscaping(int family) {
        String plain = plainName(family);
        return PrometheusNames.needsEscaping(metric(family))
                || (isGauge(family)
                        && (plain.endsWith(PrometheusNames.TOTAL) || plain.endsWith(PrometheusNames.CREATED)));
    }

    private String plainName(int family) {
        return PrometheusNames.plainMetric(metric(family));
    }

    private long createdFirst(int family) {
        return IntStream.range(family, end(family))
                .mapToLong(this::createdSecond)
                .min()
                .orElseThrow();
    }

    private void escapeKeys(int family) {
        int end = end(family);
        boolean allPlain = IntStream.range(family, end).allMatch(place -> hasPlainKeys(name(place)));
        if (allPlain) {
            return;
        }
        Map<String, Long> created = new HashMap<>();
        for (int place = family; place < end && created.size() <= KEYS_MAX; place++) {
            for (String key : keys(name(place))) {
                created.merge(key, createdSecond(place), Math::min);
            }
        }
        if (created.size() > KEYS_MAX) {
            escapedKeys.set(family, end);
            collide("the counter " + metric(family) + " has more than " + KEYS_MAX
                    + " tag keys, so all of them are escaped for Prometheus; tag keys must not contain IDs");
            return;
        }
        Set<String> escaped = escaped(family, created);
        for (int place = family; place < end && !escaped.isEmpty(); place++) {
            escapedKeys.set(place, keys(name(place)).stream().anyMatch(escaped::contains));
        }
    }

    private Set<String> escaped(int family, Map<String, Long> created) {
        Set<String> escaped = new HashSet<>();
        Map<String, String> first = new HashMap<>();
        for (String key : created.keySet().stream().sorted().toList()) {
            if (PrometheusNames.labelNeedsEscaping(key)) {
                escaped.add(key);
            } else {
                first.merge(
                        PrometheusNames.plain(key),
                        key,
                        (one, other) -> created.getOrDefault(other, 0L) < created.getOrDefault(one, 0L) ? other : one);
            }
        }
        for (String key : created.keySet()) {
            String label = PrometheusNames.plain(key);
            String kept = first.getOrDefault(label, key);
            if (!kept.equals(key) && escaped.add(key)) {
                collide("the tag keys " + kept + " and " + key + " of the counter " + metric(family) + " are both "
                        + label + " for Prometheus, so the latter is " + PrometheusNames.escaped(key)
                        + "; give one of them another name");
            }
        }
        return escaped;
    }

    private static boolean hasPlainKeys(String name) {
        for (int comma = name.indexOf(','); comma >= 0; comma = name.indexOf(',', comma + 1)) {
            if (!PrometheusNames.isLabel(name, comma + 1, name.indexOf('=', comma))) {
                return false;
            }
        }
        return true;
    }

    private static List<String> keys(String name) {
        List<String> keys = new ArrayList<>();
        for (int comma = name.indexOf(','); comma >= 0; comma = name.indexOf(',', comma + 1)) {
            keys.add(name.substring(comma + 1, name.indexOf('=', comma)));
        }
        return keys;
    }

    private void collide(String text) {
        collisionsCount++;
        if (collisions.size() < COLLISIONS_KEPT) {
            collisions.add(text);
        }
    }

    /** The first collisions, each as a sentence for the log: what is escaped, and what has its plain name. */
    List<String> collisions() {
        return collisions;
    }

    /** The number of all collisions. */
    int collisionsCount() {
        return collisionsCount;
    }

    /** The families that these patterns match, by where they begin. */
    BitSet matching(NamePatterns patterns) {
        BitSet matching = new BitSet();
        begins.stream().filter(family -> patterns.match(metric(family))).forEach(matching::set);
        return matching;
    }

    /** The {@link SeriesMarks} of each counter, in the order of the ledger's details. */
    byte[] marks() {
        byte[] marks = new byte[counters.size()];
        for (int family = begins.nextSetBit(0); family >= 0; family = begins.nextSetBit(family + 1)) {
            int ofFamily = (isGauge(family) ? SeriesMarks.GAUGE : 0)
                    | (escapedNames.get(family) ? SeriesMarks.NAME_ESCAPED : 0);
            for (int place = family; place < end(family); place++) {
                marks[order[place]] = (byte) (ofFamily | (escapedKeys.get(place) ? SeriesMarks.KEYS_ESCAPED : 0));
            }
        }
        return marks;
    }

    /** The place where a family ends, exclusive. */
    int end(int family) {
        int next = begins.nextSetBit(family + 1);
        return next < 0 ? order.length : next;
    }

    /** The name of its counters, without tags. */
    String metric(int family) {
        return metricOf(name(family));
    }

    boolean isGauge(int family) {
        return gauges.get(family);
    }

    /** Its name in Prometheus; the samples of counters append {@code _total}. */
    String familyName(int family) {
        return escapedNames.get(family) ? PrometheusNames.escaped(metric(family)) : plainName(family);
    }

    private String name(int place) {
        return counters.names()[order[place]];
    }

    long value(int place) {
        return counters.values()[order[place]];
    }

    /** When the counter was created; 0 if that is not known. */
    long createdSecond(int place) {
        return counters.createdSeconds()[order[place]];
    }

    /** Appends the counter's labels in braces, if it has any. Values need no escaping. */
    void appendLabels(int place, StringBuilder out) {
        String name = name(place);
        char separator = '{';
        int comma = name.indexOf(',');
        while (comma >= 0) {
            int equals = name.indexOf('=', comma);
            int next = name.indexOf(',', equals);
            out.append(separator);
            if (escapedKeys.get(place)) {
                out.append(PrometheusNames.escaped(name.substring(comma + 1, equals)));
            } else {
                PrometheusNames.appendPlain(name, comma + 1, equals, out);
            }
            out.append("=\"")
                    .append(name, equals + 1, next < 0 ? name.length() : next)
                    .append('"');
            separator = ',';
            comma = next;
        }
        out.append(separator == ',' ? "}" : "");
    }
}
