package io.counters.collector.intake;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.LineSender;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The source of lines, a TCP connection or a datagram socket, and what its previous lines have set for the next ones. */
final class Source implements LineSender {
    private final String protocol;

    /**
     * Whether a line of HTTP ends it. A web page can make a browser open a TCP connection, but not send a datagram with
     * chosen content.
     */
    final boolean mayBeForeign;

    /** The present sender, for the log. */
    private final Supplier<String> sender;

    /** The {@link AddressKey} of the present sender. */
    long addressKey;

    /** The port of the present sender; 0 if it has none. */
    int port;

    /** The stream to which its next lines belong, as the target returned it; null if they belong to none. */
    @Nullable
    Object stream;

    /** Whether a from line applies to the next line. */
    boolean named;

    /** Whether it uses another protocol, so that none of its further lines counts. */
    boolean isForeign;

    /** @param protocol "UDP", "TCP" or "Unix", for the log */
    Source(String protocol, boolean mayBeForeign, Supplier<String> sender) {
        this.protocol = protocol;
        this.mayBeForeign = mayBeForeign;
        this.sender = sender;
    }

    /** A placeholder before the first source. */
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

    /** Ends the stream: the next lines belong to none. */
    void leaveStream() {
        stream = null;
        named = false;
    }
}
