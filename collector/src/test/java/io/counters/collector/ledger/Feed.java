package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import org.jspecify.annotations.Nullable;

/** Feeds datagrams to a ledger, in the form of the protocol. */
final class Feed implements Commands {
    private final Ledger ledger;
    private final long address;
    private final CommandReader reader = new CommandReader(this);
    private @Nullable InboundStream stream;

    Feed(Ledger ledger) {
        this(ledger, 0);
    }

    /** @param address a number for the sender's address */
    Feed(Ledger ledger, long address) {
        this.ledger = ledger;
        this.address = address;
    }

    void datagram(String text) {
        byte[] bytes = text.getBytes(ISO_8859_1);
        reader.datagram(bytes, 0, bytes.length);
    }

    @Override
    public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
        stream = ledger.stream(bytes, begin, end, ageMillis, seq, address);
    }

    @Override
    public void fromNobody() {
        stream = null;
    }

    @Override
    public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
        ledger.merge(stream, verb, bytes, begin, end, amount, total);
    }

    @Override
    public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
        ledger.merge(bytes, begin, end, integer, rest);
    }

    @Override
    public void rejected(Rejection why, byte[] bytes, int begin, int end) {
        throw new AssertionError(why + ": " + new String(bytes, begin, end - begin, ISO_8859_1));
    }
}
