package io.counters.collector.intake;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Stream;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.PeerLine;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Reads the lines of one source, a TCP connection or all of UDP, into the ledger, and remembers which stream they belong
 * to. For one thread.
 */
final class Lines implements Commands {
    private final Ledger ledger;
    private final FaultLog faults;
    private final String source;
    private final int nameBytesMax;
    private final CommandReader reader = new CommandReader(this);
    private final Map<Rejection, LongAdder> rejections = new EnumMap<>(Rejection.class);
    private @Nullable Stream stream;
    private boolean named;

    /** Whether these are a peer's lines for whose stream there is no room: their totals will be repeated for ever. */
    private boolean waits;

    /**
     * @param source what the log calls it: "UDP" or "TCP"
     * @param nameBytesMax the most bytes of a name
     */
    Lines(Ledger ledger, String source, int nameBytesMax, FaultLog faults, Self self) {
        this.nameBytesMax = nameBytesMax;
        this.ledger = ledger;
        this.source = source;
        this.faults = faults;
        for (Rejection why : Rejection.values()) {
            rejections.put(why, self.count("intake_rejected_lines_total", "reason", why.reason()));
        }
    }

    /** Merges a whole datagram, under one hold of the ledger's lock. */
    void datagram(byte[] in, int begin, int end) {
        synchronized (ledger) {
            reader.datagram(in, begin, end);
        }
    }

    /** Merges whole lines of a stream, each with its line break. */
    void lines(byte[] in, int begin, int end) {
        synchronized (ledger) {
            if (stream != null) {
                ledger.heard(stream);
            }
            reader.lines(in, begin, end);
        }
    }

    /** Refuses the beginning of a line that is longer than any may be. */
    void tooLong(byte[] in, int begin, int end) {
        reader.line(in, begin, end);
    }

    /**
     * Takes the last line of a stream that ended without a line break, as a person's may; under a {@code from} line it may
     * be half of one, and its sender repeats it.
     */
    void last(byte[] in, int begin, int end) {
        if (named) {
            rejected(Rejection.LINE_CUT, in, begin, end);
        } else {
            synchronized (ledger) {
                reader.line(in, begin, end);
            }
        }
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        named = true;
        waits = false;
        stream = ledger.stream(bytes, begin, end, ageMillis, seq, 0);
    }

    @Override
    public void peer(PeerLine kind, long list, int digest, String address, long sum) {
        if (stream != null) {
            ledger.peer(stream, kind, list, digest, address, sum);
        }
        waits = stream == null && named;
    }

    @Override
    public void fromNobody() {
        named = false;
        waits = false;
        stream = null;
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        if (end - begin > nameBytesMax) {
            rejected(Rejection.NAME_TOO_LONG, bytes, begin, end);
            return;
        }
        if (waits) {
            return;
        }
        ledger.merge(stream, verb, bytes, begin, end, amount, total);
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        LongAdder count = rejections.get(why);
        if (count != null) {
            count.increment();
        }
        faults.warn(
                "rejected " + why,
                () -> source + " line \"" + FaultLog.shown(bytes, begin, end) + "\" was rejected (" + why.reason()
                        + "): " + why.rule());
    }
}
