package io.counters.collector.intake;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.JoinedLines;
import io.counters.collector.common.Metrics;
import io.counters.collector.tap.Tap;
import io.counters.wire.Cleaning;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.ForeignProtocol;
import io.counters.wire.Rejection;
import io.counters.wire.StatsdName;
import io.counters.wire.Verb;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Reads the lines of one thread's {@link Source}s into a {@link LineTarget}. If a call throws, the next one is not affected, except
 * that the source keeps what its previous lines have set.
 *
 * <p>A web page can make any browser send an HTTP request here whose body contains lines that would count. Its request line
 * is always rejected, whatever follows the method, so only rejected lines are checked for HTTP, and other lines cost
 * nothing. From such a line on a TCP connection is {@link Source#isForeign}; in a datagram it is a rejected line like
 * others.
 */
final class Lines implements Commands {
    private final LineTarget target;
    private final int nameBytesMax;
    private final Rejections rejections;
    private final CommandReader reader;
    private final Map<Cleaning, LongAdder> cleaned = new EnumMap<>(Cleaning.class);
    private final FaultLog faults;
    private final LongAdder unendedBytes;
    private final Tap tap;

    /** Null if this collector has no keys. */
    private final @Nullable Signatures signatures;

    private final boolean refusesConnections;

    /** The batches, once for all, because what arrives must not cost an object. */
    private final Runnable datagram = this::readDatagram;

    private final Runnable lines = this::readLines;

    /** How many lines of the present batch were turned away. */
    private long turnedAway;

    /** The source whose lines are being read, and the lines: {@code bytes[beginAt, endAt)}. */
    private Source source = Source.none();

    private byte[] bytes = {};
    private boolean isConnection;

    /** Whether the lines are those of a datagram with a correct signature. */
    private boolean isSigned;

    private int beginAt;
    private int endAt;

    /**
     * @param nameBytesMax the maximum bytes of a name
     * @param statsdName reads the names of StatsD lines; not shared
     * @param keys with which datagrams are signed, if this collector has any
     * @param tap gets what is read, if somebody looks
     */
    Lines(
            LineTarget target,
            int nameBytesMax,
            StatsdName statsdName,
            Optional<Keys> keys,
            Tap tap,
            FaultLog faults,
            Metrics metrics) {
        signatures = keys.map(Keys::signatures).orElse(null);
        refusesConnections = keys.isPresent() && keys.get().isRequired();
        this.tap = tap;
        this.target = target;
        this.nameBytesMax = nameBytesMax;
        reader = new CommandReader(this, statsdName);
        for (Cleaning why : Cleaning.values()) {
            cleaned.put(
                    why,
                    metrics.count(
                            "intake_cleaned_lines_total",
                            "StatsD lines whose names or tags were changed, by reason.",
                            "reason",
                            why.reason()));
        }
        this.faults = faults;
        rejections = new Rejections(tap, faults, metrics);
        unendedBytes =
                metrics.count("intake_unended_bytes_total", "Bytes of TCP lines that were too long, and were ignored.");
    }

    /** Merges a datagram, as one batch. With keys, only after its signature was checked. */
    void datagram(Source from, byte[] in, int begin, int end) {
        source = from;
        int linesBegin = begin;
        if (signatures != null) {
            Rejection why = signatures.check(in, begin, end);
            if (why != null) {
                refuse(why, from, in, begin, end);
                return;
            }
            linesBegin = signatures.linesBegin();
            isSigned = signatures.isSigned();
        }
        try {
            set(in, linesBegin, end);
            target.batch(datagram);
        } finally {
            log(from);
        }
        if (tap.isOpen()) {
            tap.received(from, in, linesBegin, end);
        }
    }

    /** Refuses all of these lines, of which none was read. Counts and shows the first one. */
    private void refuse(Rejection why, Source from, byte[] in, int begin, int end) {
        int lineEnd = begin;
        while (lineEnd < end && in[lineEnd] != '\n') {
            lineEnd++;
        }
        rejections.addUnread(from, why, in, begin, lineEnd);
        rejections.log(from);
    }

    /** Merges complete lines of a connection, each with its line break, as one batch. */
    void lines(Source from, byte[] in, int begin, int end) {
        source = from;
        if (refusesConnections) {
            if (begin < end) {
                refuseConnection(from, in, begin, end);
            }
            return;
        }
        try {
            set(in, begin, end);
            target.batch(lines);
        } finally {
            log(from);
        }
        if (tap.isOpen() && begin < end && !from.isForeign) {
            tap.received(from, in, begin, end);
        }
    }

    /** Nothing on this connection will count, so it is closed: its sender must not believe otherwise. */
    private void refuseConnection(Source from, byte[] in, int begin, int end) {
        refuse(Rejection.UNSIGNED, from, in, begin, end);
        from.isForeign = true;
    }

    private void set(byte[] in, int begin, int end) {
        bytes = in;
        beginAt = begin;
        endAt = end;
    }

    private void readDatagram() {
        isConnection = false;
        long before = target.turnedAway();
        reader.datagram(bytes, beginAt, endAt);
        turnedAway = target.turnedAway() - before;
    }

    private void readLines() {
        isConnection = true;
        if (source.stream != null) {
            target.heard(source.stream);
        }
        long before = target.turnedAway();
        reader.lines(bytes, beginAt, endAt);
        turnedAway = target.turnedAway() - before;
    }

    /** Logs what was found in a batch; not under the ledger's lock. */
    private void log(Source from) {
        rejections.log(from);
        long lines = turnedAway;
        if (lines > 0) {
            turnedAway = 0;
            faults.warn(
                    "turned away",
                    from.addressKey,
                    lines,
                    () -> from.protocol() + " lines from " + from.text()
                            + " were not counted under their names, or not yet: too many names or streams are new, or a"
                            + " total jumped by more than 2^53; to allow more, raise --new-names, --names-memory or"
                            + " --streams-memory");
        }
    }

    /** Rejects the beginning of a line that is too long. */
    void tooLong(Source from, byte[] in, int begin, int end) {
        source = from;
        unendedBytes.add((long) end - begin);
        if (refusesConnections) {
            if (!from.isForeign) {
                refuseConnection(from, in, begin, end);
            }
            return;
        }
        reader.line(in, begin, end);
        rejections.log(from);
    }

    /** Rejects what a connection that has ended sent after its last line break, because it may be half a line. */
    void cut(Source from, byte[] in, int begin, int end) {
        if (!refusesConnections) {
            cut(Rejection.LINE_CUT, from, in, begin, end);
        } else if (!from.isForeign) {
            refuseConnection(from, in, begin, end);
        }
    }

    /** Rejects the last line of a datagram that is too long, because the rest of it is lost. */
    void datagramCut(Source from, byte[] in, int begin, int end) {
        cut(Rejection.DATAGRAM_CUT, from, in, begin, end);
    }

    private void cut(Rejection why, Source from, byte[] in, int begin, int end) {
        source = from;
        rejected(why, in, begin, end);
        rejections.log(from);
    }

    /**
     * Ignores more of a line that was rejected as too long.
     *
     * @param held reads the ignored bytes; it has read the line's previous bytes already
     */
    void passOver(JoinedLines held, byte[] in, int begin, int end) {
        held.read(in, begin, end);
        rejections.addJoined(held.takeCounts());
        unendedBytes.add((long) end - begin);
    }

    /** Logs an estimate of the counts in a line that was too long, if it was several lines. */
    void passedOver(Source from, JoinedLines held, long bytes) {
        if (held.lines() > 1 && !from.isForeign) {
            faults.warn(
                    "no line breaks",
                    from.addressKey,
                    () -> String.format(
                            Locale.ROOT,
                            "the TCP connection from %s sent %,d bytes without a line break; estimated counts in them:"
                                    + " %,d, and none is counted. End each line with a line break; if a client cannot,"
                                    + " such as Ruby's statsd-ruby over TCP, let it send over UDP",
                            from.text(),
                            bytes,
                            held.counts()));
        }
    }

    /** Rejects a connection that begins with TLS. */
    void tls(Source from, byte[] in, int begin, int end) {
        from.isForeign = true;
        rejections.add(from, Rejection.TLS, in, begin, end);
        rejections.log(from);
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        if (source.isForeign) {
            return;
        }
        source.named = true;
        source.stream = target.stream(bytes, begin, end, ageMillis, seq, source.addressKey);
        if (isConnection) {
            // After a reconnection a client may repeat what it has sent with a new number, so none tells the order of
            // lines.
            target.heard(source.stream);
        }
    }

    @Override
    public void fromNobody() {
        source.leaveStream();
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        Source from = source;
        if (from.isForeign) {
            return;
        }
        if (end - begin > nameBytesMax) {
            rejected(Rejection.NAME_TOO_LONG, bytes, begin, end);
            return;
        }
        if (isSigned && signatures != null) {
            Rejection why = signatures.checkCommand(from.stream, bytes, begin, end, total);
            if (why != null) {
                rejected(why, bytes, begin, end);
                return;
            }
        }
        target.merge(from.stream, verb, bytes, begin, end, amount, total);
    }

    @Override
    public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
        if (source.isForeign) {
            return;
        }
        if (end - begin > nameBytesMax) {
            rejected(Rejection.NAME_TOO_LONG, bytes, begin, end);
            return;
        }
        if (isSigned) {
            rejected(Rejection.SIGNED_TOTAL, bytes, begin, end);
            return;
        }
        target.merge(bytes, begin, end, integer, rest);
    }

    @Override
    public void cleaned(Cleaning why) {
        if (!source.isForeign) {
            Objects.requireNonNull(cleaned.get(why)).increment();
        }
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        if (source.isForeign) {
            return;
        }
        if (source.mayBeForeign && ForeignProtocol.isHttp(bytes, begin, end)) {
            source.isForeign = true;
            rejections.add(
                    source,
                    ForeignProtocol.isTls(bytes, begin, end) ? Rejection.TLS : Rejection.HTTP,
                    bytes,
                    begin,
                    end);
        } else {
            rejections.add(source, why, bytes, begin, end);
        }
    }
}
