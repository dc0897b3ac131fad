package io.counters.collector.otlp;

import io.counters.collector.common.AddressKey;
import io.counters.collector.http.RequestException;
import io.counters.collector.intake.LineTarget;
import io.counters.wire.CommandReader;
import io.counters.wire.Verb;
import io.opentelemetry.proto.common.v1.InstrumentationScope;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.DataPointFlags;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.resource.v1.Resource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Turns the data points of sums into lines with totals, so that a lost, repeated or late request changes no count:
 *
 * <pre>
 *   sum                          stream                                lines
 *   cumulative, monotonic        resource, scope, start time, and      increment N A T        T: the value
 *                                what N does not say of the series
 *   the same, start = time       the same                              increment N A T        what was counted before is not
 *                                                                      decrement N A T        known; it is not counted
 *   cumulative, non-monotonic    the same                              increment N A C+t      t: time since the start, in steps of
 *                                                                      decrement N A C+t-V    8 ns; V: the value; C: 2^51
 *   delta                        resource, start and end time, and     increment N S S        S: the sum of the positive values
 *                                the series                            decrement N S S        S: that of the negative values
 * </pre>
 *
 * <p>N is the name, which {@link SeriesName} makes; its tags are in the name, so all series of a process with one start time share
 * a stream. A is what T has more than the last point; 0 if that is not known, unless the series began since every point arrives here.
 * It counts only if the ledger has forgotten the stream, or has no room.
 *
 * <p>The two lines of a non-monotonic sum are applied together. Both totals grow with the time, as long as the value rises by less
 * than 125,000,000 a second, so the latest point decides, and one that is late changes nothing. If it rises faster, what is shown
 * follows at that rate.
 *
 * <p>A monotonic value that is lower than an earlier one, at a later time and with the same start, is a reset: from there on it is
 * another stream. This is known of the series in {@link KnownSeries} only, so a collector of a fleet begins no such stream: each one
 * would count what comes after it. If the value is soon higher again than before the reset, two processes may send one series:
 * adding up every rise would be far too much, so these points are rejected.
 *
 * <p>For one thread at a time.
 */
final class Sums {
    /** Whether the values of a sum may fall. */
    enum Direction {
        MONOTONIC,
        BOTH
    }

    private static final long MIDDLE = 1L << 51;
    private static final int STEP_SHIFT = 3;

    /** Up to this age both totals of a non-monotonic sum are less than 2^53. */
    private static final long AGE_MAX_NANOS = TimeUnit.DAYS.toNanos(400);

    /** A process exports this many times after a reset, without another one, before its value counts that exceeds the last. */
    private static final int SINGLE_WRITER_POINTS = 10;

    /** Heap bytes of a line, at most, without its name: itself, the ID of its stream and the array of its name. */
    private static final int LINE_BYTES = 160;

    private static final double DOUBLE_MAX = CommandReader.AMOUNT_MAX;

    private final SeriesName series;
    private final KnownSeries known;
    private final StreamId id = new StreamId();

    /** The identity of the stream of the last cumulative point, and its ID. */
    private byte[] lastIdentity = {};

    private byte[] lastId = {};

    // What is being read
    private byte[] resourceHash = {};
    private byte[] scopeHash = {};
    private byte[] name = {};
    private byte[] unit = {};
    private Direction direction = Direction.BOTH;
    private boolean isDelta;
    private long nowNanos;

    // What was read
    private final long bytesMax;
    private long bytes;
    private final List<Line> lines = new ArrayList<>();
    private final Deltas deltas = new Deltas();
    private final List<KnownSeries.Last> begun = new ArrayList<>();
    private final Map<PointRejection, Integer> rejected = new EnumMap<>(PointRejection.class);
    private int points;
    private int rounded;
    private int late;
    private int withoutValue;
    private int resets;

    /**
     * A line with a total.
     *
     * @param stream the ID of its stream, the same object for lines that follow each other
     * @param once whether the amounts of its stream are its totals
     */
    @SuppressWarnings("ArrayRecordComponent") // Handed on at once.
    record Line(byte[] stream, boolean once, long ageMillis, Verb verb, byte[] name, long amount, long total) {}

    /** How many points of a request were counted, counted rounded down, late, without a value, and how many were resets. */
    record Outcome(
            int points, int rounded, int late, int withoutValue, int resets, Map<PointRejection, Integer> rejected) {
        int allRejected() {
            return rejected.values().stream().mapToInt(Integer::intValue).sum();
        }
    }

    Sums(OtlpSettings settings, KnownSeries known) {
        series = new SeriesName(settings);
        this.known = known;
        bytesMax = settings.linesBytesMax();
    }

    /** Begins a request, at this Unix time. */
    void begin(long now) {
        nowNanos = now;
        series.clear();
        name = new byte[0];
        unit = new byte[0];
        lines.clear();
        deltas.clear();
        begun.clear();
        bytes = 0;
        rejected.clear();
        points = 0;
        rounded = 0;
        late = 0;
        withoutValue = 0;
        resets = 0;
    }

    /** Ends a request. */
    Outcome end() {
        deltas.addTo(lines, id, nowNanos);
        return new Outcome(points, rounded, late, withoutValue, resets, new EnumMap<>(rejected));
    }

    /** The series of which this request has the first point that is known. If it is not kept, they are to be forgotten. */
    List<KnownSeries.Last> begun() {
        return List.copyOf(begun);
    }

    boolean hasLines() {
        return !lines.isEmpty();
    }

    /** Hands over the lines of the request, as a part of one batch. */
    void merge(LineTarget target) {
        Object stream = null;
        byte[] of = {};
        long ageMillis = -1;
        for (Line line : lines) {
            if (stream == null || line.ageMillis != ageMillis || !Arrays.equals(of, line.stream)) {
                of = line.stream;
                ageMillis = line.ageMillis;
                stream = line.once
                        ? target.once(of, 0, of.length, ageMillis)
                        : target.stream(of, 0, of.length, ageMillis, 0, AddressKey.HTTP);
            }
            target.merge(stream, line.verb, line.name, 0, line.name.length, line.amount, line.total);
        }
    }

    // Input, in the order of the request

    void resource(Resource next) {
        List<KeyValue> resource = SeriesName.sorted(next.getAttributesList());
        series.resource(resource);
        id.begin('r');
        resource.forEach(attribute -> id.add(attribute.toByteArray()));
        resourceHash = id.hash();
    }

    void scope(InstrumentationScope next) {
        id.begin('s')
                .add(resourceHash)
                .add(next.getNameBytes().toByteArray())
                .add(next.getVersionBytes().toByteArray());
        SeriesName.sorted(next.getAttributesList()).forEach(attribute -> id.add(attribute.toByteArray()));
        scopeHash = id.hash();
    }

    void sum(byte[] ofName, byte[] ofUnit, Direction ofDirection, boolean ofDeltas) {
        name = ofName;
        unit = ofUnit;
        direction = ofDirection;
        isDelta = ofDeltas;
    }

    void reject(PointRejection why, int count) {
        if (count > 0) {
            rejected.merge(why, count, Integer::sum);
        }
    }

    void point(NumberDataPoint point) {
        if ((point.getFlags() & DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK_VALUE) != 0) {
            withoutValue++;
            return;
        }
        PointRejection why = rejection(point);
        why = why == null ? series.read(name, point.getAttributesList()) : why;
        if (why == null && isDelta) {
            why = delta(point);
        } else if (why == null) {
            why = cumulative(point);
        }
        if (why == null) {
            points++;
        } else {
            reject(why, 1);
        }
    }

    /** The rule that a point breaks, or null. */
    private @Nullable PointRejection rejection(NumberDataPoint point) {
        long start = point.getStartTimeUnixNano();
        if (point.getTimeUnixNano() <= 0 || start < 0 || start > point.getTimeUnixNano()) {
            return PointRejection.TIME;
        }
        if (direction == Direction.BOTH && !isDelta && start == 0) {
            return PointRejection.NO_START;
        }
        if (direction == Direction.BOTH && !isDelta && point.getTimeUnixNano() - start > AGE_MAX_NANOS) {
            return PointRejection.TOO_OLD;
        }
        boolean isNegative = false;
        switch (point.getValueCase()) {
            case AS_INT -> {
                isNegative = point.getAsInt() < 0;
                if (isTooLarge(point.getAsInt())) {
                    return PointRejection.TOO_LARGE;
                }
            }
            case AS_DOUBLE -> {
                double value = point.getAsDouble();
                isNegative = value < 0;
                if (!Double.isFinite(value)) {
                    return PointRejection.NOT_FINITE;
                }
                if (Math.abs(value) > DOUBLE_MAX || isTooLarge((long) value)) {
                    return PointRejection.TOO_LARGE;
                }
                if (isDelta && value != Math.rint(value)) {
                    return PointRejection.FRACTION;
                }
            }
            case VALUE_NOT_SET -> {
                return PointRejection.NO_VALUE;
            }
        }
        return isNegative && direction == Direction.MONOTONIC ? PointRejection.NEGATIVE : null;
    }

    private boolean isTooLarge(long value) {
        long max = direction == Direction.BOTH && !isDelta ? MIDDLE : CommandReader.AMOUNT_MAX;
        return value > max || value < -max;
    }

    /** A double is rounded down: the error of a total stays below 1, however often it is sent. */
    private long value(NumberDataPoint point) {
        if (!point.hasAsDouble()) {
            return point.getAsInt();
        }
        double value = point.getAsDouble();
        rounded += value == Math.rint(value) ? 0 : 1;
        return (long) Math.floor(value);
    }

    private @Nullable PointRejection delta(NumberDataPoint point) {
        id.begin('d').add(scopeHash).add(unit).add(direction == Direction.MONOTONIC ? 1 : 0);
        series.addRest(id);
        byte[] named = series.name();
        use(Deltas.BYTES_A_POINT + named.length * Deltas.NAMES_A_POINT);
        id.add(named);
        return deltas.add(
                        resourceHash,
                        point.getStartTimeUnixNano(),
                        point.getTimeUnixNano(),
                        id.hash(),
                        named,
                        value(point))
                ? null
                : PointRejection.TOO_LARGE;
    }

    private @Nullable PointRejection cumulative(NumberDataPoint point) {
        long start = point.getStartTimeUnixNano();
        id.begin('c')
                .add(scopeHash)
                .add(unit)
                .add(direction == Direction.MONOTONIC ? 1 : 0)
                .add(start);
        series.addRest(id);
        byte[] stream = stream();
        byte[] named = series.name();
        id.add(named);
        KnownSeries.Last last = known.last(id.identity(), id.length(), nowNanos);
        if (last.timeNanos == 0) {
            last.isFromBegin |= known.isNew(start);
            begun.add(last);
        }
        PointRejection why = null;
        if (direction == Direction.MONOTONIC) {
            why = monotonic(point, stream, named, last);
        } else {
            both(point, stream, named, last);
        }
        last.timeNanos = Math.max(last.timeNanos, point.getTimeUnixNano());
        return why;
    }

    /** The ID of the stream with the present identity; the same object as long as that is the same. */
    private byte[] stream() {
        if (!Arrays.equals(lastIdentity, 0, lastIdentity.length, id.identity(), 0, id.length())) {
            lastIdentity = Arrays.copyOf(id.identity(), id.length());
            lastId = id.id();
        }
        return lastId;
    }

    private @Nullable PointRejection monotonic(
            NumberDataPoint point, byte[] ofSeries, byte[] named, KnownSeries.Last last) {
        long start = point.getStartTimeUnixNano();
        long time = point.getTimeUnixNano();
        long value = value(point);
        if (start == time) {
            unknownBefore(value, ofSeries, age(start, time), named, last);
            return null;
        }
        boolean isReset = last.resetNanos != 0;
        if (time <= last.timeNanos && (value < last.increments || (isReset && time < last.timeNanos))) {
            late++;
            return null;
        }
        if (time > last.timeNanos) {
            follow(value, last);
        }
        if (last.resetNanos != 0 && value >= last.beforeReset && last.sinceFall < SINGLE_WRITER_POINTS) {
            return PointRejection.TWO_WRITERS;
        }
        byte[] stream = ofSeries;
        long ageMillis = age(start, time);
        if (last.resetNanos != 0) {
            stream = id.begin('g').add(ofSeries).add(last.resetNanos).id();
            ageMillis = age(last.resetNanos, time);
        }
        line(stream, ageMillis, Verb.INCREMENT, named, amount(last, value, last.increments), value);
        last.increments = Math.max(last.increments, value);
        return null;
    }

    /** Notes the value of a later point, and whether it fell. */
    private void follow(long value, KnownSeries.Last last) {
        boolean fell = value < last.value || (known.isComplete() && value < last.increments);
        last.value = value;
        last.sinceFall = fell ? 0 : last.sinceFall + 1;
        if (!fell || value >= last.increments) {
            return;
        }
        resets++;
        if (known.isComplete()) {
            last.beforeReset = last.increments;
            last.resetNanos = last.timeNanos;
            last.increments = 0;
        }
    }

    /** The value at an unknown start: what the series counted before that is not counted, even if a later point came first. */
    private void unknownBefore(long value, byte[] stream, long ageMillis, byte[] named, KnownSeries.Last last) {
        long amount = last.isFromBegin ? value : 0;
        long up = last.resetNanos == 0 && value > last.increments ? amount : 0;
        line(stream, ageMillis, Verb.INCREMENT, named, up, value);
        if (value > 0) {
            line(stream, ageMillis, Verb.DECREMENT, named, amount, value);
        }
        if (last.resetNanos == 0) {
            last.increments = Math.max(last.increments, value);
            last.value = Math.max(last.value, value);
        }
    }

    private void both(NumberDataPoint point, byte[] stream, byte[] named, KnownSeries.Last last) {
        long time = point.getTimeUnixNano();
        if (time < last.timeNanos) {
            late++;
            return;
        }
        long up = MIDDLE + ((time - point.getStartTimeUnixNano()) >>> STEP_SHIFT);
        long down = up - value(point);
        boolean isKnown = last.timeNanos != 0 || last.isFromBegin;
        // If nothing is known, both amounts are the same, so that a stream that is not whole begins with 0.
        long unknown = Math.min(up, down);
        long ageMillis = age(point.getStartTimeUnixNano(), time);
        line(stream, ageMillis, Verb.INCREMENT, named, isKnown ? amount(last, up, last.increments) : unknown, up);
        line(stream, ageMillis, Verb.DECREMENT, named, isKnown ? amount(last, down, last.decrements) : unknown, down);
        last.increments = up;
        last.decrements = Math.max(last.decrements, down);
    }

    /** What a total has more than the one before: 0 if nothing is known of it, and its series may be old. */
    private static long amount(KnownSeries.Last last, long total, long before) {
        return last.timeNanos == 0 && !last.isFromBegin ? 0 : Math.max(0, total - before);
    }

    /**
     * By the later of the sender's clock and ours: a stream whose point comes late must not look younger than it is. Without a
     * start time a stream is as old as Unix time.
     */
    private long age(long start, long time) {
        return TimeUnit.NANOSECONDS.toMillis(Math.max(time - start, nowNanos - start));
    }

    /** Bounds the memory of what is made of a request: of few bytes may come many objects. */
    private void use(int more) {
        bytes += more;
        if (bytes > bytesMax) {
            throw new RequestException(
                    413,
                    "the data points need more memory than the " + bytesMax
                            + " bytes for those of a request; send smaller batches, or raise --otlp-memory");
        }
    }

    private void line(byte[] stream, long ageMillis, Verb verb, byte[] named, long amount, long total) {
        use(LINE_BYTES + named.length);
        lines.add(new Line(stream, false, ageMillis, verb, named, amount, total));
    }
}
