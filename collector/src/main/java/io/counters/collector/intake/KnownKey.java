package io.counters.collector.intake;

import io.counters.collector.common.Metrics;
import io.counters.wire.Rejection;
import io.counters.wire.SigningKey;
import java.util.concurrent.atomic.LongAdder;

/** A key, and the counts of the datagrams that name it. */
final class KnownKey {
    /** Instead of a key's ID in the metrics: the datagram names no key. */
    static final String NONE = "none";

    /** The same: it names a key that is not in the file. */
    static final String UNKNOWN = "unknown";

    final SigningKey key;
    final LongAdder accepted;
    final LongAdder wrongMac;
    final LongAdder wrongTime;

    /** Lines, not datagrams. */
    final LongAdder wrongPrefix;

    final LongAdder withoutTotal;

    KnownKey(SigningKey key, Metrics metrics) {
        this.key = key;
        accepted = metrics.count(
                "intake_signed_datagrams_total", "Datagrams with a correct signature, by key.", "key", key.id());
        wrongMac = refused(Rejection.SIGNED_MAC, key.id(), metrics);
        wrongTime = refused(Rejection.SIGNED_TIME, key.id(), metrics);
        wrongPrefix = refusedLines(Rejection.KEY_PREFIX, key.id(), metrics);
        withoutTotal = refusedLines(Rejection.SIGNED_TOTAL, key.id(), metrics);
    }

    private static LongAdder refusedLines(Rejection why, String key, Metrics metrics) {
        return metrics.count(
                "intake_refused_signed_lines_total",
                "Lines of datagrams with a correct signature that were rejected, by reason and key.",
                "reason",
                why.reason(),
                "key",
                key);
    }

    /** The counter of the datagrams that were refused for this reason. */
    static LongAdder refused(Rejection why, String key, Metrics metrics) {
        return metrics.count(
                "intake_refused_datagrams_total",
                "Datagrams that were refused because of their signature, by reason and key.",
                "reason",
                why.reason(),
                "key",
                key);
    }
}
