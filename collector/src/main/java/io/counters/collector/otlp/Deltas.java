package io.counters.collector.otlp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.wire.CommandReader;
import io.counters.wire.Verb;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The delta points of a request, added up by resource, start and end time: each of these groups is a stream of its own, whose
 * totals are its sums. Its ID is made from the series in it, so the same points count once, however often they are sent, and
 * points that were sent in another request are not mistaken for them. For one thread at a time.
 */
final class Deltas {
    /** Heap bytes of a point, at most, with a group of its own and its lines; and how often they contain its name. */
    static final int BYTES_A_POINT = 1_200;

    static final int NAMES_A_POINT = 3;

    private final Map<Group, Totals> groups = new LinkedHashMap<>();

    /** Comparable, because its sender can choose times whose hashes collide: a map then finds it by its order. */
    private record Group(String resource, long startNanos, long endNanos) implements Comparable<Group> {
        private static final Comparator<Group> ORDER = Comparator.comparing(Group::resource)
                .thenComparingLong(Group::startNanos)
                .thenComparingLong(Group::endNanos);

        @Override
        public int compareTo(Group other) {
            return ORDER.compare(this, other);
        }
    }

    /** The series of a group, their hashes combined in any order, and the sum of each name by verb. */
    private static final class Totals {
        final Set<String> series = new HashSet<>();
        final byte[] allSeries = new byte[32];
        final Map<String, long[]> byName = new LinkedHashMap<>();
    }

    void clear() {
        groups.clear();
    }

    /**
     * Adds a point, unless the request already has one of this series and time.
     *
     * @param resource a hash
     * @param series a hash
     * @return false if the sum would be too large for a line; the point is not added then
     */
    boolean add(byte[] resource, long startNanos, long endNanos, byte[] series, byte[] name, long value) {
        if (value == 0) {
            return true;
        }
        Totals of = groups.computeIfAbsent(new Group(text(resource), startNanos, endNanos), fresh -> new Totals());
        if (of.series.contains(text(series))) {
            return true;
        }
        long[] sums = of.byName.computeIfAbsent(text(name), fresh -> new long[2]);
        int verb = value > 0 ? 0 : 1;
        if (sums[verb] + Math.abs(value) > CommandReader.AMOUNT_MAX) {
            return false;
        }
        sums[verb] += Math.abs(value);
        of.series.add(text(series));
        for (int i = 0; i < series.length; i++) {
            of.allSeries[i] ^= series[i];
        }
        return true;
    }

    /** Bytes as a key. */
    private static String text(byte[] bytes) {
        return new String(bytes, ISO_8859_1);
    }

    /** Adds the lines of all groups. */
    void addTo(List<Sums.Line> lines, StreamId id, long nowNanos) {
        groups.forEach((group, of) -> {
            byte[] stream = id.begin('D')
                    .add(group.resource.getBytes(ISO_8859_1))
                    .add(group.startNanos)
                    .add(group.endNanos)
                    .add(of.allSeries)
                    .id();
            long ageMillis = TimeUnit.NANOSECONDS.toMillis(Math.max(0, nowNanos - group.endNanos));
            of.byName.forEach((name, sums) -> {
                add(lines, stream, ageMillis, Verb.INCREMENT, name.getBytes(ISO_8859_1), sums[0]);
                add(lines, stream, ageMillis, Verb.DECREMENT, name.getBytes(ISO_8859_1), sums[1]);
            });
        });
    }

    private static void add(List<Sums.Line> lines, byte[] stream, long ageMillis, Verb verb, byte[] name, long sum) {
        if (sum > 0) {
            lines.add(new Sums.Line(stream, true, ageMillis, verb, name, sum, sum));
        }
    }
}
