package io.counters.collector.intake;

import io.counters.collector.ledger.Stream;
import io.counters.collector.self.AddressKey;
import io.counters.collector.self.Sender;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Who sends lines, a TCP connection or all that send datagrams, and what its lines before say about the ones that follow.
 */
final class Source implements Sender {
    private final String protocol;

    /**
     * Whether a line of HTTP ends it. A web page can have a browser open a TCP connection, but can't have it send a datagram
     * of its own choice.
     */
    final boolean mayBeForeign;

    /** Who it is at the moment, for the log. */
    private final Supplier<String> sender;

    /** The {@link AddressKey} of who it is at the moment. */
    long addressKey;

    /** The port of who it is at the moment; 0 where there is none. */
    int port;

    /** The stream that its lines belong to; null for those that belong to none. */
    @Nullable
    Stream stream;

    /** Whether a from line stands above the next line. */
    boolean named;

    /** Whether it speaks another protocol: nothing of it counts any more. */
    boolean isForeign;

    /** @param protocol "UDP", "TCP" or "Unix", for the log */
    Source(String protocol, boolean mayBeForeign, Supplier<String> sender) {
        this.protocol = protocol;
        this.mayBeForeign = mayBeForeign;
        this.sender = sender;
    }

    /** Before the first one is known. */
    static Source none() {
        return new Source("", false, () -> "");
    }

    @Override
    public String protocol() {
        return protocol;
    }

    @Override
    public long addressKey() {
        return addressKey;
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public String text() {
        return sender.get();
    }

    /** The lines that follow belong to no stream. */
    void leaveStream() {
        stream = null;
        named = false;
    }
}
