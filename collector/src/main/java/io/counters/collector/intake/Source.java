package io.counters.collector.intake;

import io.counters.collector.ledger.Stream;
import io.counters.collector.self.AddressKey;
import java.net.InetSocketAddress;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Who sends lines, a TCP connection or all of UDP, and what its lines before say about the ones that follow. */
final class Source {
    /** "UDP" or "TCP", for the log. */
    final String protocol;

    /**
     * Whether a line of HTTP ends it. A web page can have a browser open a TCP connection, but can't have it send a datagram
     * of its own choice.
     */
    final boolean mayBeForeign;

    /** Who it is at the moment, for the log. */
    final Supplier<@Nullable InetSocketAddress> sender;

    /** The {@link AddressKey} of who it is at the moment. */
    long addressKey;

    /** The stream that its lines belong to; null for those that belong to none. */
    @Nullable
    Stream stream;

    /** Whether a from line stands above the next line. */
    boolean named;

    /** Whether it speaks another protocol: nothing of it counts any more. */
    boolean isForeign;

    Source(String protocol, boolean mayBeForeign, Supplier<@Nullable InetSocketAddress> sender) {
        this.protocol = protocol;
        this.mayBeForeign = mayBeForeign;
        this.sender = sender;
    }

    /** Before the first one is known. */
    static Source none() {
        return new Source("", false, () -> null);
    }

    /** The lines that follow belong to no stream. */
    void leaveStream() {
        stream = null;
        named = false;
    }
}
