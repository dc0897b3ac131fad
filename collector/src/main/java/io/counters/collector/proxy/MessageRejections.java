package io.counters.collector.proxy;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.JoinedLines;
import io.counters.collector.common.LineSender;
import io.counters.collector.common.Metrics;
import io.counters.wire.Rejection;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * Counts the messages that are not forwarded, by reason, and logs them. Joined lines, which have no line breaks between them,
 * break some other rule by chance; they are reported as joined, with an estimate of the counts in them. For one thread.
 */
final class MessageRejections {
    private final FaultLog faults;
    private final Supplier<LineSender> sender;
    private final Map<MessageRejection, LongAdder> refused = new EnumMap<>(MessageRejection.class);
    private final Map<Rejection, LongAdder> rejected = new EnumMap<>(Rejection.class);
    private final JoinedLines joined = new JoinedLines();
    private final LongAdder joinedCounts;
    private final LongAdder unendedBytes;

    /** @param sender supplies the sender of what is being read */
    MessageRejections(FaultLog faults, Supplier<LineSender> sender, Metrics metrics) {
        this.faults = faults;
        this.sender = sender;
        joinedCounts = metrics.count(
                "proxy_joined_counts_total", "An estimate of the counts in lines without line breaks between them.");
        unendedBytes =
                metrics.count("proxy_unended_bytes_total", "Bytes of TCP lines that were too long, and were ignored.");
        for (MessageRejection why : MessageRejection.values()) {
            refused.put(
                    why,
                    metrics.count(
                            "proxy_rejected_total", "Messages that were refused, by reason.", "reason", why.reason()));
        }
        for (Rejection why : Rejection.values()) {
            rejected.put(
                    why,
                    metrics.count(
                            "proxy_rejected_total", "Messages that were refused, by reason.", "reason", why.reason()));
        }
    }

    /** Counts and logs a message that is not forwarded. */
    void add(MessageRejection why, byte[] in, int begin, int end) {
        if (!why.isOfLines() || !isJoined(in, begin, end)) {
            Objects.requireNonNull(refused.get(why)).increment();
            warn(why.reason(), why.rule(), in, begin, end);
        }
    }

    /** The same, for a line of our own protocol. */
    void add(Rejection why, byte[] in, int begin, int end) {
        if (!isJoined(in, begin, end)) {
            Objects.requireNonNull(rejected.get(why)).increment();
            warn(why.reason(), why.rule(), in, begin, end);
        }
    }

    /** Whether these are joined lines; if so, counts and logs them. */
    private boolean isJoined(byte[] in, int begin, int end) {
        joined.clear();
        joined.read(in, begin, end);
        if (joined.lines() < 2) {
            return false;
        }
        long counts = joined.counts();
        joinedCounts.add(counts);
        Objects.requireNonNull(refused.get(MessageRejection.LINES_JOINED)).increment();
        warn(
                MessageRejection.LINES_JOINED.reason(),
                MessageRejection.LINES_JOINED.rule(),
                in,
                begin,
                end,
                () -> String.format(Locale.ROOT, "; estimated counts in it: %,d", counts));
        return true;
    }

    /** Logs a message that breaks a rule; the caller counts it. */
    void warn(String reason, String rule, byte[] in, int begin, int end) {
        warn(reason, rule, in, begin, end, () -> "");
    }

    private void warn(String reason, String rule, byte[] in, int begin, int end, Supplier<String> more) {
        LineSender from = sender.get();
        faults.rejected(
                reason,
                rule,
                from,
                1,
                in,
                begin,
                end,
                () -> from.protocol() + " from " + from.text() + ": \"" + FaultLog.shown(in, begin, end)
                        + "\" was rejected (" + reason + "): " + rule + more.get());
    }

    /** Adds bytes of a line that is too long and has not ended, and an estimate of the counts in them, to the metrics. */
    void passedOver(long bytes, long counts) {
        unendedBytes.add(bytes);
        joinedCounts.add(counts);
    }

    /** Logs what a line that was too long has contained so far, if it consists of several joined lines. */
    void unended(JoinedLines held, long bytes) {
        if (held.lines() > 1) {
            LineSender from = sender.get();
            faults.warn(
                    "no line breaks",
                    from.addressKey(),
                    () -> String.format(
                            Locale.ROOT,
                            "%s from %s: %,d bytes arrived without a line break and are not forwarded; estimated counts in"
                                    + " them: %,d. End each line with a line break; if a client cannot, such as Ruby's"
                                    + " statsd-ruby over TCP, use UDP for it",
                            from.protocol(),
                            from.text(),
                            bytes,
                            held.counts()));
        }
    }
}
