package io.counters.collector.post;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.FaultLog;
import io.counters.collector.intake.LineTarget;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The lines of one request, read as those of a datagram, and then merged. With a key they become totals of a stream that has the
 * key's ID: the sums of their amounts, so that the same lines again change nothing. For one thread.
 */
final class PostedLines implements Commands {
    /** Rejected lines that an answer shows. */
    private static final int SHOWN_MAX = 10;

    /** Why a line of a request with a key was rejected. */
    static final String KEYED_RULE =
            "a request with an Idempotency-Key has lines with whole amounts and without totals, and"
                    + " no from line; the sum of a name is at most 2^53";

    private final int nameBytesMax;
    private final boolean isKeyed;

    /** The from line, if there is one. As in a datagram, at most one is accepted. */
    private byte @Nullable [] sender;

    private long ageMillis;
    private long seq;

    /** Whether the line that is read belongs to its stream: a wrong from line ends that for the lines below it. */
    private boolean isInStream;

    /** The name of the line before: the values of one StatsD line share it, each of which may have two bytes only. */
    private String lastName = "";

    private List<Line> lines = new ArrayList<>();
    private Map<String, Line> sums = new LinkedHashMap<>();
    private final Map<Rejection, Integer> rejected = new EnumMap<>(Rejection.class);
    private final List<Shown> shown = new ArrayList<>();
    private int taken;
    private int keyedRejected;

    /** A line, or the sum of several. A fraction has a rest above 0. */
    private record Line(Verb verb, String name, long amount, long total, long rest, boolean isInStream) {}

    /** A rejected line, as an answer shows it. */
    record Shown(String line, String rule) {}

    PostedLines(int nameBytesMax, boolean isKeyed) {
        this.nameBytesMax = nameBytesMax;
        this.isKeyed = isKeyed;
    }

    /** How many lines are counted. */
    int taken() {
        return taken;
    }

    /** How many lines are rejected. */
    int allRejected() {
        return keyedRejected
                + rejected.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** How many lines that follow the wire protocol are rejected because the request has a key. */
    int rejectedForKey() {
        return keyedRejected;
    }

    /** How many lines break which rule of the wire protocol. */
    Map<Rejection, Integer> rejected() {
        return rejected;
    }

    /** The first rejected lines. */
    List<Shown> shown() {
        return shown;
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ofAge, long ofSeq) {
        if (isKeyed) {
            rejectKeyed("from " + new String(bytes, begin, end - begin, ISO_8859_1));
            return;
        }
        sender = Arrays.copyOfRange(bytes, begin, end);
        ageMillis = ofAge;
        seq = ofSeq;
        isInStream = true;
    }

    @Override
    public void fromNobody() {
        isInStream = false;
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        if (end - begin > nameBytesMax) {
            rejected(Rejection.NAME_TOO_LONG, bytes, begin, end);
            return;
        }
        String name = name(bytes, begin, end);
        Line line = new Line(verb, name, amount, total, 0, isInStream);
        if (!isKeyed) {
            lines.add(line);
        } else if (total != NO_TOTAL || !addUp(line)) {
            rejectKeyed(name);
            return;
        }
        taken++;
    }

    private String name(byte[] bytes, int begin, int end) {
        String name = new String(bytes, begin, end - begin, ISO_8859_1);
        lastName = name.equals(lastName) ? lastName : name;
        return lastName;
    }

    private boolean addUp(Line line) {
        String key = line.verb + " " + line.name;
        Line before = sums.get(key);
        long sum = (before == null ? 0 : before.total) + line.amount;
        if (sum < 0 || sum > CommandReader.AMOUNT_MAX) {
            return false;
        }
        sums.put(key, new Line(line.verb, line.name, sum, sum, 0, true));
        return true;
    }

    @Override
    public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
        if (end - begin > nameBytesMax) {
            rejected(Rejection.NAME_TOO_LONG, bytes, begin, end);
            return;
        }
        String name = name(bytes, begin, end);
        if (isKeyed) {
            rejectKeyed(name);
            return;
        }
        lines.add(new Line(Verb.INCREMENT, name, integer, NO_TOTAL, rest, false));
        taken++;
    }

    private void rejectKeyed(String line) {
        keyedRejected++;
        show(line, KEYED_RULE);
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        rejected.merge(why, 1, Integer::sum);
        show(FaultLog.shown(bytes, begin, end), why.rule());
    }

    private void show(String line, String rule) {
        if (shown.size() < SHOWN_MAX) {
            shown.add(new Shown(FaultLog.shown(line), rule));
        }
    }

    /**
     * Merges the lines, as one batch of the target.
     *
     * @param keyId the ID of the key's stream; null without a key
     */
    void merge(LineTarget target, byte @Nullable [] keyId) {
        Object stream = keyId != null
                ? target.once(keyId, 0, keyId.length, 0)
                : sender == null ? null : target.stream(sender, 0, sender.length, ageMillis, seq, AddressKey.HTTP);
        for (Line line : keyId == null ? lines : sums.values()) {
            byte[] name = line.name.getBytes(ISO_8859_1);
            if (line.rest > 0) {
                target.merge(name, 0, name.length, line.amount, line.rest);
            } else {
                target.merge(line.isInStream ? stream : null, line.verb, name, 0, name.length, line.amount, line.total);
            }
        }
    }

    /** Ends it: forgets the lines, but not how many they were and which were rejected. */
    void release() {
        lines = List.of();
        sums = Map.of();
    }
}
