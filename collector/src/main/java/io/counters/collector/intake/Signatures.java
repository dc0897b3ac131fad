package io.counters.collector.intake;

import io.counters.collector.common.Metrics;
import io.counters.wire.Commands;
import io.counters.wire.DatagramMac;
import io.counters.wire.Rejection;
import io.counters.wire.SignedLine;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Checks the signatures of datagrams before anything else of them is read, and counts those that are refused. Allocates
 * nothing and takes no lock. For one thread.
 *
 * <p>A signature proves that a holder of the key has made the datagram within the last minutes. It does not prove that the
 * datagram was not received before; nothing changes then, because a signed datagram has only totals.
 */
final class Signatures {
    /** How far a datagram's time may be from this clock. */
    static final long WINDOW_MILLIS = TimeUnit.MINUTES.toMillis(5);

    private final Keys keys;
    private final LongSupplier wallMillis;
    private final SignedLine line = new SignedLine();
    private final DatagramMac mac = new DatagramMac();
    private final LongAdder unsigned;
    private final LongAdder malformed;
    private final LongAdder unknown;
    private @Nullable KnownKey key;
    private int linesBegin;

    Signatures(Keys keys, LongSupplier wallMillis, Metrics metrics) {
        this.keys = keys;
        this.wallMillis = wallMillis;
        unsigned = KnownKey.refused(Rejection.UNSIGNED, KnownKey.NONE, metrics);
        malformed = KnownKey.refused(Rejection.SIGNED_FORM, KnownKey.NONE, metrics);
        unknown = KnownKey.refused(Rejection.KEY_UNKNOWN, KnownKey.UNKNOWN, metrics);
    }

    /**
     * Checks the datagram {@code in[begin, end)}.
     *
     * @return the rule that it breaks, or null if its lines may be read, from {@link #linesBegin} on
     */
    @Nullable
    Rejection check(byte[] in, int begin, int end) {
        key = null;
        linesBegin = begin;
        if (!SignedLine.isAt(in, begin, end)) {
            return keys.isRequired() && !isEmpty(in, begin, end) ? refused(Rejection.UNSIGNED, unsigned) : null;
        }
        if (!line.read(in, begin, end)) {
            return refused(Rejection.SIGNED_FORM, malformed);
        }
        KnownKey named = keys.known().find(in, line.idBegin(), line.idEnd());
        if (named == null) {
            return refused(Rejection.KEY_UNKNOWN, unknown);
        }
        if (!mac.matches(named.key, line, in, end)) {
            return refused(Rejection.SIGNED_MAC, named.wrongMac);
        }
        long aheadMillis = line.timeMillis() - wallMillis.getAsLong();
        if (aheadMillis > WINDOW_MILLIS || aheadMillis < -WINDOW_MILLIS) {
            return refused(Rejection.SIGNED_TIME, named.wrongTime);
        }
        named.accepted.increment();
        key = named;
        linesBegin = line.linesBegin();
        return null;
    }

    private static Rejection refused(Rejection why, LongAdder counted) {
        counted.increment();
        return why;
    }

    /** Whether there is no line: the proxy sends an empty one to find out whether a collector listens. */
    private static boolean isEmpty(byte[] in, int begin, int end) {
        int at = begin;
        while (at < end && (in[at] == '\n' || in[at] == '\r')) {
            at++;
        }
        return at == end;
    }

    /** Where the lines of the datagram begin that was checked last. */
    int linesBegin() {
        return linesBegin;
    }

    /** Whether that datagram is signed. */
    boolean isSigned() {
        return key != null;
    }

    /**
     * The rule that a command of that datagram breaks, or null.
     *
     * @param stream null if the command belongs to none
     */
    @Nullable
    Rejection checkCommand(@Nullable Object stream, byte[] name, int begin, int end, long total) {
        KnownKey by = key;
        if (by == null) {
            return null;
        }
        if (stream == null || total == Commands.NO_TOTAL) {
            return refused(Rejection.SIGNED_TOTAL, by.withoutTotal);
        }
        return by.key.allows(name, begin, end) ? null : refused(Rejection.KEY_PREFIX, by.wrongPrefix);
    }
}
