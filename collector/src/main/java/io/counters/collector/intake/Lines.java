package io.counters.collector.intake;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.JoinedLines;
import io.counters.collector.self.Self;
import io.counters.wire.Cleaning;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.ForeignProtocol;
import io.counters.wire.PeerLine;
import io.counters.wire.Rejection;
import io.counters.wire.StatsdName;
import io.counters.wire.Verb;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/**
 * Reads the lines of one thread's {@link Source}s into the ledger. Whatever it throws, the next call begins afresh, but
 * for what the source's own lines have said before.
 *
 * <p>A web page can have any browser send an HTTP request here, whose body holds lines that would count. Its request line
 * is no line of ours, whatever follows the method; so only lines that are rejected are looked at, and the others pay
 * nothing. From such a line on a TCP connection is {@link Source#isForeign}; in a datagram it is a bad line like others.
 */
final class Lines implements Commands {
    private final Ledger ledger;
    private final int nameBytesMax;
    private final Rejections rejections;
    private final CommandReader reader;
    private final Map<Cleaning, LongAdder> cleaned = new EnumMap<>(Cleaning.class);
    private final FaultLog faults;
    private final LongAdder unendedBytes;

    /** Whose lines are being read. */
    private Source source = Source.none();

    /**
     * @param nameBytesMax the most bytes of a name
     * @param statsdName reads the names of StatsD lines, for these lines alone
     */
    Lines(Ledger ledger, int nameBytesMax, StatsdName statsdName, FaultLog faults, Self self) {
        this.ledger = ledger;
        this.nameBytesMax = nameBytesMax;
        reader = new CommandReader(this, statsdName);
        for (Cleaning why : Cleaning.values()) {
            cleaned.put(why, self.count("intake_cleaned_lines_total", "reason", why.reason()));
        }
        this.faults = faults;
        rejections = new Rejections(faults, self);
        unendedBytes = self.count("intake_unended_bytes_total");
    }

    /** Merges a whole datagram, under one hold of the ledger's lock. */
    void datagram(Source from, byte[] in, int begin, int end) {
        source = from;
        try {
            synchronized (ledger) {
                reader.datagram(in, begin, end);
            }
        } finally {
            rejections.log(from);
        }
    }

    /** Merges whole lines of a stream, each with its line break. */
    void lines(Source from, byte[] in, int begin, int end) {
        source = from;
        try {
            synchronized (ledger) {
                if (from.stream != null) {
                    ledger.heard(from.stream);
                }
                reader.lines(in, begin, end);
            }
        } finally {
            rejections.log(from);
        }
    }

    /** Refuses the beginning of a line that is longer than any may be. */
    void tooLong(Source from, byte[] in, int begin, int end) {
        source = from;
        reader.line(in, begin, end);
        unendedBytes.add((long) end - begin);
        rejections.log(from);
    }

    /** Refuses what a stream has sent behind its last line break: its connection has ended, and it may be half a line. */
    void cut(Source from, byte[] in, int begin, int end) {
        cut(Rejection.LINE_CUT, from, in, begin, end);
    }

    /** Refuses the last line of a datagram that is longer than any may be: the rest of it is gone. */
    void datagramCut(Source from, byte[] in, int begin, int end) {
        cut(Rejection.DATAGRAM_CUT, from, in, begin, end);
    }

    private void cut(Rejection why, Source from, byte[] in, int begin, int end) {
        source = from;
        rejected(why, in, begin, end);
        rejections.log(from);
    }

    /**
     * Passes over more of a line that was refused as too long.
     *
     * @param held reads what was passed over, all that came of the line before included
     */
    void passOver(JoinedLines held, byte[] in, int begin, int end) {
        held.read(in, begin, end);
        rejections.addJoined(held.takeCounts());
        unendedBytes.add((long) end - begin);
    }

    /** Says what a line that was too long came to, if it was several. */
    void passedOver(Source from, JoinedLines held, long bytes) {
        if (held.lines() > 1 && !from.isForeign) {
            faults.warn(
                    "no line breaks",
                    from.addressKey,
                    () -> String.format(
                            Locale.ROOT,
                            "the TCP connection from %s sent %,d bytes without a line break, which hold about %,d counts;"
                                    + " none of them is counted. End each line with a line break; a client that can't,"
                                    + " such as Ruby's statsd-ruby by TCP, counts by UDP",
                            from.text(),
                            bytes,
                            held.counts()));
        }
    }

    /** Refuses a source that speaks TLS, which begins so. */
    void tls(Source from, byte[] in, int begin, int end) {
        from.isForeign = true;
        rejections.add(Rejection.TLS, in, begin, end);
        rejections.log(from);
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        if (source.isForeign) {
            return;
        }
        source.named = true;
        source.stream = ledger.stream(bytes, begin, end, ageMillis, seq, source.addressKey);
    }

    @Override
    public void peer(PeerLine kind, long list, int digest, String address, long sum) {
        if (!source.isForeign && source.stream != null) {
            ledger.peer(source.stream, kind, list, digest, address, sum);
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
        ledger.merge(from.stream, verb, bytes, begin, end, amount, total);
    }

    @Override
    public void fraction(byte[] bytes, int begin, int end, long whole, long rest) {
        if (source.isForeign) {
            return;
        }
        if (end - begin > nameBytesMax) {
            rejected(Rejection.NAME_TOO_LONG, bytes, begin, end);
            return;
        }
        ledger.merge(source.stream, bytes, begin, end, whole, rest);
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
                    ForeignProtocol.isTls(bytes, begin, end) ? Rejection.TLS : Rejection.HTTP, bytes, begin, end);
        } else {
            rejections.add(why, bytes, begin, end);
        }
    }
}
