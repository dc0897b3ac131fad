package io.counters.collector.http;

import io.counters.collector.ledger.MemoryLedger;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;

/** Lines without a stream, into a ledger. */
record Counted(MemoryLedger kept) implements Commands {
    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void fromNobody() {
        // Here no line belongs to a stream.
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        kept.ledger.merge(null, verb, bytes, begin, end, amount, total);
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        throw new IllegalArgumentException(why.rule());
    }
}
