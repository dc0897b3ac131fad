package io.counters.collector.intake;

import io.counters.collector.common.AddressKey;
import io.counters.collector.ledger.InboundStream;
import io.counters.collector.ledger.Ledger;
import io.counters.wire.Verb;
import org.jspecify.annotations.Nullable;

/** The ledger of this collector. In a program that uses no other target, the JIT compiles these calls away. */
final class LedgerTarget implements LineTarget {
    private final Ledger ledger;

    LedgerTarget(Ledger ledger) {
        this.ledger = ledger;
    }

    @Override
    public boolean batch(Runnable lines) {
        return ledger.batch(lines);
    }

    @Override
    public long turnedAway() {
        return ledger.turnedAway();
    }

    @Override
    public Object stream(byte[] bytes, int begin, int end, long ageMillis, long seq, long address) {
        return ledger.stream(bytes, begin, end, ageMillis, seq, address);
    }

    @Override
    public Object once(byte[] bytes, int begin, int end, long ageMillis) {
        InboundStream stream = ledger.stream(bytes, begin, end, ageMillis, 0, AddressKey.HTTP);
        stream.comeOnce();
        return stream;
    }

    @Override
    public void heard(Object stream) {
        ledger.heard((InboundStream) stream);
    }

    @Override
    public void merge(@Nullable Object stream, Verb verb, byte[] name, int begin, int end, long amount, long total) {
        ledger.merge((InboundStream) stream, verb, name, begin, end, amount, total);
    }

    @Override
    public void merge(byte[] name, int begin, int end, long integer, long rest) {
        ledger.merge(name, begin, end, integer, rest);
    }
}
